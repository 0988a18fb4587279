//! Memory stays under its ceiling whatever the capture holds, measured at the heap, and what was let go for it is counted.

#[path = "support/heap.rs"]
mod heap;
mod support;

use remora_dissect::{Counters, Direction, Engine, Item, Limits};
use support::{ACK, SYN, Tcp, origin, packet};

const MIB: usize = 1 << 20;

const STREAM_BYTES: usize = 16 * MIB;
const FRAGMENT_BYTES: usize = 4 * MIB;

/// Small caps, so that the tests reach them soon.
fn limits() -> Limits {
    Limits { total_bytes: STREAM_BYTES, fragment_bytes: FRAGMENT_BYTES, ..Limits::default() }
}

/// Bytes of heap a stream's place in the flow table may take.
const PLACE: usize = 320;

/// Beyond the caps: the packet and the message at hand when a cap is found exceeded, and what an empty engine takes.
const SLACK: usize = 2 * MIB;

struct Hostile {
    engine: Engine,
    before: isize,
    items: u64,
    now: i64,
}

impl Hostile {
    fn new(limits: Limits) -> Self {
        let before = heap::live();
        heap::reset_peak();
        Self { engine: Engine::new(limits, origin()), before, items: 0, now: 0 }
    }

    fn put(&mut self, data: &[u8]) {
        let mut items: Vec<Item> = Vec::new();
        self.now += 1_000;
        self.engine.packet(&packet(data, self.now), &mut items);
        self.items += items.len() as u64;
    }

    fn tcp(&mut self, client: (u8, u16), segment: Tcp) {
        let mut segment = segment;
        let end = if segment.source.1 == 80 { &mut segment.destination } else { &mut segment.source };
        (end.0[3], end.1) = client;
        self.put(&segment.bytes());
    }

    /// Ends the capture and checks what the heap held at most: `cap` and the flow table.
    fn finish(mut self, cap: usize, most_streams: usize) -> Counters {
        let peak = (heap::peak() - self.before) as usize;
        let accounted = self.engine.memory();
        let ceiling = cap + most_streams * PLACE + SLACK;
        assert!(peak <= ceiling, "{peak} bytes of heap, {ceiling} allowed");
        let live = (heap::live() - self.before) as usize;
        assert!(live <= accounted + SLACK, "{live} bytes of heap, {accounted} accounted for");
        let mut items = Vec::new();
        self.engine.finish(&mut items);
        self.items += items.len() as u64;
        assert_eq!(self.items, self.engine.counters().items);
        *self.engine.counters()
    }
}

fn client(index: u32) -> (u8, u16) {
    ((index / 50_000) as u8, 10_000 + (index % 50_000) as u16)
}

#[test]
fn a_hundred_thousand_half_open_streams() {
    let mut hostile = Hostile::new(Limits { streams: 60_000, ..limits() });
    for index in 0..100_000 {
        hostile.tcp(client(index), Tcp::new(Direction::ToServer, index, SYN, b""));
    }
    assert_eq!(hostile.engine.streams_open(), 60_000);
    let counters = hostile.finish(STREAM_BYTES, 60_000);
    assert_eq!((counters.streams, counters.evicted_streams), (100_000, 40_000));
}

#[test]
fn a_hole_of_a_gigabyte() {
    let mut hostile = Hostile::new(limits());
    let request = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n";
    hostile.tcp((1, 40_000), Tcp::new(Direction::ToServer, 0, SYN, b""));
    hostile.tcp((1, 40_000), Tcp::new(Direction::ToClient, 0, SYN, b"").acknowledging(1));
    hostile.tcp((1, 40_000), Tcp::new(Direction::ToServer, 1, ACK, request).acknowledging(1));
    hostile.tcp((1, 40_000), Tcp::new(Direction::ToClient, 1, ACK, head));
    let hole = 1 << 30;
    let mut sequence = 1 + head.len() as u32 + hole;
    for _ in 0..100_000 {
        hostile.tcp((1, 40_000), Tcp::new(Direction::ToClient, sequence, ACK, &[b'x'; 1_400]));
        sequence += 1_400;
    }
    let counters = hostile.finish(STREAM_BYTES, 1);
    assert_eq!((counters.gaps, counters.missing_bytes), (1, hole.into()));
    assert_eq!((counters.reorder_overflows, counters.items, counters.items_with_gaps), (1, 1, 1));
}

