// helpers: vendor.influxdb
function pushDataToInfluxDB() {
  console.log("Data:", JSON.stringify(data))
  vendor.influxdb(
    env.INFLUXDB_URL,
    env.INFLUXDB_TOKEN,
    env.INFLUXDB_ORGANIZATION,
    env.INFLUXDB_BUCKET,
    "Example Measurement",
    data,
    {"example":"tag"}
  );
  data = {};
}

jobs.schedule("push-data-to-influxdb", "0 */1 * * * *", pushDataToInfluxDB);
