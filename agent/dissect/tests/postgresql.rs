//! PostgreSQL: the capture against what its clients wrote down, and conversations made by hand.

mod sql_support;
mod talk;

use serde_json::{Value, json};
use sql_support::{as_json, check_variants, fixture, items, packets};
use talk::Talk;

use remora_dissect::Direction::{ToClient, ToServer};

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("it fits");
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

fn query(text: &str) -> Vec<u8> {
    message(b'Q', format!("{text}\0").as_bytes())
}

fn done(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn row(values: &[&[u8]]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).expect("it fits").to_be_bytes().to_vec();
    for value in values {
        body.extend(u32::try_from(value.len()).expect("it fits").to_be_bytes());
        body.extend(*value);
    }
    message(b'D', &body)
}

fn columns(types: &[u32]) -> Vec<u8> {
    let mut body = u16::try_from(types.len()).expect("it fits").to_be_bytes().to_vec();
    for oid in types {
        body.extend(b"c\0\0\0\0\0\0\0");
        body.extend(oid.to_be_bytes());
        body.extend([0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    }
    message(b'T', &body)
}

fn error(severity: &str, code: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0V{severity}\0C{code}\0Mno\0\0").as_bytes())
}

fn parse(name: &str, text: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
}

fn bind(statement: &str, value: &[u8], binary: bool) -> Vec<u8> {
    let mut body = format!("\0{statement}\0").into_bytes();
    body.extend([0, 1, 0, binary.into(), 0, 1]);
    body.extend(u32::try_from(value.len()).expect("it fits").to_be_bytes());
    body.extend(value);
    body.extend([0, 0]);
    message(b'B', &body)
}

fn execute() -> Vec<u8> {
    message(b'E', b"\0\0\0\0\0")
}

fn sync() -> Vec<u8> {
    message(b'S', b"")
}

fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0app\0database\0shop\0\0";
    [u32::try_from(body.len() + 4).expect("it fits").to_be_bytes().as_slice(), body].concat()
}

fn logged_in() -> Talk {
    let mut talk = Talk::open(5432);
    talk.client(&startup()).server(&[message(b'R', &[0; 4]), ready()].concat());
    assert_eq!(talk.items().len(), 1);
    talk
}

/// Lines of the ground truth whose query never reached the server.
fn is_local(line: &Value) -> bool {
    line["query"] == ""
}

#[test]
fn every_query_of_the_capture_is_there() {
    let found: Vec<Value> =
        items(&packets(&fixture("postgresql/postgres.pcap"))).iter().map(as_json).collect();
    let truth = std::fs::read_to_string(fixture("postgresql/postgres.gt.jsonl")).expect("it is there");
    assert!(found.iter().all(|item| item["error"].is_null()), "no item has an error");
    let mut rest: Vec<&Value> = found.iter().collect();
    let mut take = |wanted: &dyn Fn(&Value) -> bool, what: &Value| {
        let at = rest.iter().position(|item| wanted(item)).unwrap_or_else(|| panic!("missing: {what}"));
        rest.remove(at).clone()
    };
    for line in truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON")) {
        let Some(text) = line["query"]
            .as_str()
            .filter(|_| !is_local(&line) && !line.get("auth").is_some_and(|_| line["conn"].is_null()))
        else {
            continue;
        };
        let mode = line["mode"].as_str().unwrap_or_default();
        if text.starts_with("BEGIN; insert") {
            for _ in 0..4 {
                let item = take(&|item| item["request"]["query"] == "insert into t(name) values ($1)", &line);
                assert_eq!(item["response"]["results"][0]["tag"], "INSERT 0 1");
            }
            continue;
        }
        let count = line["executions"].as_u64().unwrap_or(1);
        let pages = if text == "select generate_series(1,100)" { 4 } else { 1 };
        for _ in 0..count * pages {
            let item = take(
                &|item| {
                    item["request"]["query"] == text
                        && item["base"]["method"]
                            == if mode.starts_with("extended") { "Execute" } else { "Query" }
                },
                &line,
            );
            let (request, response) = (&item["request"], &item["response"]);
            if let Some(code) = line["sqlstate"].as_str() {
                assert_eq!(response["error"]["code"], code, "{text}");
                assert_eq!(response["error"]["message"], line["error"], "{text}");
                assert_eq!(item["base"]["status"], 1);
                continue;
            }
            assert_eq!(item["base"]["status"], 0, "{text}");
            let results = response["results"].as_array().expect("there are results");
            if let Some(tag) = line["tag"].as_str() {
                assert_eq!(results[0]["tag"], tag);
            }
            if let Some(expected) = line["results"].as_array() {
                let found: Vec<Value> = results
                    .iter()
                    .map(|result| json!([result["command"], result["affectedRows"].as_i64().unwrap_or(0)]))
                    .collect();
                assert_eq!(&found, expected);
            }
            if pages > 1 {
                assert!([30, 10].contains(&response["rowCount"].as_i64().expect("rows are counted")));
            } else if let Some(rows) = line["rows"].as_i64().filter(|&rows| rows >= 0) {
                let counted = response["rowCount"].as_i64().filter(|&rows| rows > 0);
                assert_eq!(counted.or(results[0]["affectedRows"].as_i64()), Some(rows), "{text}");
            }
            if let Some(parameters) = line["params"].as_array() {
                let found: Vec<&Value> = request["parameters"]
                    .as_array()
                    .expect("there are parameters")
                    .iter()
                    .map(|parameter| &parameter["value"])
                    .collect();
                assert_eq!(found, parameters.iter().collect::<Vec<_>>(), "{text}");
            }
        }
    }
    let mut methods: Vec<&str> = rest.iter().filter_map(|item| item["base"]["method"].as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    let others = [
        "CancelRequest",
        "Close",
        "GSSENCRequest",
        "NotificationResponse",
        "Parse",
        "Query",
        "SSLRequest",
        "Startup",
        "Terminate",
    ];
    assert_eq!(methods, others);
    for item in rest.iter().filter(|item| item["base"]["method"] == "Query") {
        let text = item["request"]["query"].as_str().expect("it has one");
        assert!(
            text.starts_with("BEGIN") || text.starts_with("COMMIT") || text == "select current_user",
            "{text}"
        );
    }
    let failed: Vec<&Value> = rest
        .iter()
        .filter(|item| item["base"]["status"] == 1)
        .map(|item| &item["response"]["error"]["code"])
        .collect();
    assert_eq!(failed, ["28P01", "3D000"]);
}

#[test]
fn no_secret_is_shown() {
    for item in items(&packets(&fixture("postgresql/postgres.pcap"))) {
        let text = as_json(&item).to_string();
        assert!(!text.contains("secret") || text.contains("\"secretKey\":\"***\""), "{text}");
        for shown in ["r=", "p=", "md5\0"] {
            assert!(!text.contains(&format!("\"{shown}")), "{text}");
        }
    }
}

#[test]
fn no_variant_of_the_capture_has_a_wrong_item() {
    check_variants(&fixture("postgresql/postgres.pcap"));
}

#[test]
fn the_port_says_nothing() {
    let mut talk = Talk::open(9999);
    talk.client(&startup()).server(&[message(b'R', &[0; 4]), ready()].concat());
    talk.client(&query("select 1"))
        .server(&[columns(&[23]), row(&[b"1"]), done("SELECT 1"), ready()].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1]["response"]["results"][0]["rows"], json!([[1]]));
    assert_eq!(items[1]["request"]["database"], "shop");
    let mut talk = Talk::open(5432);
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n");
    let items = talk.finish();
    assert_eq!(items[0]["protocol"]["name"], "http");
}

