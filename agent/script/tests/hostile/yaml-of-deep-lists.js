// Lists so deep that YAML indents them a hundred times over
// expect: errors or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  utils.json2Yaml("[".repeat(100) + "0,".repeat(90000) + "0" + "]".repeat(100));
}
