// An exception as long as the heap allows, at every call
// expect: errors
// expect: says more characters)

function onItemCaptured() {
  throw "x".repeat(12 << 20);
}
