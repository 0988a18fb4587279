// Promises that wait for each other without end, so that time and memory run out together
// expect: timeouts or heap_overflows or abandoned
// expect: says error:

function onItemCaptured(data) {
  const again = () => Promise.resolve().then(again);
  if (data.index === 1) again();
}
