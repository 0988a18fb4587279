// Show the most requested paths, refreshed every five seconds

/** @type {Map<string, { requests: number, milliseconds: number }>} */
const paths = new Map();
const mostPaths = 10_000;
const shown = 10;

/** @param {Item} data */
function onItemCaptured(data) {
  if (!data.request || !data.response) return;
  const name = `${data.request.method} ${data.request.path}`.slice(0, 100);
  let path = paths.get(name);
  if (!path) {
    if (paths.size >= mostPaths) return;
    path = { requests: 0, milliseconds: 0 };
    paths.set(name, path);
  }
  path.requests++;
  path.milliseconds += data.elapsedTime;
}

function show() {
  const top = [...paths].sort(([, a], [, b]) => b.requests - a.requests).slice(0, shown);
  console.clear();
  console.log("requests  mean ms  path");
  for (const [name, { requests, milliseconds }] of top) {
    console.log(`${String(requests).padStart(8)}  ${(milliseconds / requests).toFixed(1).padStart(7)}  ${name}`);
  }
}

jobs.schedule("top-paths", "*/5 * * * * *", show);
