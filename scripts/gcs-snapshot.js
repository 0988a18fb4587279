// Upload the packets of all conversations to Google Cloud Storage every hour, and begin afresh on Sundays
//
// scripting.env: GCS_BUCKET; GCS_SA_KEY_JSON, the key of a service account, where the node has no identity that may write

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
  jobs.schedule("gcs-snapshot", "@hourly", upload);
  jobs.schedule("gcs-clear", "0 30 0 * * sun", clear);
} else {
  console.error("not active: GCS_BUCKET is missing in scripting.env");
}
