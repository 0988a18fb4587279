//! MongoDB conversations: what is paired, what is marked, and what is nobody's.

mod golden_support;
mod talk;

use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::{Talk, as_json};

const PORT: u16 = 27_017;
const REPLY: i32 = 1;
const INSERT: i32 = 2002;
const QUERY: i32 = 2004;
const GET_MORE: i32 = 2005;
const KILL_CURSORS: i32 = 2007;
const COMPRESSED: i32 = 2012;
const MSG: i32 = 2013;

fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let content = elements.concat();
    let length = u32::try_from(content.len() + 5).expect("short");
    [&length.to_le_bytes(), content.as_slice(), &[0]].concat()
}

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn text(name: &str, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len() + 1).expect("short");
    element(2, name, &[&length.to_le_bytes(), text.as_bytes(), &[0]].concat())
}

fn int(name: &str, value: i32) -> Vec<u8> {
    element(16, name, &value.to_le_bytes())
}

fn double(name: &str, value: f64) -> Vec<u8> {
    element(1, name, &value.to_le_bytes())
}

fn message(id: i32, to: i32, op: i32, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = i32::try_from(content.len() + 16).expect("short");
    [&length.to_le_bytes()[..], &id.to_le_bytes(), &to.to_le_bytes(), &op.to_le_bytes(), &content].concat()
}

fn msg(id: i32, to: i32, flags: u32, body: &[Vec<u8>]) -> Vec<u8> {
    message(id, to, MSG, &[&flags.to_le_bytes(), &[0], &document(body)])
}

fn find(id: i32, collection: &str) -> Vec<u8> {
    msg(id, 0, 0, &[text("find", collection), text("$db", "app")])
}

fn ok(id: i32, to: i32) -> Vec<u8> {
    msg(id, to, 0, &[int("n", to), double("ok", 1.0)])
}

fn of_mongodb(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter(|item| item["protocol"]["name"] == "mongodb").collect()
}

#[test]
fn the_capture_gives_what_its_clients_asked() {
    let folder = fixtures().join("mongodb");
    let replay = replay(&folder.join("mongodb.pcap.gz"), Limits::default());
    let mut items: Vec<Value> = of_mongodb(replay.items.iter().map(as_json).collect());
    assert_eq!(items.len(), replay.items.len());
    let truth = fs::read_to_string(folder.join("mongodb.gt.jsonl")).expect("the ground truth is there");
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).expect("JSON");
        let Some(id) = truth.get("request_id") else { continue };
        let at = items.iter().position(|item| item["request"]["requestId"] == *id).expect(line);
        let item = items.remove(at);
        let (request, response) = (&item["request"], &item["response"]);
        assert_eq!((&item["error"], &item["gap"]), (&Value::Null, &Value::Null), "{line}");
        assert_eq!(request["opCode"], truth["opcode"], "{line}");
        assert_eq!(request["command"], truth["command"], "{line}");
        assert_eq!(request["database"], truth["db"], "{line}");
        // The ground truth takes only the first element for a collection.
        if truth["command"] == "getMore" {
            assert_eq!(request["collection"], "items");
        } else {
            assert_eq!(request["collection"], truth["collection"], "{line}");
        }
        assert_eq!(request["documentCount"], truth["documents"], "{line}");
        assert_eq!(response["ok"].as_f64(), truth["ok"].as_f64(), "{line}");
        if truth["ok"] == 1 {
            assert_eq!(response["documentCount"], truth["batch"], "{line}");
            // A findAndModify tells it elsewhere.
            if !truth["n"].is_null() {
                assert_eq!(response["body"]["n"].as_f64(), truth["n"].as_f64(), "{line}");
            }
        } else {
            assert_eq!(response["success"], false);
            assert_eq!(response["error"]["code"], truth["code"], "{line}");
            assert_eq!(response["error"]["message"], truth["errmsg"], "{line}");
        }
    }
    // What drivers say by themselves, and the second client's find.
    for item in &items {
        let command = item["request"]["command"].as_str().expect("a command");
        assert!(["ismaster", "hello", "find", "endSessions"].contains(&command), "{item}");
        assert_eq!(item["error"], Value::Null);
    }
    assert_eq!(items.iter().filter(|item| item["request"]["command"] == "find").count(), 1);
}

