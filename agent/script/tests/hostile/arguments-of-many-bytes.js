// Bodies, paths and texts as long as the heap allows
// expect: errors or heap_overflows or timeouts
// expect(v8): says vendor.webhook: the arguments have
// expect(quickjs): says error:

const long = "x".repeat(17 << 20);
const calls = [
  () => vendor.webhook("POST", env.WEB + "/sink", long),
  () => file.mkdir(long),
  () => file.write(long, "x"),
  () => kfl.match(long, { a: 1 }),
  () => jobs.schedule(long, "* * * * * *", () => {}),
  () => jobs.schedule("long", long, () => {}),
  () => prometheus.metric(long, long, 1, 1),
  () => chatgpt.sentiment(long),
];

function onItemCaptured(data) {
  if (data.index < calls.length) calls[data.index]();
}
