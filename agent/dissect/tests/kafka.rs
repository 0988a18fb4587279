//! Kafka as clients and a broker speak it: against what was sent, and in other people's captures.

mod golden_support;

use std::collections::BTreeMap;
use std::fs;

use golden_support::{fixtures, replay};
use remora_dissect::{Item, Limits, json};
use serde_json::Value;

fn as_json(item: &Item) -> Value {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    serde_json::from_slice(&out).expect("an item is JSON")
}

fn lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(fixtures().join("kafka").join(name)).expect("the file is there");
    text.lines().map(|line| serde_json::from_str(line).expect("lines are JSON")).collect()
}

fn items() -> Vec<Value> {
    let replay = replay(&fixtures().join("kafka/kafka.pcap"), Limits::default());
    replay.items.iter().map(as_json).collect()
}

/// What tells a request from others.
type Row = (i64, i64, i64, String, i64);

#[test]
fn every_request_of_the_capture_is_an_item_and_nothing_else_is() {
    // The same conversations as another dissector saw them.
    let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("a number");
    let sent: BTreeMap<Row, usize> = count(
        lines("kafka.tshark.jsonl").iter().filter(|row| row.get("kafka.client_id").is_some()).map(|row| {
            let client = row["kafka.client_id"].as_str().expect("a text").to_owned();
            (
                number(&row["kafka.api_key"]),
                number(&row["kafka.api_version"]),
                number(&row["kafka.correlation_id"]),
                client,
                number(&row["kafka.len"]),
            )
        }),
    );
    let items = items();
    let found = count(items.iter().map(|item| {
        let request = &item["request"];
        let number = |name: &str| request[name].as_i64().expect("a number");
        let client = request["clientID"].as_str().expect("a text").to_owned();
        (number("apiKey"), number("apiVersion"), number("correlationID"), client, number("size"))
    }));
    assert_eq!(found, sent);
    for item in &items {
        assert_eq!(item["protocol"]["name"], "kafka");
        let ports = [33_275, 40_495, 40_559];
        let port: u16 = item["dst"]["port"].as_str().expect("a text").parse().expect("a number");
        assert!(ports.contains(&port), "{port}");
    }
    let unpaired: Vec<_> = items.iter().filter(|item| !item["error"].is_null()).collect();
    // A consumer that leaves while its fetches wait.
    assert_eq!(unpaired.len(), 4);
    for item in unpaired {
        assert_eq!(item["base"]["method"], "Fetch");
        assert_eq!(item["error"]["type"], "pair-not-found");
    }
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

/// All objects named `record` below a value.
fn records(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("record", Value::Array(records)) => records.len(),
                _ => records(value),
            })
            .sum(),
        Value::Array(list) => list.iter().map(records).sum(),
        _ => 0,
    }
}

#[test]
fn what_the_clients_did_is_there() {
    let items = items();
    for truth in lines("kafka.gt.jsonl") {
        let client = truth["client"].as_str().expect("a text");
        let client = if client.starts_with("kcat") {
            "rdkafka"
        } else {
            client.rsplit(' ').next().unwrap_or_default()
        };
        let of_client = |method: &str| {
            let method = method.to_owned();
            items.iter().filter(move |item| {
                item["request"]["clientID"] == client && item["base"]["method"] == method.as_str()
            })
        };
        for method in truth["api"].as_str().expect("a text").split(", ") {
            let wanted = truth.get("error").is_none();
            assert_eq!(of_client(method).next().is_some(), wanted, "{method} of {client}");
        }
        let Some(expected) = truth["records"].as_u64() else { continue };
        let produced: usize = of_client("Produce").map(|item| records(&item["request"])).sum();
        let fetched: usize = of_client("Fetch").map(|item| records(&item["response"])).sum();
        assert_eq!((produced + fetched) as u64, expected, "records of {client}");
        for item in of_client("Produce") {
            assert_eq!(item["base"]["summary"], truth["topic"]);
            let text = item["request"].to_string();
            assert!(!text.contains("recordError") && !text.contains("crcValid"), "{text}");
            if let Some(compression) = truth["compression"].as_str() {
                assert!(text.contains(&format!("\"compression\":\"{compression}\"")), "{text}");
            }
        }
    }
}
