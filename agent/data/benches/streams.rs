//! What keeping every stream's packets costs the packet thread, and how fast snapshots are made.
//!
//! `cargo bench -p remora-data`. Packets of 100 bytes go round the streams one after the other, the worst order for the
//! caches. Best of several rounds; "buffers" is what a packet costs as long as no buffer is full, "with the file system"
//! is all of it, into the temporary directory.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use remora_data::{
    Files, FilesConfig, SnapshotConfig, StreamId, StreamWriter, Streams, StreamsConfig, snapshot,
};
use remora_packet::{LinkType, Packet, Timestamp};

const ROUNDS: usize = 5;
const PACKET_BYTES: usize = 100;
/// As many packets as fill a stream's buffer almost.
const WARM_PACKETS: u64 = 500;

fn main() {
    for streams in [1, 100, 1_000] {
        warm(streams);
    }
    for streams in [1, 100, 1_000, 10_000] {
        written(streams, false);
    }
    written(100, true);
    short_streams();
    merged();
}

struct Bench {
    place: PathBuf,
    files: Files,
    writer: StreamWriter,
    streams: Streams,
    sent: i64,
}

impl Bench {
    fn new(wait_for_disk: bool) -> Self {
        let place = std::env::temp_dir().join(format!("remora-data-bench-{}", std::process::id()));
        let files =
            Files::new(&place, FilesConfig { total_bytes: 8 << 30, ..FilesConfig::default() }).unwrap();
        let config = StreamsConfig {
            total_bytes: 4 << 30,
            stream_bytes: 2 << 30,
            wait_for_disk,
            ..StreamsConfig::default()
        };
        let (writer, streams) = Streams::open(&files, config).unwrap();
        Self { place, files, writer, streams, sent: 0 }
    }

    fn send(&mut self, stream: u64) {
        const DATA: [u8; PACKET_BYTES] = [7; PACKET_BYTES];
        self.sent += 1;
        let timestamp = Timestamp::from_nanos(self.sent);
        let length = PACKET_BYTES as u32;
        let packet = Packet { timestamp, link: LinkType::ETHERNET, interface: 0, length, data: &DATA };
        self.writer.packet(StreamId::tcp(stream), &packet);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.place);
    }
}

fn tell(what: &str, packets: u64, time: Duration) {
    let rate = packets as f64 / time.as_secs_f64() / 1e6;
    println!("{what:56} {rate:8.2} M packets/s {:8.0} ns each", 1e3 / rate);
}

fn warm(streams: u64) {
    let mut bench = Bench::new(true);
    let mut best = Duration::MAX;
    // The first round makes the buffers.
    for _ in 0..=ROUNDS * 20 {
        let begun = Instant::now();
        for _ in 0..WARM_PACKETS {
            for stream in 0..streams {
                bench.send(stream);
            }
        }
        best = best.min(begun.elapsed());
        bench.streams.flush();
    }
    tell(&format!("{streams} streams, buffers"), WARM_PACKETS * streams, best);
}

fn written(streams: u64, is_contended: bool) {
    const PACKETS: u64 = 2_000_000;
    let mut bench = Bench::new(true);
    let mut best = Duration::MAX;
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let reader = bench.streams.clone();
    std::thread::scope(|scope| {
        if is_contended {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = reader
                        .path(&StreamId::tcp(calls.fetch_add(1, Ordering::Relaxed) % streams).to_string());
                }
            });
        }
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for at in 0..PACKETS {
                bench.send(at % streams);
            }
            best = best.min(begun.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
    });
    let also = if is_contended { ", a script asks all the time" } else { "" };
    tell(&format!("{streams} streams, with the file system{also}"), PACKETS, best);
}

/// Ten packets, then the end. As many as fit into the queue, so that the packet thread's own part is seen.
fn short_streams() {
    const STREAMS: u64 = 10_000;
    let mut bench = Bench::new(false);
    let begun = Instant::now();
    for stream in 0..STREAMS {
        for _ in 0..10 {
            bench.send(stream);
        }
        bench.writer.finish(StreamId::tcp(stream));
    }
    let time = begun.elapsed();
    bench.streams.flush();
    let written = begun.elapsed();
    assert_eq!(bench.streams.counters().packets_shed, 0);
    tell("streams of ten packets, each with a file", STREAMS * 10, time);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / STREAMS as f64;
    println!("{:56} {:8.1} us, {:.1} us until all are written", "  a stream", each(time), each(written));
}

fn merged() {
    const PACKETS: u64 = 2_000_000;
    let mut bench = Bench::new(true);
    for at in 0..PACKETS {
        bench.send(at % 1_000);
    }
    let begun = Instant::now();
    let config = SnapshotConfig::default();
    let made = snapshot(&bench.files, &bench.streams, &config, None, None, &mut || true).unwrap();
    tell("a snapshot of 1000 streams", made.packets, begun.elapsed());
}
