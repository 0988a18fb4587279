//! Dissectors that stand trial, withdraw, hand a stream over, or read packets.

mod support;

use std::sync::Mutex;

use remora_dissect::item::{Summary, Transport};
use remora_dissect::{
    Context, Counters, DatagramDissector, Direction, Dissector, End, Engine, Fields, Half, Item, Kind,
    Limits, Options, Over, Probe, Protocol, Registration, Successor,
};
use support::{ACK, PROTOCOL, SYN, Tcp, origin, packet};

const FIRST: Protocol = Protocol { name: "first", ..PROTOCOL };
static FIRST_PROTOCOL: Protocol = FIRST;
static SECOND_PROTOCOL: Protocol = Protocol { name: "second", ..FIRST };

/// Takes words that begin with `?` for its own, and finds out by the first `!` whether they were.
struct Doubtful;

/// Takes any word, each an item, and those that begin with `>` for a switch.
struct Plain {
    protocol: &'static Protocol,
}

fn item(protocol: &'static Protocol, direction: Direction, text: &[u8], context: &mut Context<'_>) {
    let message =
        Fields::new().with("text", String::from_utf8_lossy(text).into_owned()).with("offset", context.offset);
    let kind = Kind { protocol, summarize: |_| Summary::default() };
    context.items.push(kind.message(direction, Half::new(context.now, text.len() as u64, message)));
}

