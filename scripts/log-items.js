// Print a line per item

function onItemCaptured(data) {
  var status = data.response ? data.response.status : "no response";
  console.log(data.request.method + " " + data.request.path + " " + status);
}
