// Arguments that take a hundred times their length where a helper reads them
// expect: errors
// expect: says an object takes more than 64 MiB of memory

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const many = "[" + '{"":0},'.repeat(300000) + "0]";
  for (let turn = 0; turn < 3; turn++) {
    try {
      utils.json2Yaml(many);
      console.log("REACHED the host's memory");
    } catch (error) {
      if (turn === 2) throw error;
    }
  }
}
