// A loop without end in a finalizer, after lines on the console
// expect: timeouts
// expect: says finalizer
// expect: says ended: it ran longer than the time limit

let told = false;
const registry = new FinalizationRegistry(() => {
  if (told) return;
  told = true;
  console.log("finalizer");
  for (;;) {}
});

function onItemCaptured() {
  (() => registry.register({}, 1))();
  for (let turn = 0; turn < 20; turn++) new Array(100000).fill(turn);
}
