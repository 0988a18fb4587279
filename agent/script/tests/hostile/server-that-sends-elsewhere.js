// A web server that sends round in circles
// expect: says tried

function onItemCaptured(data) {
  if (data.index !== 1) return;
  try {
    vendor.webhook("GET", env.WEB + "/circle");
  } catch (error) {
    console.log(String(error));
  }
  console.log("tried");
}
