//! Reassembly against a naive reference: whatever happens to the segments of a connection, delivered bytes and
//! reported holes tile the stream, each byte is the one seen first, and a hole never covers a byte that was there.

mod support;

use proptest::prelude::*;
use remora_dissect::{Direction, End, Engine, Limits};
use support::{ACK, Event, FIN, SYN, Tcp, events, packet, recording_engine};

const LONGEST: usize = 600;

/// What is known of one byte of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    Never,
    /// The packet was there, the capture did not keep the byte.
    Cut,
    Byte(u8),
}

/// The reference for one direction: an array of what was seen first at each place.
struct Reference {
    first: Vec<Seen>,
    /// How far it was delivered or reported missing.
    at: usize,
    delivered: usize,
    missing: u64,
}

impl Reference {
    fn new(start: usize) -> Self {
        Self { first: vec![Seen::Never; LONGEST], at: start, delivered: 0, missing: 0 }
    }

    fn see(&mut self, offset: usize, kept: &[u8], cut: usize) {
        let kept = kept.iter().map(|byte| Seen::Byte(*byte)).chain(std::iter::repeat_n(Seen::Cut, cut));
        for (place, seen) in self.first[offset..].iter_mut().zip(kept) {
            if *place == Seen::Never {
                *place = seen;
            }
        }
    }

    fn check_data(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(self.first[self.at], Seen::Byte(*byte), "at {}", self.at);
            self.at += 1;
        }
        self.delivered += bytes.len();
    }

    fn check_gap(&mut self, bytes: u64) {
        for _ in 0..bytes {
            assert!(!matches!(self.first[self.at], Seen::Byte(_)), "byte {} was there", self.at);
            self.at += 1;
        }
        self.missing += bytes;
    }
}

fn check(references: &mut [Reference; 2]) {
    for (_, event) in events() {
        match event {
            Event::Data(direction, bytes) => references[direction.index()].check_data(&bytes),
            Event::Gap(direction, bytes) => references[direction.index()].check_gap(bytes),
            Event::End(..) => {}
        }
    }
}

fn content(direction: Direction, offset: usize, variant: u8) -> u8 {
    (offset as u8).wrapping_mul(31) ^ (offset >> 8) as u8 ^ (direction.index() as u8 * 0x55) ^ variant
}

#[derive(Clone, Debug)]
struct Sent {
    direction: Direction,
    offset: usize,
    length: usize,
    /// Bytes of the payload's end that the capture does not keep.
    cut: usize,
    /// Not 0 for a segment that contradicts the others.
    variant: u8,
    fin: bool,
    /// What it acknowledges of the other direction.
    acknowledges: Option<usize>,
    micros: i64,
}

impl Sent {
    /// A single byte and nothing else.
    fn plain(direction: Direction, offset: usize) -> Self {
        Self { direction, offset, length: 1, cut: 0, variant: 0, fin: false, acknowledges: None, micros: 0 }
    }
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::ToServer), Just(Direction::ToClient)]
}

