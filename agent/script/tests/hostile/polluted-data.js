// Helpers and `data` changed for the next hook, and for the neighbour
// expect: says as it was

let kept;
function onItemCaptured(data) {
  if (data.index === 0) {
    kept = data;
    data.response.status = 500;
    Object.prototype.polluted = 1;
    Object.defineProperty(data, "id", { value: "forged" });
    Object.setPrototypeOf(data, { id: "forged" });
    for (const helper of [console, test, vendor, file, jobs, kfl, utils, env]) {
      try { helper.forged = 1; } catch { continue; }
      try { Object.setPrototypeOf(helper, { forged: 1 }); } catch { continue; }
    }
    return;
  }
  if (data.index !== 1) return;
  test.fail(kept);
  const sound = data.response.status === 200 && data.id !== "forged" && console.forged === undefined && vendor.forged === undefined;
  console.log(sound ? "as it was" : "REACHED the next call");
}

function onItemQueried(data) {
  if (data.index === 0 && (data.response.status !== 200 || data.id === "forged" || data.failed)) console.log("REACHED the item");
}
