// What a script finds besides the language: the helpers, and items as plain-looking objects that are read piece by
// piece. Runs once per instance, before the script, and keeps its own references to every built-in it uses, because
// scripts may replace those.
(function (ops, lazy, environment, limits, weakly) {
  "use strict";

  const { op_console, op_item_field, op_item_text, op_verdict } = ops;
  const { apply, construct, defineProperty, deleteProperty, get, getOwnPropertyDescriptor, has, ownKeys } = Reflect;
  const { preventExtensions, set, setPrototypeOf: reflectSetPrototypeOf } = Reflect;
  const { freeze, setPrototypeOf } = Object;
  const { isArray } = Array;
  const { slice } = String.prototype;
  const toText = String;
  const { parse, stringify } = JSON;
  const TypeFault = TypeError;
  const ItemProxy = Proxy;
  const Reference = WeakRef;
  const deref = WeakRef.prototype.deref;
  const ObjectPrototype = Object.prototype;
  const ArrayPrototype = Array.prototype;

  function define(object, name, value, enumerable) {
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
  }

  // === items ===
  //
  // `data` is a Proxy whose target is empty at first and inherits nothing. Reading a field asks the host for that field
  // alone. Whatever else is done to the object (assignment of a new name, deletion, listing, freezing) first fills the
  // target with all fields; from then on the Proxy has no traps left and is that plain object.
  //
  // Handlers of one item share its state; the state knows no handler, so that in an engine that counts references no
  // cycle keeps an item alive.

  const isPlainObject = (value) => typeof value === "object" && value !== null && !isArray(value);

  class State {
    constructor(slot) {
      // The host's number for the item, until the host lets go of it; then the item as JSON text.
      this.slot = slot;
      this.text = undefined;
      this.copy = undefined;
      // Nothing was changed, and nothing that can be changed was handed out: the host's JSON text is the object's.
      this.pristine = true;
    }

    whole() {
      return this.text === undefined ? op_item_text(this.slot, "") : this.text;
    }

    // The plain form of the item, or of one of its objects.
    plain(path) {
      if (this.text === undefined) {
        return parse(op_item_text(this.slot, path));
      }
      const copy = parse(this.text);
      return path === "" ? copy : copy[path];
    }

    field(path, name) {
      if (this.text === undefined) {
        return op_item_field(this.slot, path, name);
      }
      this.copy ??= parse(this.text);
      const object = path === "" ? this.copy : this.copy[path];
      const value = getOwnPropertyDescriptor(object, name)?.value;
      return path === "" && isPlainObject(value) ? lazy : value;
    }
  }

  class Handler {
    constructor(state, path) {
      this.state = state;
      this.path = path;
      // Fields read or assigned so far, by name.
      this.known = { __proto__: null };
    }

    read(name) {
      const known = this.known[name];
      if (known !== undefined) {
        return known;
      }
      let value = this.state.field(this.path, name);
      if (value === lazy) {
        value = new ItemProxy({ __proto__: null }, new Handler(this.state, name));
      } else if (value === undefined) {
        return undefined;
      } else if (typeof value === "object" && value !== null) {
        this.state.pristine = false;
      }
      return (this.known[name] = value);
    }

    fill(target) {
      this.state.pristine = false;
      const whole = this.state.plain(this.path);
      for (const name of ownKeys(whole)) {
        // What was handed out or assigned before stays. The target inherits nothing yet, so this is no call of a setter.
        const known = this.known[name];
        target[name] = known === undefined ? whole[name] : known;
      }
      setPrototypeOf(target, ObjectPrototype);
      // No traps left: from now on the engine goes straight to the target.
      setPrototypeOf(this, null);
    }

    get(target, name, receiver) {
      if (typeof name === "string") {
        const value = this.read(name);
        if (value !== undefined) {
          return value;
        }
      }
      return get(ObjectPrototype, name, receiver);
    }

    has(target, name) {
      return (typeof name === "string" && this.read(name) !== undefined) || has(ObjectPrototype, name);
    }

    set(target, name, value, receiver) {
      // A field the item has, of the object itself rather than of one that inherits from it.
      if (typeof name === "string" && value !== undefined && receiver === current && this.read(name) !== undefined) {
        this.state.pristine = false;
        this.known[name] = value;
        return true;
      }
      this.fill(target);
      return set(target, name, value, receiver);
    }

    deleteProperty(target, name) {
      this.fill(target);
      return deleteProperty(target, name);
    }

    defineProperty(target, name, descriptor) {
      this.fill(target);
      return defineProperty(target, name, descriptor);
    }

    getOwnPropertyDescriptor(target, name) {
      this.fill(target);
      return getOwnPropertyDescriptor(target, name);
    }

    ownKeys(target) {
      this.fill(target);
      return ownKeys(target);
    }

    getPrototypeOf() {
      return ObjectPrototype;
    }

    setPrototypeOf(target, prototype) {
      this.fill(target);
      return reflectSetPrototypeOf(target, prototype);
    }

    preventExtensions(target) {
      this.fill(target);
      return preventExtensions(target);
    }
  }
  setPrototypeOf(Handler.prototype, null);
  setPrototypeOf(State.prototype, null);

  // The item of the running call, if it is one for an item.
  let current;
  let currentState;
  let currentHandler;

  // Where the host cannot watch when a script lets go of a state.
  const references = new Array(limits.slots).fill(undefined);

  function beginItem(slot) {
    currentState = new State(slot);
    if (weakly) {
      references[slot] = new Reference(currentState);
    }
    currentHandler = new Handler(currentState, "");
    current = new ItemProxy({ __proto__: null }, currentHandler);
    return currentState;
  }

  function callItem(hook) {
    return hook(current);
  }

  // The host is about to let go of the items in the first `count` slots: what the script still holds gets its text.
  function sweep(count) {
    current = currentState = currentHandler = undefined;
    for (let slot = 0; weakly && slot < count; slot++) {
      const state = apply(deref, references[slot], []);
      if (state !== undefined) {
        release(state);
      }
    }
  }

  function release(state) {
    state.text = op_item_text(state.slot, "");
  }

  function callPacket(hook, timestamp, captureLength, length, truncated, fragmented) {
    return hook({ timestamp, captureLength, length, truncated, fragmented });
  }

  // An item nobody has changed is serialised by the host, several times faster than field by field.
  function hostText(value) {
    if (value === undefined || currentState === undefined || !currentState.pristine) {
      return undefined;
    }
    if (ObjectPrototype.toJSON !== undefined || ArrayPrototype.toJSON !== undefined) {
      return undefined;
    }
    if (value === current) {
      return currentState.whole();
    }
    if (value === currentHandler.known.request) {
      return op_item_text(currentState.slot, "request");
    }
    if (value === currentHandler.known.response) {
      return op_item_text(currentState.slot, "response");
    }
    return undefined;
  }

  const json = {
    stringify(value, replacer, space) {
      if (typeof value === "object" && replacer === undefined && space === undefined) {
        const text = hostText(value);
        if (text !== undefined) {
          return text;
        }
      }
      return stringify(value, replacer, space);
    },
  };
  defineProperty(JSON, "stringify", { __proto__: null, value: json.stringify });

  // === helpers ===

  function print(error, values) {
    let text = "";
    for (let index = 0; index < values.length; index++) {
      text += (index === 0 ? "" : " ") + toText(values[index]);
    }
    const cut = text.length > limits.line ? text.length - limits.line : 0;
    op_console(error, cut === 0 ? text : apply(slice, text, [0, limits.line]), cut);
  }

  function verdict(data, passed) {
    if (data !== undefined && data === current) {
      op_verdict(passed);
    }
    if ((typeof data === "object" && data !== null) || typeof data === "function") {
      set(data, passed ? "passed" : "failed", true);
    }
    return data;
  }

  const helpers = {
    console: {
      log(...values) {
        print(false, values);
      },
      error(...values) {
        print(true, values);
      },
    },
    test: {
      pass(data) {
        return verdict(data, true);
      },
      fail(data) {
        return verdict(data, false);
      },
    },
    env: environment,
  };

  // Resizable buffers take their memory past the host's budget.
  const buffers = new ItemProxy(ArrayBuffer, {
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

  // Only the language itself stays: what the engine's embedding put beside it, and ways to memory shared between
  // threads, go.
  const language = [
    "AggregateError", "Array", "ArrayBuffer", "AsyncDisposableStack", "BigInt", "BigInt64Array", "BigUint64Array",
    "Boolean", "DataView", "Date", "DisposableStack", "Error", "EvalError", "FinalizationRegistry", "Float16Array",
    "Float32Array", "Float64Array", "Function", "Infinity", "Int16Array", "Int32Array", "Int8Array", "Intl", "Iterator",
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
  for (const name of ownKeys(helpers)) {
    const value = freeze(helpers[name]);
    for (const member of ownKeys(value)) {
      freeze(value[member]);
    }
    define(globalThis, name, value, false);
  }

  return { beginItem, callItem, callPacket, release, sweep };
})
