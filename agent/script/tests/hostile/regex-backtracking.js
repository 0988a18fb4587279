// A regular expression that tries all ways to fail
// expect: timeouts
// expect: says ended: it ran longer than the time limit

function onItemCaptured(data) {
  if (data.index === 1) /^(a+)+$/.test("a".repeat(60) + "b");
}
