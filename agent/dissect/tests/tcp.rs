//! TCP as it is met: what each kind of packet does to a stream.

mod support;

use Direction::{ToClient, ToServer};
use remora_dissect::{Counters, Direction, End, Engine, Limits};
use support::Event::{self, Data, Gap};
use support::{ACK, FIN, RST, SYN, Tcp, events, packet, recording_engine};

/// First numbers of the two sides.
const CLIENT: u32 = 1_000;
const SERVER: u32 = 5_000;

struct Talk {
    engine: Engine,
    millis: i64,
}

impl Talk {
    /// A connection that nobody has said anything on.
    fn silent(limits: Limits) -> Self {
        Self { engine: recording_engine(limits), millis: 0 }
    }

    /// A connection after its handshake and one byte each way.
    fn open() -> Self {
        Self::open_with(Limits::default())
    }

    fn open_with(limits: Limits) -> Self {
        let mut talk = Self::silent(limits);
        talk.put(Tcp::new(ToServer, CLIENT - 1, SYN, b""));
        talk.put(Tcp::new(ToClient, SERVER - 1, SYN, b"").acknowledging(CLIENT));
        talk.client(0, b"c", 0);
        talk.server(0, b"s", 1);
        assert_eq!(talk.told(), [data(ToServer, "c"), data(ToClient, "s")]);
        talk
    }

    fn put(&mut self, segment: Tcp) {
        self.millis += 1;
        let bytes = segment.bytes();
        self.engine.packet(&packet(&bytes, self.millis * 1_000_000), &mut Vec::new());
    }

    /// Sends from an offset in the client's stream, acknowledging an offset in the server's.
    fn client(&mut self, offset: u32, payload: &[u8], acknowledges: u32) {
        self.put(Tcp::new(ToServer, CLIENT + offset, 0, payload).acknowledging(SERVER + acknowledges));
    }

    fn server(&mut self, offset: u32, payload: &[u8], acknowledges: u32) {
        self.put(Tcp::new(ToClient, SERVER + offset, 0, payload).acknowledging(CLIENT + acknowledges));
    }

    fn pass(&mut self, millis: i64) {
        self.millis += millis;
        self.engine.advance(packet(b"", self.millis * 1_000_000).timestamp, &mut Vec::new());
    }

    fn told(&self) -> Vec<Event> {
        events().into_iter().map(|(_, event)| event).collect()
    }

    fn counters(&self) -> &Counters {
        self.engine.counters()
    }

    fn finish(&mut self) -> Vec<Event> {
        self.engine.finish(&mut Vec::new());
        self.told()
    }
}

fn data(direction: Direction, text: &str) -> Event {
    Data(direction, text.as_bytes().to_vec())
}

fn ends(end: End) -> [Event; 2] {
    Direction::BOTH.map(|direction| Event::End(direction, end))
}

#[test]
fn in_order_bytes_come_as_they_lie_in_the_packet() {
    let mut talk = Talk::open();
    talk.client(1, b"one", 1);
    talk.client(4, b"two", 1);
    assert_eq!(talk.told(), [data(ToServer, "one"), data(ToServer, "two")]);
    assert_eq!(talk.finish(), ends(End::Input));
}

#[test]
fn a_hole_fills() {
    let mut talk = Talk::open();
    talk.client(4, b"two", 1);
    talk.client(10, b"four", 1);
    talk.client(7, b"six", 1);
    assert_eq!(talk.told(), []);
    talk.client(1, b"one", 1);
    let expected = ["one", "two", "six", "four"].map(|text| data(ToServer, text));
    assert_eq!(talk.told(), expected);
    assert_eq!(talk.counters().reordered_segments, 3);
    assert_eq!(talk.counters().gaps, 0);
}

#[test]
fn the_first_bytes_win_and_contradictions_are_counted() {
    let mut talk = Talk::open();
    talk.client(4, b"AAAA", 1);
    talk.client(2, b"bbbbbbbb", 1);
    talk.client(1, b"cc", 1);
    assert_eq!(talk.told(), ["c", "bb", "AAAA", "bb"].map(|text| data(ToServer, text)));
    // 4 over the As; 1 of the last segment, over a b.
    assert_eq!((talk.counters().duplicate_bytes, talk.counters().conflicting_bytes), (5, 5));
}

