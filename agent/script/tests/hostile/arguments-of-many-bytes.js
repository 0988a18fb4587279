// Bodies, paths and texts as long as the heap allows
// expect: says refused: 6

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const long = "x".repeat(20 << 20);
  let refused = 0;
  for (const call of [
    () => vendor.webhook("POST", env.WEB + "/sink", long),
    () => vendor.webhook("GET", env.WEB + "/" + long),
    () => file.mkdir(long),
    () => file.write(long, "x"),
    () => kfl.match(long, data),
    () => jobs.schedule(long, long, () => {}),
  ]) {
    try {
      call();
    } catch {
      refused++;
    }
  }
  console.log("refused: " + refused);
}
