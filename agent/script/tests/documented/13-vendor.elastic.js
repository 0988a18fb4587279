// helpers: vendor.elastic
function pushDataToElasticsearch() {
  console.log("Data:", JSON.stringify(data))
  vendor.elastic(
    "",
    env.ELASTIC_INDEX,
    data,
    "",
    "",
    env.ELASTIC_CLOUD_ID,
    env.ELASTIC_API_KEY
  );
  data = {};
}

jobs.schedule("push-data-to-elastic", "0 */1 * * * *", pushDataToElasticsearch);
