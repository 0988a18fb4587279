//! Every script in `scripts/` does what its first line says, and says what it misses.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::path::{Path, PathBuf};

use common::server::{Reply, Request, Server};
use common::world::{STREAM, World, seconds};
use common::*;
use remora_check::{Options, Surface};
use remora_script::{Event, HostConfig, PacketInfo, Script, Verdict};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts")
}

fn read(name: &str) -> Script {
    let script = Script::read(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(script.name, name);
    script
}

/// All services that scripts talk to.
fn server() -> Server {
    Server::start(|request: &Request| match request.line().as_str() {
        "POST /slack/chat.postMessage" => Reply::new(200, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#),
        line if line.ends_with(" /slack/files.getUploadURLExternal") => {
            let host = request.header("Host").unwrap();
            Reply::new(200, format!(r#"{{"ok":true,"upload_url":"http://{host}/upload","file_id":"F1"}}"#))
        }
        "POST /slack/files.completeUploadExternal" => Reply::new(200, r#"{"ok":true,"files":[{"id":"F1"}]}"#),
        "POST /ai/v1/chat/completions" => {
            Reply::new(200, r#"{"choices":[{"message":{"content":"A terrible failure."}}]}"#)
        }
        "POST /api/v2/write" => Reply::new(204, ""),
        line if line.starts_with("PUT /items/_doc/") => Reply::new(201, "{}"),
        line if line.starts_with("PUT ") => Reply::new(200, "").with("ETag", "\"e\""),
        _ => Reply::new(200, "ok"),
    })
}

struct Example {
    running: Running,
    server: Server,
    world: World,
}

impl Example {
    /// Runs an example in the world, with `code` behind its own, on a packet and on a GET answered with 200, one answered
    /// with 404 and one answered with 502. In `env`, `URL` stands for the server's address.
    fn run(name: &str, env: &[(&str, &str)], code: &str) -> Self {
        let server = server();
        let world = World::new(&server);
        let text = |value: &str| value.replace("URL", &server.url(""));
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        let code = format!("{}\n{code}", read(name).code);
        let running = world.start_with(HostConfig { env, ..config() }, &code);
        let packet = PacketInfo {
            timestamp: Default::default(),
            capture_length: 60,
            length: 1500,
            truncated: true,
            fragmented: false,
        };
        running.host.deliver(vec![Event::Packet(packet)]).wait();
        running.items([
            items::http(0, "/shop/cart", 200),
            items::http(1, "/shop/none", 404),
            items::http(2, "/shop/pay", 502),
        ]);
        Self { running, server, world }
    }

    /// With all jobs run at once after the items, and their ends told.
    fn run_jobs(name: &str, env: &[(&str, &str)]) -> Self {
        let trigger = "if (typeof onJobFailed === 'undefined')
                 var onJobFailed = (tag, cron, limit, error) => console.log('job failed', error);
             function onJobPassed(tag) { console.log('job passed', tag) }
             (function (hook) {
                 globalThis.onItemCaptured = function (data) { hook?.(data); if (data.index === 2) jobs.runAll() };
             })(globalThis.onItemCaptured);";
        let example = Self::run(name, env, trigger);
        let count = |lines: &[String], what: &str| lines.iter().filter(|line| line.contains(what)).count();
        example
            .running
            .recorder
            .wait(|lines| count(lines, "] job ") >= count(lines, "] Scheduled the job").max(1));
        example
    }

    /// Lines, but for those about jobs.
    fn lines(&self) -> Vec<String> {
        let about_jobs = ["Scheduled the job", "All jobs are triggered", "Removed the job", "job passed"];
        let lines = self.running.lines().into_iter();
        lines.filter(|line| !about_jobs.iter().any(|begin| line.starts_with(begin))).collect()
    }

    fn request_lines(&self) -> Vec<String> {
        self.server.requests().iter().map(Request::line).collect()
    }
}

#[test]
fn log_items_prints_a_line_per_item() {
    assert_eq!(
        Example::run("log-items.js", &[], "").lines(),
        ["GET /shop/cart 200", "GET /shop/none 404", "GET /shop/pay 502"]
    );
}

#[test]
fn rules_fails_server_errors_and_passes_the_rest() {
    let example = Example::run("rules.js", &[], "");
    let verdicts = [(0, Verdict::Passed), (1, Verdict::Passed), (2, Verdict::Failed)];
    assert_eq!(example.running.recorder.verdicts(), verdicts);
    assert_eq!(example.lines(), ["error: GET /shop/pay was answered with 502"]);
}

#[test]
fn kfl_count_counts_what_matches() {
    assert_eq!(
        Example::run("kfl-count.js", &[], "").lines(),
        [
            r#"{"server errors":0,"slow answers":0,"missing pages":1}"#,
            r#"{"server errors":1,"slow answers":0,"missing pages":1}"#
        ]
    );
}

#[test]
fn yaml_dump_prints_what_went_wrong() {
    let lines = Example::run("yaml-dump.js", &[], "").lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("---\n") && lines[1].contains("path: /shop/pay"), "{}", lines[1]);
    let lines = Example::run("yaml-dump.js", &[("YAML_FILTER", "response.status ==")], "").lines();
    assert!(lines.len() == 1 && lines[0].starts_with("error: 1:19: "), "{lines:?}");
}

#[test]
fn redact_hides_secrets_in_what_is_shown() {
    let example = Example::run("redact.js", &[], "");
    let shown = example.running.query(&[items::post(3, "/login?token=abc", 200)], "");
    let shown: serde_json::Value = serde_json::from_str(shown[0].as_ref().unwrap()).unwrap();
    let request = &shown["request"];
    assert_eq!([&request["headers"]["Cookie"], &request["cookies"]["session"]], ["[redacted]", "[redacted]"]);
    assert_eq!(request["path"], "/login?token=[redacted]");
    assert_eq!(
        [&request["headers"]["Host"], &shown["response"]["content"]["text"]],
        ["shop.example:8080", "[redacted]"]
    );
}

#[test]
fn prometheus_latency_is_a_histogram() {
    let text = Example::run("prometheus-latency.js", &[], "").world.exposition();
    for line in [
        r#"http_answer_seconds_bucket{le="0.01",server="10.0.0.9",status="2xx"} 0"#,
        r#"http_answer_seconds_bucket{le="0.025",server="10.0.0.9",status="2xx"} 1"#,
        r#"http_answer_seconds_bucket{le="+Inf",server="10.0.0.9",status="5xx"} 1"#,
        r#"http_answer_seconds_count{server="10.0.0.9",status="4xx"} 1"#,
    ] {
        assert!(text.iter().any(|known| known == line), "{line}: {text:#?}");
    }
}

#[test]
fn har_export_keeps_a_har_file() {
    let example = Example::run_jobs("har-export.js", &[]);
    let har: serde_json::Value = serde_json::from_str(&example.world.text("traffic.har")).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 3);
    assert_eq!(example.lines(), [""; 0]);
}

#[test]
fn top_paths_shows_a_table_after_clearing_the_console() {
    let lines = Example::run_jobs("top-paths.js", &[]).lines();
    assert_eq!(lines[..2], ["(cleared)", "requests  mean ms  path"]);
    assert_eq!(lines[2], "       1     23.3  GET /shop/cart");
}

#[test]
fn traffic_report_counts_packets_items_and_errors() {
    let lines = Example::run_jobs("traffic-report.js", &[]).lines();
    let counts = r#"{"packets":1,"bytes":1500,"items":3,"errors":1}"#;
    assert!(lines.contains(&format!("node-1: last minute {counts}, slowest answer 23.25 ms")), "{lines:?}");
}

#[test]
fn webhook_errors_sends_server_errors() {
    let example = Example::run("webhook-errors.js", &[("WEBHOOK_URL", "URL/hook")], "");
    let body = example.server.only_request().json();
    assert_eq!(
        (&body["status"], &body["path"], &body["server"]),
        (&502.into(), &"/shop/pay".into(), &"10.0.0.9".into())
    );
    assert_eq!(example.lines(), [""; 0]);
}

#[test]
fn slack_alert_posts_server_errors() {
    let example = Example::run("slack-alert.js", &[("SLACK_WEBHOOK", "URL/hook")], "");
    let attachment = example.server.only_request().json()["attachments"][0].clone();
    assert_eq!(attachment["text"], "GET /shop/pay was answered with 502");
    assert_eq!(example.lines(), [""; 0]);
}

#[test]
fn slack_report_shares_packets_and_item() {
    let env = [("SLACK_AUTH_TOKEN", "xoxb-1"), ("SLACK_CHANNEL_ID", "C1")];
    let example = Example::run("slack-report.js", &env, "");
    assert_eq!(
        example.lines(),
        [
            "Message sent to Slack channel: C1 at 1.2".to_owned(),
            format!("Shared {STREAM} in Slack channel: C1"),
            "Shared item.json in Slack channel: C1".to_owned()
        ]
    );
    assert_eq!(example.request_lines().iter().filter(|line| *line == "POST /upload").count(), 2);
    assert_eq!(example.world.names(), [""; 0], "nothing is left behind");
}

#[test]
fn influxdb_metrics_pushes_a_point_per_server() {
    let env = [
        ("INFLUXDB_URL", "URL"),
        ("INFLUXDB_TOKEN", "t"),
        ("INFLUXDB_ORGANIZATION", "o"),
        ("INFLUXDB_BUCKET", "b"),
    ];
    let example = Example::run_jobs("influxdb-metrics.js", &env);
    let request = example.server.only_request();
    let point = "http,node=node-1,server=10.0.0.9 requests=3i,errors=1i,mean_microseconds=23250i ";
    assert!(request.text().starts_with(point), "{}", request.text());
    assert_eq!(example.lines(), [""; 0]);
}

#[test]
fn elastic_items_ships_a_document_per_item() {
    let env = [("ELASTIC_URL", "URL"), ("ELASTIC_INDEX", "items"), ("ELASTIC_API_KEY", "aWQ6a2V5")];
    let example = Example::run_jobs("elastic-items.js", &env);
    let statuses: Vec<_> =
        example.server.requests().iter().map(|request| request.json()["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [200, 404, 502]);
    assert_eq!(example.lines(), [""; 0]);
}

#[test]
fn snapshots_of_all_conversations_are_uploaded() {
    let keys =
        [("AWS_REGION", "eu-west-3"), ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let s3 = [&keys[..], &[("S3_BUCKET", "captures")]].concat();
    for (name, env) in [("s3-snapshot.js", &s3[..]), ("gcs-snapshot.js", &[("GCS_BUCKET", "captures")])] {
        let example = Example::run_jobs(name, env);
        let request = example.server.only_request();
        assert_eq!(seconds(&request.body), [1, 2, 3], "{name}");
        let lines = example.lines();
        let url = example.server.url("/captures/node-1_10.0.0.7/");
        assert!(lines[0].starts_with("Uploaded node-1_10.0.0.7/"), "{name}: {lines:?}");
        assert!(
            lines[1].starts_with(&format!("snapshot: {url}")) && lines[1].ends_with(".pcap"),
            "{name}: {lines:?}"
        );
        assert_eq!(example.world.names(), [""; 0], "{name}");
    }
}

#[test]
fn kfl_pcap_s3_gathers_and_waits_for_its_time() {
    let env = [("S3_BUCKET", "captures"), ("AWS_REGION", "eu-west-3")];
    let example = Example::run_jobs("kfl-pcap-s3.js", &env);
    assert_eq!((example.lines(), example.request_lines()), (Vec::new(), Vec::new()));
}

#[test]
fn chatgpt_triage_asks_about_server_errors() {
    let example = Example::run("chatgpt-triage.js", &[("OPENAI_API_KEY", "sk-1")], "");
    let body = example.server.only_request().json();
    let question = body["messages"][0]["content"].as_str().unwrap();
    assert!(question.contains(r#""status":502"#) && !question.contains("bucket=shop"), "{question}");
    let lines = example.lines();
    assert!(lines[0].starts_with("error: GET /shop/pay 502: A terrible failure. (-0."), "{lines:?}");
}

/// Names of all examples, and whether they need settings.
const EXAMPLES: [(&str, bool); 18] = [
    ("chatgpt-triage.js", true),
    ("elastic-items.js", true),
    ("gcs-snapshot.js", true),
    ("har-export.js", false),
    ("influxdb-metrics.js", true),
    ("kfl-count.js", false),
    ("kfl-pcap-s3.js", true),
    ("log-items.js", false),
    ("prometheus-latency.js", false),
    ("redact.js", false),
    ("rules.js", false),
    ("s3-snapshot.js", true),
    ("slack-alert.js", true),
    ("slack-report.js", true),
    ("top-paths.js", false),
    ("traffic-report.js", false),
    ("webhook-errors.js", true),
    ("yaml-dump.js", false),
];

#[test]
fn without_their_settings_examples_say_so_and_do_nothing() {
    for (name, _) in EXAMPLES.iter().filter(|(_, needs_settings)| *needs_settings) {
        let example = Example::run(name, &[], "");
        let lines = example.running.lines();
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        assert!(lines[0].starts_with("error: not active: "), "{name}: {lines:?}");
        assert!(example.server.requests().is_empty() && example.world.names().is_empty(), "{name}");
    }
}

#[test]
fn every_example_begins_with_its_title_and_is_clean() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let script = Script::read(&path).unwrap();
            let title = remora_check::title(&script.code);
            assert!(title.is_some_and(|title| !title.is_empty()), "{}", script.name);
            let findings = remora_check::check(&script.code, &Surface::documented(), &Options::default());
            assert!(findings.is_empty(), "{}: {findings:#?}", script.name);
            names.push(script.name);
        }
    }
    names.sort();
    // A new example needs a test above.
    assert_eq!(names, EXAMPLES.map(|(name, _)| name));
}