#[test]
fn replies_in_another_order_get_their_requests() {
    let mut talk = Talk::open(PORT);
    talk.client(&[find(1, "a"), find(2, "b")].concat()).server(&ok(8, 2)).server(&ok(9, 1)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 2);
    for item in &items {
        assert_eq!(item["request"]["requestId"], item["response"]["responseTo"]);
        assert_eq!(item["response"]["success"], true);
    }
    assert_eq!(items[0]["base"]["summary"], "app.b");
    assert_eq!(
        items[0]["base"]["summaryQuery"],
        r#"request.database == "app" and request.collection == "b""#
    );
}

#[test]
fn the_first_request_may_have_the_id_that_means_none() {
    let mut talk = Talk::open(PORT);
    talk.client(&find(0, "a")).server(&ok(7, 0)).client(&find(1, "b")).server(&ok(8, 1)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn errors_of_commands_and_writes_are_told() {
    let mut talk = Talk::open(PORT);
    let failed = [double("ok", 0.0), text("errmsg", "no"), int("code", 13), text("codeName", "Unauthorized")];
    talk.client(&find(1, "a")).server(&msg(2, 1, 0, &failed));
    let error = document(&[int("index", 0), int("code", 11_000), text("errmsg", "duplicate")]);
    let failed = [element(4, "writeErrors", &document(&[element(3, "0", &error)])), double("ok", 1.0)];
    talk.client(&msg(3, 0, 0, &[text("insert", "a"), text("$db", "app")]))
        .server(&msg(4, 3, 0, &failed))
        .close();
    let items = of_mongodb(talk.finish());
    assert_eq!(
        items[0]["response"]["error"],
        json!({"code": 13, "codeName": "Unauthorized", "message": "no"})
    );
    assert_eq!((&items[0]["base"]["status"], &items[0]["response"]["success"]), (&json!(13), &json!(false)));
    assert_eq!(items[1]["response"]["error"], json!({"code": 11_000, "message": "duplicate"}));
    assert_eq!(items[1]["base"]["statusQuery"], "response.error.code == 11000");
}

#[test]
fn unacknowledged_writes_are_single_messages_and_lists_are_fields_of_the_body() {
    let entries = [document(&[int("_id", 1)]), document(&[int("_id", 2)])].concat();
    let size = u32::try_from(4 + 10 + entries.len()).expect("short").to_le_bytes();
    let body = document(&[text("insert", "a"), text("$db", "app")]);
    // More to come, and a checksum.
    let flags = 3u32.to_le_bytes();
    let insert =
        message(1, 0, MSG, &[&flags, &[1], &size, b"documents\0", &entries, &[0], &body, &[1, 2, 3, 4]]);
    let mut talk = Talk::open(PORT);
    talk.client(&insert).client(&find(2, "a")).server(&ok(3, 2)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["response"], &items[0]["error"]), (&Value::Null, &Value::Null));
    let request = &items[0]["request"];
    assert_eq!(request["body"]["documents"], json!([{"_id": 1}, {"_id": 2}]));
    assert_eq!((&request["documentCount"], &request["moreToCome"]), (&json!(2), &json!(true)));
    assert_eq!(request["checksumPresent"], true);
}

#[test]
fn a_stream_of_replies_is_followed_by_their_ids() {
    const EXHAUST: u32 = 1 << 16;
    let mut talk = Talk::open(PORT);
    talk.client(&msg(1, 0, EXHAUST, &[int("hello", 1), text("$db", "admin")]));
    talk.server(&msg(10, 1, 2, &[double("ok", 1.0)])).server(&msg(11, 10, 2, &[double("ok", 1.0)]));
    talk.lose(Direction::ToClient, 40).server(&msg(13, 12, 2, &[double("ok", 1.0)])).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(items[0]["response"]["moreToCome"], true);
    assert_eq!((&items[1]["request"]["command"], &items[1]["error"]), (&json!("hello"), &Value::Null));
    assert_eq!((&items[1]["src"]["port"], &items[1]["response"]), (&json!("27017"), &Value::Null));
    // What it follows is lost.
    assert_eq!(items[2]["error"]["type"], "pair-not-found");
}

#[test]
fn what_is_compressed_is_read() {
    let content = find(1, "compressed")[16..].to_vec();
    let size = u32::try_from(content.len()).expect("short").to_le_bytes();
    let literal = |bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).expect("short");
        [&[length, 60 << 2, length - 1], bytes].concat()
    };
    // zlib, one stored block.
    let mut zlib = vec![0x78, 0x01, 1];
    let length = u16::try_from(content.len()).expect("short");
    zlib.extend(length.to_le_bytes());
    zlib.extend((!length).to_le_bytes());
    zlib.extend(&content);
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &content {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    zlib.extend((b << 16 | a).to_be_bytes());
    // zstd, one raw block in a single segment.
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, u8::try_from(content.len()).expect("short")];
    zstd.extend(&((u32::try_from(content.len()).expect("short") << 3) | 1).to_le_bytes()[..3]);
    zstd.extend(&content);
    let mut talk = Talk::open(PORT);
    for (id, data) in [(0u8, content.clone()), (1, literal(&content)), (2, zlib), (3, zstd)] {
        let id = i32::from(id);
        let op = MSG.to_le_bytes();
        talk.client(&message(id + 1, 0, COMPRESSED, &[&op, &size, &[id.to_le_bytes()[0]], &data]));
        talk.server(&ok(id + 100, id + 1));
    }
    // Snappy that is broken.
    talk.client(&message(9, 0, COMPRESSED, &[&MSG.to_le_bytes(), &size, &[1], &literal(&content)[..20]]));
    let items = of_mongodb(talk.close().finish());
    assert_eq!(items.len(), 5, "{items:?}");
    for (item, name) in items.iter().zip(["noop", "snappy", "zlib", "zstd"]) {
        assert_eq!(item["error"], Value::Null, "{item}");
        assert_eq!(
            (&item["request"]["compressor"], &item["request"]["collection"]),
            (&json!(name), &json!("compressed"))
        );
        assert_eq!(item["request"]["opCode"], "OP_MSG");
    }
    assert!(items[4]["error"]["msg"].as_str().is_some_and(|msg| msg.contains("broken")), "{}", items[4]);
}

