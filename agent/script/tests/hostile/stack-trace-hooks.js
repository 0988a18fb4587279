// Error.prepareStackTrace and its like, which are handed frames and functions
// expect: says nothing found

const seen = [];
const look = (value) => {
  if (typeof value === "function" && /\bop_|kit\.|native code|currentState/.test(String(value))) seen.push(String(value).slice(0, 80));
};
Error.prepareStackTrace = (error, sites) => {
  for (const site of Array.isArray(sites) ? sites : []) {
    for (const name of ["getThis", "getFunction", "getEvalOrigin"]) {
      try {
        look(site[name]?.());
      } catch {
        continue;
      }
    }
    if (/remora:/.test(String(site.getFileName?.()))) seen.push("a frame of the host");
  }
  return sites;
};
Error.captureStackTrace?.({});
Error.stackTraceLimit = 1000;

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const spy = { toString() { look(new Error("spy").stack); return "spied"; }, valueOf() { new Error("spy").stack; return 1; } };
  console.log(spy);
  kfl.validate(spy);
  test.pass(new Proxy({}, { set() { new Error("set").stack; return true; } }));
  JSON.stringify({ toJSON() { return new Error("json").stack ? 1 : 2; } });
  try { vendor.webhook(spy, spy, spy, new Proxy({}, { ownKeys() { new Error("keys").stack; return []; } })); } catch (error) { error.stack; }
  Object.setPrototypeOf(data, new Proxy({}, { get() { new Error("get").stack; } }));
  data.unknown;
  Error.prepareStackTrace = undefined;
  for (const error of [new Error("x")]) if (/remora:|ext:core/.test(String(error.stack))) seen.push("names of the host");
  // A frame of the host in a listing tells no secret, a function of it would.
  const bad = seen.filter((text) => text !== "a frame of the host");
  console.log(bad.length === 0 ? "nothing found" : "REACHED " + bad.join("; "));
}
