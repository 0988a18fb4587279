// Formatters for languages, whose tables lie outside of the heap
// expect: says there is no Intl

const kept = [];
function onItemCaptured(data) {
  if (data.index === 0) console.log(typeof Intl === "undefined" ? "there is no Intl" : "REACHED Intl");
  if (data.index > 4) return;
  for (let i = 0; ; i++) {
    // Each makes a formatter and drops it.
    new Date(i).toLocaleString("ar-EG", { dateStyle: "full", timeStyle: "full" });
    i.toLocaleString("hi", { style: "currency", currency: "INR", minimumFractionDigits: i % 10 });
    "a".localeCompare("b", "zh", { numeric: i % 2 === 0 });
    if (typeof Intl === "undefined") continue;
    kept.push(new Intl.DateTimeFormat("ar-EG", { dateStyle: "full", timeStyle: "full" }));
    kept.push(new Intl.NumberFormat("hi", { style: "currency", currency: "INR" }));
    kept.push(new Intl.Collator("zh"), new Intl.Segmenter("th"), new Intl.RelativeTimeFormat("de"));
  }
}
