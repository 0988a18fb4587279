//! InfluxDB and chat completions on the wire.
#![allow(clippy::unwrap_used)]

mod support;

use remora_vendor::{Config, Error, Influxdb, Prompt, Vendor};
use serde_json::json;
use support::{Reply, Server, call, config};

fn influxdb(server: &Server, path: &str) -> Result<(), Error> {
    let url = server.url(path);
    call(&Vendor::new(config()).unwrap(), |vendor| async move {
        let (data, tags) =
            (json!({ "count": 3, "ratio": 0.5, "ok": true, "word": "a b" }), json!({ "k": "v w" }));
        let request = Influxdb {
            url: &url,
            token: "s3cr3t",
            organization: "my org",
            bucket: "b&c",
            measurement: "Example Measurement",
            data: data.as_object().unwrap(),
            tags: tags.as_object().unwrap(),
        };
        vendor.influxdb(request).await
    })
}

#[test]
fn a_point_is_written_as_line_protocol() {
    let server = Server::always(204, "");
    for path in ["", "/", "/proxy/influx/"] {
        influxdb(&server, path).unwrap();
    }
    let requests = server.requests();
    let query = "/api/v2/write?org=my+org&bucket=b%26c&precision=ns";
    assert_eq!(requests[0].target, query);
    assert_eq!(requests[1].target, query);
    assert_eq!(requests[2].target, format!("/proxy/influx{query}"));
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].header("Authorization"), Some("Token s3cr3t"));
    let (point, time) = requests[0].text().rsplit_once(' ').unwrap();
    assert_eq!(point, r#"Example\ Measurement,k=v\ w count=3i,ratio=0.5,ok=true,word="a b""#);
    assert!(time.len() == 19 && time.bytes().all(|byte| byte.is_ascii_digit()), "{time}");
}

#[test]
fn a_point_is_written_again_after_broken_connections_and_5xx() {
    let server = Server::start(|_, before| match before {
        0 => Reply::Reset,
        1 => Reply::new(503, "").with("Retry-After", "0"),
        2 => Reply::new(502, ""),
        _ => Reply::new(204, ""),
    });
    influxdb(&server, "").unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(
        requests.iter().all(|request| request.body == requests[0].body),
        "the same point, so it replaces itself"
    );
}

#[test]
fn attempts_are_bounded() {
    let server = Server::start(|_, _| Reply::new(503, "down").with("Retry-After", "0"));
    let error = influxdb(&server, "").unwrap_err().to_string();
    assert_eq!(error, format!("POST {}: answered 503: down", server.url("/api/v2/write")));
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn a_refused_point_says_why_without_the_token() {
    let server = Server::always(401, "{\"code\":\"unauthorized\",\n \"message\":\"token s3cr3t\"}");
    let error = influxdb(&server, "").unwrap_err().to_string();
    let expected = r#"answered 401: {"code":"unauthorized", "message":"token …"}"#;
    assert_eq!(error, format!("POST {}: {expected}", server.url("/api/v2/write")));
    assert_eq!(server.requests().len(), 1);
}

fn prompt(server: &Server, max_tokens: Option<u32>, api_key: &'static str) -> Result<String, Error> {
    let config = Config { chatgpt_base_url: server.url("/v1"), chatgpt_model: "model-x".into(), ..config() };
    call(&Vendor::new(config).unwrap(), |vendor| async move {
        vendor.prompt(Prompt { api_key, prompt: "Why?", max_tokens }).await
    })
}

#[test]
fn a_prompt_is_a_chat_completion() {
    let server =
        Server::always(200, r#"{"choices":[{"message":{"role":"assistant","content":"\n Because. "}}]}"#);
    assert_eq!(prompt(&server, None, "sk-key").unwrap(), "Because.");
    assert_eq!(prompt(&server, Some(7), "").unwrap(), "Because.");
    let requests = server.requests();
    assert_eq!(requests[0].target, "/v1/chat/completions");
    assert_eq!(requests[0].header("Authorization"), Some("Bearer sk-key"));
    let expected = json!({ "model": "model-x", "messages": [{ "role": "user", "content": "Why?" }], "max_tokens": 1024 });
    assert_eq!(requests[0].json(), expected);
    assert_eq!(requests[1].json()["max_tokens"], 7);
    assert_eq!(requests[1].header("Authorization"), None);
}

#[test]
fn a_prompt_without_an_answer_is_an_error() {
    let server = Server::always(200, r#"{"choices":[]}"#);
    let error = prompt(&server, None, "sk-key").unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            r#"POST {}: answered 200 with no text: {{"choices":[]}}"#,
            server.url("/v1/chat/completions")
        )
    );
    let server = Server::always(200, r#"{"choices":[{"message":{"content":null,"refusal":"No."}}]}"#);
    assert_eq!(prompt(&server, None, "sk-key").unwrap(), "No.");
}

#[test]
fn an_account_without_money_is_not_asked_again() {
    let server = Server::always(429, r#"{"error":{"code":"insufficient_quota"}}"#);
    assert!(matches!(prompt(&server, None, "sk-key"), Err(Error::Status { status: 429, .. })));
    assert_eq!(server.requests().len(), 1);
    let server = Server::start(|_, before| match before {
        0 => Reply::new(429, r#"{"error":{"code":"rate_limit_exceeded"}}"#).with("Retry-After", "0"),
        _ => Reply::new(200, r#"{"choices":[{"message":{"content":"x"}}]}"#),
    });
    assert_eq!(prompt(&server, None, "sk-key").unwrap(), "x");
}
