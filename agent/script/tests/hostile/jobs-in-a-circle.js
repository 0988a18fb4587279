// Jobs that run each other, and the news of it for who asks to be told
// expect: timeouts
// expect: says lines dropped: more than 50 in a second

jobs.schedule("there", "0 0 0 1 1 *", () => jobs.run("back"));
jobs.schedule("back", "0 0 0 1 1 *", () => jobs.run("there"));
for (let i = 0; i < 500; i++) jobs.run("there");

function onItemCaptured(data) {
  if (data.index === 1) for (;;) jobs.runAll(), jobs.run("there");
}
