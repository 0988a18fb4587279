// Typed arrays, which lie outside of the heap
// expect: errors or heap_overflows
// expect: says (hook=onItemCaptured)

const kept = [];
function onItemCaptured(data) {
  if (data.index === 1) for (;;) kept.push(new Uint8Array(1000000).fill(7));
}
