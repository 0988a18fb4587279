// A web server that closes connections in the middle of answers
// expect: errors
// expect: says vendor.webhook:

function onItemCaptured(data) {
  if (data.index === 1) console.log(vendor.webhook("GET", env.WEB + "/reset").length);
}