#[test]
fn a_retransmission_is_told_once() {
    let mut talk = Talk::open();
    talk.client(1, b"once", 1);
    talk.client(1, b"once", 1);
    talk.client(3, b"cetwice", 1);
    assert_eq!(talk.told(), [data(ToServer, "once"), data(ToServer, "twice")]);
    assert_eq!(talk.counters().duplicate_bytes, 6);
}

#[test]
fn keep_alives_and_window_probes_are_no_data() {
    let mut talk = Talk::open();
    talk.client(0, b"", 1);
    talk.client(0, b"\0", 1);
    talk.server(0, b"", 1);
    assert_eq!(talk.told(), []);
    assert_eq!((talk.counters().duplicate_bytes, talk.counters().reordered_segments), (0, 0));
    // A probe may also carry the next byte; it comes again with the data if there was no room for it.
    talk.client(1, b"n", 1);
    talk.client(1, b"next", 1);
    assert_eq!(talk.told(), [data(ToServer, "n"), data(ToServer, "ext")]);
}

#[test]
fn what_the_receiver_has_was_lost_to_the_capture_only() {
    let mut talk = Talk::open();
    talk.client(101, b"after", 1);
    talk.server(1, b"", 106);
    for _ in 0..10 {
        assert_eq!(talk.told(), [], "it may still come");
        talk.server(1, b"", 106);
    }
    talk.pass(30);
    talk.server(1, b"", 106);
    assert_eq!(talk.told(), [Gap(ToServer, 100), data(ToServer, "after")]);
    assert_eq!((talk.counters().gaps, talk.counters().missing_bytes), (1, 100));
}

#[test]
fn an_answer_waits_for_a_question_the_capture_delivers_late() {
    let mut talk = Talk::open();
    talk.server(1, b"answer", 9);
    talk.server(7, b"more", 9);
    assert_eq!(talk.told(), []);
    talk.client(1, b"question", 1);
    assert_eq!(
        talk.told(),
        ["question", "answer", "more"]
            .map(|text| { data(if text == "question" { ToServer } else { ToClient }, text) })
    );
}

#[test]
fn an_answer_whose_question_was_lost_comes_after_the_gap() {
    let mut talk = Talk::open();
    talk.server(1, b"answer", 9);
    talk.client(9, b"", 7);
    assert_eq!(talk.told(), []);
    talk.pass(3_000);
    assert_eq!(talk.told(), [Gap(ToServer, 8), data(ToClient, "answer")]);
}

#[test]
fn a_single_wild_acknowledgment_tears_nothing() {
    let mut talk = Talk::open();
    talk.server(1, b"", 900_000);
    talk.client(1, b"goes on", 1);
    talk.server(1, b"too", 8);
    assert_eq!(talk.told(), [data(ToServer, "goes on"), data(ToClient, "too")]);
    talk.pass(5_000);
    assert_eq!(talk.told(), []);
    assert_eq!(talk.counters().gaps, 0);
}

#[test]
fn a_hole_nobody_acknowledges_is_given_up_after_a_while() {
    let mut talk = Talk::open();
    talk.client(101, b"after", 1);
    talk.pass(2_900);
    assert_eq!(talk.told(), []);
    talk.pass(100);
    assert_eq!(talk.told(), [Gap(ToServer, 100), data(ToServer, "after")]);
    // What comes later than that is too late.
    talk.client(1, &[b'x'; 100], 1);
    assert_eq!(talk.told(), []);
}

#[test]
fn a_hole_is_given_up_when_too_much_waits() {
    let mut talk = Talk::open_with(Limits { reorder_segments: 3, ..Limits::default() });
    for offset in [11, 21, 31] {
        talk.client(offset, b"x", 1);
    }
    assert_eq!(talk.told(), []);
    talk.client(41, b"y", 1);
    assert_eq!(talk.told(), [Gap(ToServer, 10), data(ToServer, "x")]);
    assert_eq!(talk.counters().reorder_overflows, 1);
}

#[test]
fn a_fin_ends_its_direction_after_all_data() {
    let mut talk = Talk::open();
    talk.put(Tcp::new(ToServer, CLIENT + 6, FIN, b"last").acknowledging(SERVER + 1));
    assert_eq!(talk.told(), []);
    talk.client(1, b"first", 1);
    let fin = |direction| Event::End(direction, End::Fin);
    assert_eq!(talk.told(), [data(ToServer, "first"), data(ToServer, "last"), fin(ToServer)]);
    // The other side goes on, acknowledging the FIN; what is beyond a FIN does not exist.
    talk.server(1, b"still here", 11);
    talk.client(10, b"ghost", 11);
    assert_eq!(talk.told(), [data(ToClient, "still here")]);
    talk.put(Tcp::new(ToClient, SERVER + 11, FIN, b"").acknowledging(CLIENT + 11));
    assert_eq!(talk.told(), [fin(ToClient)]);
    assert_eq!(talk.engine.streams_open(), 0);
    assert_eq!(talk.finish(), []);
}

