// Count the items that match KFL queries

/** @type {Record<string, string>} */
const queries = {
  "server errors": "http and response.status >= 500",
  "slow answers": "http and elapsedTime > 1000",
  "missing pages": 'http and request.method == "GET" and response.status == 404',
};

// validate says on the console what is wrong with a query.
const names = Object.keys(queries).filter((name) => kfl.validate(queries[name] ?? ""));
const counts = Object.fromEntries(names.map((name) => [name, 0]));

/** @param {Item} data */
function onItemCaptured(data) {
  let changed = false;
  for (const name of names) {
    if (kfl.match(queries[name] ?? "", data)) {
      counts[name] = (counts[name] ?? 0) + 1;
      changed = true;
    }
  }
  if (changed) console.log(JSON.stringify(counts));
}
