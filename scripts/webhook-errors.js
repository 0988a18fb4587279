// Send a webhook for every server error
//
// scripting.env: WEBHOOK_URL

const url = env.WEBHOOK_URL ?? "";
if (!url) console.error("not active: WEBHOOK_URL is missing in scripting.env");

/** @param {Item} data */
function onItemCaptured(data) {
  if (!url || !data.response || data.response.status < 500) return;
  const body = {
    time: data.startTime,
    node: data.node.name,
    client: data.src.name || data.src.ip,
    server: data.dst.name || data.dst.ip,
    method: data.request?.method,
    path: data.request?.path,
    status: data.response.status,
    milliseconds: data.elapsedTime,
  };
  vendor.webhook("POST", url, JSON.stringify(body), { "Content-Type": "application/json" });
}
