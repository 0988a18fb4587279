//! `vendor.slack`, `vendor.slackBot`, `vendor.influxdb`, `vendor.elastic`, `chatgpt.*`.

use serde_json::json;

use crate::common::server::{Reply, Request, Server};
use crate::common::world::{STREAM, World};
use crate::lines;

#[test]
fn slack_posts_to_a_webhook() {
    let server = Server::always(200, "ok");
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(vendor.slack(URL + '/services/T0/B0/x', 'Pre', { a: 1 }, '#ff0000'));
         vendor.slack(URL + '/services/T0/B0/x');",
    );
    assert_eq!(said, ["undefined"]);
    let requests = server.requests();
    assert_eq!(requests[0].line(), "POST /services/T0/B0/x");
    let attachment = &requests[0].json()["attachments"][0];
    assert_eq!(
        [&attachment["pretext"], &attachment["text"], &attachment["color"]],
        ["Pre", r#"{"a":1}"#, "#ff0000"]
    );
    assert!(!requests[1].text().contains("undefined"), "{:?}", requests[1]);
}

#[test]
fn the_old_order_of_slack_is_the_bot() {
    let server = Server::start(slack);
    let world = World::new(&server);
    let said = lines(&world, &server, "vendor.slack('xoxb-1', 'C1', 'Pre', 'Text', 'good')");
    assert_eq!(said, ["Message sent to Slack channel: C024BE91L at 1.2"]);
    let request = server.only_request();
    assert_eq!(request.line(), "POST /slack/chat.postMessage");
    assert_eq!(request.header("Authorization"), Some("Bearer xoxb-1"));
    let body = request.json();
    assert_eq!(body["channel"], "C1");
    let attachment = &body["attachments"][0];
    assert_eq!([&attachment["pretext"], &attachment["text"], &attachment["color"]], ["Pre", "Text", "good"]);
}

