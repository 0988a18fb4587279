// Requests without answer in a loop
// expect: timeouts
// expect: says ended: it ran longer than the time limit

let waited = 0;
function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (;;) {
    try {
      vendor.webhook("POST", env.WEB + "/silent", "{}");
    } catch (error) {
      if (/as long as all its waits/.test(error.message) && waited++ === 0) console.log(error.message);
    }
  }
}
