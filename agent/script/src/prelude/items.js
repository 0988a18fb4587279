// Items as plain-looking objects that are read piece by piece.
(function (kit) {
  "use strict";

  const { apply, create, defineProperty, deleteProperty, deref, freeze, get, getOwnPropertyDescriptor, has } = kit;
  const { isArray, isExtensible, lazy, limits, ownKeys, parse, preventExtensions, reflectGetPrototypeOf } = kit;
  const { reflectSetPrototypeOf, set, setPrototypeOf, stringify, weakly } = kit;
  const { charCodeAt, indexOf, slice, toLowerCase } = kit;
  const { ArrayPrototype, Guard, Later, ObjectPrototype, Reference, then } = kit;
  const { op_item_field, op_item_text, op_verdict } = kit.ops;

  // `data` is a Proxy whose target is empty at first and inherits nothing. Reading a field asks the host for that field
  // alone. Whatever else is done to the object (assignment of a new name, deletion, listing, freezing) first fills the
  // target with all fields; from then on the Proxy has no traps left and is that plain object.
  //
  // Handlers of one item share its state; the state knows no handler, so that in an engine that counts references no
  // cycle keeps an item alive.

  const isPlainObject = (value) => typeof value === "object" && value !== null && !isArray(value);

  // === names of Go ===
  //
  // Kubeshark handed its Go structs to scripts, and its examples use their field names beside those of the JSON form:
  // `data.Request.Path`, `data.Source.IP`. A field that is not there is looked for under its JSON name.

  const goNames = { __proto__: null, Source: "src", Destination: "dst" };

  function aliasOf(name) {
    let upper = 0;
    for (let code = apply(charCodeAt, name, [0]); code >= 65 && code <= 90; ) {
      code = apply(charCodeAt, name, [++upper]);
    }
    if (upper === 0) {
      return undefined;
    }
    const special = goNames[name];
    if (special !== undefined) {
      return special;
    }
    // `StatusText`, `HTTPVersion`, `URL`.
    const head = upper === 1 || upper === name.length ? upper : upper - 1;
    return apply(toLowerCase, apply(slice, name, [0, head]), []) + apply(slice, name, [head]);
  }

  const goHandler = {
    __proto__: null,
    get(target, name) {
      const value = get(target, name);
      if (value !== undefined || typeof name !== "string") {
        return typeof value === "function" ? value : goView(value);
      }
      const alias = aliasOf(name);
      return alias === undefined ? undefined : goView(get(target, alias));
    },
  };

  const { hasView, addView } = kit;
  const goViews = new kit.Views();

  // An object whose fields answer to both kinds of names.
  function goView(value) {
    if (typeof value !== "object" || value === null || isArray(value) || apply(hasView, goViews, [value])) {
      return value;
    }
    const view = new Guard(value, goHandler);
    apply(addView, goViews, [view]);
    return view;
  }

  // What an item inherits from once all its fields are there: asked for names it does not have, as the others are.
  const itemPrototype = new Guard(create(ObjectPrototype), {
    __proto__: null,
    get(target, name, receiver) {
      const alias = typeof name === "string" && !has(target, name) ? aliasOf(name) : undefined;
      const field = alias === undefined ? undefined : getOwnPropertyDescriptor(receiver, alias);
      return field === undefined ? get(target, name, receiver) : goView(field.value);
    },
  });

  const filledHandler = {
    __proto__: null,
    getPrototypeOf(target) {
      const prototype = reflectGetPrototypeOf(target);
      return prototype === itemPrototype && isExtensible(target) ? ObjectPrototype : prototype;
    },
  };

  // What inherits nothing, made by a constructor: the engine has a shape ready for it, where `{ __proto__: null }` is a
  // hash table from the start.
  class Bare {}
  setPrototypeOf(Bare.prototype, null);
  deleteProperty(Bare.prototype, "constructor");
  freeze(Bare.prototype);

  // The part of an item at a path: "", "response", "response.headers".
  function within(object, path) {
    if (path === "") {
      return object;
    }
    const dot = apply(indexOf, path, ["."]);
    return dot < 0 ? object[path] : object[apply(slice, path, [0, dot])]?.[apply(slice, path, [dot + 1])];
  }

  class State {
    constructor(slot, sides) {
      // The host's number for the item, until the host lets go of it; then the item as JSON text.
      this.slot = slot;
      // Which of request (1) and response (2) there are, which most hooks read first and which are objects.
      this.sides = sides;
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
      return within(parse(this.text), path);
    }

    field(path, name) {
      if (path === "" && ((name === "response" && this.sides & 2) || (name === "request" && this.sides & 1))) {
        return lazy;
      }
      if (this.text === undefined) {
        return op_item_field(this.slot, path, name);
      }
      this.copy ??= parse(this.text);
      const value = getOwnPropertyDescriptor(within(this.copy, path), name)?.value;
      return apply(indexOf, path, ["."]) < 0 && isPlainObject(value) ? lazy : value;
    }
  }

  class Handler {
    constructor(state, path) {
      this.state = state;
      this.path = path;
      this.filled = false;
      // Fields read or assigned so far, by name.
      this.known = new Bare();
    }

    read(name) {
      const known = this.known[name];
      if (known !== undefined) {
        return known;
      }
      let value = this.state.field(this.path, name);
      if (value === lazy) {
        const path = this.path === "" ? name : `${this.path}.${name}`;
        value = new Guard(new Bare(), new Handler(this.state, path));
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
      setPrototypeOf(target, itemPrototype);
      this.filled = true;
      // All traps but one are gone: from now on the engine goes straight to the target.
      setPrototypeOf(this, filledHandler);
    }

    get(target, name, receiver) {
      if (typeof name === "string") {
        const value = this.read(name);
        if (value !== undefined) {
          return value;
        }
        const alias = aliasOf(name);
        if (alias !== undefined) {
          return goView(this.read(alias));
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

  function beginItem(slot, sides) {
    currentState = new State(slot, sides);
    if (weakly) {
      references[slot] = new Reference(currentState);
    }
    currentHandler = new Handler(currentState, "");
    current = new Guard(new Bare(), currentHandler);
  }

  // Returns what the host needs to find out whether `data` is still held.
  function callItem(hook, slot, sides) {
    beginItem(slot, sides);
    hook(current);
    return currentState;
  }

  function lastState() {
    return currentState;
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

  // The host's number of the running call's item, if `value` is its object and nothing was changed.
  function slotOf(value) {
    return value !== undefined && value === current && currentState.pristine ? currentState.slot : undefined;
  }

  // === queries ===

  let reply;
  let query = 0;

  function keepReply(result, asked) {
    // A promise that is resolved in a later call answers nothing any more.
    if (asked !== query || typeof result !== "object" || result === null) {
      return;
    }
    // Marks alone are on the item already.
    if (result === current && currentState.pristine) {
      return;
    }
    reply = stringify(result);
  }

  function callQuery(hook, slot, sides, filter) {
    beginItem(slot, sides);
    reply = undefined;
    const asked = ++query;
    const result = hook(current, filter);
    if (result instanceof Later) {
      apply(then, result, [(given) => keepReply(given, asked)]);
    } else {
      keepReply(result, asked);
    }
    return currentState;
  }

  function takeReply() {
    const taken = reply;
    reply = undefined;
    query++;
    return taken;
  }

  // === marks ===

  // `test.pass` and `test.fail`.
  function mark(data, passed) {
    const name = passed ? "passed" : "failed";
    if (data !== undefined && data === current) {
      op_verdict(passed);
      if (!currentHandler.filled) {
        // The host's text has the mark too, so the object is what it was.
        currentHandler.known[name] = true;
        return data;
      }
    }
    if ((typeof data === "object" && data !== null) || typeof data === "function") {
      set(data, name, true);
    }
    return data;
  }

  return { __proto__: null, callItem, callPacket, callQuery, lastState, takeReply, mark, hostText, release, slotOf, sweep };
})
