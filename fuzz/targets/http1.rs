//! Any bytes as a connection of HTTP/1, in both directions, in any pieces, with gaps and ends.
//!
//! Every item must print as JSON, and answer for each field alone as it does for all. A conversation that was
//! understood whole must be understood the same however it is cut into segments.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::{Endpoint, Item, StreamName, Transport};
use remora_dissect::{Context, Counters, Direction, Dissector, Draft, End, Limits, http1, json};
use remora_fuzz::{Input, consistent, origin};
use remora_packet::Timestamp;

/// What happens to one direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event<'a> {
    Bytes(&'a [u8]),
    Gap(u16),
    End(End),
}

/// The part of a stream that a dissector relies on: keeps what was not used, and ends each direction once.
struct Stream<'l> {
    dissector: Box<dyn Dissector>,
    limits: &'l Limits,
    counters: Counters,
    drafts: Vec<Draft>,
    pending: [Vec<u8>; 2],
    ended: [bool; 2],
    overflows: u32,
}

impl<'l> Stream<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            dissector: http1::REGISTRATION.dissector(limits).expect("it reads streams"),
            limits,
            counters: Counters::default(),
            drafts: Vec::new(),
            pending: Default::default(),
            ended: [false; 2],
            overflows: 0,
        }
    }

    fn event(&mut self, direction: Direction, event: Event<'_>) {
        let at = direction.index();
        if self.ended[at] {
            return;
        }
        let now = Timestamp::from_nanos(0);
        let mut context = Context::new(now, self.limits, &mut self.counters, &mut self.drafts);
        let pending = &mut self.pending[at];
        match event {
            Event::Bytes([]) => {}
            Event::Bytes(bytes) => {
                pending.extend_from_slice(bytes);
                let used = self.dissector.parse(direction, pending, &mut context);
                assert!(used <= pending.len());
                pending.drain(..used);
                if pending.len() > self.limits.pending_bytes {
                    self.overflows += 1;
                    self.dissector.overflow(direction, pending, &mut context);
                    pending.clear();
                }
            }
            Event::Gap(bytes) => {
                let unparsed = std::mem::take(pending);
                self.dissector.gap(direction, bytes.into(), &unparsed, &mut context);
            }
            Event::End(end) => {
                let unparsed = std::mem::take(pending);
                self.dissector.end(direction, end, &unparsed, &mut context);
                self.ended[at] = true;
            }
        }
    }

    fn finish(&mut self) {
        for direction in Direction::BOTH {
            self.event(direction, Event::End(End::Input));
        }
    }

    fn items(&mut self) -> Vec<Item> {
        let name = StreamName { number: 1, transport: Transport::Tcp };
        let side = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        let drafts = self.drafts.drain(..).enumerate();
        drafts
            .map(|(index, draft)| Item::new(origin(), name, index as u32, side(40_000), side(80), draft))
            .collect()
    }
}

/// Caps that short inputs reach.
fn tight() -> Limits {
    Limits {
        pending_bytes: 512,
        http_body_bytes: 256,
        decoded_bytes: 4 << 10,
        decode_ratio: 4,
        http_pipelined: 4,
        http_headers: 8,
        ..Limits::default()
    }
}

/// Under the tight caps: a few exchanges with head and body each.
const MAX_MEMORY: usize = 64 << 10;

fn read<'a>(input: &mut Input<'a>) -> Vec<(Direction, Event<'a>)> {
    const ENDS: [End; 4] = [End::Fin, End::Reset, End::Evicted, End::Input];
    let mut events = Vec::new();
    while !input.is_empty() {
        let (what, length) = (input.u8(), input.u16());
        let event = match what >> 1 & 7 {
            6 => Event::Gap(length),
            7 => Event::End(ENDS[usize::from(length & 3)]),
            _ => Event::Bytes(input.take(length.into())),
        };
        events.push((Direction::BOTH[usize::from(what & 1)], event));
    }
    events
}

fn text(item: &Item) -> Vec<u8> {
    let mut text = Vec::new();
    json::write_object(item, &mut text);
    text
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (mode, piece) = (input.u8(), usize::from(input.u8() % 31) + 1);
    let events = read(&mut input);
    let limits = if mode & 1 == 0 { Limits::default() } else { tight() };

    let mut stream = Stream::new(&limits);
    for (direction, event) in &events {
        stream.event(*direction, *event);
        assert!(mode & 1 == 0 || stream.dissector.memory() <= MAX_MEMORY, "{}", stream.dissector.memory());
    }
    stream.finish();
    let items = stream.items();
    for item in &items {
        consistent(item);
        let _ = item.summary();
        serde_json::from_slice::<serde_json::Value>(&text(item)).expect("items are JSON");
    }

    // Where bytes were lost or made no sense, a message may only begin with a segment: the cuts matter there.
    let whole = events.iter().all(|(_, event)| !matches!(event, Event::Gap(_)));
    if !whole || stream.counters.undissected_bytes != 0 || stream.overflows != 0 {
        return;
    }
    let mut cut = Stream::new(&limits);
    for (direction, event) in &events {
        match event {
            Event::Bytes(bytes) => {
                bytes.chunks(piece).for_each(|bytes| cut.event(*direction, Event::Bytes(bytes)));
            }
            other => cut.event(*direction, *other),
        }
    }
    cut.finish();
    let cut_items = cut.items();
    let texts = |items: &[Item]| -> Vec<String> {
        items.iter().map(|item| String::from_utf8_lossy(&text(item)).into_owned()).collect()
    };
    assert_eq!(texts(&items), texts(&cut_items), "cut every {piece} bytes");
});
