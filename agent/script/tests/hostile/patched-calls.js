// Function.prototype.call, apply and bind, Promise.prototype.then and its species, replaced
// expect: says nothing found

const seen = [];
const text = Function.prototype.toString;
const note = (value) => {
  if (typeof value === "function" && /\bop_|keepReply|hostText/.test(Reflect.apply(text, value, []))) seen.push("a function of the host");
};
for (const name of ["call", "apply", "bind", Symbol.hasInstance]) {
  try {
    Object.defineProperty(Function.prototype, name, { value(...values) { note(this); values.forEach(note); throw new Error("patched"); } });
  } catch {
    continue;
  }
}
Promise.prototype.then = function (...values) { values.forEach(note); throw new Error("patched"); };
Object.defineProperty(Promise, Symbol.hasInstance, { value: () => true });
class Later extends Promise {
  constructor(executor) {
    note(executor);
    super((resolve, reject) => { note(resolve); executor(resolve, reject); });
  }
  static get [Symbol.species]() { return Later; }
  then(...values) { values.forEach(note); return this; }
}

function onItemCaptured(data) {
  test.pass(data);
  data.response.headers["Content-Type"];
  if (data.index === 1) console.log(seen.length === 0 ? "nothing found" : "REACHED " + seen.join());
}

function onItemQueried(data) {
  return data.index === 1 ? new Later((resolve) => resolve({ shown: 1 })) : { index: data.index };
}
