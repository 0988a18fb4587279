// Arguments that take a hundred times their length where a helper reads them
// expect: errors or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const many = "[" + '{"":0},'.repeat(200000) + "0]";
  for (let turn = 0; turn < 1; turn++) {
    try {
      utils.json2Yaml(many);
      console.log("REACHED the host's memory");
    } catch (error) {
      if (turn === 0) throw error;
    }
  }
}
