// helpers: vendor.slackBot
function onItemCaptured(data) {
  if (data.protocol.name === "http" && data.response.status === 500) {
    var files = {};
    var pcapPath = pcap.path(data.stream);
    files[data.stream + ".pcap"] = pcapPath;
    var dataPath = file.temp("data", "", "json");
    file.write(dataPath, JSON.stringify(data, null, 2));
    files["data.json"] = dataPath;
    vendor.slackBot(
      SLACK_AUTH_TOKEN,
      SLACK_CHANNEL_ID,
      "Server-side Error in Kubernetes Cluster",
      "An HTTP request resulted with " + data.response.status + " status code:",
      "#ff0000",
      {
        "Service": data.dst.name,
        "Namespace": data.namespace,
        "Node": data.node.name,
        "HTTP method": data.request.method,
        "HTTP path": data.request.path
      },
      files
    );
    file.delete(dataPath);
  }
}
