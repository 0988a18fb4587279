//! Both of Slack's ways, against a server that answers as Slack documents.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use remora_vendor::{Config, Error, Posted, Slack, SlackBot, SlackFile, Vendor};
use serde_json::json;
use support::{Reply, Request, Server, call, config, directory};

const TOKEN: &str = "xoxb-1234-secret";

fn slack(vendor: &Vendor, url: String) -> Result<(), Error> {
    call(vendor, |vendor| async move {
        vendor.slack(Slack { webhook_url: &url, pretext: "Pre", text: "Te\"xt", color: "#ff0000" }).await
    })
}

/// A bot that posts without files.
fn bot(vendor: &Vendor) -> Result<Posted, Error> {
    call(vendor, |vendor| async move {
        vendor
            .slack_bot(SlackBot { token: TOKEN, channel: "#alerts", text: "text", ..SlackBot::default() })
            .await
    })
}

fn with_base(server: &Server) -> Vendor {
    Vendor::new(Config { slack_base_url: server.url("/api"), ..config() }).unwrap()
}

fn is_recent(timestamp: &serde_json::Value) -> bool {
    let text = timestamp.as_str().unwrap();
    text.len() == "2026-01-02T03:04:05.678Z".len() && text.ends_with('Z') && text.starts_with("20")
}

#[test]
fn an_incoming_webhook_gets_one_attachment_with_a_timestamp() {
    let server = Server::always(200, "ok");
    slack(&Vendor::new(config()).unwrap(), server.url("/services/T0/B0/x")).unwrap();
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/services/T0/B0/x"));
    assert_eq!(request.header("Content-Type"), Some("application/json; charset=utf-8"));
    let mut body = request.json();
    let value = body["attachments"][0]["fields"][0]["value"].take();
    assert!(is_recent(&value), "{value}");
    let attachment = json!({
        "fallback": "Pre",
        "pretext": "Pre",
        "text": "Te\"xt",
        "color": "#ff0000",
        "fields": [{ "title": "Timestamp", "value": null, "short": false }],
    });
    assert_eq!(body, json!({ "attachments": [attachment] }));
}