impl Dissector for Doubtful {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        match bytes {
            [b'!', b'n', ..] => context.withdraw(),
            [b'!', b'y', ..] => context.confirm(),
            _ => {}
        }
        item(&FIRST_PROTOCOL, direction, bytes, context);
        bytes.len()
    }

    fn gap(&mut self, _: Direction, _: u64, _: &[u8], _: &mut Context<'_>) {}

    fn overflow(&mut self, _: Direction, _: &[u8], _: &mut Context<'_>) {}

    fn end(&mut self, _: Direction, _: End, _: &[u8], _: &mut Context<'_>) {}

    fn memory(&self) -> usize {
        1
    }
}

impl Dissector for Plain {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        context.confirm();
        if let [b'>', b'?'] = bytes {
            context.hand_over(Successor::Probed);
        } else if let [b'>', _] = bytes {
            context.hand_over(Successor::Known(Box::new(Self { protocol: &SECOND_PROTOCOL })));
        } else if let [b'w', ..] = bytes {
            // It expects a switch, and leaves the other side's bytes for whoever comes.
            return 0;
        }
        item(self.protocol, direction, bytes, context);
        bytes.len()
    }

    fn gap(&mut self, direction: Direction, bytes: u64, _: &[u8], context: &mut Context<'_>) {
        item(self.protocol, direction, format!("gap {bytes}").as_bytes(), context);
    }

    fn overflow(&mut self, _: Direction, _: &[u8], _: &mut Context<'_>) {}

    fn end(&mut self, direction: Direction, end: End, _: &[u8], context: &mut Context<'_>) {
        item(self.protocol, direction, format!("{end:?}").as_bytes(), context);
    }

    fn memory(&self) -> usize {
        1
    }
}

static STREAMS: &[Registration] = &[
    Registration {
        protocol: &FIRST_PROTOCOL,
        over: Over::Stream {
            probe: |_, _, bytes| if bytes.starts_with(b"?") { Probe::Likely } else { Probe::No },
            create: |_| Box::new(Doubtful),
        },
    },
    Registration {
        protocol: &SECOND_PROTOCOL,
        over: Over::Stream {
            probe: |_, _, bytes| if bytes.starts_with(b"?") { Probe::Likely } else { Probe::Certain },
            create: |_| Box::new(Plain { protocol: &SECOND_PROTOCOL }),
        },
    },
];

struct Capture {
    engine: Engine,
    items: Vec<Item>,
    sequence: [u32; 2],
    nanos: i64,
}

impl Capture {
    fn new(registry: &'static [Registration]) -> Self {
        let options = Options { conversations: false, connection_errors: false };
        let engine = Engine::with_registry(Limits::default(), origin(), registry).with_options(options);
        let mut capture = Self { engine, items: Vec::new(), sequence: [1; 2], nanos: 0 };
        capture.segment(Direction::ToServer, SYN, b"");
        capture.segment(Direction::ToClient, SYN | ACK, b"");
        capture
    }

    fn segment(&mut self, direction: Direction, flags: u8, payload: &[u8]) {
        let at = direction.index();
        self.nanos += 1_000;
        let segment = Tcp::new(direction, self.sequence[at], flags, payload)
            .acknowledging(self.sequence[direction.reverse().index()]);
        let bytes = if flags & SYN != 0 && flags & ACK == 0 {
            Tcp::new(direction, self.sequence[at], flags, payload).bytes()
        } else {
            segment.bytes()
        };
        self.engine.packet(&packet(&bytes, self.nanos), &mut self.items);
        self.sequence[at] += payload.len() as u32 + u32::from(flags & SYN != 0);
    }

    fn say(&mut self, direction: Direction, text: &[u8]) -> &mut Self {
        self.segment(direction, ACK, text);
        self
    }

    /// Protocol, direction's source port, text and offset of each item.
    fn finish(&mut self) -> Vec<(&'static str, u16, String)> {
        self.engine.finish(&mut self.items);
        self.told()
    }

    fn told(&mut self) -> Vec<(&'static str, u16, String)> {
        let row = |item: Item| {
            let request = item.draft.request.as_deref().expect("a message");
            let text = match (request.get("text"), request.get("offset")) {
                (Some(remora_dissect::Value::Str(text)), Some(remora_dissect::Value::Int(offset))) => {
                    format!("{offset}:{text}")
                }
                _ => String::new(),
            };
            (item.draft.protocol.name, item.src.port, text)
        };
        self.items.drain(..).map(row).collect()
    }
}

const CLIENT: u16 = support::CLIENT.1;
use Direction::{ToClient, ToServer};

#[test]
fn who_withdraws_leaves_nothing_and_the_next_reads_from_the_beginning() {
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b"?abc").say(ToClient, b"def");
    assert!(capture.told().is_empty(), "items wait for the verdict");
    capture.say(ToServer, b"!no").say(ToClient, b"ghi");
    let expected = [
        ("second", CLIENT, "0:?abc"),
        ("second", 80, "0:def"),
        ("second", CLIENT, "4:!no"),
        ("second", 80, "3:ghi"),
    ];
    assert_eq!(capture.told(), expected.map(|(name, port, text)| (name, port, text.to_owned())));
    assert_eq!(capture.engine.counters().items, 4);
}

#[test]
fn who_is_confirmed_keeps_the_stream() {
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b"?abc").say(ToClient, b"!yes").say(ToServer, b"more");
    let names: Vec<_> = capture.told().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["first", "first", "first"]);
    // Later it can only give up: what follows is not read.
    capture.say(ToServer, b"!no").say(ToServer, b"unread");
    assert_eq!(capture.told().len(), 1);
    assert_eq!(capture.engine.counters().undissected_bytes, 6);
}

#[test]
fn a_trial_ends_with_its_bytes_or_with_the_stream() {
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b"?abc");
    capture.say(ToServer, &[b'x'; 5_000]);
    assert_eq!(capture.told().len(), 2);
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b"?abc");
    assert_eq!(capture.finish(), [("first", CLIENT, "0:?abc".to_owned())]);
}

#[test]
fn a_stream_is_handed_over_with_what_lies_unread() {
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b"hello").say(ToClient, b"wait").say(ToServer, b">x");
    let expected = [(CLIENT, "0:hello"), (CLIENT, "5:>x")];
    assert_eq!(capture.told(), expected.map(|(port, text)| ("second", port, text.to_owned())));
    // The successor gets the server's bytes; it waits with them too.
    capture.say(ToClient, b"!");
    let mut capture = Capture::new(STREAMS);
    capture.say(ToServer, b">?").say(ToServer, b"?abc").say(ToServer, b"!yes");
    let names: Vec<_> = capture.finish().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["second", "first", "first"]);
}