/// Anything: overlaps, repetitions, contradictions, acknowledgments of what was never sent.
fn sent() -> impl Strategy<Value = Sent> {
    let place = (direction(), 0..LONGEST - 80, 1..80_usize);
    let cut = prop_oneof![9 => Just(0_usize), 1 => 0..40_usize];
    let variant = prop_oneof![3 => Just(0_u8), 1 => 1..4_u8];
    let acknowledges = prop_oneof![Just(None), (0..LONGEST).prop_map(Some)];
    let micros = prop_oneof![4 => 0..500_i64, 1 => 0..30_000_i64];
    (place, cut, variant, acknowledges, micros).prop_map(
        |((direction, offset, length), cut, variant, acknowledges, micros)| {
            let cut = cut.min(length);
            Sent { direction, offset, length, cut, variant, fin: false, acknowledges, micros }
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (prop_oneof![Just(3_000_u32), 1..50_u32], prop_oneof![Just(1 << 20), 200..4_000_usize], 1..40_usize)
        .prop_map(|(hole_wait_millis, reorder_bytes, reorder_segments)| Limits {
            hole_wait_millis,
            reorder_bytes,
            reorder_segments,
            ..Limits::default()
        })
}

fn first_numbers() -> impl Strategy<Value = [u32; 2]> {
    let near_the_wrap =
        (0..2_000_u32).prop_map(|distance| u32::MAX.wrapping_sub(1_000).wrapping_add(distance));
    let number = || prop_oneof![any::<u32>(), near_the_wrap.clone()];
    [number(), number()]
}

struct Wire {
    engine: Engine,
    numbers: [u32; 2],
    now: i64,
}

impl Wire {
    fn new(limits: Limits, numbers: [u32; 2]) -> Self {
        Self { engine: recording_engine(limits), numbers, now: 0 }
    }

    fn number(&self, direction: Direction, offset: usize) -> u32 {
        self.numbers[direction.index()].wrapping_add(1).wrapping_add(offset as u32)
    }

    fn handshake(&mut self) {
        let [client, server] = self.numbers;
        self.put(Tcp::new(Direction::ToServer, client, SYN, b""), 0);
        self.put(Tcp::new(Direction::ToClient, server, SYN, b"").acknowledging(client.wrapping_add(1)), 0);
    }

    fn put(&mut self, segment: Tcp, cut: usize) {
        let bytes = segment.bytes();
        let mut packet = packet(&bytes, self.now);
        packet.data = &bytes[..bytes.len() - cut];
        let mut items = Vec::new();
        self.engine.packet(&packet, &mut items);
        assert!(items.is_empty());
    }

    /// Lets time pass until the next packet.
    fn pass(&mut self, micros: i64) {
        self.now += micros * 1_000;
        self.engine.advance(packet(&[], self.now).timestamp, &mut Vec::new());
    }

    /// Sends a segment and returns what of its payload was captured.
    fn send(&mut self, sent: &Sent) -> Vec<u8> {
        let places = sent.offset..sent.offset + sent.length;
        let mut payload: Vec<u8> = places.map(|at| content(sent.direction, at, sent.variant)).collect();
        let flags = if sent.fin { FIN } else { 0 };
        let sequence = self.number(sent.direction, sent.offset);
        let mut segment = Tcp::new(sent.direction, sequence, flags, &payload);
        if let Some(acknowledges) = sent.acknowledges {
            segment = segment.acknowledging(self.number(sent.direction.reverse(), acknowledges));
        }
        self.put(segment, sent.cut);
        payload.truncate(sent.length - sent.cut);
        payload
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_segments_tile_their_stream(
        limits in limits(),
        numbers in first_numbers(),
        joined_at in prop_oneof![Just(None), (0..LONGEST - 80).prop_map(Some)],
        segments in prop::collection::vec(sent(), 1..80),
    ) {
        let mut wire = Wire::new(limits, numbers);
        let mut references = Direction::BOTH.map(|_| Reference::new(joined_at.unwrap_or(0)));
        if joined_at.is_none() {
            wire.handshake();
        }
        let mut captured = 0;
        let mut single_bytes = 0;
        // Holes before the first byte of either direction are only told once that byte has made the dissector.
        let first = Direction::BOTH.map(|direction| Sent::plain(direction, joined_at.unwrap_or(0)));
        for sent in first.iter().chain(&segments) {
            wire.pass(sent.micros);
            check(&mut references);
            let kept = wire.send(sent);
            captured += kept.len();
            single_bytes += usize::from(kept.len() == 1);
            references[sent.direction.index()].see(sent.offset, &kept, sent.cut);
            check(&mut references);
        }
        wire.engine.finish(&mut Vec::new());
        check(&mut references);

        let counters = wire.engine.counters();
        let delivered: usize = references.iter().map(|reference| reference.delivered).sum();
        let missing: u64 = references.iter().map(|reference| reference.missing).sum();
        prop_assert_eq!(counters.missing_bytes, missing);
        prop_assert_eq!(counters.streams, 1);
        prop_assert_eq!(wire.engine.streams_open(), 0);
        // A lone byte from one before the next counts as a keep-alive, not as a repetition.
        let told = delivered + counters.duplicate_bytes as usize;
        prop_assert!(told <= captured && captured <= told + single_bytes, "{} of {}", told, captured);
        for reference in &references {
            let last = reference.first.iter().rposition(|seen| *seen != Seen::Never);
            let end = last.map_or(0, |last| last + 1);
            prop_assert!(reference.at >= end);
        }
    }
}

/// What a capture does to a packet of a real exchange.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Kept,
    /// So many later packets come first.
    Late(usize),
    Twice,
    Lost,
}

#[derive(Clone, Debug)]
struct Turn {
    direction: Direction,
    length: usize,
    fate: Fate,
    overlap: usize,
}

fn turns(losses: u32, longest_overlap: usize) -> impl Strategy<Value = Vec<Turn>> {
    let fate = prop_oneof![
        6 => Just(Fate::Kept),
        2 => (1..6_usize).prop_map(Fate::Late),
        1 => Just(Fate::Twice),
        losses => Just(Fate::Lost),
    ];
    let turn = (direction(), 2..30_usize, fate, prop_oneof![3 => Just(0_usize), 1 => 0..=longest_overlap]);
    let turn = turn.prop_map(|(direction, length, fate, overlap)| Turn { direction, length, fate, overlap });
    prop::collection::vec(turn, 1..40).prop_filter("fits", |turns| {
        Direction::BOTH.iter().all(|direction| {
            let mine = turns.iter().filter(|turn| turn.direction == *direction);
            mine.map(|turn| turn.length).sum::<usize>() < LONGEST
        })
    })
}

/// The packets of an exchange in the order they were sent: each acknowledges all that was sent before it. Returns the
/// captured ones in the order the capture has them, and the length of each direction.
fn exchange(turns: &[Turn]) -> (Vec<Sent>, [usize; 2]) {
    let mut sent_upto = [0; 2];
    let mut captured: Vec<(usize, Sent)> = Vec::new();
    let sent = |direction: Direction, upto: &[usize; 2]| Sent {
        length: 0,
        acknowledges: Some(upto[direction.reverse().index()]),
        micros: 100,
        ..Sent::plain(direction, upto[direction.index()])
    };
    for (index, turn) in turns.iter().enumerate() {
        let at = turn.direction.index();
        let mut segment = sent(turn.direction, &sent_upto);
        let overlap = turn.overlap.min(segment.offset);
        segment.offset -= overlap;
        segment.length = overlap + turn.length;
        sent_upto[at] += turn.length;
        let place = index * 2;
        match turn.fate {
            Fate::Kept => captured.push((place, segment)),
            Fate::Late(packets) => captured.push((place + 2 * packets + 1, segment)),
            Fate::Twice => captured.extend([(place, segment.clone()), (place + 3, segment)]),
            Fate::Lost => {}
        }
    }
    for direction in Direction::BOTH {
        let fin = Sent { fin: true, ..sent(direction, &sent_upto) };
        captured.push((usize::MAX, fin));
    }
    captured.sort_by_key(|(place, _)| *place);
    (captured.into_iter().map(|(_, sent)| sent).collect(), sent_upto)
}

/// Segments that repeat old bytes before new ones make it a matter of taste which acknowledgment the old bytes had:
/// without them, `in_step` also checks that no answer comes before what it answers.
fn replay(turns: &[Turn], numbers: [u32; 2], in_step: bool) -> (Engine, [Reference; 2], [usize; 2]) {
    let (captured, lengths) = exchange(turns);
    let mut wire = Wire::new(Limits::default(), numbers);
    wire.handshake();
    let mut references = Direction::BOTH.map(|_| Reference::new(0));
    let mut acknowledged_by: [Vec<(usize, usize)>; 2] = Default::default();
    for sent in &captured {
        wire.pass(sent.micros);
        let kept = wire.send(sent);
        references[sent.direction.index()].see(sent.offset, &kept, 0);
        let acknowledges = sent.acknowledges.unwrap_or(0);
        acknowledged_by[sent.direction.index()].push((sent.offset + sent.length, acknowledges));
        for (_, event) in events() {
            match event {
                Event::Data(direction, bytes) => {
                    references[direction.index()].check_data(&bytes);
                    // Whoever sent these bytes had all of this from the other side.
                    let upto = references[direction.index()].at;
                    let of_these = acknowledged_by[direction.index()].iter().filter(|(end, _)| *end == upto);
                    let needed = of_these.map(|(_, acknowledges)| *acknowledges).min().unwrap_or(0);
                    let there = references[direction.reverse().index()].at;
                    assert!(!in_step || there >= needed, "an answer overtook");
                }
                Event::Gap(direction, bytes) => references[direction.index()].check_gap(bytes),
                Event::End(..) => {}
            }
        }
    }
    wire.engine.finish(&mut Vec::new());
    check(&mut references);
    (wire.engine, references, lengths)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exchange_out_of_order_comes_out_whole_and_in_step(turns in turns(0, 0), numbers in first_numbers()) {
        let (engine, references, lengths) = replay(&turns, numbers, true);
        prop_assert_eq!(engine.counters().gaps, 0);
        prop_assert_eq!(references.each_ref().map(|reference| reference.delivered), lengths);
    }

    #[test]
    fn an_exchange_with_losses_stays_in_step(turns in turns(1, 0), numbers in first_numbers()) {
        let (engine, references, lengths) = replay(&turns, numbers, true);
        check_losses(&engine, &references, lengths);
    }

    #[test]
    fn an_exchange_with_overlaps_misses_exactly_what_was_lost(turns in turns(1, 20), numbers in first_numbers()) {
        let (engine, references, lengths) = replay(&turns, numbers, false);
        check_losses(&engine, &references, lengths);
    }
}

fn check_losses(engine: &Engine, references: &[Reference; 2], lengths: [usize; 2]) {
    let seen = references.iter().zip(lengths).map(|(reference, length)| &reference.first[..length]);
    let lost = seen.flatten().filter(|seen| **seen == Seen::Never).count() as u64;
    assert_eq!(engine.counters().missing_bytes, lost);
    let delivered: usize = references.iter().map(|reference| reference.delivered).sum();
    assert_eq!(delivered as u64 + lost, lengths.iter().sum::<usize>() as u64);
}

#[test]
fn a_bare_acknowledgment_is_no_byte() {
    let mut wire = Wire::new(Limits::default(), [7, 9]);
    wire.handshake();
    wire.put(Tcp::new(Direction::ToServer, 8, ACK, b"").acknowledging(10), 0);
    wire.engine.finish(&mut Vec::new());
    assert_eq!(events(), []);
}

/// Found by fuzzing: the recorder, created by the request, never heard that the other side had ended.
#[test]
fn a_side_that_ended_before_the_protocol_was_known_has_ended() {
    let mut wire = Wire::new(Limits::default(), [7, 9]);
    wire.handshake();
    wire.put(Tcp::new(Direction::ToClient, 10, FIN, b"").acknowledging(8), 0);
    wire.put(Tcp::new(Direction::ToServer, 8, ACK, b"hello").acknowledging(11), 0);
    wire.engine.finish(&mut Vec::new());
    let ends = [
        Event::End(Direction::ToClient, End::Fin),
        Event::Data(Direction::ToServer, b"hello".to_vec()),
        Event::End(Direction::ToServer, End::Input),
    ];
    assert_eq!(events().into_iter().map(|(_, event)| event).collect::<Vec<_>>(), ends);
}