#[test]
fn the_old_operations_are_read() {
    let query = |id, namespace: &str, query: &[Vec<u8>]| {
        message(
            id,
            0,
            QUERY,
            &[&[0; 4], namespace.as_bytes(), &[0; 5], &1i32.to_le_bytes(), &document(query)],
        )
    };
    let reply = |id, to, flags: i32, cursor: i64, documents: &[Vec<u8>]| {
        let count = i32::try_from(documents.len()).expect("short").to_le_bytes();
        let (flags, cursor) = (flags.to_le_bytes(), cursor.to_le_bytes());
        message(id, to, REPLY, &[&flags, &cursor, &[0; 4], &count, &documents.concat()])
    };
    let mut talk = Talk::open(PORT);
    talk.client(&query(1, "admin.$cmd", &[int("isMaster", 1)]));
    talk.server(&reply(2, 1, 8, 0, &[document(&[double("ok", 1.0)])]));
    talk.client(&query(3, "app.a.b", &[int("x", 1)]));
    talk.server(&reply(4, 3, 8, 77, &[document(&[int("ok", 0)]), document(&[int("x", 1)])]));
    talk.client(&message(5, 0, GET_MORE, &[&[0; 4], b"app.a.b\0", &[0; 4], &77i64.to_le_bytes()]));
    talk.server(&reply(6, 5, 1, 0, &[]));
    talk.client(&query(7, "app.a", &[int("$bad", 1)]));
    talk.server(&reply(8, 7, 2, 0, &[document(&[text("$err", "bad query"), int("code", 2)])]));
    talk.client(&message(9, 0, INSERT, &[&[0; 4], b"app.a\0", &document(&[int("x", 1)]), &document(&[])]));
    talk.client(&message(10, 0, KILL_CURSORS, &[&[0; 4], &1i32.to_le_bytes(), &77i64.to_le_bytes()]));
    let items = of_mongodb(talk.close().finish());
    assert_eq!(items.len(), 6, "{items:?}");
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
    let of = |at: usize, pointer: &str| items[at].pointer(pointer).cloned().unwrap_or_default();
    assert_eq!((of(0, "/request/command"), of(0, "/response/success")), (json!("isMaster"), json!(true)));
    assert_eq!((of(1, "/base/summary"), of(1, "/base/method")), (json!("app.a.b"), json!("find")));
    assert_eq!((of(1, "/response/documents/0/ok"), of(1, "/response/cursorId")), (json!(0), json!(77)));
    assert_eq!((of(1, "/response/documentCount"), of(1, "/response/success")), (json!(2), json!(true)));
    assert_eq!((of(2, "/request/command"), of(2, "/base/status")), (json!("getMore"), json!(43)));
    assert_eq!(of(3, "/response/error"), json!({"code": 2, "message": "bad query"}));
    assert_eq!((of(4, "/request/documentCount"), of(4, "/response")), (json!(2), Value::Null));
    assert_eq!(of(5, "/request/cursorIds"), json!([77]));
}

