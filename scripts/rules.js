// Fail on server errors

/** @param {Item} data */
function onItemCaptured(data) {
  if (data.response && data.response.status >= 500) {
    const request = data.request ? data.request.method + " " + data.request.path : "an unseen request";
    console.error(request + " was answered with " + data.response.status);
    return test.fail(data);
  }
  return test.pass(data);
}