#[test]
fn both_sides_may_close_at_once() {
    let mut talk = Talk::open();
    talk.put(Tcp::new(ToServer, CLIENT + 1, FIN, b"").acknowledging(SERVER + 1));
    talk.put(Tcp::new(ToClient, SERVER + 1, FIN, b"").acknowledging(CLIENT + 1));
    talk.client(2, b"", 2);
    talk.server(2, b"", 2);
    assert_eq!(talk.told(), ends(End::Fin));
    assert_eq!((talk.engine.streams_open(), talk.counters().streams), (0, 1));
}

#[test]
fn a_fin_that_was_not_captured_is_no_missing_byte() {
    let mut talk = Talk::open();
    for _ in 0..60 {
        talk.server(1, b"", 2);
        talk.client(2, b"", 1);
    }
    talk.pass(5_000);
    talk.server(1, b"bye", 2);
    assert_eq!(talk.told(), [data(ToClient, "bye")]);
    assert_eq!(talk.counters().gaps, 0);
}

#[test]
fn a_fin_behind_a_hole_ends_when_the_hole_is_given_up() {
    let mut talk = Talk::open();
    talk.put(Tcp::new(ToServer, CLIENT + 21, FIN, b"").acknowledging(SERVER + 1));
    talk.pass(3_000);
    assert_eq!(talk.told(), [Gap(ToServer, 20), Event::End(ToServer, End::Fin)]);
}

#[test]
fn a_reset_ends_both_directions_and_nothing_comes_after() {
    let mut talk = Talk::open();
    talk.client(11, b"kept", 1);
    talk.put(Tcp::new(ToClient, SERVER + 1, RST, b""));
    let [to_server, to_client] = ends(End::Reset);
    assert_eq!(talk.told(), [Gap(ToServer, 10), data(ToServer, "kept"), to_server, to_client]);
    talk.client(15, b"late", 1);
    talk.server(1, b"late", 1);
    talk.put(Tcp::new(ToClient, SERVER + 1, RST, b""));
    assert_eq!(talk.finish(), []);
    assert_eq!(talk.counters().streams, 1);
}

#[test]
fn a_reset_from_nowhere_is_ignored() {
    let mut talk = Talk::open();
    talk.put(Tcp::new(ToClient, SERVER.wrapping_add(1 << 30), RST, b""));
    talk.client(1, b"goes on", 1);
    assert_eq!(talk.told(), [data(ToServer, "goes on")]);
}

#[test]
fn a_refused_connection_is_over() {
    let mut talk = Talk::silent(Limits::default());
    talk.put(Tcp::new(ToServer, CLIENT - 1, SYN, b""));
    assert_eq!(talk.engine.streams_open(), 1);
    talk.put(Tcp::new(ToClient, 0, RST, b"").acknowledging(CLIENT));
    assert_eq!((talk.engine.streams_open(), talk.counters().streams), (0, 1));
}

#[test]
fn data_may_come_with_the_syn() {
    let mut talk = Talk::silent(Limits::default());
    talk.put(Tcp::new(ToServer, CLIENT - 1, SYN, b"early"));
    talk.put(Tcp::new(ToClient, SERVER - 1, SYN, b"").acknowledging(CLIENT + 5));
    talk.client(5, b"late", 0);
    assert_eq!(talk.told(), [data(ToServer, "early"), data(ToServer, "late")]);
}

#[test]
fn sequence_numbers_wrap() {
    let mut talk = Talk::silent(Limits::default());
    let start = u32::MAX - 4;
    talk.put(Tcp::new(ToServer, start.wrapping_sub(1), SYN, b""));
    let at = |offset: u32| start.wrapping_add(offset);
    talk.put(Tcp::new(ToServer, at(10), 0, b"klmno"));
    talk.put(Tcp::new(ToServer, at(3), 0, b"defghij"));
    talk.put(Tcp::new(ToServer, at(0), 0, b"abcd"));
    talk.put(Tcp::new(ToServer, at(0), 0, b"abcd"));
    assert_eq!(talk.told(), ["abc", "defghij", "klmno"].map(|text| data(ToServer, text)));
    assert_eq!(talk.counters().duplicate_bytes, 5);
}