#[test]
fn encryption_hands_the_stream_over() {
    let mut talk = Talk::open(5432);
    talk.client(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]).server(b"S");
    // What it speaks inside does not matter here: it is asked for anew.
    talk.client(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n");
    let items = talk.finish();
    assert_eq!(items[0]["request"], json!({"command": "SSLRequest"}));
    assert_eq!(items[0]["response"]["accepted"], true);
    assert_eq!(items[1]["request"]["path"], "/a");
}

#[test]
fn an_error_skips_what_was_sent_up_to_the_next_sync() {
    let mut talk = logged_in();
    let ask = |text: &str| [parse("", text), bind("", b"1", false), execute()].concat();
    talk.client(&[ask("one"), ask("two"), ask("three"), sync()].concat());
    talk.server(&[message(b'1', b""), message(b'2', b""), done("INSERT 0 1")].concat());
    talk.server(&error("ERROR", "22012")).server(&ready());
    talk.client(&[ask("four"), sync()].concat());
    talk.server(&[message(b'1', b""), message(b'2', b""), done("INSERT 0 1"), ready()].concat());
    let items = talk.finish();
    let seen: Vec<(&Value, &Value, &Value)> = items
        .iter()
        .map(|item| (&item["request"]["query"], &item["response"]["success"], &item["response"]["skipped"]))
        .collect();
    let (yes, no, nothing) = (json!(true), json!(false), Value::Null);
    assert_eq!(
        seen,
        [
            (&json!("one"), &yes, &nothing),
            (&json!("two"), &no, &nothing),
            (&json!("three"), &no, &yes),
            (&json!("four"), &yes, &nothing)
        ]
    );
    assert!(items.iter().all(|item| item["error"].is_null()));
}

