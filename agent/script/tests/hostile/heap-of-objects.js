// Objects until the heap is full
// expect: heap_overflows or errors
// expect(v8): says (hook=onItemCaptured)
// expect(quickjs): says it has filled its heap

const kept = [];
function onItemCaptured(data) {
  if (data.index === 1) for (;;) kept.push({ all: [1, 2, 3], text: "x" + kept.length });
}
