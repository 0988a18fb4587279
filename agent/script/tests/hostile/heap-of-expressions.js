// Regular expressions whose programs lie outside of the heap
// expect: errors or heap_overflows or abandoned or timeouts
// expect: says error:

const kept = [];
function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (let i = 1; ; i++) {
    const expression = new RegExp("(?:[a-f]{1,40}" + i + "|" + "\\p{L}x".repeat(500) + "){1,30}", "iu");
    expression.test("abcdefx".repeat(20));
    kept.push(expression);
  }
}
