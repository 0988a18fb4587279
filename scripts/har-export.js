// Keep a HAR file of the last requests, for the network view of a browser
//
// It is traffic.har in the data directory (data.dir), written every ten seconds.

/** @type {Item[]} */
let recent = [];
const most = 500;
const mostBytes = 64 * 1024;
let changed = false;

/** @param {Item} data */
function onItemCaptured(data) {
  // Larger bodies would fill the script's memory.
  if (data.protocol.name !== "http" || data.size > mostBytes) return;
  recent.push(data);
  if (recent.length >= 2 * most) recent = recent.slice(-most);
  changed = true;
}

function write() {
  if (!changed) return;
  recent = recent.slice(-most);
  file.write("traffic.har", wrapper.buildHAR(recent));
  changed = false;
}

jobs.schedule("har-export", "*/10 * * * * *", write);
