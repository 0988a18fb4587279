// A loop without end where the host looks for a hook
// expect: timeouts
// expect: says (hook=onItemCaptured) ended: it ran longer than the time limit

let looks = 0;
Object.defineProperty(globalThis, "onItemCaptured", {
  get() {
    if (++looks === 4) for (;;) {}
    return () => {};
  },
});
