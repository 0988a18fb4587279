// Answers larger than any item, for every item that is shown
// expect: errors
// expect: says (hook=onItemQueried) the object that it returned has

function onItemQueried(data) {
  return { shown: "x".repeat(4 << 20) };
}
