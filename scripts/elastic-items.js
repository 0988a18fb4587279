// Ship a document per item to Elasticsearch, in batches
//
// scripting.env: ELASTIC_URL or ELASTIC_CLOUD_ID; ELASTIC_INDEX (default: remora-items); to authenticate, ELASTIC_API_KEY or
// ELASTIC_USERNAME and ELASTIC_PASSWORD

const index = env.ELASTIC_INDEX ?? "remora-items";
const active = Boolean(env.ELASTIC_URL || env.ELASTIC_CLOUD_ID);

/** @type {object[]} */
let waiting = [];
const mostWaiting = 5000;
const batch = 100;
let lost = 0;

/** @param {Item} data */
function onItemCaptured(data) {
  if (!active) return;
  if (waiting.length >= mostWaiting) {
    lost++;
    return;
  }
  waiting.push({
    "@timestamp": data.startTime,
    node: data.node.name,
    client: data.src.name || data.src.ip,
    server: data.dst.name || data.dst.ip,
    protocol: data.protocol.abbr,
    method: data.request?.method,
    path: data.request?.path,
    status: data.response?.status,
    milliseconds: data.elapsedTime,
    bytes: data.size,
    error: data.error?.msg,
  });
}

function ship() {
  const documents = waiting.slice(0, batch);
  let shipped = 0;
  try {
    for (const document of documents) {
      vendor.elastic(
        env.ELASTIC_URL, index, document, env.ELASTIC_USERNAME, env.ELASTIC_PASSWORD, env.ELASTIC_CLOUD_ID,
        env.ELASTIC_API_KEY,
      );
      shipped++;
    }
  } finally {
    // The rest waits for the next time.
    waiting = waiting.slice(shipped);
    if (lost > 0) console.error(`${lost} items were not shipped: they come faster than Elasticsearch takes them`);
    lost = 0;
  }
}

if (active) {
  jobs.schedule("elastic-items", "*/5 * * * * *", ship);
} else {
  console.error("not active: ELASTIC_URL or ELASTIC_CLOUD_ID is missing in scripting.env");
}
