// Formatters for languages, whose tables lie outside of the heap
// expect(v8): errors or timeouts or heap_overflows
// expect(v8): says (hook=onItemCaptured)
// expect(quickjs): says there is no Intl

const kept = [];
function onItemCaptured(data) {
  if (typeof Intl === "undefined") return console.log("there is no Intl");
  for (;;) {
    kept.push(new Intl.DateTimeFormat("ar-EG", { dateStyle: "full", timeStyle: "full" }));
    kept.push(new Intl.NumberFormat("hi", { style: "currency", currency: "INR" }));
    kept.push(new Intl.Collator("zh"), new Intl.Segmenter("th"), new Intl.RelativeTimeFormat("de"));
  }
}