#[test]
fn a_stream_that_keeps_switching_is_left() {
    let mut capture = Capture::new(STREAMS);
    for _ in 0..40 {
        capture.say(ToServer, b">x");
    }
    assert_eq!(capture.told().len(), 17);
    assert_eq!(capture.engine.counters().undissected_bytes, 2 * 23);
}

/// Packets that begin with `1` go unanswered for a second, others are items at once.
#[derive(Default)]
struct Waits {
    due: Option<u64>,
    withdraws: bool,
}

static ENDED: Mutex<usize> = Mutex::new(0);

impl DatagramDissector for Waits {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        if self.withdraws {
            item(&FIRST_PROTOCOL, direction, bytes, context);
            context.withdraw();
        } else if bytes.starts_with(b"1") {
            self.due = Some(context.clock + 1_000_000_000);
        } else {
            let text = [bytes, format!(" {missing}").as_bytes()].concat();
            item(&SECOND_PROTOCOL, direction, &text, context);
        }
    }

    fn due(&self) -> Option<u64> {
        self.due
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.due = None;
        item(&SECOND_PROTOCOL, ToServer, b"late", context);
    }

    fn end(&mut self, _: End, _: &mut Context<'_>) {
        *ENDED.lock().expect("no test panics with it") += 1;
    }

    fn memory(&self) -> usize {
        64
    }
}

static DATAGRAMS: &[Registration] = &[
    Registration {
        protocol: &FIRST_PROTOCOL,
        over: Over::Datagrams {
            transport: Transport::Udp,
            probe: |_, _, _| Probe::Certain,
            create: |_| Box::new(Waits { withdraws: true, ..Waits::default() }),
        },
    },
    Registration {
        protocol: &SECOND_PROTOCOL,
        over: Over::Datagrams {
            transport: Transport::Udp,
            probe: |_, _, bytes| if bytes.starts_with(b"<") { Probe::No } else { Probe::Likely },
            create: |_| Box::new(Waits::default()),
        },
    },
];

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Tcp::new(ToServer, 0, 0, b"").bytes();
    bytes.truncate(20);
    bytes[3] = (28 + payload.len()) as u8;
    bytes[9] = 17;
    bytes.extend([0xc0, 0x00, 0x03, 0xe9, 0, (8 + payload.len()) as u8, 0, 0]);
    bytes.extend(payload);
    bytes
}

#[test]
fn packets_have_their_dissectors_and_deadlines() {
    let mut capture = Capture::new(DATAGRAMS);
    let mut put = |capture: &mut Capture, payload: &[u8], kept: usize| {
        capture.nanos += 1_000;
        let data = udp(payload);
        let whole = packet(&data, capture.nanos);
        let cut = remora_packet::Packet { data: &data[..28 + kept], ..whole };
        capture.engine.packet(&cut, &mut capture.items);
    };
    put(&mut capture, b"abc", 3);
    put(&mut capture, b"defg", 2);
    let texts: Vec<_> = capture.told().into_iter().map(|(name, _, text)| (name, text)).collect();
    assert_eq!(texts, [("second", "0:abc 0".to_owned()), ("second", "0:de 2".to_owned())]);
    put(&mut capture, b"1", 1);
    assert!(capture.told().is_empty());
    capture.engine.advance(packet(&[], capture.nanos + 2_000_000_000).timestamp, &mut capture.items);
    assert_eq!(capture.told().len(), 1, "the deadline came without a packet");
    let before = *ENDED.lock().expect("no test panics with it");
    assert!(capture.engine.memory() >= 64);
    capture.finish();
    assert!(*ENDED.lock().expect("no test panics with it") > before);
    let Counters { unknown_streams, undissected_bytes, .. } = *capture.engine.counters();
    assert_eq!((unknown_streams, undissected_bytes), (0, 0));
}
