//! `wrapper.*`.

use remora_script::HostConfig;
use serde_json::json;

use crate::common::server::{Reply, Server};
use crate::common::world::{STREAM, World, seconds};
use crate::common::{config, items};
use crate::lines;

/// Takes objects, and Slack's webhook.
fn store() -> Server {
    Server::start(|request| match request.method.as_str() {
        "PUT" => Reply::new(200, "").with("ETag", "\"e\""),
        _ => Reply::new(200, "ok"),
    })
}

fn env(server: &Server) -> HostConfig {
    let env = [
        ("URL", server.url("")),
        ("S3_BUCKET", "captures".to_owned()),
        ("AWS_REGION", "eu-west-3".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ];
    HostConfig { env: env.map(|(name, value)| (name.to_owned(), value)).into(), ..config() }
}

#[test]
fn maps_of_numbers_are_added_up() {
    let server = store();
    let said = lines(
        &World::new(&server),
        &server,
        "const a = { x: 1, y: 2 };
         console.log(JSON.stringify(wrapper.joinMaps(a, { y: 3, z: 4 })), JSON.stringify(a));
         console.log(JSON.stringify([wrapper.joinMaps(a), wrapper.joinMaps(a, null), wrapper.joinMaps(undefined, a)]));",
    );
    assert_eq!(
        said,
        [r#"{"x":1,"y":5,"z":4} {"x":1,"y":2}"#, r#"[{"x":1,"y":2},{"x":1,"y":2},{"x":1,"y":2}]"#]
    );
}

#[test]
fn items_become_a_har_file() {
    let server = store();
    let world = World::new(&server);
    let running = world.start(
        &server,
        "const kept = [];
         function onItemCaptured(data) {
             kept.push(data);
             if (data.index < 2) return;
             kept.push({ protocol: { name: 'redis' }, request: {} }, null);
             kept[2].response = undefined;
             console.log(wrapper.buildHAR(kept));
             try { wrapper.buildHAR() } catch (error) { console.log(error.message) }
         }",
    );
    running.items([items::http(0, "/a", 200), items::post(1, "/b", 502), items::http(2, "/c", 200)]);
    let said = running.lines();
    assert_eq!(said[1], "wrapper.buildHAR: items must be an array");
    let har: serde_json::Value = serde_json::from_str(&said[0]).unwrap();
    let log = &har["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("remora")));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    let [get, post, unanswered] = &entries[..] else { panic!("{entries:#?}") };
    assert_eq!(get["startedDateTime"], "2023-03-13T02:37:46.172360504Z");
    assert_eq!((&get["time"], &get["timings"]["wait"]), (&json!(23.25), &json!(23.25)));
    assert_eq!((&get["connection"], &get["serverIPAddress"]), (&json!(STREAM), &json!("10.0.0.9")));
    let request = &get["request"];
    assert_eq!(request["url"], "http://shop.example:8080/a?bucket=shop&precision=ns");
    let bucket = json!({ "name": "bucket", "value": "shop" });
    assert!(request["queryString"].as_array().unwrap().contains(&bucket));
    let session = json!({ "name": "session", "value": "abc" });
    assert_eq!(request["cookies"][0], session);
    assert!(request.get("postData").is_none());
    let data = json!({ "mimeType": "text/plain", "params": [], "text": "cpu,host=a v=1" });
    assert_eq!(post["request"]["postData"], data);
    assert_eq!(
        (&post["response"]["status"], &post["response"]["content"]["encoding"]),
        (&json!(502), &json!("base64"))
    );
    assert_eq!(
        (&unanswered["response"]["status"], &unanswered["response"]["headers"]),
        (&json!(0), &json!([]))
    );
}

#[test]
fn one_snapshot_goes_to_s3_and_leaves_no_file() {
    let server = store();
    let world = World::new(&server);
    let running = world.start_with(
        env(&server),
        "console.log(wrapper.pcapSnapshot());
         console.log(wrapper.pcapSnapshot('eu-west-1', 'OTHER', 'secret', 'other'));",
    );
    let said = running.lines();
    let [ours, given] = &server.requests()[..] else { panic!("{said:?}") };
    assert_eq!(said[1], server.url(ours.line().strip_prefix("PUT ").unwrap()));
    assert!(ours.line().starts_with("PUT /captures/node-1_10.0.0.7/") && ours.line().ends_with(".pcap"));
    assert!(ours.header("Authorization").unwrap().contains("Credential=AKID/"));
    assert_eq!(seconds(&ours.body), [1, 2, 3]);
    assert!(given.line().starts_with("PUT /other/"), "{}", given.line());
    let signature = given.header("Authorization").unwrap();
    assert!(signature.contains("Credential=OTHER/") && signature.contains("/eu-west-1/"), "{signature}");
    assert_eq!(world.names(), [""; 0]);
}

/// Gathers on every item, and uploads whatever there is as soon as the job runs.
const GATHER: &str = "const params = { kflArr: ['broken', 'http and request.path == \"/b\"'], maxL4Streams: 1, slackWebhook: env.SLACK };
     function onItemCaptured(data) {
         wrapper.kflPcapS3(data, params);
         if (data.index === 1) jobs.runAll();
     }
     function onJobFailed(tag, cron, limit, error) { console.log(tag, 'failed', error) }
     function onJobPassed(tag) { console.log(tag, 'passed') }";

#[test]
fn streams_that_match_queries_are_uploaded_as_archives() {
    let server = store();
    let world = World::new(&server);
    let mut config = env(&server);
    config.env.insert("SLACK".into(), server.url("/slack-hook"));
    let running = world.start_with(config, GATHER);
    running.items([items::http(0, "/a", 502), items::http(1, "/a", 200)]);
    running.wait_for("kfl-pcap-s3 passed");
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.line()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("PUT /captures/node-1_10.0.0.7/kubeshark_"), "{lines:?}");
    assert_eq!(lines[1], "POST /slack-hook");
    let url = server.url(lines[0].strip_prefix("PUT ").unwrap());
    let attachment = &requests[1].json()["attachments"][0];
    assert_eq!(attachment["text"], format!("broken: {url}"));
    let said = running.lines();
    let told = said.iter().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{said:?}"));
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!(
        (&told["kfl_index"], &told["kfl_query"], &told["s3_url"]),
        (&json!(0), &json!("broken"), &json!(url))
    );
    assert_eq!(world.names(), [""; 0], "nothing is left behind");
}

#[test]
fn streams_that_cannot_be_uploaded_wait_for_the_next_time() {
    let server = Server::always(403, "<Error><Code>AccessDenied</Code></Error>");
    let world = World::new(&server);
    let running = world.start_with(env(&server), GATHER);
    running.items([items::http(0, "/a", 502), items::http(1, "/a", 200)]);
    let said = running.recorder.wait(|lines| lines.iter().any(|line| line.contains("kfl-pcap-s3 failed")));
    let failed = said.iter().find(|line| line.contains("kfl-pcap-s3 failed")).unwrap();
    assert!(
        failed.contains("kfl-pcap-s3: broken: vendor.s3.put: PUT ") && failed.contains("AccessDenied"),
        "{failed}"
    );
    assert_eq!(world.names(), [""; 0]);
    // Nothing new has come, but the job tries again.
    running.items([items::http(1, "/c", 200)]);
    running
        .recorder
        .wait(|lines| lines.iter().filter(|line| line.contains("kfl-pcap-s3 failed")).count() == 2);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_inactive_upload_gathers_nothing() {
    let server = store();
    let world = World::new(&server);
    let running = world.start_with(
        env(&server),
        "function onItemCaptured(data) {
             wrapper.kflPcapS3(data, { kflArr: [''], active: false });
             try { wrapper.kflPcapS3(data, {}) } catch (error) { console.log(error.message, jobs.list().length) }
         }",
    );
    let said = running.item_lines(items::http(0, "/a", 502));
    assert_eq!(said, ["wrapper.kflPcapS3: params.kflArr must be an array of KFL queries 0"]);
}
