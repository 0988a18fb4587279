//! MySQL and MariaDB: the capture against what its clients wrote down, and conversations made by hand.

mod golden_support;
mod sql_support;
mod talk;

use golden_support::{Public, carries};
use remora_dissect::Direction::ToClient;
use serde_json::{Value, json};
use sql_support::{as_json, check_variants, fixture, items, packets};
use talk::Talk;

const PROTOCOL_41: u32 = 1 << 9;
const SECURE: u32 = 1 << 15;
const COMPRESS: u32 = 1 << 5;
const DEPRECATE_EOF: u32 = 1 << 24;
const OPTIONAL_METADATA: u32 = 1 << 25;
const QUERY_ATTRIBUTES: u32 = 1 << 27;

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it fits").to_le_bytes();
    [&length[..3], &[number], payload].concat()
}

fn greeting(capabilities: u32) -> Vec<u8> {
    let [a, b, c, d] = (capabilities | PROTOCOL_41 | SECURE | 1).to_le_bytes();
    let mut payload = b"\x0a8.0.36\0\x07\0\0\0saltsalt\0".to_vec();
    payload.extend([a, b, 0xff, 2, 0, c, d, 21]);
    payload.extend([0; 10]);
    payload.extend(b"saltsaltsalt\0mysql_native_password\0");
    packet(0, &payload)
}

fn login(capabilities: u32) -> Vec<u8> {
    let mut payload = (capabilities | PROTOCOL_41 | SECURE | 1 | 8).to_le_bytes().to_vec();
    payload.extend([0, 0, 0, 1, 45]);
    payload.extend([0; 23]);
    payload.extend(b"app\0\x03abcshop\0");
    packet(1, &payload)
}

fn ok(number: u8, header: u8) -> Vec<u8> {
    packet(number, &[header, 0, 0, 2, 0, 0, 0])
}

fn eof(number: u8, status: u8) -> Vec<u8> {
    packet(number, &[0xfe, 0, 0, status, 0])
}

fn column(number: u8, name: &str, kind: u8) -> Vec<u8> {
    let mut payload = b"\x03def\0\0\0".to_vec();
    payload.push(u8::try_from(name.len()).expect("it fits"));
    payload.extend(name.as_bytes());
    payload.extend([0, 12, 45, 0, 11, 0, 0, 0, kind, 0, 0, 0, 0, 0]);
    packet(number, &payload)
}

fn query(text: &str) -> Vec<u8> {
    packet(0, &[b"\x03", text.as_bytes()].concat())
}

fn logged_in(capabilities: u32) -> Talk {
    let mut talk = Talk::open(3306);
    talk.server(&greeting(capabilities)).client(&login(capabilities)).server(&ok(2, 0));
    let items = talk.items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["request"]["user"], "app");
    assert_eq!(items[0]["request"]["database"], "shop");
    talk
}

fn one_row(first: u8) -> Vec<u8> {
    [
        packet(first, &[1]),
        column(first + 1, "n", 3),
        eof(first + 2, 2),
        packet(first + 3, b"\x0242"),
        eof(first + 4, 2),
    ]
    .concat()
}

