//! Evaluations a second on one core, what a compilation costs, and how long the worst that a cap lets through takes.
//!
//! `cargo bench -p remora-kfl [PART OF A QUERY]`. The figures are the best of several rounds.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use remora_kfl::{Macros, Query, QueryCache};
use serde_json::{Value, json};

const ROUNDS: usize = 5;

const QUERIES: [&str; 9] = [
    "http and response.status == 500",
    "http and response.status == 404",
    "http and response.status == 500 and request.path.startsWith(\"/api\")",
    "dns or redis or kafka",
    "request.headers[\"User-Agent\"] == r\"^curl/\\d+\"",
    "request.path == r\"/api/v\\d+/users/[0-9a-f-]+\"",
    "request.pathSegments.* == \"users\"",
    "..status == 500",
    "response.content.text.json().users.*.name == \"nobody\"",
];

fn item() -> Value {
    let users: Vec<Value> = (0..50).map(|id| json!({ "id": id, "name": format!("user {id}") })).collect();
    json!({
        "id": "192.168.49.2:8897/000000025258.pcap-0", "index": 0, "timestamp": 1_678_675_066_172_i64,
        "protocol": { "name": "http", "version": "1.1", "abbr": "HTTP", "macro": "http", "layer4": "tcp" },
        "tls": false, "error": null, "elapsedTime": 23, "requestSize": 428, "responseSize": 2114,
        "src": { "ip": "10.0.0.1", "port": "36848", "name": "payment", "namespace": "shop" },
        "dst": { "ip": "10.0.0.2", "port": "8086", "name": "users", "namespace": "shop" },
        "request": {
            "method": "GET", "path": "/api/v2/users/0b9f-11", "pathSegments": ["api", "v2", "users", "0b9f-11"],
            "headers": { "Host": "users", "User-Agent": "curl/8.5.0", "Accept": "*/*" }, "httpVersion": "HTTP/1.1",
        },
        "response": {
            "status": 500, "statusText": "Internal Server Error", "headers": { "Content-Type": "application/json" },
            "content": { "mimeType": "application/json", "text": json!({ "users": users }).to_string() },
        },
    })
}

/// The best time of one call.
fn best(calls: u32, mut call: impl FnMut()) -> Duration {
    let round = |call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed() / calls
    };
    (0..ROUNDS).map(|_| round(&mut call)).min().unwrap()
}

fn main() {
    // A part of a query, to run only those that have it.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let macros = Macros::default();
    let item = item();
    println!("JSON item of {} bytes", item.to_string().len());
    println!("{:>12} {:>12}  query", "per second", "compile");
    for text in QUERIES.into_iter().filter(|text| text.contains(&filter)) {
        let query = Query::compile(text, &macros).unwrap();
        let compile = best(1_000, || drop(black_box(Query::compile(black_box(text), &macros))));
        let calls = if text.contains("json()") { 10_000 } else { 300_000 };
        // Batches, so that the clock counts for nothing.
        let evaluation = best(calls / 100, || {
            for _ in 0..100 {
                black_box(query.matches(black_box(&item), 0));
            }
        });
        let rate = 100.0 / evaluation.as_secs_f64();
        println!("{rate:12.0} {:9.1} us  {text}", compile.as_secs_f64() * 1e6);
    }
    if !filter.is_empty() {
        return;
    }
    let cache = QueryCache::new(macros.clone(), 100);
    let hit = best(100_000, || drop(black_box(cache.get(QUERIES[0]))));
    println!("a compiled query from the cache: {} ns", hit.as_nanos());
    hostile(&macros);
}

fn hostile(macros: &Macros) {
    println!("the worst that the caps let through:");
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    let deep = |megabytes: usize| format!("{}{}", "[".repeat(megabytes << 19), "]".repeat(megabytes << 19));
    let wide = |megabytes: usize| format!("[{}0]", "0,".repeat(megabytes << 19));
    let chain = format!("{} == 2", "..a".repeat(20));
    let terms = vec!["body.json().x == 2"; 500].join(" or ");
    for (name, text, item) in [
        ("20 searches inside each other", chain.as_str(), nested(100)),
        ("..a in 8 MB of brackets", "body.json()..a", json!({ "body": deep(8) })),
        ("..a in 8 MB of numbers", "body.json()..a", json!({ "body": wide(8) })),
        ("two lists of 8 MB", "body.json() == other.json()", json!({ "body": wide(8), "other": wide(8) })),
        ("500 terms that read 1 MB", &terms, json!({ "body": wide(1) })),
        ("8 MB of XML", "body.xml()..x", json!({ "body": format!("<r>{}</r>", "x&amp;".repeat(8 << 17)) })),
    ] {
        let query = Query::compile(text, macros).unwrap();
        let time = best(1, || drop(black_box(query.evaluate(&item, 0))));
        println!("{:9.1} ms  {name}", time.as_secs_f64() * 1e3);
    }
}
