// Push requests, errors and times of each server to InfluxDB every minute
//
// scripting.env: INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORGANIZATION, INFLUXDB_BUCKET

const needed = ["INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_ORGANIZATION", "INFLUXDB_BUCKET"];
const missing = needed.filter((name) => !env[name]);
const [url = "", token = "", organization = "", bucket = ""] = needed.map((name) => env[name]);

/** @type {Map<string, { requests: number, errors: number, milliseconds: number }>} */
const servers = new Map();
const mostServers = 1000;

/** @param {Item} data */
function onItemCaptured(data) {
  if (missing.length > 0 || !data.response) return;
  const server = data.dst.name || data.dst.ip;
  let counts = servers.get(server);
  if (!counts) {
    if (servers.size >= mostServers) return;
    counts = { requests: 0, errors: 0, milliseconds: 0 };
    servers.set(server, counts);
  }
  counts.requests++;
  counts.errors += data.response.status >= 500 ? 1 : 0;
  counts.milliseconds += data.elapsedTime;
}

function push() {
  const node = utils.nodeName();
  for (const [server, { requests, errors, milliseconds }] of servers) {
    // Whole numbers only: InfluxDB keeps the first type that it sees of a field.
    const point = { requests, errors, mean_microseconds: Math.round((milliseconds * 1000) / requests) };
    vendor.influxdb(url, token, organization, bucket, "http", point, { server, node });
    // What could not be pushed is counted on.
    servers.delete(server);
  }
}

if (missing.length > 0) {
  console.error(`not active: scripting.env lacks ${missing.join(", ")}`);
} else {
  jobs.schedule("influxdb-metrics", "0 * * * * *", push);
}