#[test]
fn a_refused_webhook_says_why_but_not_where() {
    let server = Server::start(|request, _| {
        Reply::new(403, format!("invalid_token {} B0SECRETSECRET", request.target))
    });
    let error =
        slack(&Vendor::new(config()).unwrap(), server.url("/services/T0TEAM/B0SECRETSECRET?q=querysecret"))
            .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("POST {}/…: answered 403: invalid_token", server.url(""))), "{text}");
    for secret in ["SECRET", "querysecret", "T0TEAM"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_rate_limit_is_waited_for_but_a_broken_connection_is_not_tried_again() {
    let server = Server::start(|_, before| match before {
        0 | 1 => Reply::new(429, "rate_limited").with("Retry-After", "0"),
        _ => Reply::new(200, "ok"),
    });
    slack(&Vendor::new(config()).unwrap(), server.url("/hook")).unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(|_, before| if before == 0 { Reply::Reset } else { Reply::new(200, "ok") });
    let error = slack(&Vendor::new(config()).unwrap(), server.url("/hook")).unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(server.requests().len(), 1, "the message may have been taken");
}

#[test]
fn a_rate_limit_beyond_the_deadline_is_an_error_at_once() {
    let server = Server::start(|_, _| Reply::new(429, "").with("Retry-After", "3600"));
    let vendor = Vendor::new(Config {
        deadline: Duration::from_secs(60),
        slack_base_url: server.url("/api/"),
        ..config()
    });
    let error = bot(&vendor.unwrap()).unwrap_err().to_string();
    let expected =
        "/api/chat.postMessage: answered 429 and asks to wait 3600 s, which is beyond the deadline";
    assert_eq!(error, format!("POST {}{expected}", server.url("")));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_bot_posts_fields_in_order_with_a_timestamp_at_the_end() {
    let server = Server::always(200, r#"{"ok":true,"channel":"C1","ts":"1503435956.000247"}"#);
    let vendor = with_base(&server);
    let posted = call(&vendor, |vendor| async move {
        let fields = [("Service".to_owned(), "a".to_owned()), ("Node".to_owned(), "b".to_owned())];
        let request = SlackBot {
            token: TOKEN,
            channel: "C1",
            pretext: "Pre",
            color: "good",
            fields: &fields,
            ..SlackBot::default()
        };
        vendor.slack_bot(request).await
    });
    let expected = Posted { channel: "C1".into(), timestamp: "1503435956.000247".into(), files: vec![] };
    assert_eq!(posted.unwrap(), expected);
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!(request.target, "/api/chat.postMessage");
    assert_eq!(request.header("Authorization"), Some("Bearer xoxb-1234-secret"));
    let body = request.json();
    assert_eq!(body["channel"], "C1");
    let fields = body["attachments"][0]["fields"].as_array().unwrap();
    let titles: Vec<_> = fields.iter().map(|field| field["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Service", "Node", "Timestamp"]);
    assert_eq!(fields[1]["value"], "b");
    assert!(is_recent(&fields[2]["value"]));
}

#[test]
fn ok_false_is_an_error_with_slacks_word_and_without_the_token() {
    for (body, reason) in [
        (r#"{"ok":false,"error":"channel_not_found"}"#, "channel_not_found"),
        (
            r#"{"ok":false,"error":"missing_scope","needed":"files:write"}"#,
            "missing_scope (needs the scope files:write)",
        ),
        (r#"{"ok":false,"error":"bad xoxb-1234-secret"}"#, "bad …"),
        (r#"{"ok":false}"#, "ok: false"),
    ] {
        let server = Server::always(200, body);
        let error = bot(&with_base(&server)).unwrap_err().to_string();
        assert_eq!(error, format!("POST {}: answered 200: {reason}", server.url("/api/chat.postMessage")));
    }
    let server = Server::always(200, "<html>");
    let error = bot(&with_base(&server)).unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error:?}");
}

/// Slack's part in sharing files. The second question for a place meets a rate limit.
fn sharing(request: &Request, before: usize) -> Reply {
    match request.path() {
        "/api/chat.postMessage" => Reply::new(200, r#"{"ok":true,"channel":"C024BE91L","ts":"1.2"}"#),
        "/api/files.getUploadURLExternal" if before == 3 => Reply::new(429, "").with("Retry-After", "0"),
        "/api/files.getUploadURLExternal" => {
            let address = request.header("Host").unwrap();
            let id = format!("F{before}");
            let url = format!("http://{address}/upload/v1/{id}secret?sig=s3cr3t");
            Reply::new(200, json!({ "ok": true, "upload_url": url, "file_id": id }).to_string())
        }
        path if path.starts_with("/upload/") => Reply::new(200, "OK"),
        "/api/files.completeUploadExternal" => Reply::new(200, r#"{"ok":true,"files":[{"id":"F1"}]}"#),
        _ => Reply::new(404, ""),
    }
}

#[test]
fn files_take_the_external_upload_flow() {
    let server = Server::start(sharing);
    let (path, dir) = directory("slack-flow");
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| n as u8).collect();
    std::fs::write(path.join("a.pcap"), &large).unwrap();
    std::fs::create_dir(path.join("sub")).unwrap();
    std::fs::write(path.join("sub/data.json"), "{}").unwrap();
    let vendor = with_base(&server);
    let posted = call(&vendor, |vendor| async move {
        let files = [
            SlackFile { name: "0000 1.pcap", dir: &dir, path: "a.pcap" },
            SlackFile { name: "data.json", dir: &dir, path: "sub/data.json" },
        ];
        vendor
            .slack_bot(SlackBot { token: TOKEN, channel: "alerts", files: &files, ..SlackBot::default() })
            .await
    });
    let names = vec!["0000 1.pcap".to_owned(), "data.json".to_owned()];
    let expected = Posted { channel: "C024BE91L".into(), timestamp: "1.2".into(), files: names };
    assert_eq!(posted.unwrap(), expected);

    let requests = server.requests();
    let targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/api/chat.postMessage",
            "/api/files.getUploadURLExternal",
            "/upload/v1/F1secret?sig=s3cr3t",
            "/api/files.getUploadURLExternal",
            "/api/files.getUploadURLExternal",
            "/upload/v1/F4secret?sig=s3cr3t",
            "/api/files.completeUploadExternal",
        ]
    );
    assert!(requests.iter().all(|request| request.method == "POST"));
    assert_eq!(requests[1].text(), "filename=0000+1.pcap&length=9000000");
    assert_eq!(requests[1].header("Content-Type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(requests[1].header("Authorization"), Some("Bearer xoxb-1234-secret"));
    assert_eq!(requests[2].header("Content-Length"), Some("9000000"));
    assert_eq!(requests[2].header("Authorization"), None, "the URL is the permission");
    assert!(requests[2].body == large, "the file did not arrive as it is");
    assert_eq!(requests[5].text(), "{}");
    let shared = json!({
        "files": [{ "id": "F1", "title": "0000 1.pcap" }, { "id": "F4", "title": "data.json" }],
        "channel_id": "C024BE91L",
    });
    assert_eq!(requests[6].json(), shared);
}

#[test]
fn a_refused_upload_does_not_show_its_url() {
    let server = Server::start(|request, before| match request.path() {
        path if path.starts_with("/upload/") => Reply::new(500, request.target.clone()),
        _ => sharing(request, before),
    });
    let (path, dir) = directory("slack-refused");
    std::fs::write(path.join("a"), "a").unwrap();
    let vendor = with_base(&server);
    let outcome = call(&vendor, |vendor| async move {
        let files = [SlackFile { name: "a", dir: &dir, path: "a" }];
        vendor
            .slack_bot(SlackBot { token: TOKEN, channel: "alerts", files: &files, ..SlackBot::default() })
            .await
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("/…: answered 500"), "{error}");
    assert!(!error.contains("s3cr3t") && !error.contains("F1secret"), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_posts_nothing() {
    let server = Server::start(sharing);
    let (path, dir) = directory("slack-missing");
    std::fs::create_dir(path.join("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", path.join("link")).unwrap();
    let vendor = with_base(&server);
    for bad in ["missing", "folder", "pipe", "link", "../slack-missing/x", "/etc/hostname"] {
        let dir = dir.clone();
        let outcome = call(&vendor, |vendor| async move {
            let files = [SlackFile { name: "a", dir: &dir, path: bad }];
            vendor
                .slack_bot(SlackBot { token: TOKEN, channel: "alerts", files: &files, ..SlackBot::default() })
                .await
        });
        let Err(Error::File { path, .. }) = outcome else { panic!("{bad}: {outcome:?}") };
        assert_eq!(path, bad);
    }
    assert_eq!(server.requests().len(), 0);
}
