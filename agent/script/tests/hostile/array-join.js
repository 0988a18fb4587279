// One operation of the engine that takes as long as it likes
// expect: errors or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index === 1) new Array(2 ** 32 - 1).join("x");
}
