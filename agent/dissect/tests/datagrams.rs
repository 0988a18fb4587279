//! Conversations of datagrams: time-outs, wrong guesses, and caps.

mod support;
mod talk;

use remora_dissect::exchange::{Half, Kind};
use remora_dissect::item::{Absence, Summary, Transport};
use remora_dissect::pair::ById;
use remora_dissect::{
    Context, DatagramDissector, Direction, End, Engine, Fields, Item, Limits, Over, Probe, Protocol,
    Registration, Tree,
};
use remora_packet::{LinkType, Packet, Timestamp};
use support::{PROTOCOL, origin};

/// `?K...` asks, `!K...` answers by the letter K, `x` is not allowed.
struct Letters {
    pairs: ById<u8>,
    withdraws: bool,
}

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize: |_: &Item| Summary::default() };

impl DatagramDissector for Letters {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let half = || {
            let message = Fields::new().with("text", Tree::lossy(bytes));
            Half::new(context.now, bytes.len() as u64, message).missing(missing.into())
        };
        match bytes {
            [b'?', key, ..] => self.pairs.request(*key, half(), (), context),
            [b'!', key, ..] => self.pairs.response(key, half(), context),
            _ if self.withdraws => {
                context.items.push(KIND.failure(direction, context.now, bytes, 0, "not a letter"));
                context.withdraw();
            }
            _ => context.items.push(KIND.failure(direction, context.now, bytes, 0, "not a letter")),
        }
    }

    fn due(&self) -> Option<u64> {
        self.pairs.due()
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairs.elapse(context);
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        self.pairs.give_up(Absence::Ended(end), context);
    }

    fn memory(&self) -> usize {
        self.pairs.memory()
    }
}

fn letters(withdraws: bool) -> Box<dyn DatagramDissector> {
    Box::new(Letters { pairs: ById::new(KIND, Direction::ToServer), withdraws })
}

static OTHER: Protocol = Protocol { name: "other", ..PROTOCOL_COPY };
const PROTOCOL_COPY: Protocol = Protocol {
    name: "recorder",
    version: "1",
    abbr: "REC",
    long_name: "Recorder",
    macro_name: "recorder",
    background_color: "#000000",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "",
    ports: &[],
    layer4: "udp",
    priority: 0,
};

/// Two that think they know every datagram; the first withdraws from what it does not allow.
static REGISTRY: &[Registration] = &[
    Registration {
        protocol: &OTHER,
        over: Over::Datagrams {
            transport: Transport::Udp,
            probe: |_, _, _| Probe::Likely,
            create: |_| letters(true),
        },
    },
    Registration {
        protocol: &PROTOCOL,
        over: Over::Datagrams {
            transport: Transport::Udp,
            probe: |_, _, _| Probe::Likely,
            create: |_| letters(false),
        },
    },
];

struct Wire {
    engine: Engine,
    items: Vec<Item>,
    now: i64,
}

impl Wire {
    fn new(limits: Limits) -> Self {
        Self { engine: Engine::with_registry(limits, origin(), REGISTRY), items: Vec::new(), now: 0 }
    }

    /// A datagram over IPv4 between two hosts.
    fn send(&mut self, from: (u8, u16), to: (u8, u16), payload: &[u8]) {
        let length = u16::try_from(28 + payload.len()).expect("it fits");
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, from.0, 192, 0, 2, to.0]);
        packet.extend(from.1.to_be_bytes());
        packet.extend(to.1.to_be_bytes());
        packet.extend((length - 20).to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(payload);
        self.now += 1_000_000;
        let timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000 + self.now);
        let length = packet.len() as u32;
        let packet = Packet { timestamp, link: LinkType::RAW, interface: 0, length, data: &packet };
        self.engine.packet(&packet, &mut self.items);
    }

    fn texts(&self) -> Vec<String> {
        let text = |item: &Item| {
            let json = talk::as_json(item);
            let side = |name: &str| json[name]["text"].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {}",
                side("request"),
                side("response"),
                json["error"]["type"].as_str().unwrap_or("ok")
            )
        };
        self.items.iter().map(text).collect()
    }
}

const CLIENT: (u8, u16) = (1, 40_000);
const SERVER: (u8, u16) = (2, 1_812);

