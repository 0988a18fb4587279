// An answer that is a promise of a promise of a promise
// expect: timeouts or heap_overflows
// expect: says (hook=onItemQueried) ended:

function onItemQueried(data) {
  if (data.index !== 1) return data;
  const endless = { get then() { return (resolve) => resolve(endless); } };
  return Promise.resolve(endless);
}
