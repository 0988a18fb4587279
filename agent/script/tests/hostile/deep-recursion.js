// Calls without end, plain, through a getter, through a Proxy and through JSON
// expect: errors
// expect: says (hook=onItemCaptured)

function plain() {
  return plain() + 1;
}

function onItemCaptured(data) {
  const looped = { get again() { return this.again; } };
  const traps = new Proxy({}, { get: (target, name, receiver) => receiver[name] });
  for (const call of [plain, () => looped.again, () => traps.x, () => JSON.stringify({ toJSON() { return this.toJSON(); } })]) {
    try {
      call();
      console.log("REACHED the end of what has none");
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof Error)) throw error;
    }
  }
  if (data.index === 1) plain();
}
