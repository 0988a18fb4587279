// Arguments that run a loop without end while a helper reads them
// expect: timeouts
// expect: says (hook=onItemCaptured) ended: it ran longer than the time limit

const endless = () => { for (;;) {} };
const bad = {
  toString: endless, valueOf: endless, toJSON: endless, get field() { return endless(); },
  [Symbol.toPrimitive]: endless,
};
const traps = new Proxy({}, { ownKeys: endless, get: endless });
const ways = [
  () => console.log(bad),
  () => vendor.webhook("GET", env.WEB + "/sink", "", traps),
  () => vendor.webhook(bad, bad),
  () => kfl.match(bad, bad),
  () => jobs.schedule("job", "* * * * * *", () => {}, { valueOf: endless }),
];

function onItemCaptured(data) {
  if (data.index < ways.length) ways[data.index]();
}