#[test]
fn every_command_of_the_capture_is_there() {
    let found: Vec<Value> = items(&packets(&fixture("mysql/mysql.pcap.gz"))).iter().map(as_json).collect();
    assert!(found.iter().all(|item| item["error"].is_null()), "no item has an error");
    let truth = std::fs::read_to_string(fixture("mysql/mysql.gt.jsonl")).expect("it is there");
    let mut rest: Vec<&Value> = found.iter().collect();
    for line in truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON")) {
        let text = line["query"].as_str().map(|text| text.trim_end_matches("..."));
        let commands = line["command"].as_str().unwrap_or("COM_QUERY").replace("login", "Login");
        for command in commands.split(", ") {
            let command = command.trim_end_matches('?');
            let failed = line["error_code"].as_i64();
            let at = rest.iter().position(|item| {
                item["request"]["command"] == command
                    && text.is_none_or(|text| {
                        item["request"]["query"].as_str().is_some_and(|query| query.starts_with(text))
                    })
                    && failed.is_none_or(|code| item["base"]["status"] == code)
            });
            let item = rest.remove(at.unwrap_or_else(|| panic!("missing: {command} of {line}")));
            let response = &item["response"];
            if let Some(code) = failed {
                assert_eq!(response["error"]["code"], code);
                if let Some(message) = line["error"].as_str() {
                    assert!(response["error"]["message"].as_str().expect("it has one").starts_with(message));
                }
                continue;
            }
            if command != "COM_QUIT" {
                assert_eq!(response["success"], true, "{line}");
            }
            if let Some(sets) = line["result_sets"].as_u64() {
                assert_eq!(response["resultCount"], sets);
            }
            let result = &response["results"][0];
            if let (Some(count), Some(columns)) =
                (line["affected_or_rows"].as_u64(), line["columns"].as_u64())
            {
                let (name, shown) = if columns > 0 { ("rowCount", columns) } else { ("affectedRows", 0) };
                assert_eq!(result[name], count, "{line}");
                assert_eq!(result["columns"].as_array().map_or(0, Vec::len) as u64, shown);
            }
            if let Some(rows) = line["rows"].as_u64().filter(|_| command == "COM_STMT_EXECUTE") {
                assert_eq!(response["rowCount"], rows);
            }
        }
    }
    let mut others: Vec<&str> = rest.iter().filter_map(|item| item["request"]["command"].as_str()).collect();
    others.sort_unstable();
    others.dedup();
    // What the drivers do by themselves.
    assert_eq!(others, ["COM_PING", "COM_QUERY", "COM_QUIT", "COM_STMT_RESET", "Login"]);
    for item in rest.iter().filter(|item| item["request"]["command"] == "COM_QUERY") {
        let text = item["request"]["query"].as_str().expect("it has one").to_lowercase();
        assert!(text.starts_with("set ") || text.starts_with("select count(*)"), "{text}");
    }
}

#[test]
fn no_variant_of_the_capture_has_a_wrong_item() {
    check_variants(&fixture("mysql/mysql.pcap.gz"));
}

#[test]
fn the_port_says_nothing() {
    let mut talk = Talk::open(9999);
    talk.server(&greeting(0)).client(&login(0)).server(&ok(2, 0));
    talk.client(&query("select 42")).server(&one_row(1));
    let items = talk.finish();
    assert_eq!(items[1]["response"]["results"][0]["rows"], json!([[42]]));
    assert_eq!(items[1]["dst"]["port"], "9999");
    let mut talk = Talk::open(3306);
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(talk.finish()[0]["protocol"]["name"], "http");
}

