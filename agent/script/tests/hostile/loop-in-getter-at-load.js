// A loop without end where the host looks for a hook once the script has loaded
// expect: load ended: it ran longer than the time limit

Object.defineProperty(globalThis, "onPacketCaptured", {
  get() {
    for (;;) {}
  },
});
