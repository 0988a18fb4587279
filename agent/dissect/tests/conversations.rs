//! Which packets make a conversation, who is who in it, when it is let go, and how its protocol is found.

mod support;

use std::net::IpAddr;

use remora_dissect::{
    Context, Direction, Dissector, Draft, End, Engine, Gap, Item, Limits, Object, Options, Over, Probe,
    Registration, Value, item,
};
use support::{ACK, CLIENT, FIN, PROTOCOL, RST, SERVER, SYN, Tcp, origin, packet};

/// A protocol of lines: each line that begins with `>` is an item of its own, unless something is missing. Other lines
/// are passed over.
static LINES: &[Registration] =
    &[Registration { protocol: &PROTOCOL, over: Over::Stream { probe, create: |_| Box::new(Lines) } }];

fn probe(_: Direction, _: u16, bytes: &[u8]) -> Probe {
    match bytes {
        [b'>', b'>', ..] => Probe::Certain,
        [] | [b'>'] => Probe::Unsure,
        _ => Probe::No,
    }
}

/// An item's request: the line, or what else was told.
#[derive(Debug)]
struct Line(String);

impl Object for Line {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("text", Value::str(&self.0));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        (name == "text").then(|| Value::str(&self.0))
    }
}

impl item::Message for Line {
    fn memory(&self) -> usize {
        self.0.capacity()
    }
}

struct Lines;

impl Lines {
    fn emit(direction: Direction, text: String, context: &mut Context<'_>) {
        context.items.push(Draft {
            protocol: &PROTOCOL,
            request_direction: direction,
            timestamp: context.now,
            elapsed: None,
            request_size: text.len() as u64,
            response_size: 0,
            request: Some(Box::new(Line(text))),
            response: None,
            error: None,
            gap: Gap::default(),
            tls: false,
            summarize: |_| item::Summary::default(),
        });
    }
}

