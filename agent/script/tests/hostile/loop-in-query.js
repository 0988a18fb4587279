// A loop without end while somebody waits to see an item
// expect: timeouts
// expect: says (hook=onItemQueried) ended: it ran longer than the time limit

function onItemQueried(data) {
  if (data.index === 1) for (;;) {}
}
