//! gRPC: the fixture against what its client wrote down, messages with and without a schema, gRPC-Web.

mod golden_support;
mod http2_support;
mod talk;

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use golden_support::{fixtures, replay};
use http2_support::*;
use remora_dissect::Limits;
use remora_dissect::protobuf::{Schema, SchemaError};
use serde_json::{Value, json};
use talk::{Talk, as_json};

fn file(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("grpc").join(name)).expect("the file is there")
}

fn with_schema(files: &[&str]) -> Limits {
    let files: Vec<Vec<u8>> = files.iter().map(|name| file(name)).collect();
    let schema = Schema::read(files.iter().map(Vec::as_slice)).expect("descriptors");
    Limits { protobuf_schema: Some(Arc::new(schema)), ..Limits::default() }
}

fn calls(limits: Limits) -> Vec<Value> {
    replay(&fixtures().join("grpc/grpc.pcap"), limits).items.iter().map(as_json).collect()
}

/// A message with its flag and length.
fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a message is short").to_be_bytes();
    [&[flag][..], &length, message].concat()
}

/// One call with these bodies.
fn call(limits: Limits, path: &str, content_type: &str, bodies: [&[u8]; 2]) -> Value {
    let mut talk = connected_with(limits);
    let request = [
        &[0x83, 0x86][..],
        &literal(":path", path),
        &literal("content-type", content_type),
        &literal("grpc-encoding", "gzip"),
    ]
    .concat();
    let response = [&[0x88][..], &literal("content-type", content_type)].concat();
    for chunk in [headers(4, 1, &request), frame(DATA, 1, 1, bodies[0])] {
        talk.client(&chunk);
    }
    talk.server(&headers(4, 1, &response));
    bodies[1].chunks(16_000).for_each(|chunk| _ = talk.server(&frame(DATA, 0, 1, chunk)));
    talk.server(&headers(5, 1, &literal("grpc-status", "0")));
    let mut items = talk.finish();
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

#[test]
fn every_call_of_the_client_is_found() {
    let items = calls(Limits::default());
    let truth = truth(&fixtures().join("grpc/grpc.gt.jsonl"));
    assert_eq!(items.len(), truth.len());
    let mut found: Vec<String> = Vec::new();
    for item in &items {
        assert_eq!(item["error"], Value::Null);
        assert_eq!((&item["protocol"]["abbr"], &item["protocol"]["name"]), (&json!("gRPC"), &json!("http")));
        let (request, response) = (&item["request"]["grpc"], &item["response"]["grpc"]);
        assert_eq!(item["base"]["status"], response["status"]);
        assert_eq!(item["response"]["headers"]["Grpc-Status"], response["status"].to_string());
        let path =
            format!("/{}/{}", request["service"].as_str().unwrap(), request["method"].as_str().unwrap());
        assert_eq!(item["request"]["path"], path);
        assert_eq!(request["messages"].as_array().unwrap().len() as u64, request["count"].as_u64().unwrap());
        found.push(
            json!([path, request["count"], response["count"], response["status"], response["statusName"]])
                .to_string(),
        );
    }
    let mut expected: Vec<String> = truth
        .iter()
        .map(|line| {
            json!([
                line["path"],
                line["req_messages"],
                line["resp_messages"],
                line["grpc_status"],
                line["grpc_status_name"]
            ])
            .to_string()
        })
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    for line in truth.iter().filter(|line| line["message"].is_string()) {
        assert!(items.iter().any(|item| item["response"]["grpc"]["message"] == line["message"]), "{line}");
    }
}

#[test]
fn without_a_schema_fields_have_their_numbers() {
    let items = calls(Limits::default());
    assert_eq!(items[0]["request"]["grpc"]["messages"][0]["protobuf"], json!({"1": 1}));
    let expected = json!({"1": 1, "2": "item 1", "3": 1.5, "4": ["a", "b"]});
    assert_eq!(items[0]["response"]["grpc"]["messages"][0]["protobuf"], expected);
}

#[test]
fn with_a_schema_fields_have_their_names() {
    let items = calls(with_schema(&["kinds.desc", "shop.desc"]));
    assert_eq!(items[0]["request"]["grpc"]["messages"][0]["protobuf"], json!({"id": 1}));
    let expected = json!({"id": 1, "name": "item 1", "price": 1.5, "tags": ["a", "b"]});
    assert_eq!(items[0]["response"]["grpc"]["messages"][0]["protobuf"], expected);
    let last = items.last().unwrap();
    assert_eq!(last["request"]["grpc"]["messages"][0]["compressed"], true);
    assert_eq!(last["request"]["grpc"]["messages"][2]["protobuf"]["name"].as_str().unwrap().len(), 600);
    assert_eq!(last["response"]["grpc"]["messages"][0]["protobuf"], json!({"received": 3, "bytes": 1813}));
}

#[test]
fn every_kind_of_field_is_read() {
    let body = framed(0, &file("kinds.bin"));
    let item =
        call(with_schema(&["kinds.desc"]), "/kinds.v1.Kinds/Echo", "application/grpc+proto", [&body, b""]);
    assert_eq!(
        item["request"]["grpc"]["messages"][0]["protobuf"],
        json!({
            "a_double": 1.5,
            "a_float": 0.1,
            "an_int32": -3,
            "an_int64": -4_000_000_000_i64,
            "a_uint32": 4_000_000_000_u32,
            "a_uint64": 9_223_372_036_854_776_000_u64,
            "a_sint32": -5,
            "a_sint64": -6,
            "a_fixed32": 7,
            "a_fixed64": 8,
            "a_sfixed32": -9,
            "a_sfixed64": -10,
            "a_bool": true,
            "a_string": "höi",
            "some_bytes": "/wA=",
            "color": "BACK",
            "inner": {"name": "x"},
            "packed": [1, -1, 300],
            "doubles": [0.5, 2],
            "texts": ["a"],
            "counts": {"one": 1},
            "inners": {"-1": {"name": "minus"}},
            "colors": ["RED", "COLOR_UNSPECIFIED", 7],
            "right": {"name": "r"},
            "unpacked": [4, 5],
            "itself": {"a_string": "deep"},
            "127": "hi"
        })
    );
}

#[test]
fn what_is_no_descriptor_file_is_refused() {
    assert_eq!(Schema::read([&b"message A {}"[..]]).unwrap_err(), SchemaError::NotDescriptors);
    let whole = file("kinds.desc");
    for end in 1..whole.len() {
        let _ = Schema::read([&whole[..end]]);
    }
    // A type in a type, and so on.
    let mut nested = b"\x0a\x01A".to_vec();
    for _ in 0..100 {
        let length = nested.len();
        let mut outer = b"\x0a\x01A\x1a".to_vec();
        outer.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
        outer.extend(nested);
        nested = outer;
    }
    let wrap = |tag: u8, inner: Vec<u8>| {
        let length = inner.len();
        [vec![tag, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8], inner].concat()
    };
    assert_eq!(Schema::read([&wrap(0x0a, wrap(0x22, nested))[..]]).unwrap_err(), SchemaError::TooDeep);
}

#[test]
fn hostile_messages_stay_small() {
    // Messages in messages; more values than are shown; a length that is a lie; a bomb.
    let mut nested = vec![0x08, 1];
    for _ in 0..60 {
        nested = [vec![0x0a, nested.len() as u8], nested].concat();
    }
    let values: Vec<u8> = [0x08, 1].repeat(50_000);
    let bomb = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&vec![0; 16 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let body = [
        framed(0, &nested),
        framed(1, &bomb),
        framed(0, b"not a message"),
        vec![0, 0xff, 0xff, 0xff, 0xff, 1],
    ]
    .concat();
    let item = call(
        Limits::default(),
        "/a.B/C",
        "application/grpc",
        [&body[..body.len().min(16_000)], &framed(0, &values)],
    );
    let request = &item["request"]["grpc"];
    assert_eq!(request["truncated"], true);
    assert!(request.to_string().len() < 1 << 20);
    let response = &item["response"]["grpc"]["messages"][0];
    assert_eq!(
        (&response["truncated"], response["protobuf"]["1"].as_array().unwrap().len()),
        (&json!(true), 1_000)
    );
}

#[test]
fn other_formats_and_errors_of_proxies_are_shown_as_they_are() {
    let item = call(Limits::default(), "/a.B/C", "application/grpc+json", [&framed(0, b"{\"a\":1}"), b""]);
    assert_eq!(item["request"]["grpc"]["messages"][0]["data"], "{\"a\":1}");
    let mut talk = connected();
    let request =
        [&[0x83, 0x86][..], &literal(":path", "/a.B/C"), &literal("content-type", "application/grpc")]
            .concat();
    talk.client(&headers(5, 1, &request));
    talk.server(&headers(
        5,
        1,
        &[&literal(":status", "503")[..], &literal("content-type", "text/html")].concat(),
    ));
    let items = talk.finish();
    assert_eq!(items[0]["protocol"]["abbr"], "gRPC");
    assert_eq!(items[0]["response"]["grpc"], Value::Null);
    assert_eq!(items[0]["base"]["status"], 503);
}

#[test]
fn grpc_web_has_its_trailers_in_the_body() {
    let trailers = framed(0x80, b"grpc-status: 3\r\ngrpc-message: bad%20id\r\n");
    let body = [framed(0, &[0x08, 1]), trailers].concat();
    let coded = |part: &[u8]| base64::engine::general_purpose::STANDARD.encode(part);
    let text = [coded(&body[..7]), coded(&body[7..])].concat();
    for (content_type, body) in [
        ("application/grpc-web+proto", body.clone()),
        // Each part coded by itself.
        ("application/grpc-web-text", text.into_bytes()),
    ] {
        let mut talk = Talk::open(8_080);
        let head = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        talk.client(format!("POST /a.B/C HTTP/1.1\r\n{head}").as_bytes()).client(&body);
        talk.server(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).server(&body);
        let items = talk.finish();
        assert_eq!(items.len(), 1);
        let protocol = &items[0]["protocol"];
        assert_eq!(
            (&protocol["abbr"], &protocol["version"]),
            (&json!("gRPC"), &json!("1.1")),
            "{content_type}"
        );
        let expected = json!({
            "status": 3,
            "statusName": "INVALID_ARGUMENT",
            "message": "bad id",
            "count": 1,
            "messages": [{"compressed": false, "size": 2, "protobuf": {"1": 1}}],
        });
        assert_eq!(items[0]["response"]["grpc"], expected, "{content_type}");
        assert_eq!(items[0]["request"]["grpc"]["method"], "C");
    }
}
