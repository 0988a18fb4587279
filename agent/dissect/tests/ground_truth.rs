//! The HTTP/1 fixtures against what their clients wrote down while they were captured, and against each other.

mod golden_support;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use golden_support::{fixtures, replay};
use remora_dissect::{Item, Limits, json};
use serde_json::Value;

/// What must be found of the exchanges of the ground truth.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Expect {
    /// All, each once, in order, and nothing else.
    All,
    /// As `All`; the client's port was rewritten.
    AllOnOtherPorts,
    /// As `All`, but for those whose bodies end with the connection: it was reset.
    AllButUntilClose,
    /// So many requests, from the beginning; those that have their response whole are right.
    Beginning(usize),
    /// All requests, each without its response.
    Requests,
    /// All responses, each without its request.
    Responses,
    /// The later ones, in order.
    End,
    /// Bytes are missing: an item that has both sides has those that belong together.
    NoMixing,
}

/// (capture, ground truth, expectation); derived captures hold the exchanges of the capture they were made from.
const CASES: [(&str, &str, Expect); 57] = {
    use Expect::*;
    const BASIC: &str = "http1_basic";
    const PIPE: &str = "http1_pipelining";
    const V6: &str = "http1_ipv6";
    [
        ("http1_basic.pcap", BASIC, All),
        ("http1_large.pcap", "http1_large", All),
        ("http1_pipelining.pcap", PIPE, All),
        ("http1_lossy_client.pcap.gz", "http1_lossy", All),
        ("../websocket/websocket.pcap", "../websocket/websocket", All),
        ("formats/any_sll.pcap", "formats/any_sll", All),
        ("formats/be.pcapng", PIPE, Beginning(59)),
        ("formats/big_endian.pcap", PIPE, Beginning(59)),
        ("formats/eth_trailer.pcap", PIPE, All),
        ("formats/geneve.pcap", PIPE, All),
        ("formats/gre_teb_key.pcap", PIPE, All),
        ("formats/gzipped.pcap.gz", PIPE, All),
        ("formats/ip6frag_tcp.pcap", V6, Beginning(24)),
        ("formats/ipfrag_tcp.pcap", PIPE, All),
        ("formats/ipfrag_tcp_shuffled_dup.pcap", PIPE, All),
        ("formats/ipip.pcap", PIPE, All),
        ("formats/ipv4_228.pcap", PIPE, All),
        ("formats/kuznetzov_modified.pcap", PIPE, Beginning(59)),
        ("formats/loop_108.pcap", PIPE, All),
        ("formats/mpls.pcap", PIPE, All),
        ("formats/nano.pcap", "formats/nano", All),
        ("formats/obsolete_packet_block.pcapng", PIPE, Beginning(59)),
        ("formats/offload.pcap", "formats/offload", All),
        ("formats/simple_packets.pcapng", PIPE, Beginning(59)),
        ("formats/tsresol_2pow10_tsoffset.pcapng", PIPE, Beginning(59)),
        ("formats/unknown_blocks.pcapng", PIPE, Beginning(59)),
        ("formats/vlan_dot1q.pcap", PIPE, All),
        ("formats/vlan_ipv6.pcap", V6, All),
        ("formats/vlan_qinq.pcap", PIPE, All),
        ("tcp/basic_client_only.pcap", BASIC, Requests),
        ("tcp/basic_duplicates.pcap.gz", BASIC, All),
        ("tcp/basic_holes.pcap", BASIC, NoMixing),
        ("tcp/basic_no_syn.pcap", BASIC, All),
        ("tcp/basic_overlap_conflict_late.pcap.gz", BASIC, All),
        ("tcp/basic_overlap_same.pcap.gz", BASIC, All),
        ("tcp/basic_padded_acks.pcap", BASIC, All),
        ("tcp/basic_port_reuse.pcap", BASIC, AllOnOtherPorts),
        ("tcp/basic_reordered.pcap", BASIC, All),
        ("tcp/basic_rst_instead_of_fin.pcap", BASIC, AllButUntilClose),
        ("tcp/basic_seq_wrap.pcap", BASIC, All),
        ("tcp/basic_server_only.pcap", BASIC, Responses),
        ("tcp/basic_tiny_segments.pcap.gz", BASIC, All),
        ("tcp/pipe_client_only.pcap", PIPE, Requests),
        ("tcp/pipe_holes.pcap", PIPE, NoMixing),
        ("tcp/pipe_keepalive_dupack.pcap", PIPE, All),
        ("tcp/pipe_midstream.pcap", PIPE, End),
        ("tcp/pipe_no_fin.pcap", PIPE, All),
        ("tcp/pipe_no_syn.pcap", PIPE, All),
        ("tcp/pipe_overlap_same.pcap", PIPE, All),
        ("tcp/pipe_port_reuse.pcap", PIPE, AllOnOtherPorts),
        ("tcp/pipe_reordered.pcap", PIPE, All),
        ("tcp/pipe_rst_instead_of_fin.pcap", PIPE, AllButUntilClose),
        ("tcp/pipe_server_only.pcap", PIPE, Responses),
        ("tcp/pipe_tiny_segments.pcap", PIPE, All),
        ("corrupt/snaplen_huge.pcap", PIPE, All),
        ("corrupt/caplen_zero.pcap", PIPE, All),
        ("corrupt/cut_in_record_data.pcap", PIPE, Beginning(9)),
    ]
};

