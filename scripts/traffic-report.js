// Print a report of the traffic every minute

const fresh = () => ({ packets: 0, bytes: 0, items: 0, errors: 0, slowest: 0 });
let now = fresh();

/** @type {Record<string, number>} */
let total = {};

/** @param {PacketInfo} info */
function onPacketCaptured(info) {
  now.packets++;
  now.bytes += info.length;
}

/** @param {Item} data */
function onItemCaptured(data) {
  now.items++;
  if (data.error || (data.response && data.response.status >= 500)) now.errors++;
  now.slowest = Math.max(now.slowest, data.elapsedTime);
}

function report() {
  const { slowest, ...counts } = now;
  now = fresh();
  total = wrapper.joinMaps(total, counts);
  console.log(`${utils.nodeName()}: last minute ${JSON.stringify(counts)}, slowest answer ${slowest} ms`);
}

function reportTotal() {
  console.log(`${utils.nodeName()}: since the start ${JSON.stringify(total)}`);
}

/**
 * @param {string} tag
 * @param {string} cron
 * @param {number} limit
 * @param {string} err
 */
function onJobFailed(tag, cron, limit, err) {
  console.error(`the job ${tag} (${cron}) failed: ${err}`);
}

jobs.schedule("traffic-report", "0 * * * * *", report);
jobs.schedule("traffic-report-total", "@hourly", reportTotal);
