// An answer of 500 MB where an item is to be shown
// expect: errors or heap_overflows or timeouts or abandoned
// expect: says error:

function onItemQueried(data) {
  const long = "x".repeat(1 << 20);
  return { shown: new Array(500).fill(long) };
}
