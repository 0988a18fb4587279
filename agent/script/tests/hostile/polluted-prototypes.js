// Prototypes of everything changed before helpers and hooks use them, in the hope of what belongs to the host
// expect: says nothing found

const log = console.log;
const seen = [];
const own = new WeakSet([Object.prototype]);
let inside = false;

// What belongs to the host: its ops, and functions and objects that this script has not made.
function look(value, where) {
  if (inside) return;
  inside = true;
  try {
    if (typeof value === "function" && /\bop_\w+|ops\./.test(Function.prototype.toString.call(value))) seen.push(where);
    if (typeof value === "object" && value !== null && !own.has(value)) {
      for (const name of ["op_call", "op_item_text", "state", "known", "slot", "pristine", "task"]) {
        if (Object.prototype.hasOwnProperty.call(value, name)) seen.push(`${where} ${name}`);
      }
    }
  } catch (error) {
    own.add(error);
  } finally {
    inside = false;
  }
}

function spyOn(object, name, where) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  if (!descriptor || !descriptor.configurable || typeof descriptor.value !== "function") return;
  const original = descriptor.value;
  const apply = Reflect.apply;
  const spy = function (...values) {
    if (!inside) {
      look(this, where);
      for (let i = 0; i < values.length; i++) look(values[i], where);
    }
    return apply(original, this, values);
  };
  Object.defineProperty(object, name, { __proto__: null, value: spy, writable: true, configurable: true });
}

const apply = Reflect.apply;
const targets = { Map, WeakSet, WeakRef, WeakMap, Set, Promise, String, Number, Date };
for (const [where, constructor] of Object.entries(targets)) {
  for (const name of Object.getOwnPropertyNames(constructor.prototype)) {
    if (name !== "constructor" && name !== "valueOf" && name !== "toString") spyOn(constructor.prototype, name, `${where}.prototype.${name}`);
  }
}
for (const [where, object] of Object.entries({ Reflect, JSON, Object: Object, Array: Array })) {
  for (const name of ["apply", "construct", "get", "set", "parse", "stringify", "create", "keys", "from", "isArray", "defineProperty", "assign", "freeze"]) {
    if (!(object === Reflect && name === "apply")) spyOn(object, name, `${where}.${name}`);
  }
}
for (const name of ["push", "slice", "concat", "map", "forEach", "includes", "join", "fill"]) spyOn(Array.prototype, name, `Array.prototype.${name}`);
const iterator = Array.prototype[Symbol.iterator];
Array.prototype[Symbol.iterator] = function () {
  for (let i = 0; i < this.length; i++) look(this[i], "Array.prototype[Symbol.iterator]");
  look(this, "Array.prototype[Symbol.iterator]");
  return apply(iterator, this, []);
};
for (const name of ["slot", "text", "state", "path", "known", "filled", "task", "values", "get", "set", "value", "then", "pristine", "copy", "0", "1"]) {
  Object.defineProperty(Object.prototype, name, {
    __proto__: null,
    configurable: true,
    get() { look(this, `Object.prototype.${name}`); return undefined; },
    set(value) { look(this, `Object.prototype.${name} =`); look(value, `Object.prototype.${name} =`); Reflect.defineProperty(this, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true }); },
  });
}

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const calls = [
    () => test.pass(data), () => data.response.status, () => Object.keys(data), () => { data.added = 1; }, () => delete data.added,
    () => data.Request.Path, () => JSON.stringify(data), () => data.request.headers, () => kfl.match("http", data), () => kfl.validate("(("),
    () => log("x", data.id), () => jobs.schedule("spied", "0 0 0 1 1 *", () => {}), () => jobs.run("spied"), () => jobs.list(), () => jobs.remove("spied"),
    () => wrapper.buildHAR([data]), () => wrapper.joinMaps({ a: 1 }, { a: 2, b: 3 }), () => utils.json2Yaml({ a: [1] }), () => chatgpt.sentiment("fine"),
    () => vendor.webhook("GET", env.WEB + "/sink", "x", { a: "b" }), () => file.write("spied.txt", "x"), () => prometheus.metric("spied", "h", 1, 1, { a: "b" }),
    () => wrapper.kflPcapS3(data, { kflArr: ["http"] }), () => new ArrayBuffer(8, { get maxByteLength() { return undefined; } }), () => pcap.nameResolutionHistory(),
  ];
  for (let i = 0; i < calls.length; i++) {
    try {
      calls[i]();
    } catch (error) {
      own.add(error);
    }
  }
  for (const name of ["get", "set", "value", "then", "0", "1", "task", "values"]) delete Object.prototype[name];
  log(seen.length === 0 ? "nothing found" : "REACHED " + seen.join("; "));
}

function onItemQueried(data) {
  return Promise.resolve({ id: data.id });
}