/// The exchanges a client wrote down.
fn truth(name: &str) -> Vec<Value> {
    let path = fixtures().join("http1").join(format!("{name}.gt.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("ground truth is JSON"));
    lines.filter(|line| line["proto"] == "http1").collect()
}

/// HTTP items as JSON, in the order in which their connections began. Every connection of the fixtures ended before the next.
fn items(capture: &Path) -> Vec<Value> {
    let mut items = replay(capture, Limits::default()).items;
    items.retain(|item| item.draft.protocol.name == "http");
    items.sort_by_key(|item| (item.stream.number, item.index));
    items.iter().map(to_json).collect()
}

fn to_json(item: &Item) -> Value {
    let mut out = Vec::new();
    json::write_object(item, &mut out);
    serde_json::from_slice(&out).expect("items are JSON")
}

/// What of an exchange an item gets wrong.
fn mismatch(item: &Value, truth: &Value, ports: bool) -> Option<String> {
    let (request, response) = (&item["request"], &item["response"]);
    let port = item["src"]["port"].as_str().and_then(|port| port.parse::<u64>().ok());
    let fields = [
        ("method", &request["method"], &truth["method"]),
        ("url", &request["url"], &truth["path"]),
        ("status", &response["status"], &truth["status"]),
        ("response body size", &response["bodySize"], &truth["resp_body"]),
        ("content type", &response["content"]["mimeType"], &truth["ctype"]),
    ];
    for (what, found, expected) in fields {
        if !expected.is_null() && found != expected {
            return Some(format!("{what} is {found}, not {expected}"));
        }
    }
    if ports && truth["conn"].as_u64().is_some_and(|conn| Some(conn) != port) {
        return Some(format!("client port is {port:?}, not {}", truth["conn"]));
    }
    if let Some(expected) = truth["req_body"].as_u64() {
        let size = request["bodySize"].as_u64().unwrap_or(u64::MAX);
        // curl counts the framing of a chunked upload: one chunk, and the last.
        let framed = size + format!("{size:x}\r\n\r\n0\r\n\r\n").len() as u64;
        let chunked = request["headers"]["Transfer-Encoding"] == "chunked";
        if size != expected && !(chunked && framed == expected) {
            return Some(format!("request body size is {size}, not {expected}"));
        }
    }
    (!item["error"].is_null()).then(|| format!("error is {}", item["error"]))
}

fn all(items: &[Value], truth: &[Value], ports: bool) -> Result<(), String> {
    for (index, (item, truth)) in items.iter().zip(truth).enumerate() {
        if let Some(mismatch) = mismatch(item, truth, ports) {
            return Err(format!("exchange {index} ({} {}): {mismatch}", truth["method"], truth["path"]));
        }
    }
    match items.len() == truth.len() {
        true => Ok(()),
        false => Err(format!("{} items for {} exchanges", items.len(), truth.len())),
    }
}

fn is_unpaired(item: &Value) -> bool {
    item["error"]["type"] == "pair-not-found" && (item["request"].is_null() || item["response"].is_null())
}

fn check(items: &[Value], truth: &[Value], expect: Expect) -> Result<(), String> {
    let fail = |text: String| Err(text);
    match expect {
        Expect::All => all(items, truth, true),
        Expect::AllOnOtherPorts => all(items, truth, false),
        Expect::AllButUntilClose => {
            let (whole, rest): (Vec<_>, Vec<_>) = items
                .iter()
                .cloned()
                .zip(truth.iter().cloned())
                .partition(|(item, _)| item["error"].is_null());
            let (items, truth): (Vec<_>, Vec<_>) = whole.into_iter().unzip();
            let cut = |(item, truth): &(Value, Value)| {
                item["request"]["url"] == truth["path"]
                    && item["error"]["msg"].as_str().is_some_and(|text| text.contains("reset"))
            };
            match rest.iter().all(cut) && rest.len() <= 2 {
                true => all(&items, &truth, true),
                false => fail(format!("errors other than by the reset: {rest:?}")),
            }
        }
        Expect::Beginning(requests) => {
            if items.len() != requests {
                return fail(format!("{} items for {requests} requests", items.len()));
            }
            let whole = items.iter().take_while(|item| item["error"].is_null()).count();
            if whole + 8 < requests || items[whole..].iter().any(|item| item["error"].is_null()) {
                return fail(format!("only {whole} are whole"));
            }
            all(&items[..whole], &truth[..whole], true)
        }
        Expect::Requests => {
            if items.len() != truth.len() || !items.iter().all(is_unpaired) {
                return fail(format!("{} items, or not all unpaired", items.len()));
            }
            match items.iter().zip(truth).find(|(item, truth)| item["request"]["url"] != truth["path"]) {
                Some((item, truth)) => fail(format!("{} for {}", item["request"]["url"], truth["path"])),
                None => Ok(()),
            }
        }
        Expect::Responses => {
            if items.len() != truth.len() || !items.iter().all(is_unpaired) {
                return fail(format!("{} items, or not all unpaired", items.len()));
            }
            match items.iter().zip(truth).find(|(item, truth)| item["response"]["status"] != truth["status"])
            {
                Some((item, truth)) => fail(format!("{} for {}", item["response"]["status"], truth)),
                None => Ok(()),
            }
        }
        Expect::End => {
            let paired: Vec<_> = items.iter().filter(|item| !is_unpaired(item)).cloned().collect();
            let missing = truth.len().checked_sub(paired.len()).filter(|missing| *missing < truth.len() / 3);
            match missing {
                Some(missing) => all(&paired, &truth[missing..], true),
                None => fail(format!("only {} of {} exchanges", paired.len(), truth.len())),
            }
        }
        Expect::NoMixing => {
            // In the order of the connection, so that an exchange can't take the place of an earlier one.
            let mut rest = truth.iter();
            for item in items.iter().filter(|item| !is_unpaired(item)) {
                let belongs = |truth: &&Value| {
                    let mut item = item.clone();
                    item["error"] = Value::Null;
                    if !item["gap"].is_null() {
                        item["response"]["bodySize"] = truth["resp_body"].clone();
                        item["request"]["bodySize"] = truth["req_body"].clone();
                        item["response"]["content"]["mimeType"] = truth["ctype"].clone();
                    }
                    mismatch(&item, truth, true).is_none()
                };
                if !rest.any(|truth| belongs(&truth)) {
                    return fail(format!(
                        "no such exchange: {} {}",
                        item["request"], item["response"]["status"]
                    ));
                }
            }
            let paired = items.iter().filter(|item| !is_unpaired(item)).count();
            match paired * 3 >= truth.len() * 2 {
                true => Ok(()),
                false => fail(format!("only {paired} of {} exchanges are paired", truth.len())),
            }
        }
    }
}

#[test]
fn every_exchange_is_found() {
    let http1 = fixtures().join("http1");
    let mut failures = Vec::new();
    for (capture, source, expect) in CASES {
        let mut items = items(&http1.join(capture));
        // The loopback's side of a proxy is in this capture too; the ground truth has the client's.
        items.retain(|item| capture != "formats/any_sll.pcap" || item["dst"]["port"] == "80");
        if let Err(text) = check(&items, &truth(source), expect) {
            failures.push(format!("{capture} ({expect:?}): {text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_echo_says_what_it_was_sent() {
    let mut echoes = 0;
    for capture in ["http1_basic.pcap", "http1_large.pcap", "http1_pipelining.pcap", "formats/vlan_ipv6.pcap"]
    {
        for item in items(&fixtures().join("http1").join(capture)) {
            let (request, response) = (&item["request"], &item["response"]);
            if request["path"] != "/be/echo" || request["bodySize"] == 0 {
                continue;
            }
            assert_eq!(request["bodySize"], response["bodySize"], "{capture}: {request}");
            let body = base64(response["content"]["text"].as_str().expect("an echo has a body"));
            assert_eq!(request["postData"]["text"], String::from_utf8_lossy(&body).as_ref(), "{capture}");
            echoes += 1;
        }
    }
    assert_eq!(echoes, 7 + 1 + 2 + 7);
}

/// Each resource of the servers has one content, whatever coding, framing or link it came by.
#[test]
fn a_resource_is_the_same_in_every_capture() {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut seen = 0;
    for (capture, _, expect) in CASES {
        if matches!(expect, Expect::NoMixing | Expect::Requests | Expect::Responses) {
            continue;
        }
        for item in items(&fixtures().join("http1").join(capture)) {
            let (request, response) = (&item["request"], &item["response"]);
            let path = request["path"].as_str().unwrap_or_default();
            let is_static = path.contains('.') && !path.starts_with("/be/");
            let whole = item["error"].is_null() && request["method"] == "GET" && response["status"] == 200;
            if !is_static || !whole || path == "/1m.bin" {
                continue;
            }
            let content = response["content"]["text"].as_str().unwrap_or_default().to_owned();
            let first = known.entry(path.to_owned()).or_insert_with(|| content.clone());
            assert!(*first == content, "{capture}: {path} has another content");
            seen += 1;
        }
    }
    assert!(known.len() >= 6 && seen > 1_000, "{} resources, {seen} times", known.len());
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("content is base64")
}
