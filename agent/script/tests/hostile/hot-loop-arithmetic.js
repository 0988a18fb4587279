// A loop of arithmetic alone, warmed up in earlier calls so that it runs as optimised as it gets
// expect: timeouts
// expect: says ended: it ran longer than the time limit

const words = new Int32Array(1024);
function spin(turns) {
  let sum = 0;
  for (let i = 0; i !== turns; i++) {
    sum = (sum + words[i & 1023] * 31) | 0;
    words[i & 1023] = sum;
  }
  return sum;
}

function onItemCaptured(data) {
  for (let call = 0; call < 50; call++) spin(2000);
  if (data.index === 1) spin(-0.5);
}
