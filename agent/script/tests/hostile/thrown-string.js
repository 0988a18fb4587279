// An exception as long as the heap allows, at every call
// expect: errors or heap_overflows or timeouts or abandoned
// expect(v8): says more characters)
// expect(quickjs): says error:

function onItemCaptured() {
  throw "x".repeat(12 << 20);
}