#[test]
fn secrets_are_not_shown() {
    let mut talk = Talk::open(PORT);
    talk.client(&msg(1, 0, 0, &[int("saslStart", 1), text("payload", "s3cret"), text("$db", "admin")]));
    talk.server(&msg(2, 1, 0, &[int("conversationId", 1), text("payload", "s3cret"), double("ok", 1.0)]));
    talk.client(&msg(3, 0, 0, &[text("createUser", "bob"), text("pwd", "s3cret"), text("$db", "admin")]));
    talk.server(&ok(4, 3)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items[0]["response"]["body"]["payload"], "***");
    assert_eq!(items[1]["request"]["collection"], Value::Null);
    assert!(items.iter().all(|item| !item.to_string().contains("s3cret")), "{items:?}");
}

#[test]
fn secrets_of_wrapped_commands_are_not_shown_either() {
    for wrapper in ["$query", "query"] {
        let command = document(&[int("saslStart", 1), text("payload", "s3cret")]);
        let wrapped = document(&[element(3, wrapper, &command)]);
        let numbers = [0_i32.to_le_bytes(), 1_i32.to_le_bytes()].concat();
        let query = message(1, 0, QUERY, &[&[0; 4], b"admin.$cmd\0", &numbers, &wrapped]);
        let mut talk = Talk::open(PORT);
        talk.client(&query).close();
        let items = of_mongodb(talk.finish());
        assert_eq!(items[0]["request"]["command"], "saslStart", "{items:?}");
        assert!(items.iter().all(|item| !item.to_string().contains("s3cret")), "{items:?}");
    }
}

#[test]
fn what_is_missing_is_marked_and_nothing_is_mixed() {
    for lost in 0..4 {
        let mut talk = Talk::open(PORT);
        for id in 1..8 {
            let (request, response) = (find(id, &format!("c{id}")), ok(id + 100, id));
            let (request, response) = (request.as_slice(), response.as_slice());
            match lost {
                0 if id == 3 => talk.lose(Direction::ToServer, request.len() as u32).server(response),
                1 if id == 3 => talk.client(request).lose(Direction::ToClient, response.len() as u32),
                2 if id == 3 => talk
                    .client(&request[..30])
                    .lose(Direction::ToServer, request.len() as u32 - 30)
                    .server(response),
                3 if id == 3 => talk.cut(Direction::ToServer, request, 40).server(response),
                _ => talk.client(request).server(response),
            };
        }
        let items = of_mongodb(talk.close().finish());
        let (marked, whole): (Vec<_>, Vec<_>) = items.iter().partition(|item| !item["error"].is_null());
        assert_eq!((marked.len(), whole.len()), (1, 6), "{lost} {items:?}");
        for item in whole {
            assert_eq!(item["request"]["requestId"], item["response"]["body"]["n"]);
        }
    }
}