#[test]
fn statements_are_remembered_with_their_types() {
    let mut talk = logged_in();
    talk.client(&[parse("s1", "select $1"), message(b'D', b"Ss1\0"), sync()].concat());
    let types = message(b't', &[0, 1, 0, 0, 0, 23]);
    talk.server(&[message(b'1', b""), types, columns(&[23]), ready()].concat());
    talk.client(&[bind("s1", &[0, 0, 0, 9], true), execute(), sync()].concat());
    talk.server(&[message(b'2', b""), row(&[b"9"]), done("SELECT 1"), ready()].concat());
    let items = talk.items();
    assert_eq!(items[0]["response"]["parameterTypes"], json!(["int4"]));
    assert_eq!(items[1]["request"]["query"], "select $1");
    assert_eq!(items[1]["request"]["parameters"], json!([{"type": "int4", "value": 9}]));
    assert_eq!(items[1]["response"]["results"][0]["rows"], json!([[9]]));
    // The client's bytes are missing: the name may mean another statement now.
    talk.lose(ToServer, 40);
    for _ in 0..3 {
        talk.client(&[bind("s1", &[0, 0, 0, 9], true), execute(), sync()].concat());
        talk.server(&[message(b'2', b""), row(&[b"9"]), done("SELECT 1"), ready()].concat());
    }
    let items = talk.finish();
    let last = items.last().expect("there are items");
    assert_eq!(last["error"]["msg"], "the prepared statement is not known");
    assert_eq!(last["request"]["query"], Value::Null);
    assert_eq!(last["response"]["results"][0]["affectedRows"], 1);
}

#[test]
fn copied_data_belongs_to_the_query() {
    let mut talk = logged_in();
    talk.client(&query("copy t from stdin")).server(&message(b'G', &[0, 0, 1, 0, 0]));
    talk.client(&[message(b'd', b"a\n"), message(b'd', b"b\n"), message(b'c', b"")].concat());
    talk.server(&[done("COPY 2"), ready()].concat());
    // By the extended protocol; the Sync before the data is ignored.
    talk.client(&[parse("", "copy t from stdin"), bind("", b"", false), execute(), sync()].concat());
    talk.server(&[message(b'1', b""), message(b'2', b""), message(b'G', &[0, 0, 0])].concat());
    talk.client(&[message(b'd', b"c\n"), message(b'f', b"stop\0"), sync()].concat());
    talk.server(&[error("ERROR", "57014"), ready()].concat());
    talk.client(&query("select")).server(&[done("SELECT 1"), ready()].concat());
    let items = talk.finish();
    assert_eq!(items.len(), 3);
    assert_eq!(
        items[0]["request"]["copy"],
        json!({"format": "text", "messages": 2, "bytes": 4, "data": "a\nb\n"})
    );
    assert_eq!(items[1]["request"]["copy"]["failed"], "stop");
    assert_eq!(items[1]["response"]["error"]["code"], "57014");
    assert_eq!(items[2]["response"]["success"], true);
}

