// Arguments that call helpers while a helper reads them
// expect: says all came back

let depth = 0;
const again = {
  toString() { if (depth++ < 5000) console.log(again); return "x"; },
  toJSON() { jobs.removeAll(); kfl.match("http", again2); return 1; },
};
const again2 = { toJSON() { return { a: utils.json2Yaml({ b: 1 }) }; } };

function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (const call of [
    () => console.log(again),
    () => jobs.schedule({ toString() { jobs.schedule("inner", "0 0 0 1 1 *", () => {}); return "outer"; } }, "0 0 0 1 1 *", () => {}),
    () => vendor.webhook("GET", env.WEB + "/sink", again, { get a() { return vendor.webhook("GET", env.WEB + "/sink"); } }),
    () => kfl.match({ toJSON() { test.pass(data); delete data.id; return "http"; } }, data),
    () => new ArrayBuffer({ valueOf() { new ArrayBuffer(8); return 8; } }),
    () => JSON.stringify(data, function (name, value) { data[name] = 1; return value; }),
    () => wrapper.buildHAR([{ protocol: { name: "http" }, get request() { return { get headers() { test.pass(data); return {}; } }; } }]),
  ]) {
    try {
      call();
    } catch {
      continue;
    }
  }
  console.log("all came back");
}