#[test]
fn encryption_hands_the_stream_over() {
    let mut talk = Talk::open(3306);
    let mut request = (PROTOCOL_41 | SECURE | 1 | 1 << 11).to_le_bytes().to_vec();
    request.extend([0, 0, 0, 1, 45]);
    request.extend([0; 23]);
    talk.server(&greeting(1 << 11)).client(&packet(1, &request));
    talk.client(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n");
    let items = talk.finish();
    assert_eq!(items[0]["request"]["command"], "SSLRequest");
    assert_eq!(items[0]["request"]["serverVersion"], "8.0.36");
    assert_eq!(items[1]["request"]["path"], "/a");
}

#[test]
fn results_end_by_ok_where_that_is_agreed() {
    let mut talk = logged_in(DEPRECATE_EOF);
    talk.client(&query("select"));
    talk.server(
        &[packet(1, &[1]), column(2, "n", 253), packet(3, b"\x01a"), packet(4, b"\x01b"), ok(5, 0xfe)]
            .concat(),
    );
    // Nothing in it.
    talk.client(&query("select")).server(&[packet(1, &[1]), column(2, "n", 253), ok(3, 0xfe)].concat());
    let prepared = packet(1, &[0, 5, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    talk.client(&packet(0, b"\x16select ?"))
        .server(&[prepared, column(2, "?", 253), column(3, "n", 8)].concat());
    let items = talk.finish();
    assert_eq!(items[0]["response"]["results"][0]["rows"], json!([["a"], ["b"]]));
    assert_eq!(items[1]["response"]["results"][0]["rowCount"], 0);
    assert_eq!(items[2]["response"]["statementId"], 5);
    assert!(items.iter().all(|item| item["error"].is_null()));
}

#[test]
fn a_statement_prepared_without_definitions_has_its_numbers() {
    let mut talk = logged_in(DEPRECATE_EOF | OPTIONAL_METADATA);
    let prepared = packet(1, &[0, 5, 0, 0, 0, 2, 0, 1, 0, 0, 3, 0, 0]);
    talk.client(&packet(0, b"\x16select ?")).server(&prepared);
    talk.client(&query("do 1")).server(&ok(1, 0));
    let items = talk.finish();
    let response = &items[0]["response"];
    assert_eq!((&response["statementId"], &response["parameterCount"]), (&json!(5), &json!(1)));
    assert_eq!((&response["warnings"], &items[0]["error"]), (&json!(3), &Value::Null));
    assert_eq!(items[1]["error"], Value::Null);
}

#[test]
fn attributes_of_a_query_are_told_from_its_text() {
    let mut talk = logged_in(QUERY_ATTRIBUTES);
    let mut with = b"\x03\x01\x01\0\x01\xfd\0\x05trace\x02t1".to_vec();
    with.extend(b"select 42");
    talk.client(&packet(0, &with)).server(&one_row(1));
    talk.client(&packet(0, b"\x03\0\x01select 43")).server(&one_row(1));
    let items = talk.finish();
    assert_eq!(items[0]["request"]["query"], "select 42");
    assert_eq!(
        items[0]["request"]["attributes"],
        json!([{"name": "trace", "type": "var_string", "value": "t1"}])
    );
    assert_eq!(items[1]["request"]["query"], "select 43");
}

#[test]
fn statements_are_remembered_with_their_types() {
    let mut talk = logged_in(0);
    let prepared = packet(1, &[0, 9, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    talk.client(&packet(0, b"\x16select ?"));
    talk.server(&[prepared, column(2, "?", 253), eof(3, 2), column(4, "n", 8), eof(5, 2)].concat());
    let binary = |number: u8| {
        let row = packet(4, &[0, 0, number, 0, 0, 0, 0, 0, 0, 0]);
        [packet(1, &[1]), column(2, "n", 8), eof(3, 2), row, eof(5, 2)].concat()
    };
    talk.client(&packet(0, &[0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0]))
        .server(&binary(7));
    // The types are those of the time before.
    talk.client(&packet(0, &[0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]))
        .server(&binary(8));
    // A value sent ahead.
    talk.client(&packet(0, b"\x18\x09\0\0\0\0\0abcdef"));
    talk.client(&packet(0, &[0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 252, 0])).server(&binary(9));
    talk.client(&packet(0, b"\x19\x09\0\0\0"));
    // With a cursor: the rows are fetched.
    let items = talk.finish();
    let parameters: Vec<&Value> = items[1..].iter().map(|item| &item["request"]["parameters"]).collect();
    assert_eq!(*parameters[0], json!([{"type": "longlong", "value": 7}]));
    assert_eq!(*parameters[1], json!([{"type": "longlong", "value": 8}]));
    assert_eq!(items[3]["request"]["size"], 6);
    assert_eq!(*parameters[3], json!([{"type": "blob", "longDataSize": 6}]));
    assert_eq!(items[4]["response"]["results"][0]["rows"], json!([[9]]));
    assert_eq!(items[5]["request"]["command"], "COM_STMT_CLOSE");
    assert_eq!(items[5]["request"]["query"], "select ?");
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn rows_are_fetched_with_a_cursor() {
    let mut talk = logged_in(0);
    let prepared = packet(1, &[0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    talk.client(&packet(0, b"\x16select 1")).server(&[prepared, column(2, "n", 1), eof(3, 2)].concat());
    talk.client(&packet(0, &[0x17, 9, 0, 0, 0, 1, 1, 0, 0, 0]));
    talk.server(&[packet(1, &[1]), column(2, "n", 1), eof(3, 0x42)].concat());
    talk.client(&packet(0, &[0x1c, 9, 0, 0, 0, 5, 0, 0, 0]))
        .server(&[packet(1, &[0, 0, 3]), eof(2, 0x82)].concat());
    let items = talk.finish();
    assert_eq!(items[2]["request"]["maxRows"], 5);
    assert_eq!(items[2]["response"]["results"][0]["rows"], json!([[3]]));
    assert!(items.iter().all(|item| item["error"].is_null()), "{items:?}");
}

#[test]
fn long_packets_are_one_command() {
    let mut talk = logged_in(0);
    let text = [b"\x03select '".as_slice(), &vec![b'x'; 0xff_ffff], b"'"].concat();
    talk.client(&[packet(0, &text[..0xff_ffff]), packet(1, &text[0xff_ffff..])].concat()).server(&one_row(2));
    talk.client(&query("select 42")).server(&one_row(1));
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["request"]["truncated"], true);
    assert_eq!(items[0]["requestSize"], text.len() + 8);
    assert_eq!(items[0]["response"]["rowCount"], 1);
    assert_eq!(items[1]["response"]["rowCount"], 1);
}

#[test]
fn compressed_packets_are_read() {
    let compressed = |inner: &[u8], number: u8| {
        let length = u32::try_from(inner.len()).expect("it fits").to_le_bytes();
        [&length[..3], &[number, 0, 0, 0], inner].concat()
    };
    let mut talk = logged_in(COMPRESS);
    talk.client(&compressed(&query("select 42"), 0));
    // A packet in two compressed ones.
    let row = one_row(1);
    let (front, back) = row.split_at(20);
    talk.server(&[compressed(front, 1), compressed(back, 2)].concat());
    talk.client(&compressed(&query("select 43"), 0)).lose(ToClient, 60);
    for _ in 0..3 {
        talk.client(&compressed(&query("select 44"), 0)).server(&compressed(&one_row(1), 1));
    }
    let items = talk.finish();
    assert_eq!(items[0]["response"]["results"][0]["rows"], json!([[42]]));
    assert_eq!(items[0]["requestSize"], 1 + 9 + 4 + 7);
    let last = items.last().expect("there are items");
    assert_eq!(last["request"]["query"], "select 44");
    assert!(last["error"].is_null(), "{items:?}");
}

#[test]
fn the_default_database_follows_the_session() {
    let mut talk = logged_in(0);
    talk.client(&query("use `other`;")).server(&ok(1, 0));
    talk.client(&query("select 42")).server(&one_row(1));
    talk.client(&packet(0, b"\x02third")).server(&ok(1, 0));
    talk.client(&packet(0, b"\x0e")).server(&ok(1, 0));
    let items = talk.finish();
    let databases: Vec<&Value> = items.iter().map(|item| &item["request"]["database"]).collect();
    assert_eq!(databases, ["shop", "other", "other", "third"]);
}

#[test]
fn who_joins_later_pairs_after_a_turn() {
    for (port, deprecate) in [(3306, false), (9999, true)] {
        let mut talk = Talk::new(port);
        for number in 0..4u8 {
            talk.client(&query(&format!("select {number}")));
            let row = packet(if deprecate { 3 } else { 4 }, &[1, b'0' + number]);
            let end = if deprecate { ok(4, 0xfe) } else { eof(5, 2) };
            let middle = if deprecate { Vec::new() } else { eof(3, 2) };
            talk.server(&[packet(1, &[1]), column(2, "n", 3), middle, row, end].concat());
        }
        let items = talk.finish();
        let whole: Vec<&Value> = items.iter().filter(|item| item["error"].is_null()).collect();
        assert!(whole.len() >= 2, "{items:?}");
        for item in whole {
            let number = item["response"]["results"][0]["rows"][0][0].as_i64().expect("there is a row");
            assert_eq!(item["request"]["query"], format!("select {number}"));
        }
    }
}

#[test]
fn a_lost_packet_is_seen_by_the_numbers() {
    let mut talk = logged_in(0);
    talk.client(&query("select 42")).server(&packet(1, &[1])).server(&column(3, "n", 3)).server(&eof(4, 2));
    for _ in 0..3 {
        talk.client(&query("select 43")).server(&one_row(1));
    }
    let items = talk.finish();
    assert_eq!(items[0]["request"]["query"], "select 42");
    assert!(!items[0]["error"].is_null());
    assert!(items.last().expect("there are items")["error"].is_null());
}

#[test]
fn bytes_that_make_no_sense_are_one_item() {
    let mut talk = logged_in(0);
    talk.client(&packet(0, &[0x77; 50])).client(&[0x55; 90]).client(&[0x56; 90]);
    for _ in 0..4 {
        talk.client(&query("select 42")).server(&one_row(1));
    }
    let items = talk.finish();
    let failures = items.iter().filter(|item| item["request"]["data"].is_string()).count();
    assert_eq!(failures, 1, "{items:?}");
    assert!(items.last().expect("there are items")["error"].is_null());
}

#[test]
fn random_bytes_on_the_port_are_not_claimed() {
    let mut talk = Talk::open(3306);
    let mut state = 7u64;
    for _ in 0..50 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect();
        talk.client(&bytes).server(&bytes[..100]);
    }
    let items = talk.finish();
    assert!(items.is_empty(), "{items:?}");
}

#[test]
fn what_is_hostile_costs_little() {
    let mut talk = logged_in(0);
    talk.client(&query("select 1"));
    talk.server(&packet(1, &[0xfc, 0xff, 0x0f]));
    for number in 0..4_095u16 {
        talk.server(&column(number.to_le_bytes()[0].wrapping_add(2), "n", 3));
    }
    assert!(talk.memory() < 2 << 20, "{}", talk.memory());
    talk.close().finish();
    let mut talk = logged_in(0);
    for number in 0..3_000u16 {
        let [low, high] = number.to_le_bytes();
        talk.client(&packet(0, &[b"\x16select ".as_slice(), &[b'x'; 3_000]].concat()));
        talk.server(&packet(1, &[0, low, high, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    }
    assert!(talk.memory() < 3 << 20, "{}", talk.memory());
    // Counts of parameters and attributes far beyond the packet.
    talk.client(&packet(0, b"\x17\x01\0\0\0\x08\x01\0\0\0\xfd\xff\xff\xff")).server(&ok(1, 0));
    talk.server(&[0xff, 0xff, 0xff, 9]).server(&vec![0; 3 << 20]);
    assert!(talk.memory() < 5 << 20, "{}", talk.memory());
    assert!(!talk.finish().is_empty());
}

#[test]
fn public_captures_are_plausible() {
    let Some(public) = Public::open() else { return };
    for (path, protocols) in public.captures() {
        if !carries(protocols, "mysql") && !path.contains("mysql") {
            continue;
        }
        for item in items(&packets(&public.folder.join(path))).iter().map(as_json) {
            if item["protocol"]["name"] != "mysql" {
                continue;
            }
            let code = item["base"]["status"].as_i64().expect("it is a number");
            assert!(code == 0 || (1_000..=20_000).contains(&code), "{path}: {code}");
            assert!(!item["request"].is_null() || !item["error"].is_null(), "{path}: half an item");
        }
    }
}
