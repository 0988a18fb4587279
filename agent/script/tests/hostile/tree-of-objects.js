// An object of a million empty ones, held against a query
// expect: errors or heap_overflows or timeouts
// expect: says (hook=onItemCaptured)

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const none = {};
  const many = new Array(1000000).fill(none);
  kfl.match("http", { many, more: many, most: many });
  console.log("REACHED the host's memory");
}
