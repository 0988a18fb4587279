// More bytes and more files than there is room for
// expect: says full:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const block = "x".repeat(1 << 20);
  const fault = (call) => {
    for (let i = 0; i < 100000; i++) {
      try {
        call(i);
      } catch (error) {
        return error.message;
      }
    }
    return undefined;
  };
  const faults = [
    fault(() => file.append("large.bin", block)),
    fault((i) => file.write("small-" + i, "x")),
    fault((i) => file.copy("large.bin", "copy-" + i)),
  ];
  console.log(faults.includes(undefined) ? "REACHED the disk's end" : "full: " + faults.join("; "));
}