/// Slack's part.
fn slack(request: &Request) -> Reply {
    match request.line().as_str() {
        "POST /slack/chat.postMessage" => Reply::new(200, r#"{"ok":true,"channel":"C024BE91L","ts":"1.2"}"#),
        line if line.ends_with(" /slack/files.getUploadURLExternal") => {
            let url = format!("http://{}/upload/1", request.header("Host").unwrap());
            Reply::new(200, json!({ "ok": true, "upload_url": url, "file_id": "F1" }).to_string())
        }
        "POST /upload/1" => Reply::new(200, "OK"),
        "POST /slack/files.completeUploadExternal" => Reply::new(200, r#"{"ok":true,"files":[{"id":"F1"}]}"#),
        _ => Reply::new(404, ""),
    }
}

#[test]
fn the_bot_posts_fields_and_shares_files() {
    let server = Server::start(slack);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "file.write('item.json', { a: 1 });
         vendor.slackBot('xoxb-1', 'C1', 'Pre', 'Text', 'good', { Node: 'n', Absent: undefined },
             { 'packets.pcap': pcap.path(env.STREAM ?? '000000025258.pcap'), 'item.json': 'item.json' });",
    );
    assert_eq!(
        said,
        [
            "Message sent to Slack channel: C024BE91L at 1.2",
            "Shared packets.pcap in Slack channel: C024BE91L",
            "Shared item.json in Slack channel: C024BE91L"
        ]
    );
    let requests = server.requests();
    let fields = requests[0].json()["attachments"][0]["fields"].clone();
    assert_eq!((&fields[0]["title"], &fields[0]["value"]), (&json!("Node"), &json!("n")));
    assert_eq!(fields[1]["title"], "Timestamp");
    let uploads: Vec<_> = requests.iter().filter(|request| request.line() == "POST /upload/1").collect();
    let (all, pcap) = (uploads.len(), std::fs::read(world.path(&format!("pcaps/{STREAM}"))).unwrap());
    assert_eq!(all, 2);
    assert!(uploads.iter().any(|upload| contains(&upload.body, &pcap)));
    assert!(uploads.iter().any(|upload| contains(&upload.body, br#"{"a":1}"#)));
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_file_that_is_not_there_keeps_the_bot_from_posting() {
    let server = Server::start(slack);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(attempt(() => vendor.slackBot('xoxb-1', 'C1', '', '', '', {}, { a: 'none.txt' })))",
    );
    assert_eq!(said, [r#"true vendor.slackBot: "none.txt": there is no such file or folder"#]);
    assert!(server.requests().is_empty());
}

#[test]
fn what_slack_refuses_is_an_error_with_its_word() {
    let server = Server::always(200, r#"{"ok":false,"error":"channel_not_found"}"#);
    let world = World::new(&server);
    let said = lines(&world, &server, "console.log(attempt(() => vendor.slackBot('xoxb-secret', 'C1')))");
    let url = server.url("/slack/chat.postMessage");
    assert_eq!(said, [format!("true vendor.slackBot: POST {url}: answered 200: channel_not_found")]);
}

#[test]
fn influxdb_gets_a_line() {
    let server = Server::always(204, "");
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(vendor.influxdb(URL, 'token', 'org', 'shop', 'http', { count: 12, mean: 3.5, path: 'a b' }, { node: 'n 1', none: undefined }));
         vendor.influxdb(URL, undefined, 'org', 'shop', 'http', { count: 1 });
         console.log(attempt(() => vendor.influxdb(URL, 'token', 'org', 'shop', 'http')));",
    );
    assert_eq!(said, ["undefined", "true vendor.influxdb: data must be an object"]);
    let [tagged, bare] = &server.requests()[..] else { panic!("not two requests") };
    assert_eq!(tagged.target, "/api/v2/write?org=org&bucket=shop&precision=ns");
    assert_eq!(tagged.header("Authorization"), Some("Token token"));
    let (point, time) = tagged.text().trim_end().rsplit_once(' ').unwrap();
    assert_eq!(point, r#"http,node=n\ 1 count=12i,mean=3.5,path="a b""#);
    assert!(time.len() >= 19 && time.bytes().all(|digit| digit.is_ascii_digit()), "{time}");
    assert!(bare.text().starts_with("http count=1i "), "{}", bare.text());
}

#[test]
fn elastic_gets_a_document_under_a_new_id() {
    let server = Server::always(201, r#"{"result":"created"}"#);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(vendor.elastic(URL, 'items', { path: '/a' }, 'elastic', 'password'));
         console.log(vendor.elastic(URL, 'items', { path: '/b' }, undefined, undefined, undefined, 'aWQ6a2V5'));",
    );
    let [basic, keyed] = &server.requests()[..] else { panic!("not two requests") };
    assert_eq!(basic.line(), format!("PUT /items/_doc/{}", said[0]));
    assert_eq!(basic.json(), json!({ "path": "/a" }));
    assert_eq!(basic.header("Authorization"), Some("Basic ZWxhc3RpYzpwYXNzd29yZA=="));
    assert_eq!(keyed.header("Authorization"), Some("ApiKey aWQ6a2V5"));
    assert_ne!(said[0], said[1]);
}

#[test]
fn a_prompt_is_answered() {
    let server = Server::always(200, r#"{"choices":[{"message":{"content":" It is fine. "}}]}"#);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(chatgpt.prompt('sk-1', 'Well?', 20));
         console.log(chatgpt.prompt('sk-1', { a: 1 }));
         console.log(attempt(() => chatgpt.prompt('sk-1')));",
    );
    assert_eq!(said, ["It is fine.", "It is fine.", "true chatgpt.prompt: prompt is missing"]);
    let [short, usual] = &server.requests()[..] else { panic!("not two requests") };
    assert_eq!(short.line(), "POST /ai/v1/chat/completions");
    assert_eq!(short.header("Authorization"), Some("Bearer sk-1"));
    let body = short.json();
    assert_eq!((&body["max_tokens"], &body["messages"][0]["content"]), (&json!(20), &json!("Well?")));
    let body = usual.json();
    assert_eq!((&body["max_tokens"], &body["messages"][0]["content"]), (&json!(1024), &json!(r#"{"a":1}"#)));
}

#[test]
fn sentiment_needs_nobody() {
    let server = Server::always(500, "");
    let said = lines(
        &World::new(&server),
        &server,
        "const good = chatgpt.sentiment('What a wonderful, brilliant success!');
         const bad = chatgpt.sentiment('A terrible failure, awful.');
         console.log(Object.keys(good), good.compound > 0.5, good.pos > good.neg, bad.compound < -0.5);
         const nothing = chatgpt.sentiment();
         console.log(nothing.compound, Math.abs(good.pos + good.neu + good.neg - 1) < 0.01);",
    );
    assert_eq!(said, ["neg,neu,pos,compound true true true", "0 true"]);
    assert!(server.requests().is_empty());
}
