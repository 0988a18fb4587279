// A web server that takes a request and says nothing
// expect: errors
// expect: says vendor.webhook:

function onItemCaptured(data) {
  if (data.index === 1) vendor.webhook("POST", env.WEB + "/silent", "{}");
}