#[test]
fn a_capture_may_join_later() {
    let mut talk = Talk::new(PORT);
    // The end of a message, then an answer to what was not seen.
    talk.server(&ok(7, 6)[20..]).server(&ok(8, 7)).client(&find(9, "a")).server(&ok(10, 9)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(items[0]["error"]["type"], "pair-not-found");
    assert_eq!((&items[1]["error"], &items[1]["request"]["collection"]), (&Value::Null, &json!("a")));
    assert_eq!(items[1]["dst"]["port"], "27017");
}

#[test]
fn bytes_that_are_not_allowed_are_one_error_with_its_place() {
    let mut talk = Talk::open(PORT);
    talk.client(&find(1, "a")).client(&[0xff; 100]).client(&[0xff; 100]).client(&find(2, "b"));
    talk.server(&ok(3, 1)).server(&ok(4, 2)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!(items.len(), 3, "{items:?}");
    let failures: Vec<_> = items.iter().filter(|item| item["error"]["type"] == "dissection").collect();
    let message = failures[0]["error"]["msg"].as_str().expect("a text");
    assert!(message.ends_with(&format!("at byte {} of the stream", find(1, "a").len())), "{message}");
    // A document that does not end where it says, in a message that does.
    let mut bad = find(1, "a");
    let at = bad.len() - 2;
    bad[at] = 0x55;
    let mut talk = Talk::open(PORT);
    talk.client(&bad).server(&ok(3, 1)).client(&find(2, "b")).server(&ok(4, 2)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!((items.len(), &items[0]["error"]["type"]), (2, &json!("dissection")), "{items:?}");
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn what_is_left_out_is_told() {
    let mut talk = Talk::with_limits(PORT, Limits { list_entries: 3, ..Limits::default() });
    let entries: Vec<_> = (0..9).map(|at| element(3, &at.to_string(), &document(&[int("x", at)]))).collect();
    let cursor = document(&[
        element(4, "firstBatch", &document(&entries)),
        element(18, "id", &[5; 8]),
        text("ns", "app.a"),
    ]);
    talk.client(&find(1, "a"))
        .server(&msg(2, 1, 0, &[element(3, "cursor", &cursor), double("ok", 1.0)]))
        .close();
    let items = of_mongodb(talk.finish());
    let response = &items[0]["response"];
    assert_eq!((&response["documentCount"], &response["truncated"]), (&json!(9), &json!(true)));
    assert_eq!(response["body"]["cursor"]["firstBatch"].as_array().map(Vec::len), Some(3));
    assert_eq!((&response["success"], &response["namespace"]), (&json!(true), &json!("app.a")));
    // A message above the cap.
    let mut talk = Talk::with_limits(PORT, Limits { message_bytes: 60, ..Limits::default() });
    talk.client(&find(1, &"long".repeat(50))).server(&ok(2, 1)).close();
    let items = of_mongodb(talk.finish());
    assert_eq!((&items[0]["error"], &items[0]["request"]["truncated"]), (&Value::Null, &json!(true)));
    assert_eq!(items[0]["request"]["database"], Value::Null);
}

#[test]
fn other_protocols_are_left_alone() {
    for other in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        &[0; 64],
        &[0xff; 64],
        &[0x16, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3, 0],
    ] {
        let mut talk = Talk::open(PORT);
        talk.client(other).server(other).close();
        assert!(of_mongodb(talk.finish()).is_empty());
    }
    // A header alone, before what can't be its content.
    let mut talk = Talk::open(9_999);
    talk.client(&message(1, 0, MSG, &[&[0xaa; 60]])).close();
    assert!(of_mongodb(talk.finish()).is_empty());
}
