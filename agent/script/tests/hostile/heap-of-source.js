// Code of many megabytes, whose syntax tree lies outside of the heap
// expect: errors or heap_overflows or abandoned or timeouts
// expect: says error:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  let made = 0;
  for (;;) made += new Function("return [" + "1,".repeat(3000000 + made) + "]")().length;
}
