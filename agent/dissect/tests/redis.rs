//! Redis: captures against what their clients wrote down, conversations by hand, and captures of others.

mod damage;
mod golden_support;
mod talk;

use std::collections::HashMap;

use golden_support::{fixtures, replay};
use remora_dissect::{Direction, Limits};
use serde_json::Value;
use talk::Talk;

fn capture(name: &str) -> Vec<Value> {
    let path = fixtures().join("redis").join(format!("{name}.pcap"));
    let items = replay(&path, Limits::default()).items;
    items.iter().filter(|item| item.draft.protocol.name == "redis").map(talk::as_json).collect()
}

fn truth(name: &str) -> Vec<Value> {
    let path = fixtures().join("redis").join(format!("{name}.gt.jsonl"));
    let text = std::fs::read_to_string(path).expect("the ground truth is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// An item in a line.
fn line(item: &Value) -> String {
    let side = |side: &Value| match side {
        Value::Null => "-".to_owned(),
        side => {
            let text = |name: &str| side[name].as_str().unwrap_or_default();
            format!("{} {} {} {}", text("type"), text("command"), text("key"), text("value"))
                .trim()
                .to_owned()
        }
    };
    let error = match &item["error"] {
        Value::Null => String::new(),
        error => {
            format!(", {}: {}", error["type"].as_str().unwrap_or("-"), error["msg"].as_str().unwrap_or("-"))
        }
    };
    format!("{} -> {}{error}", side(&item["request"]), side(&item["response"]))
}

fn lines(items: &[Value]) -> Vec<String> {
    items.iter().map(line).collect()
}

/// A command as an array of strings.
fn command(words: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
    out
}

#[test]
fn every_command_of_a_client_comes_out_with_its_answer() {
    let items = capture("redis_resp2");
    assert!(items.iter().filter(|item| !item["error"].is_null()).count() == 2, "only the protocol error");
    let mut left: Vec<&Value> = items.iter().collect();
    let mut take = |what: &dyn Fn(&Value) -> bool, line: &Value| {
        let at = left.iter().position(|item| what(item)).unwrap_or_else(|| panic!("no item for {line}"));
        left.remove(at).clone()
    };
    let mut counted = 0;
    for line in truth("redis_resp2") {
        if let Some(stats) = line["stats"].as_object() {
            // What the server counted, and the INFO that asked for it; commands inside EVAL are not sent.
            let sum: u64 = stats.iter().filter_map(|(_, calls)| calls.as_u64()).sum();
            assert!(sum > 150, "{sum}");
            continue;
        }
        counted += 1;
        if let Some(push) = line["push"].as_str() {
            let item = take(&|item| item["request"]["command"] == push.to_uppercase(), &line);
            assert_eq!(item["request"]["key"].as_str() == line["channel"].as_str(), push == "message");
            assert!(item["response"].is_null() && item["src"]["port"] == "6379");
            continue;
        }
        let Some(name) = line["command"].as_str() else {
            let item = take(&|item| item["error"]["type"] == "dissection", &line);
            assert!(item["error"]["msg"].as_str().unwrap().starts_with("invalid bulk length"), "{item}");
            counted += 1;
            take(&|item| item["response"]["error"]["message"] == line["error"], &line);
            continue;
        };
        let item = take(
            &|item| {
                let request = &item["request"];
                let name_fits =
                    request["command"] == name || name == "INCR" && request["command"] == "INCRBY";
                let key = line["key"].as_str();
                let key_fits = key.is_none_or(|key| {
                    name == "AUTH" || request["key"].as_str().is_some_and(|found| found.starts_with(key))
                });
                name_fits && key_fits && (line["inline"] == true) == (request["type"] == "Inline")
            },
            &line,
        );
        if let Some(args) = line["args"].as_u64() {
            let sent = item["request"]["args"].as_array().unwrap().len() as u64;
            assert!(sent == args, "{line}: {item}");
        }
        match line["error"].as_str() {
            Some(error) => {
                let message = item["response"]["error"]["message"].as_str().unwrap();
                assert!(message.ends_with(error), "{line}: {item}");
                assert_eq!(item["response"]["value"], format!("DataError: {message}"));
            }
            None => assert!(item["response"]["error"].is_null(), "{line}: {item}"),
        }
    }
    // The client library's own.
    let rest: Vec<_> = left.iter().map(|item| item["request"]["key"].as_str().unwrap()).collect();
    assert!(rest.iter().all(|key| matches!(*key, "SETINFO" | "commandstats")), "{rest:?}");
    assert_eq!(counted + rest.len(), items.len());
}

#[test]
fn every_command_of_a_benchmark_comes_out() {
    let items = capture("bench/redis_cli_bench");
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for item in &items {
        assert!(item["error"].is_null() && !item["response"].is_null(), "{item}");
        *counts.entry(item["request"]["command"].as_str().unwrap()).or_default() += 1;
    }
    for (command, count) in [("SET", 301), ("GET", 301), ("INCR", 301), ("LPUSH", 300), ("MSET", 300)] {
        assert_eq!(counts.remove(command), Some(count), "{command}");
    }
    let rest: HashMap<_, _> =
        HashMap::from([("HSET", 1), ("HGETALL", 1), ("NOPE", 1), ("INFO", 1), ("CONFIG", 2)]);
    assert_eq!(counts, rest);
}

#[test]
fn resp3_types_pushes_and_one_way_commands_come_out() {
    let mut items = capture("redis_resp3");
    assert!(items.iter().all(|item| item["error"].is_null()));
    for line in truth("redis_resp3") {
        let at = items.iter().position(|item| {
            let (request, response) = (&item["request"], &item["response"]);
            let name = line["command"].as_str().or(line["push"].as_str()).unwrap();
            let one_way = line["alone"] == true || line["push"].is_string();
            request["command"] == name
                && (line["key"].is_null() || request["key"] == line["key"])
                && one_way == response.is_null()
                && (one_way || response["type"] == line["type"])
                && line["value"]
                    .as_str()
                    .is_none_or(|value| request["value"].as_str().unwrap().ends_with(value))
                && line["acks"]
                    .as_u64()
                    .is_none_or(|acks| response["result"].as_array().unwrap().len() as u64 == acks)
                && (line["attributes"] == true) == response["attributes"].is_object()
                && line["push"].is_string() == (item["src"]["port"] == "6379")
        });
        items.remove(at.unwrap_or_else(|| panic!("no item for {line}")));
    }
    let rest: Vec<_> = items.iter().map(|item| item["request"]["key"].as_str().unwrap_or("dump")).collect();
    let own = ["3", "MAINT_NOTIFICATIONS", "SETINFO", "SETINFO", "", "dump"];
    assert!(rest.iter().all(|key| own.contains(key)), "{rest:?}");
    let text = format!("{:?}", capture("redis_resp3"));
    assert!(!text.contains("\"secret\""));
}

#[test]
fn damaged_captures_give_nothing_wrong() {
    for name in ["redis_resp2", "redis_resp3", "bench/redis_cli_bench"] {
        let (wrong, share) = damage::check(&fixtures().join(format!("redis/{name}.pcap")));
        eprintln!("{name}: {:.1} % of the items are unmarked", share * 100.0);
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
        assert!(share > 0.3);
    }
}

#[test]
fn bytes_come_one_by_one() {
    let mut talk = Talk::open(7000);
    for byte in [command(&["SET", "k", "a\r\nb"]), command(&["GET", "k"])].concat() {
        talk.client(&[byte]);
    }
    for byte in b"+OK\r\n$4\r\na\r\nb\r\n" {
        talk.server(&[*byte]);
    }
    assert_eq!(
        lines(&talk.finish()),
        ["Array SET k a\r\nb -> Simple String   OK", "Array GET k -> Bulk String   a\r\nb"]
    );
}

#[test]
fn errors_are_classified() {
    let mut talk = Talk::open(7000);
    for (answer, value) in [
        (
            "-MOVED 3999 192.0.2.7:6381",
            "MovedDataError: MOVED 3999 192.0.2.7:6381 host: 192.0.2.7 port: 6381 slot: 3999",
        ),
        (
            "-ASK 12 [2001:db8::1]:7",
            "AskDataError: ASK 12 [2001:db8::1]:7 host: [2001:db8::1] port: 7 slot: 12",
        ),
        ("-CLUSTERDOWN The cluster is down", "ClusterError: CLUSTERDOWN The cluster is down"),
        ("-BUSY Redis is busy", "BusyError: BUSY Redis is busy"),
        ("-NOSCRIPT No matching script", "NoScriptError: NOSCRIPT No matching script"),
        ("-LOADING soon", "DataError: LOADING soon"),
        ("!9\r\nSYNTAX no", "DataError: SYNTAX no"),
    ] {
        talk.client(&command(&["GET", "k"])).server(format!("{answer}\r\n").as_bytes());
        let items = talk.items();
        assert_eq!(items[0]["response"]["value"], value);
        assert!(items[0]["error"].is_null());
    }
}

#[test]
fn secrets_stay_out() {
    let mut talk = Talk::open(6379);
    for words in [
        &["AUTH", "hunter2"][..],
        &["auth", "user", "hunter2"],
        &["HELLO", "3", "AUTH", "user", "hunter2", "SETNAME", "x"],
        &["MIGRATE", "h", "1", "k", "0", "5", "AUTH", "hunter2"],
        &["MIGRATE", "h", "1", "k", "0", "5", "AUTH2", "user", "hunter2"],
        &["CONFIG", "SET", "maxmemory", "1", "requirepass", "hunter2"],
        &["ACL", "SETUSER", "user", "on", ">hunter2", "~*"],
    ] {
        talk.client(&command(words)).server(b"+OK\r\n");
    }
    talk.client(b"AUTH hunter2\r\n").server(b"+OK\r\n");
    let items = talk.finish();
    assert_eq!(items.len(), 8);
    assert!(items.iter().all(|item| item["error"].is_null() && !item.to_string().contains("hunter2")));
    assert!(items.iter().all(|item| item.to_string().contains("***")));
}

#[test]
fn large_values_cost_their_beginning() {
    let mut talk = Talk::open(7000);
    talk.client(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$20000000\r\n");
    let piece = vec![b'x'; 1_400];
    let mut peak = 0;
    for _ in 0..20_000_000 / 1_400 {
        talk.client(&piece);
        peak = peak.max(talk.memory());
    }
    talk.client(&vec![b'x'; 20_000_000 % 1_400]).client(b"\r\n").server(b"+OK\r\n");
    assert!(peak < 1 << 20, "{peak}");
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    let request = &items[0]["request"];
    assert_eq!(request["args"][1]["size"], 20_000_000);
    assert_eq!(request["value"].as_str().unwrap().len(), 64 << 10);
    assert_eq!(request["truncated"], true);
    assert!(items[0]["error"].is_null() && items[0]["requestSize"].as_u64() > Some(20_000_000));
}

/// Found by fuzzing: in one piece more of it was shown than one value may be.
#[test]
fn a_long_inline_command_is_cut_however_it_comes() {
    let line = format!("SET k {}\r\n", "x".repeat(1_200));
    let request = |pieces: &[&str]| {
        let limits = Limits { value_bytes: 1_000, ..Limits::default() };
        let mut talk = Talk::with_limits(6379, limits).handshake();
        talk.client(&command(&["PING"])).server(b"+PONG\r\n");
        pieces.iter().for_each(|piece| {
            talk.client(piece.as_bytes());
        });
        talk.server(b"+OK\r\n");
        talk.finish()[1]["request"].clone()
    };
    let whole = request(&[&line]);
    assert_eq!(whole, request(&[&line[..700], &line[700..]]));
    assert!(whole["truncated"] == true && whole.to_string().len() < 3_000, "{whole}");
}

#[test]
fn long_and_deep_lists_are_counted() {
    let mut talk = Talk::open(7000);
    talk.client(&command(&["LRANGE", "l", "0", "-1"]));
    talk.server(format!("*5000\r\n{}", ":7\r\n".repeat(5_000)).as_bytes());
    talk.client(&command(&["EVAL", "deep", "0"]));
    talk.server(("*1\r\n".repeat(80) + ":1\r\n").as_bytes());
    let items = talk.finish();
    let response = &items[0]["response"];
    assert_eq!(response["result"].as_array().unwrap().len(), 1_000);
    assert_eq!((&response["count"], &response["truncated"]), (&5_000.into(), &true.into()));
    assert!(items[1]["error"].is_null() && items[1]["response"]["truncated"] == true);
    // Nobody sends this.
    let mut talk = Talk::open(7000);
    talk.client(&command(&["EVAL", "deep", "0"]));
    talk.server("*1\r\n".repeat(100_000).as_bytes());
    let items = talk.finish();
    assert!(items.iter().any(|item| item["error"]["type"] == "dissection"), "{items:?}");
    assert!(items.len() <= 3);
}

#[test]
fn streamed_strings_and_aggregates_are_put_together() {
    let mut talk = Talk::open(7000);
    talk.client(&command(&["A"])).server(b"$?\r\n;4\r\nHell\r\n;6\r\no worl\r\n;1\r\nd\r\n;0\r\n");
    talk.client(&command(&["B"])).server(b"*?\r\n:1\r\n*?\r\n.\r\n%1\r\n+a\r\n#t\r\n.\r\n");
    talk.client(&command(&["C"])).server(b"%?\r\n+a\r\n,inf\r\n.\r\n");
    let items = talk.finish();
    assert_eq!(items[0]["response"]["result"], "Hello world");
    assert_eq!(items[1]["response"]["result"], serde_json::json!([1, [], {"a": true}]));
    assert_eq!(items[2]["response"]["result"], serde_json::json!({"a": "inf"}));
}

#[test]
fn a_hole_in_a_value_is_marked_and_passed_over() {
    let mut talk = Talk::open(7000);
    talk.client(&command(&["GET", "a"]))
        .server(b"$10\r\nabc")
        .lose(Direction::ToClient, 4)
        .server(b"hij\r\n");
    talk.client(&command(&["GET", "b"])).server(b"$1\r\nb\r\n");
    let items = talk.finish();
    let result = &items[0]["response"]["result"];
    assert_eq!(*result, serde_json::json!({"data": "abc", "size": 10, "truncated": true, "missing": 4}));
    assert_eq!(items[0]["gap"]["response"], 4);
    assert_eq!(lines(&items)[1], "Array GET b -> Bulk String   b");
}

#[test]
fn after_a_lost_answer_nothing_is_put_to_the_wrong_command() {
    let mut talk = Talk::open(7000);
    for _ in 0..4 {
        talk.client(&[command(&["GET", "a"]), command(&["GET", "b"])].concat())
            .server(b"$1\r\na\r\n$1\r\nb\r\n");
    }
    talk.items();
    talk.client(&[command(&["GET", "a"]), command(&["GET", "b"])].concat());
    talk.lose(Direction::ToClient, 7).server(b"$1\r\nb\r\n");
    let items = talk.finish();
    assert!(items.iter().all(|item| !item["error"].is_null()), "{items:?}");
    assert_eq!(items.len(), 3);
}

#[test]
fn joined_in_the_middle_the_first_answer_is_not_believed() {
    // The first answer may be to a command of before.
    let mut talk = Talk::new(6379);
    talk.client(&command(&["GET", "b"])).server(b"$1\r\na\r\n").server(b"$1\r\nb\r\n");
    assert!(talk.items().iter().all(|item| !item["error"].is_null()));
    // Inside of a value.
    let mut talk = Talk::new(6379);
    talk.server(b"the end of a value\r\n");
    for _ in 0..3 {
        talk.client(&command(&["GET", "b"])).server(b"$1\r\nb\r\n");
    }
    let items = talk.finish();
    assert_eq!(lines(&items).last().unwrap(), "Array GET b -> Bulk String   b");
}

#[test]
fn the_sides_are_told_apart_by_what_they_send() {
    let mut talk = Talk::new(50_000);
    for _ in 0..4 {
        talk.server(&command(&["GET", "b"])).client(b"$1\r\nb\r\n");
    }
    let items = talk.finish();
    assert_eq!(lines(&items).last().unwrap(), "Array GET b -> Bulk String   b");
    assert_eq!(items[2]["src"]["port"], "50000");
}

#[test]
fn other_protocols_are_left_alone() {
    for (port, client, server) in [
        (80, &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..]),
        (110, b"USER x\r\n", b"+OK hello\r\n"),
        (11211, b"get x\r\n", b"END\r\n"),
        (6379, b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x46"),
        (6379, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (7000, b"*1\r\n:5\r\n", b"+OK\r\n"),
    ] {
        let mut talk = Talk::open(port);
        talk.client(client).server(server);
        assert!(talk.finish().iter().all(|item| item["protocol"]["name"] != "redis"), "{port}");
    }
}

#[test]
fn failures_come_once_until_the_place_is_found_again() {
    let mut talk = Talk::open(7000);
    talk.client(&command(&["PING"])).server(b"+PONG\r\n");
    for _ in 0..5 {
        talk.client(b"*1\r\n\x01\x02\x03");
    }
    talk.client(b"\x01\x02").client(&command(&["PING"])).server(b"+PONG\r\n");
    let items = talk.finish();
    assert_eq!(items.iter().filter(|item| item["error"]["type"] == "dissection").count(), 1, "{items:?}");
}

#[test]
fn what_is_unfinished_at_the_end_says_so() {
    let mut talk = Talk::open(7000);
    talk.client(&command(&["GET", "a"])).server(b"$10\r\nabc").close();
    let items = talk.finish();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["error"]["type"], "connection");
    let mut talk = Talk::open(7000);
    talk.client(&command(&["GET", "a"])).client(b"*2\r\n$3\r\nGET\r\n$5\r\nab").reset(Direction::ToServer);
    let items = talk.finish();
    assert_eq!(items.iter().filter(|item| item["protocol"]["name"] == "redis").count(), 2);
}

#[test]
fn what_is_wrong_is_said_of_where_it_begins() {
    for (pieces, what) in [
        (&[&b":12x\r\n"[..]][..], "an integer is not one"),
        (&[b":1", b"2", b"x\r\n"], "an integer is not one"),
        (&[b"$4\r\nabcd++"], "a string does not end where its length says"),
        (&[b"$4\r\na", b"bcd+", b"+"], "a string does not end where its length says"),
    ] {
        let mut talk = Talk::open(6379);
        talk.client(&command(&["GET", "a"])).server(b"+OK\r\n").client(&command(&["GET", "b"]));
        pieces.iter().for_each(|piece| {
            talk.server(piece);
        });
        let items = talk.close().finish();
        // A string begins behind its length.
        let offset = if pieces[0].starts_with(b"$") { 9 } else { 5 };
        let message = format!("{what} at byte {offset} of the stream");
        assert!(items.iter().any(|item| item["error"]["msg"] == message.as_str()), "{message}: {items:#?}");
    }
}