#[test]
fn heads_without_end() {
    let mut hostile = Hostile::new(limits());
    for index in 0..200 {
        hostile.tcp(client(index), Tcp::new(Direction::ToServer, 0, SYN, b""));
        let start = b"GET / HTTP/1.1\r\n";
        hostile.tcp(client(index), Tcp::new(Direction::ToServer, 1, ACK, start));
    }
    let line = [&b"X-Endless: "[..], &[b'x'; 1_380], b"\r\n"].concat();
    let mut sequence = 1 + 16;
    // All grow together, to 300 KB each.
    for _ in 0..220 {
        for index in 0..200 {
            hostile.tcp(client(index), Tcp::new(Direction::ToServer, sequence, ACK, &line));
        }
        sequence += line.len() as u32;
    }
    let counters = hostile.finish(STREAM_BYTES, 400);
    assert!(counters.evicted_streams > 0, "{counters:?}");
    assert!(counters.pending_overflows > 0 || counters.failed_items > 0, "{counters:?}");
}

#[test]
fn fragments_that_never_complete() {
    let mut hostile = Hostile::new(limits());
    let mut fragment = Tcp::new(Direction::ToServer, 0, ACK, &[b'x'; 1_460]).bytes();
    for index in 0..100_000_u32 {
        fragment[4..6].copy_from_slice(&(index as u16).to_be_bytes());
        fragment[15] = (index >> 16) as u8;
        // More fragments follow, at offset 0.
        fragment[6..8].copy_from_slice(&[0x20, 0]);
        hostile.put(&fragment);
    }
    let counters = hostile.finish(FRAGMENT_BYTES, 0);
    assert_eq!((counters.fragments, counters.dropped_fragments), (100_000, 100_000));
    assert_eq!(counters.streams, 0);
}

#[test]
fn many_streams_that_wait_for_a_hole() {
    let mut hostile = Hostile::new(limits());
    for index in 0..20_000 {
        hostile.tcp(client(index), Tcp::new(Direction::ToServer, 0, SYN, b""));
        hostile.tcp(client(index), Tcp::new(Direction::ToServer, 1, ACK, b"GET / HTTP/1.1\r\n"));
        for segment in 0..5 {
            let sequence = 1_000 + segment * 2_000;
            hostile.tcp(client(index), Tcp::new(Direction::ToServer, sequence, ACK, &[b'x'; 1_400]));
        }
    }
    let counters = hostile.finish(STREAM_BYTES, 20_000);
    assert_eq!(counters.reordered_segments, 100_000);
    // 16 MiB hold fewer than 2,400 of them.
    assert!(counters.evicted_streams > 17_000, "{counters:?}");
    assert!(counters.gaps >= 5 * counters.evicted_streams, "{counters:?}");
}

#[test]
fn tiny_segments_that_wait_for_a_hole() {
    let mut hostile = Hostile::new(Limits { reorder_segments: 1 << 20, reorder_bytes: 64 * MIB, ..limits() });
    hostile.tcp((1, 40_000), Tcp::new(Direction::ToServer, 0, SYN, b""));
    for segment in 0..230_000 {
        let sequence = 10 + segment * 2;
        hostile.tcp((1, 40_000), Tcp::new(Direction::ToServer, sequence, ACK, b"x"));
    }
    let counters = hostile.finish(STREAM_BYTES, 1);
    assert!(counters.evicted_streams > 0, "{counters:?}");
}