impl Dissector for Lines {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            used += line.len();
            if line.starts_with(b">") {
                Self::emit(direction, String::from_utf8_lossy(line).trim_end().into(), context);
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        if bytes != 0 {
            Self::emit(direction, format!("gap {bytes} after {}", unparsed.len()), context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        Self::emit(direction, format!("overflow {}", unparsed.len()), context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        Self::emit(direction, format!("{end:?} after {}", unparsed.len()), context);
    }

    fn memory(&self) -> usize {
        1
    }
}

struct Capture {
    engine: Engine,
    items: Vec<Item>,
    nanos: i64,
}

impl Capture {
    fn new(limits: Limits) -> Self {
        let options = Options { conversations: false, connection_errors: false };
        let engine = Engine::with_registry(limits, origin(), LINES).with_options(options);
        Self { engine, items: Vec::new(), nanos: 0 }
    }

    fn put(&mut self, segment: Tcp) {
        self.nanos += 1_000_000;
        self.engine.packet(&packet(&segment.bytes(), self.nanos), &mut self.items);
    }

    fn pass(&mut self, seconds: i64) {
        self.nanos += seconds * 1_000_000_000;
        self.engine.advance(packet(b"", self.nanos).timestamp, &mut self.items);
    }

    fn client(&mut self, sequence: u32, payload: &[u8]) {
        self.put(Tcp::new(Direction::ToServer, sequence, ACK, payload));
    }

    fn server(&mut self, sequence: u32, payload: &[u8]) {
        self.put(Tcp::new(Direction::ToClient, sequence, ACK, payload));
    }

    /// Stream, position, port of the sender, text of each item since the last call.
    fn told(&mut self) -> Vec<(u64, u32, u16, String)> {
        let row = |item: Item| {
            let text = match item.draft.request.as_ref().and_then(|request| request.get("text")) {
                Some(Value::Str(text)) => text.into_owned(),
                _ => String::new(),
            };
            (item.stream.number, item.index, item.src.port, text)
        };
        self.items.drain(..).map(row).collect()
    }

    fn texts(&mut self) -> Vec<String> {
        self.told().into_iter().map(|(.., text)| text).collect()
    }
}

fn row(stream: u64, index: u32, port: u16, text: &str) -> (u64, u32, u16, String) {
    (stream, index, port, text.into())
}

#[test]
fn items_carry_their_stream_and_ends() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.put(Tcp::new(Direction::ToClient, 0, SYN, b"").acknowledging(1));
    capture.client(1, b">>one\n>two\n");
    capture.server(1, b"no\n>three\n");
    let item = &capture.items[0];
    assert_eq!(item.id(), "127.0.0.1:1/000000000001.pcap-0");
    assert_eq!((item.src.ip, item.dst.ip), (IpAddr::from(CLIENT.0), IpAddr::from(SERVER.0)));
    let expected = [row(1, 0, CLIENT.1, ">>one"), row(1, 1, CLIENT.1, ">two"), row(1, 2, SERVER.1, ">three")];
    assert_eq!(capture.told(), expected);
    assert_eq!(capture.engine.counters().items, 3);
}

#[test]
fn whoever_opens_is_the_client() {
    // From the higher port to the lower and the reverse, by SYN, by SYN and ACK alone, and by ports alone.
    let cases = [
        (Tcp::new(Direction::ToServer, 0, SYN, b""), CLIENT.1),
        (Tcp::new(Direction::ToClient, 0, SYN, b""), SERVER.1),
        (Tcp::new(Direction::ToClient, 0, SYN | ACK, b""), CLIENT.1),
        (Tcp::new(Direction::ToServer, 0, SYN | ACK, b""), SERVER.1),
        (Tcp::new(Direction::ToServer, 0, ACK, b"?"), CLIENT.1),
        (Tcp::new(Direction::ToClient, 0, ACK, b"?"), CLIENT.1),
    ];
    for (first, client) in cases {
        let name = format!("{first:?}");
        let mut capture = Capture::new(Limits::default());
        capture.put(first);
        capture.client(1, b">>a\n");
        capture.server(1, b">>b\n");
        capture.engine.finish(&mut capture.items);
        // The ends are told in the order to the server, to the client; each as coming from its sender.
        let ends = capture.told().into_iter().filter(|(.., text)| text.starts_with("Input"));
        let senders: Vec<u16> = ends.map(|(_, _, port, _)| port).collect();
        assert_eq!(senders[0], client, "{name}");
        assert_ne!(senders[1], client, "{name}");
    }
}

#[test]
fn ports_in_use_again_make_a_new_stream() {
    let mut capture = Capture::new(Limits::default());
    let syn = |sequence| Tcp::new(Direction::ToServer, sequence, SYN, b"");
    capture.put(syn(100));
    capture.client(101, b">>first\n");
    // The SYN again is not news.
    capture.put(syn(100));
    capture.client(109, b">still first\n");
    assert_eq!(capture.told(), [row(1, 0, CLIENT.1, ">>first"), row(1, 1, CLIENT.1, ">still first")]);
    // Another is, although the connection was not closed; a late copy of the former then changes nothing.
    capture.put(syn(900_000));
    assert_eq!(capture.texts(), ["Evicted after 0", "Evicted after 0"]);
    capture.client(900_001, b">>second\n");
    capture.put(syn(100));
    capture.client(900_010, b">still second\n");
    assert_eq!(capture.told(), [row(2, 0, CLIENT.1, ">>second"), row(2, 1, CLIENT.1, ">still second")]);
    // Closed, late packets of it, opened again from the other side.
    capture.put(Tcp::new(Direction::ToServer, 900_024, RST, b""));
    capture.client(900_010, b">still second\n");
    capture.server(1, b"late\n");
    assert_eq!(capture.texts(), ["Reset after 0", "Reset after 0"]);
    capture.put(Tcp::new(Direction::ToClient, 5, SYN, b""));
    capture.server(6, b">>third\n");
    assert_eq!(capture.told(), [row(3, 0, SERVER.1, ">>third")]);
    let counters = capture.engine.counters();
    assert_eq!((counters.streams, counters.evicted_streams), (3, 0));
}

#[test]
fn a_new_stream_on_the_ports_of_a_closed_one_needs_no_syn() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp::new(Direction::ToServer, 100, SYN, b""));
    capture.put(Tcp::new(Direction::ToServer, 101, RST, b""));
    capture.client(1_000_000_000, b">>joined\n");
    capture.told();
    assert_eq!(capture.engine.counters().streams, 2);
}

#[test]
fn both_may_open_at_once() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp::new(Direction::ToServer, 100, SYN, b""));
    capture.put(Tcp::new(Direction::ToClient, 500, SYN, b""));
    capture.put(Tcp::new(Direction::ToServer, 100, SYN, b"").acknowledging(501));
    capture.put(Tcp::new(Direction::ToClient, 500, SYN, b"").acknowledging(101));
    capture.client(101, b">>a\n");
    capture.server(501, b">>b\n");
    assert_eq!(capture.told(), [row(1, 0, CLIENT.1, ">>a"), row(1, 1, SERVER.1, ">>b")]);
}

