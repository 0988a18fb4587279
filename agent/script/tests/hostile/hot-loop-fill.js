// A loop that V8's optimising compiler leaves without a check for requests to end it
// expect: timeouts
// expect: says ended: it ran longer than the time limit

function onItemCaptured(data) {
  if (data.index !== 1) return;
  let a = [];
  for (let i = 0; ; i++) {
    a[i % 1000] = new Array(1000).fill(1.5);
  }
}
