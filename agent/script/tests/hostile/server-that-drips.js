// A web server that answers a byte at a time, head and body
// expect: errors
// expect: says vendor.webhook:

function onItemCaptured(data) {
  if (data.index === 1) console.log(vendor.webhook("GET", env.WEB + "/drip").length);
}
