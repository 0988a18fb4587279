// Alert a Slack channel of server errors, at most once a minute
//
// scripting.env: SLACK_WEBHOOK

const webhook = env.SLACK_WEBHOOK ?? "";
if (!webhook) console.error("not active: SLACK_WEBHOOK is missing in scripting.env");

const quietMillis = 60_000;
let alerted = -Infinity;
let unmentioned = 0;

/** @param {Item} data */
function onItemCaptured(data) {
  if (!webhook || !data.response || data.response.status < 500) return;
  if (data.timestamp - alerted < quietMillis) {
    unmentioned++;
    return;
  }
  const line = `${data.request?.method} ${data.request?.path} was answered with ${data.response.status}`;
  const others = unmentioned > 0 ? ` (and ${unmentioned} others before)` : "";
  alerted = data.timestamp;
  unmentioned = 0;
  vendor.slack(webhook, `Server error at ${data.dst.name || data.dst.ip}`, line + others, "#ff0000");
}
