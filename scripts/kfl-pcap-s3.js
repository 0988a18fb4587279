// Upload the packets of failed and slow requests to S3
//
// scripting.env: S3_BUCKET, AWS_REGION; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the node has no role that may write;
// SLACK_WEBHOOK to be told of uploads
//
// A conversation's packets are kept for tap.misc.pcapTTL seconds after its last one. Set that to 600 at least, as maxMinutes
// below is 5.

const active = Boolean(env.S3_BUCKET && env.AWS_REGION);
if (!active) console.error("not active: S3_BUCKET or AWS_REGION is missing in scripting.env");

const params = {
  kflArr: ["http and response.status >= 500", "http and elapsedTime > 5000"],
  maxMinutes: 5,
  maxL4Streams: 1000,
  active,
};

/** @param {Item} data */
function onItemCaptured(data) {
  wrapper.kflPcapS3(data, params);
}
