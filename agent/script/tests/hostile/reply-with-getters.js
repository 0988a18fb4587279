// Answers that loop while they are turned into JSON
// expect: timeouts
// expect: says (hook=onItemQueried) ended: it ran longer than the time limit

function onItemQueried(data) {
  if (data.index === 1) return { toJSON() { for (;;) {} } };
  if (data.index === 2) return { get field() { throw new Error("no field"); } };
  return new Proxy({}, { ownKeys: () => ["a", "b", "c"], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });
}
