// What is global in a script: the language, the helpers, the environment. Nothing else.
(function (kit, helpers) {
  "use strict";

  const { construct, define, deleteProperty, environment, freeze, has, ownKeys } = kit;
  const { Guard, TypeFault } = kit;

  // Resizable buffers take their memory past the host's budget.
  const buffers = new Guard(ArrayBuffer, {
    __proto__: null,
    construct(target, [length, options], constructor) {
      if (options?.maxByteLength !== undefined) {
        throw new TypeFault("resizable buffers are not available to scripts");
      }
      return construct(target, [length], constructor);
    },
  });
  define(globalThis, "ArrayBuffer", buffers, false);
  define(ArrayBuffer.prototype, "constructor", buffers, false);

  // Only the language itself stays: what the engine's embedding put beside it, ways to memory shared between threads,
  // and `Intl`, whose objects have tables outside of the heap that no limit counts, go.
  const language = [
    "AggregateError", "Array", "ArrayBuffer", "AsyncDisposableStack", "BigInt", "BigInt64Array", "BigUint64Array",
    "Boolean", "DataView", "Date", "DisposableStack", "Error", "EvalError", "FinalizationRegistry", "Float16Array",
    "Float32Array", "Float64Array", "Function", "Infinity", "Int16Array", "Int32Array", "Int8Array", "Iterator",
    "JSON", "Map", "Math", "NaN", "Number", "Object", "Promise", "Proxy", "RangeError", "ReferenceError", "Reflect",
    "RegExp", "Set", "String", "SuppressedError", "Symbol", "SyntaxError", "TypeError", "URIError", "Uint16Array",
    "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakRef", "WeakSet", "decodeURI",
    "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "eval", "globalThis", "isFinite", "isNaN",
    "parseFloat", "parseInt", "undefined", "unescape",
  ];
  for (const name of ownKeys(globalThis)) {
    if (!language.includes(name)) {
      deleteProperty(globalThis, name);
    }
  }

  for (const name of ownKeys(environment)) {
    if (!has(globalThis, name) && !has(helpers, name)) {
      define(globalThis, name, environment[name], true);
    }
  }

  function freezeAll(value) {
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      freeze(value);
      for (const name of ownKeys(value)) {
        if (name !== "prototype") {
          freezeAll(value[name]);
        }
      }
    }
  }
  for (const name of ownKeys(helpers)) {
    freezeAll(helpers[name]);
    define(globalThis, name, helpers[name], false);
  }
})