#[test]
fn a_stream_joined_in_the_middle_begins_where_it_is_met() {
    let mut talk = Talk::silent(Limits::default());
    // A bare acknowledgment opens nothing.
    talk.client(70, b"", 90);
    assert_eq!(talk.counters().streams, 0);
    talk.server(90, b"middle", 70);
    // A keep-alive before the first data: the data begins one further on.
    talk.client(69, b"", 96);
    talk.client(70, b"next", 96);
    assert_eq!(talk.told(), [data(ToClient, "middle"), data(ToServer, "next")]);
    assert_eq!(talk.counters().gaps, 0);
}

#[test]
fn a_direction_first_seen_beyond_what_its_receiver_had_begins_with_a_gap() {
    let mut talk = Talk::silent(Limits::default());
    talk.client(70, b"question", 90);
    // The answer at 90 was lost, and the next question; this answers that one.
    talk.server(110, b"answer", 86);
    talk.client(86, b"third", 116);
    let told = talk.finish();
    assert!(told.contains(&Event::Gap(ToClient, 20)), "{told:?}");
    let at = |event: &Event| told.iter().position(|told| told == event);
    assert!(at(&Event::Gap(ToClient, 20)) < at(&data(ToClient, "answer")), "{told:?}");
}

#[test]
fn one_direction_alone_is_followed() {
    let mut talk = Talk::silent(Limits::default());
    talk.put(Tcp::new(ToServer, CLIENT - 1, SYN, b""));
    for offset in [0, 3, 6] {
        talk.client(offset, b"abc", 1_000 + offset);
    }
    talk.put(Tcp::new(ToServer, CLIENT + 9, FIN | ACK, b""));
    let expected = [data(ToServer, "abc"), data(ToServer, "abc"), data(ToServer, "abc")];
    assert_eq!(talk.told(), [&expected[..], &[Event::End(ToServer, End::Fin)]].concat());
    assert_eq!(talk.finish(), [Event::End(ToClient, End::Input)]);
}

#[test]
fn what_the_capture_cut_off_is_a_gap_at_once() {
    let mut talk = Talk::open();
    let bytes = Tcp::new(ToServer, CLIENT + 1, ACK, b"0123456789").acknowledging(SERVER + 1).bytes();
    let mut cut = packet(&bytes, 10_000_000);
    cut.data = &bytes[..bytes.len() - 6];
    talk.engine.packet(&cut, &mut Vec::new());
    talk.client(11, b"whole", 1);
    assert_eq!(talk.told(), [data(ToServer, "0123"), Gap(ToServer, 6), data(ToServer, "whole")]);
    assert_eq!(talk.counters().truncated_packets, 1);
}

#[test]
fn gigabytes_may_be_missing() {
    let mut talk = Talk::open();
    let far = (3_u32 << 30) - 10;
    talk.client(1 + far, b"far", 1);
    talk.pass(3_000);
    assert_eq!(talk.told(), [Gap(ToServer, far.into()), data(ToServer, "far")]);
}

#[test]
fn bytes_that_waited_for_a_hole_keep_their_own_time() {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const RESPONSE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
    let mut engine = Engine::new(Limits::default(), support::origin());
    let mut items = Vec::new();
    let requests = [REQUEST, REQUEST].concat();
    let server =
        |offset: u32, payload| Tcp::new(ToClient, SERVER + offset, 0, payload).acknowledging(CLIENT + 54);
    let sent = [
        (1, Tcp::new(ToServer, CLIENT - 1, SYN, b"")),
        (2, Tcp::new(ToClient, SERVER - 1, SYN, b"").acknowledging(CLIENT)),
        (3, Tcp::new(ToServer, CLIENT, 0, &requests).acknowledging(SERVER)),
        // The second response is captured at once, the first only when it is sent again.
        (5, server(RESPONSE.len() as u32, RESPONSE)),
        (60, server(0, RESPONSE)),
    ];
    for (millis, segment) in sent {
        engine.packet(&packet(&segment.bytes(), millis * 1_000_000), &mut items);
    }
    let elapsed: Vec<_> = items.iter().map(|item| item.draft.elapsed).collect();
    assert_eq!(elapsed, [Some(57_000_000), Some(2_000_000)]);
}
