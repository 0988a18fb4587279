// Objects that pose as the item of another call
// expect: says tried

const kept = [];
function onItemCaptured(data) {
  kept.push(data);
  if (data.index !== 3) return;
  for (const other of kept.slice(0, 3)) test.fail(other);
  test.fail({ __proto__: data });
  test.fail(new Proxy(data, {}));
  test.fail(JSON.parse(JSON.stringify(data)));
  console.log("tried");
}
