// As many lines as there is time for
// expect: console_suppressed
// expect: timeouts

function onItemCaptured(data) {
  if (data.index === 1) for (;;) console.error("line"), console.clear();
}
