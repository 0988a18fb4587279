// Promises that are never settled, and those that are settled when something else is shown
// expect: says answered late

const waiting = [];
function onItemQueried(data) {
  if (data.index === 0) return new Promise(() => {});
  for (const answer of waiting.splice(0)) answer({ reached: "another item's place" });
  if (waiting.length === 0) console.log("answered late");
  return new Promise((resolve) => waiting.push(resolve));
}
