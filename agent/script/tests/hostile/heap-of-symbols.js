// Symbols that are registered for the life of the engine
// expect: errors or heap_overflows or timeouts
// expect(v8): says (hook=onItemCaptured)
// expect(quickjs): says it has filled its heap

const kept = [];
function onItemCaptured(data) {
  if (data.index === 1) for (let i = 0; ; i++) kept.push(Symbol.for("symbol " + i));
}
