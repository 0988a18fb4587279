//! What the engine costs with a capture in memory: `cargo bench -p remora-dissect --bench dissect -- FILE...`.
//!
//! Prints a JSON object for each capture. Times are those of this thread on its processor; `cargo xtask bench dissect` puts them
//! beside tshark's.

#[path = "../tests/support/heap.rs"]
mod heap;

use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Origin, json};
use remora_pcap::PcapReader;
use remora_variants::OwnedPacket;

fn main() {
    // Cargo adds `--bench`.
    for file in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let packets = read(Path::new(&file));
        // The first pass brings memory and caches in order.
        let _ = dissect(&packets, &mut summary);
        let plain = dissect(&packets, &mut summary);
        let mut text = Vec::new();
        let printed = dissect(&packets, &mut |item| {
            text.clear();
            json::write_object(item, &mut text);
            black_box(&text);
        });
        let bytes: u64 = packets.iter().map(|packet| packet.data.len() as u64).sum();
        println!(
            "{}",
            serde_json::json!({
                "file": file,
                "packets": packets.len(),
                "bytes": bytes,
                "items": plain.items,
                "nanos": plain.nanos,
                "jsonNanos": printed.nanos,
                "allocations": plain.allocations,
                "allocatedBytes": plain.bytes,
            })
        );
    }
}

fn read(path: &Path) -> Vec<OwnedPacket> {
    let file = File::open(path).expect("the capture opens");
    let mut reader = PcapReader::new(BufReader::new(file)).expect("it is a capture");
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        packets.push(OwnedPacket::from(&packet));
    }
    packets
}

/// What a list of items shows, which is the least anyone does with one.
fn summary(item: &Item) {
    black_box(item.summary());
}

struct Pass {
    items: u64,
    nanos: u64,
    allocations: u64,
    bytes: u64,
}

/// Decodes, reassembles and dissects all packets, and hands each item to `with`.
fn dissect(packets: &[OwnedPacket], with: &mut dyn FnMut(&Item)) -> Pass {
    let origin = Origin {
        worker: "192.0.2.1:48999".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "node".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let (calls, bytes, started) = (heap::calls(), heap::bytes(), on_processor());
    let mut engine = Engine::new(Limits::default(), Arc::new(origin));
    let (mut items, mut count) = (Vec::new(), 0);
    for packet in packets {
        engine.packet(&packet.as_packet(), &mut items);
        count += items.len() as u64;
        items.drain(..).for_each(|item| with(&item));
    }
    engine.finish(&mut items);
    count += items.len() as u64;
    items.drain(..).for_each(|item| with(&item));
    drop(engine);
    Pass {
        items: count,
        nanos: on_processor() - started,
        allocations: heap::calls() - calls,
        bytes: heap::bytes() - bytes,
    }
}

/// Nanoseconds this thread has run; the scheduler's own statistics are brought up to date only now and then.
fn on_processor() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
