// automation: hooks
function onItemCaptured(data) {
  console.log("Msg:", JSON.stringify(data));
}
