// A loop without end in the hook for packets
// expect: timeouts
// expect: says (hook=onPacketCaptured) ended: it ran longer than the time limit

let packets = 0;
function onPacketCaptured() {
  if (++packets === 2) for (;;) {}
}
