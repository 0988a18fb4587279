// Let Prometheus collect how long servers take to answer, as a histogram
//
// The quantile over five minutes: histogram_quantile(0.95, sum by (le, server) (rate(http_answer_seconds_bucket[5m])))

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const help = "Seconds from a request to its response.";

/** @param {Item} data */
function onItemCaptured(data) {
  if (data.protocol.name !== "http" || !data.response) return;
  const seconds = data.elapsedTime / 1000;
  const labels = { server: (data.dst.name || data.dst.ip).slice(0, 100), status: `${Math.floor(data.response.status / 100)}xx` };
  for (const le of bounds) {
    // Zero, too, so that each bucket is there from the beginning.
    prometheus.vector("http_answer_seconds_bucket", help, 1, seconds <= le ? 1 : 0, { ...labels, le });
  }
  prometheus.vector("http_answer_seconds_bucket", help, 1, 1, { ...labels, le: "+Inf" });
  prometheus.vector("http_answer_seconds_sum", help, 1, seconds, labels);
  prometheus.vector("http_answer_seconds_count", help, 1, 1, labels);
}