#[test]
fn a_hole_inside_a_row_is_marked_and_nothing_else() {
    let mut talk = logged_in();
    talk.client(&query("select big"));
    let big = row(&[vec![b'x'; 5000].as_slice()]);
    talk.server(&[columns(&[25]), row(&[b"small"])].concat()).server(&big[..1000]).lose(ToClient, 1000);
    talk.server(&big[2000..]).server(&[done("SELECT 2"), ready()].concat());
    talk.client(&query("select 1"))
        .server(&[columns(&[23]), row(&[b"1"]), done("SELECT 1"), ready()].concat());
    let items = talk.finish();
    assert_eq!(items[0]["gap"]["response"], 1000);
    assert_eq!(items[0]["response"]["rowCount"], 2);
    assert_eq!(items[0]["response"]["results"][0]["rows"], json!([["small"]]));
    assert_eq!(items[1]["error"], Value::Null);
    assert_eq!(items[1]["response"]["results"][0]["rows"], json!([[1]]));
}

#[test]
fn who_joins_later_pairs_after_a_turn() {
    for port in [5432, 9999] {
        let mut talk = Talk::new(port);
        for number in 0..4 {
            talk.client(&query(&format!("select {number}")));
            let text = number.to_string();
            talk.server(&[columns(&[23]), row(&[text.as_bytes()]), done("SELECT 1"), ready()].concat());
        }
        let items = talk.finish();
        let whole: Vec<&Value> = items.iter().filter(|item| item["error"].is_null()).collect();
        assert!(whole.len() >= 2, "{items:?}");
        for item in whole {
            let number = item["response"]["results"][0]["rows"][0][0].as_i64().expect("there is a row");
            assert_eq!(item["request"]["query"], format!("select {number}"));
        }
        let port = port.to_string();
        assert!(items.iter().all(|item| item["dst"]["port"] == port.as_str()), "{items:?}");
    }
}

#[test]
fn bytes_that_make_no_sense_are_one_item() {
    let mut talk = logged_in();
    talk.server(&[0u8; 100]).server(&[1u8; 100]).server(&[2u8; 100]);
    for _ in 0..3 {
        talk.client(&query("select 1")).server(&[done("SELECT 1"), ready()].concat());
    }
    let items = talk.finish();
    let failures = items.iter().filter(|item| item["request"]["data"].is_string()).count();
    assert_eq!(failures, 1, "{items:?}");
    assert!(items.last().expect("there are items")["error"].is_null());
}

#[test]
fn what_is_hostile_costs_little() {
    let mut talk = logged_in();
    talk.client(&query("select 1"));
    // Counts of 2^16 columns and values in nothing, a length of 1 GiB, and 200,000 rows.
    talk.server(&message(b'T', &[0xff, 0xff])).server(&message(b'D', &[0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]));
    talk.server(&row(&[b"x"]).repeat(200_000)).server(&[done("SELECT 200000"), ready()].concat());
    assert!(talk.memory() < 1 << 20, "{}", talk.memory());
    for number in 0..3_000 {
        talk.client(&[parse(&format!("s{number}"), &"x".repeat(3_000)), sync()].concat());
        talk.server(&[message(b'1', b""), ready()].concat());
    }
    assert!(talk.memory() < 3 << 20, "{}", talk.memory());
    talk.server(&[b'D', 0x3f, 0xff, 0xff, 0xff]).server(&vec![0; 3 << 20]);
    assert!(talk.memory() < 5 << 20, "{}", talk.memory());
    assert!(!talk.finish().is_empty());
}
