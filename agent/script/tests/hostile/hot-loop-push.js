// A loop that V8's optimising compiler leaves without a check, and that takes memory
// expect: heap_overflows or timeouts or errors
// expect: says (hook=onItemCaptured)

function onItemCaptured(data) {
  if (data.index !== 1) return;
  let a = [];
  for (let i = 0; ; i++) {
    a.push(new Array(1000).fill(1.5));
  }
}
