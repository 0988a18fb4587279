// Report server errors to a Slack channel, with the packets and the item as files
//
// scripting.env: SLACK_AUTH_TOKEN (xoxb-...), SLACK_CHANNEL_ID

const token = env.SLACK_AUTH_TOKEN ?? "";
const channel = env.SLACK_CHANNEL_ID ?? "";
if (!token || !channel) {
  console.error("not active: SLACK_AUTH_TOKEN or SLACK_CHANNEL_ID is missing in scripting.env");
}

// Each server's status is reported once.
const reported = new Set();
const mostReports = 100;

/** @param {Item} data */
function onItemCaptured(data) {
  if (!token || !channel || !data.response || data.response.status < 500) return;
  const server = data.dst.name || data.dst.ip;
  const kind = `${server} ${data.response.status}`;
  if (reported.has(kind) || reported.size >= mostReports) return;
  reported.add(kind);

  const dump = file.temp("item", "", "json");
  try {
    file.write(dump, JSON.stringify(data, null, 2));
    vendor.slackBot(
      token,
      channel,
      "Server error",
      `${data.request?.method} ${data.request?.path} was answered with ${data.response.status}`,
      "#ff0000",
      { Server: server, Namespace: data.dst.namespace, Node: data.node.name },
      { [data.stream]: pcap.path(data.stream), "item.json": dump },
    );
  } finally {
    file.delete(dump);
  }
}
