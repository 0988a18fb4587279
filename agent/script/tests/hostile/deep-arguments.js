// Objects nested deeper than any stack, as arguments of helpers
// expect: says all came to an end

function onItemCaptured(data) {
  if (data.index !== 1) return;
  let deep = {};
  for (let i = 0; i < 50000; i++) deep = { deep };
  const text = "[".repeat(200000);
  let stopped = 0;
  for (const call of [
    () => console.log(JSON.stringify(deep)),
    () => kfl.match("http", deep),
    () => utils.json2Yaml(deep),
    () => utils.json2Yaml(text),
    () => vendor.influxdb(env.WEB, "t", "o", "b", "m", deep),
    () => vendor.elastic(env.WEB, "index", deep),
  ]) {
    try {
      call();
    } catch {
      stopped++;
    }
  }
  console.log("all came to an end, by exceptions " + stopped);
}
