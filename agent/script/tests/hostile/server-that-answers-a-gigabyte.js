// A web server that does not stop answering
// expect: errors
// expect: says vendor.webhook:

function onItemCaptured(data) {
  if (data.index === 1) console.log(vendor.webhook("GET", env.WEB + "/flood").length);
}