#[test]
fn silence_ends_a_stream_and_a_closed_one_is_soon_forgotten() {
    let mut capture = Capture::new(Limits { stream_idle_seconds: 60, ..Limits::default() });
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.client(1, b">>unfinished");
    capture.pass(50);
    assert_eq!(capture.texts(), [""; 0]);
    capture.client(13, b" line");
    capture.pass(50);
    assert_eq!(capture.engine.streams_open(), 1);
    capture.pass(11);
    assert_eq!(capture.texts(), ["Evicted after 17", "Evicted after 0"]);
    assert_eq!((capture.engine.streams_open(), capture.engine.counters().idle_streams), (0, 1));

    let empty = Capture::new(Limits::default()).engine.memory();
    assert!(capture.engine.memory() >= empty);
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.put(Tcp::new(Direction::ToServer, 1, FIN, b""));
    capture.put(Tcp::new(Direction::ToClient, 0, SYN | FIN, b""));
    assert_eq!(capture.engine.streams_open(), 0);
    // Long after, the same numbers are another connection.
    capture.pass(6);
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    assert_eq!((capture.engine.streams_open(), capture.engine.counters().streams), (1, 3));
}

#[test]
fn a_connection_begun_after_a_long_silence_is_one() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp { source: (CLIENT.0, 1_001), ..Tcp::new(Direction::ToServer, 0, SYN, b"") });
    // Only packets tell.
    capture.nanos += 90_000_000_000_000;
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.put(Tcp::new(Direction::ToClient, 0, SYN, b"").acknowledging(1));
    assert_eq!((capture.engine.streams_open(), capture.engine.counters().idle_streams), (1, 1));
    capture.client(1, b">>hi\n");
    capture.engine.finish(&mut capture.items);
    assert_eq!(capture.texts(), [">>hi", "Input after 0", "Input after 0"]);
}

#[test]
fn above_the_cap_the_finished_go_first_then_the_longest_silent() {
    let mut capture = Capture::new(Limits { streams: 3, ..Limits::default() });
    let open = |capture: &mut Capture, port: u16| {
        capture.put(Tcp { source: (CLIENT.0, port), ..Tcp::new(Direction::ToServer, 0, SYN, b"") });
        capture.put(Tcp { source: (CLIENT.0, port), ..Tcp::new(Direction::ToServer, 1, 0, b">>hi\n") });
        capture.pass(2);
    };
    for port in [1_001, 1_002, 1_003] {
        open(&mut capture, port);
    }
    // The first is not the longest silent any more; the third is over.
    capture.put(Tcp { source: (CLIENT.0, 1_001), ..Tcp::new(Direction::ToServer, 6, 0, b">ho\n") });
    capture.put(Tcp { source: (CLIENT.0, 1_003), ..Tcp::new(Direction::ToServer, 6, RST, b"") });
    capture.told();
    open(&mut capture, 1_004);
    assert_eq!(capture.told(), [row(4, 0, 1_004, ">>hi")]);
    assert_eq!(capture.engine.counters().evicted_streams, 0);
    open(&mut capture, 1_005);
    let expected =
        [row(2, 1, 1_002, "Evicted after 0"), row(2, 2, 80, "Evicted after 0"), row(5, 0, 1_005, ">>hi")];
    assert_eq!(capture.told(), expected);
    assert_eq!((capture.engine.counters().evicted_streams, capture.engine.streams_open()), (1, 3));
}

#[test]
fn unfinished_bytes_are_kept_until_the_rest_comes_or_the_cap_is_reached() {
    let mut capture = Capture::new(Limits { pending_bytes: 20, ..Limits::default() });
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    for (sequence, piece) in [(1, &b">"[..]), (2, b">in "), (6, b"pieces"), (12, b"\n>rest")] {
        capture.client(sequence, piece);
    }
    assert_eq!(capture.texts(), [">>in pieces"]);
    capture.client(18, b" too long to be kept");
    assert_eq!(capture.texts(), ["overflow 25"]);
    assert_eq!(capture.engine.counters().pending_overflows, 1);
    capture.client(38, b"\n>next\n");
    assert_eq!(capture.texts(), [">next"]);
}

