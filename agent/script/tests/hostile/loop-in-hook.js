// A loop without end in a hook, which catches whatever would end it
// expect: timeouts
// expect: says (hook=onItemCaptured) ended: it ran longer than the time limit

function onItemCaptured(data) {
  if (data.index !== 1) return;
  while (true) {
    try {
      for (;;) {}
    } catch {
      continue;
    } finally {
      for (;;) {}
    }
  }
}
