// Upload the packets of all conversations to Google Cloud Storage every five minutes
//
// scripting.env: GCS_BUCKET; GCS_SA_KEY_JSON, the key of a service account, where the node has no identity that may write;
// GCS_CLEAR=weekly to delete this node's uploads on Sundays
//
// A conversation's packets are kept for tap.misc.pcapTTL seconds after its last one. Set that to 300 at least, and nothing is
// missing between two snapshots.

const bucket = env.GCS_BUCKET ?? "";
const key = env.GCS_SA_KEY_JSON;

function upload() {
  const snapshot = pcap.snapshot();
  try {
    console.log(`snapshot: ${vendor.gcs.put(bucket, snapshot, key)}`);
  } finally {
    file.delete(snapshot);
  }
}

function clear() {
  vendor.gcs.clear(bucket, key);
}

if (bucket) {
  jobs.schedule("gcs-snapshot", "0 */5 * * * *", upload);
  if (env.GCS_CLEAR === "weekly") jobs.schedule("gcs-clear", "0 30 0 * * sun", clear);
} else {
  console.error("not active: GCS_BUCKET is missing in scripting.env");
}
