// Objects until the heap is full
// expect: heap_overflows or errors
// expect: says (hook=onItemCaptured)

const kept = [];
function onItemCaptured(data) {
  if (data.index === 1) for (;;) kept.push({ all: [1, 2, 3], text: "x" + kept.length });
}
