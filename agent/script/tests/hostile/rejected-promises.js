// Many promises that are rejected with a text as long as the heap allows
// expect: errors or heap_overflows or timeouts or abandoned
// expect: says error:

function onItemCaptured() {
  const long = "x".repeat(8 << 20);
  for (let i = 0; i < 10000; i++) Promise.reject(long);
}
