// A search through more elements than will ever be looked at
// expect: errors or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index === 1) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
}
