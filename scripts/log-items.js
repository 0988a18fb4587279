// Print a line per item

/** @param {Item} data */
function onItemCaptured(data) {
  const request = data.request ? data.request.method + " " + data.request.path : "no request";
  const status = data.response ? data.response.status : "no response";
  console.log(request + " " + status);
}
