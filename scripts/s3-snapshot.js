// Upload the packets of all conversations to S3 every five minutes
//
// scripting.env: S3_BUCKET, AWS_REGION; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the node has no role that may write
//
// A conversation's packets are kept for tap.misc.pcapTTL seconds after its last one. Set that to 300 at least, and nothing is
// missing between two snapshots.

const bucket = env.S3_BUCKET ?? "";
const region = env.AWS_REGION ?? "";

function upload() {
  const snapshot = pcap.snapshot();
  try {
    const url = vendor.s3.put(bucket, snapshot, region, env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY);
    console.log(`snapshot: ${url}`);
  } finally {
    file.delete(snapshot);
  }
}

if (bucket && region) {
  jobs.schedule("s3-snapshot", "0 */5 * * * *", upload);
} else {
  console.error("not active: S3_BUCKET or AWS_REGION is missing in scripting.env");
}
