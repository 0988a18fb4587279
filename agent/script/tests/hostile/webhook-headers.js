// Headers and URLs that would make a second request of one
// expect: says sent nothing else

function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (const call of [
    () => vendor.webhook("GET /smuggled HTTP/1.1\r\nX: y", env.WEB + "/sink"),
    () => vendor.webhook("POST", env.WEB + "/sink", "x", { "X\r\n\r\nGET /smuggled HTTP/1.1\r\nA": "b" }),
    () => vendor.webhook("POST", env.WEB + "/sink", "x", { A: "b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" }),
    () => vendor.webhook("POST", env.WEB + "/sink\r\nGET /smuggled HTTP/1.1", "x"),
    () => vendor.webhook("GET", "file:///etc/passwd"),
  ]) {
    try {
      const answer = call();
      if (/smuggled|root:/.test(answer)) console.log("REACHED " + answer);
    } catch {
      continue;
    }
  }
  console.log("sent nothing else");
}