#[test]
fn an_unknown_protocol_is_counted_and_costs_nothing() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.put(Tcp::new(Direction::ToClient, 0, SYN, b"").acknowledging(1));
    let empty = capture.engine.memory();
    capture.client(1, b"unknown");
    capture.server(1, b"unknown");
    // What looks like the protocol later is not it.
    capture.server(8, b">>too late\n");
    assert_eq!(capture.engine.memory(), empty);
    assert_eq!(capture.engine.counters().undissected_bytes, 25);
    // A hole is not waited for.
    capture.client(1_000, b"beyond a hole");
    assert_eq!(capture.engine.memory(), empty);
    capture.engine.finish(&mut capture.items);
    assert_eq!(capture.texts(), [""; 0]);
    let counters = capture.engine.counters();
    assert_eq!((counters.unknown_streams, counters.undissected_bytes), (1, 38));
    assert_eq!((counters.gaps, counters.reordered_segments), (0, 0));
}

#[test]
fn behind_a_hole_an_unknown_protocol_may_become_known() {
    let mut capture = Capture::new(Limits::default());
    capture.put(Tcp::new(Direction::ToServer, 0, SYN, b""));
    capture.client(1, b"unknown");
    capture.client(100, b"unknown");
    capture.client(107, b">>known\n");
    assert_eq!(capture.texts(), ["gap 106 after 0", ">>known"]);
}

#[test]
fn a_stream_joined_in_a_message_is_understood_from_the_next_one() {
    let mut capture = Capture::new(Limits::default());
    let mut sequence = 1;
    let mut body = |capture: &mut Capture, payload: &[u8]| {
        capture.server(sequence, payload);
        sequence += payload.len() as u32;
    };
    for _ in 0..50 {
        body(&mut capture, b"the middle of something");
    }
    capture.client(1, b">>question\n");
    body(&mut capture, b">>answer\n");
    // The server's bytes so far were passed over, and the dissector is told.
    let expected =
        [row(1, 0, 80, "gap 1150 after 0"), row(1, 1, CLIENT.1, ">>question"), row(1, 2, 80, ">>answer")];
    assert_eq!(capture.told(), expected);
}

#[test]
fn other_protocols_of_ip_are_told_apart() {
    let mut capture = Capture::new(Limits::default());
    let ip = |protocol: u8, payload: &[u8]| {
        let mut bytes = Tcp::new(Direction::ToServer, 0, 0, b"").bytes();
        bytes.truncate(20);
        bytes[3] = 20 + payload.len() as u8;
        bytes[9] = protocol;
        [&bytes, payload].concat()
    };
    let dns = [0xc0, 0x00, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
    for (protocol, payload) in [(17, &dns[..]), (17, &dns), (1, &[8, 0, 0, 0]), (33, &[0; 12]), (6, &[0; 12])]
    {
        capture.engine.packet(&packet(&ip(protocol, payload), 0), &mut capture.items);
    }
    let counters = capture.engine.counters();
    assert_eq!((counters.udp_packets, counters.icmp_packets, counters.streams), (2, 1, 2));
    assert_eq!((counters.unknown_packets, counters.malformed_packets), (1, 1));
    assert_eq!(capture.engine.streams_open(), 2);
    capture.pass(61);
    assert_eq!((capture.engine.streams_open(), capture.engine.counters().idle_streams), (0, 0));
}

#[test]
fn fragments_are_noted_until_their_datagram_is_whole() {
    let mut capture = Capture::new(Limits::default());
    let whole = Tcp::new(Direction::ToServer, 0, SYN, b">>in fragments\n").bytes();
    let piece = |range: std::ops::Range<usize>, word: u16| {
        let mut bytes = whole[..20].to_vec();
        bytes[3] = 20 + range.len() as u8;
        bytes[6..8].copy_from_slice(&word.to_be_bytes());
        bytes.extend(&whole[20..][range]);
        bytes
    };
    let payload = whole.len() - 20;
    let pieces = [piece(24..payload, 3), piece(0..16, 0x2000), piece(16..24, 0x2002)];
    // The first after a long silence waits as long as others.
    let now = 90_000_000_000_000;
    let mut late = Capture::new(Limits::default());
    late.engine.packet(&packet(b"", 0), &mut late.items);
    for bytes in &pieces {
        late.engine.packet(&packet(bytes, now), &mut late.items);
    }
    assert_eq!(
        (late.texts(), late.engine.counters().dropped_fragments),
        (vec![">>in fragments".to_owned()], 0)
    );
    let notes = pieces.map(|bytes| capture.engine.packet(&packet(&bytes, 0), &mut capture.items));
    assert_eq!(notes.map(|note| note.fragmented), [true, true, false]);
    let stream = item::StreamName { number: 1, transport: item::Transport::Tcp };
    assert_eq!(notes.map(|note| note.stream), [None, None, Some(stream)]);
    assert_eq!(capture.texts(), [">>in fragments"]);
}