#[test]
fn the_first_datagram_after_a_long_silence_waits_for_its_answer_like_others() {
    let mut wire = Wire::new(Limits::default());
    wire.send(CLIENT, SERVER, b"?a");
    for (client, question, answer) in [(CLIENT, b"?b", b"!b"), ((3, 50_000), b"?c", b"!c")] {
        wire.now += 90_000_000_000_000;
        wire.send(client, SERVER, question);
        wire.send(SERVER, client, answer);
    }
    wire.engine.finish(&mut wire.items);
    assert_eq!(wire.texts(), ["?b !b ok", "?a - timeout", "?c !c ok"]);

    // Its own time is over when it would have been.
    let mut wire = Wire::new(Limits { answer_seconds: 5, ..Limits::default() });
    wire.send(CLIENT, SERVER, b"?a");
    wire.now += 90_000_000_000_000;
    wire.send((3, 50_000), SERVER, b"?b");
    wire.now += 4_000_000_000;
    wire.send((4, 50_000), SERVER, b"?c");
    assert_eq!(wire.texts(), ["?a - timeout"]);
    wire.now += 1_000_000_000;
    wire.send((4, 50_000), SERVER, b"?d");
    assert_eq!(wire.texts(), ["?a - timeout", "?b - timeout"]);
}

#[test]
fn an_unanswered_datagram_comes_out_when_its_time_is_over() {
    let mut wire = Wire::new(Limits { answer_seconds: 5, ..Limits::default() });
    wire.send(CLIENT, SERVER, b"?a");
    wire.now += 1_000_000_000;
    wire.send(CLIENT, SERVER, b"?b");
    wire.send(SERVER, CLIENT, b"!b");
    assert_eq!(wire.texts(), ["?b !b ok"]);
    // Another conversation's packet lets time pass, and so does the clock alone.
    wire.now += 4_500_000_000;
    wire.send((3, 50_000), SERVER, b"?c");
    assert_eq!(wire.texts(), ["?b !b ok", "?a - timeout"]);
    wire.now += 6_000_000_000;
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000 + wire.now);
    wire.engine.advance(now, &mut wire.items);
    assert_eq!(wire.texts().last().unwrap(), "?c - timeout");
    wire.send(SERVER, CLIENT, b"!a");
    assert_eq!(wire.texts().last().unwrap(), "- !a pair-not-found");
}

#[test]
fn whoever_answers_first_is_the_server() {
    let mut wire = Wire::new(Limits::default());
    wire.send(SERVER, CLIENT, b"!a");
    wire.send(CLIENT, SERVER, b"?b");
    wire.send(SERVER, CLIENT, b"!b");
    assert_eq!(wire.texts(), ["- !a pair-not-found", "?b !b ok"]);
    assert!(wire.items.iter().all(|item| item.dst.port == SERVER.1));
}

#[test]
fn who_withdraws_leaves_no_item_and_the_next_takes_over() {
    let mut wire = Wire::new(Limits::default());
    wire.send(CLIENT, SERVER, b"x");
    assert_eq!(wire.items.len(), 1, "the one of who stays");
    wire.send(CLIENT, SERVER, b"?a");
    wire.send(SERVER, CLIENT, b"!a");
    wire.send(CLIENT, SERVER, b"x");
    assert_eq!(wire.texts()[1..], ["?a !a ok", "- - dissection"]);
}

#[test]
fn a_request_that_waits_when_its_dissector_withdraws_comes_out() {
    let mut wire = Wire::new(Limits::default());
    wire.send(CLIENT, SERVER, b"?a");
    wire.send(CLIENT, SERVER, b"x");
    wire.engine.finish(&mut wire.items);
    assert_eq!(wire.texts(), ["- - dissection"], "what a wrong guess made is gone");
}

#[test]
fn many_conversations_stay_under_the_cap() {
    let mut wire = Wire::new(Limits { total_bytes: 40_000, ..Limits::default() });
    let long = [b"?a".to_vec(), vec![b'z'; 1_000]].concat();
    for port in 0..2_000 {
        wire.send((1, 40_000 + port), SERVER, if port % 40 == 39 { &long } else { b"?a" });
        let held = wire.engine.memory();
        assert!(held < 40_000 + 1_000_000, "{held}");
    }
    assert!(wire.engine.counters().evicted_streams > 1_000);
    wire.engine.finish(&mut wire.items);
    assert_eq!(wire.items.len(), 2_000);
    // One that is larger than the cap goes at once, and all others before it.
    let mut wire = Wire::new(Limits { total_bytes: 100_000, ..Limits::default() });
    (0..300).for_each(|port| wire.send((1, 40_000 + port), SERVER, b"?a"));
    wire.send(CLIENT, SERVER, &[b"?b".to_vec(), vec![b'z'; 60_000]].concat());
    wire.engine.finish(&mut wire.items);
    assert_eq!(wire.items.len(), 301);
}
