// The ways to what the engine is embedded in: Deno, its ops, its modules, functions made of text
// expect: says nothing found

const names = ["Deno", "__bootstrap", "core", "ops", "op_call", "op_console", "process", "require", "kit", "std", "os", "bjson", "print", "scriptArgs", "load", "gc", "d8", "performance", "WebAssembly", "SharedArrayBuffer", "Atomics", "queueMicrotask"];
const makers = [
  console.log.constructor, test.pass.constructor, jobs.schedule.constructor, JSON.stringify.constructor, ({}).constructor.constructor,
  (async () => {}).constructor, (function* () {}).constructor, (async function* () {}).constructor, ArrayBuffer.constructor,
  Object.getPrototypeOf(Promise.resolve().then).constructor, Reflect.get(console, "log").bind.constructor,
];
const seen = [];

function look(where) {
  for (const name of names) {
    if (name in globalThis) seen.push(`${where} ${name}`);
    for (const maker of makers) {
      let found;
      try {
        found = maker(`return typeof ${name}`)();
      } catch {
        continue;
      }
      if (found === "function" || (found === "object" && name !== "ops")) seen.push(`${where} ${name} by a function`);
    }
  }
  for (const code of ["arguments.callee.caller", "this.constructor.constructor('return Deno')()", "new.target"]) {
    try {
      const found = (0, eval)(`(function () { return ${code} })`)();
      if (typeof found === "function" && found !== look && String(found).includes("op_")) seen.push(`${where} ${code}`);
    } catch {
      continue;
    }
  }
}

look("top level");

function onItemCaptured(data) {
  if (data.index !== 1) return;
  look("hook");
  // The functions that call this one.
  let caller = onItemCaptured.caller;
  for (let up = 0; caller && up < 10; up++) {
    if (/op_|kit|states|current/.test(String(caller))) seen.push("caller " + caller);
    for (const at of [caller.arguments, caller.prototype]) {
      for (const value of Object.values(at ?? {})) if (typeof value === "function" && /op_/.test(String(value))) seen.push("arguments of a caller");
    }
    caller = caller.caller;
  }
  for (const one of Object.getOwnPropertySymbols(globalThis).concat(Object.getOwnPropertySymbols(data), Object.getOwnPropertySymbols(Object.prototype))) seen.push(String(one));
  console.log(seen.length === 0 ? "nothing found" : "REACHED " + seen.join("; "));
}
