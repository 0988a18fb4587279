//! What the agent's dissectors find.

use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_pcap::{Block, PcapReader};
use serde_json::Value;

use super::protocols::{self, Exchange, Way};
use super::{Message, Place};
use crate::process::say;
use crate::vary;

/// The messages in all items of a capture; none, with a word about it, where it can't be read.
pub(super) fn messages(file: &Path) -> Vec<Message> {
    let packets = vary::read(file).unwrap_or_else(|error| {
        say!("{error:#}");
        Vec::new()
    });
    let origin = Origin {
        worker: "192.0.2.1:48999".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "node".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    secrets(file, &mut engine);
    let (mut items, mut messages) = (Vec::new(), Vec::new());
    for packet in &packets {
        engine.packet(&packet.as_packet(), &mut items);
        items.drain(..).for_each(|item| read(&item, &mut messages));
    }
    engine.finish(&mut items);
    items.iter().for_each(|item| read(item, &mut messages));
    messages
}

/// Hands on the TLS secrets that a capture holds, which tshark uses too.
fn secrets(file: &Path, engine: &mut Engine) {
    let Some(mut reader) = File::open(file).ok().and_then(|file| PcapReader::new(file).ok()) else { return };
    while let Ok(Some(block)) = reader.next_block() {
        if let Block::TlsKeyLog(text) = block {
            engine.tls_key_log(text);
        }
    }
}

fn read(item: &Item, messages: &mut Vec<Message>) {
    let mut text = Vec::new();
    json::write_object(item, &mut text);
    if let Ok(value) = serde_json::from_slice(&text) {
        messages.extend(of_json(&value, item.draft.timestamp.nanos()));
    }
}

/// The messages that an item's JSON form speaks of; `time` is that of its first byte.
fn of_json(item: &Value, time: i64) -> Vec<Message> {
    let exchange = Exchange(item);
    let (name, version) = (exchange.text("/protocol/name"), exchange.text("/protocol/version"));
    let Some(mapping) = protocols::all().find(|mapping| mapping.is(name, version)) else {
        return Vec::new();
    };
    let (Some(src), Some(dst)) = (place(&item["src"]), place(&item["dst"])) else {
        return Vec::new();
    };
    let elapsed = item["elapsedTime"].as_f64().unwrap_or(0.0) * 1e6;
    let said = (mapping.ours)(&exchange).into_iter();
    said.map(|(way, key)| {
        let (time, from, to) = match way {
            Way::There => (time, src, dst),
            Way::Back => (time + elapsed as i64, dst, src),
        };
        Message { protocol: mapping.protocol, time, from, to, key }
    })
    .collect()
}

fn place(side: &Value) -> Option<Place> {
    let ip: IpAddr = side["ip"].as_str()?.parse().ok()?;
    Some((ip, side["port"].as_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_message_there_and_one_back() {
        let item = serde_json::json!({
            "protocol": { "name": "http", "version": "1.1" },
            "src": { "ip": "192.0.2.1", "port": "4000" },
            "dst": { "ip": "2001:db8::1", "port": "80" },
            "elapsedTime": 0.5,
            "request": { "method": "GET", "url": "/a" },
            "response": { "status": 404 },
        });
        let messages = of_json(&item, 1_000);
        let (client, server) = ((IpAddr::from([192, 0, 2, 1]), 4_000), ("2001:db8::1".parse().unwrap(), 80));
        assert_eq!(messages.len(), 2);
        assert_eq!((messages[0].key.as_str(), messages[0].from, messages[0].time), ("GET /a", client, 1_000));
        assert_eq!((messages[1].key.as_str(), messages[1].from, messages[1].time), ("404", server, 501_000));
    }

    #[test]
    fn what_is_not_compared_is_left_out() {
        let item = serde_json::json!({ "protocol": { "name": "tcp", "version": "" } });
        assert!(of_json(&item, 0).is_empty());
    }
}
