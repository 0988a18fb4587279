// Fail on server errors

function onItemCaptured(data) {
  if (data.response && data.response.status >= 500) {
    console.error(data.request.method + " " + data.request.path + " was answered with " + data.response.status);
    return test.fail(data);
  }
  return test.pass(data);
}
