// Promises that follow each other without end
// expect: timeouts
// expect: says (hook=onItemCaptured) ended: it ran longer than the time limit

async function onItemCaptured(data) {
  if (data.index === 1) for (;;) await null;
}
