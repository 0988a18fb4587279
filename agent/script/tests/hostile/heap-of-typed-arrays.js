// Typed arrays, which lie outside of the heap
// expect: errors or heap_overflows
// expect(v8): says (hook=onItemCaptured)
// expect(quickjs): says it has filled its heap

const kept = [];
function onItemCaptured(data) {
  if (data.index === 1) for (;;) kept.push(new Uint8Array(1000000).fill(7));
}
