// Metrics with names, labels and values without end
// expect: says refused after
// expect: says refused labels after

function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (let i = 0; i < 1000000; i++) {
    try {
      prometheus.metric("flood_" + i, "help", 1, i);
    } catch (error) {
      console.log(`refused after ${i}: ${error.message}`);
      break;
    }
  }
  for (let i = 0; i < 1000000; i++) {
    try {
      prometheus.vector("flood_0_labelled", "help", 1, i, { label: "value " + i });
    } catch (error) {
      console.log(`refused labels after ${i}: ${error.message}`);
      break;
    }
  }
}
