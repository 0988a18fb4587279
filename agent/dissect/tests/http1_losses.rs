//! HTTP/1 with bytes missing: what is left comes out marked, the next message is found, and no response is put to a
//! request it may not answer.

mod http1_support;

use http1_support::*;
use remora_dissect::{End, Limits};

const LOST: &str = "pair-not-found: no response: bytes are missing or unreadable";
const UNASKED: &str = "pair-not-found: no request: bytes are missing or unreadable";

fn gap(direction: remora_dissect::Direction, bytes: u64) -> Event {
    Event::Gap(direction, bytes)
}

#[test]
fn a_hole_inside_a_body_of_known_length_is_passed_over() {
    let lines = lines_of(&[
        to_server(get("/1")),
        to_client("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        gap(ToClient, 4),
        to_client("hij"),
        to_server("POST /2 HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
        gap(ToServer, 5),
        to_client(ok("x")),
        to_server(get("/3")),
        to_client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"),
        gap(ToClient, 3),
        to_client("fgh\r\n0\r\n\r\n"),
        to_server(get("/4")),
        to_client(ok("y")),
    ]);
    assert_eq!(
        lines,
        [
            "GET /1 0 -> 200 10, dissection: 4 response bytes missing",
            "POST /2 5 -> 200 1, dissection: 5 request bytes missing",
            "GET /3 0 -> 200 8, dissection: 3 response bytes missing",
            "GET /4 0 -> 200 1",
        ]
    );
}

#[test]
fn a_hole_in_a_head_marks_the_message_and_the_next_is_found() {
    let lines = lines_of(&[
        to_server(get("/00")),
        to_client(ok("x")),
        to_server(get("/0")),
        to_client(ok("x")),
        to_server(get("/1")),
        to_client("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le"),
        gap(ToClient, 100),
        to_client("rest of the body"),
        to_server(get("/2")),
        to_client(ok("x")),
        to_server("GET /3 HTTP/1.1\r\nHos"),
        gap(ToServer, 20),
        to_client(ok("y")),
        to_server(get("/4")),
        to_client(ok("z")),
    ]);
    assert_eq!(
        lines,
        [
            "GET /00 0 -> 200 1",
            "GET /0 0 -> 200 1",
            "GET /1 0 -> 200 0, dissection: 100 response bytes missing",
            "GET /2 0 -> 200 1",
            "GET /3 0 -> 200 1, dissection: 20 request bytes missing",
            "GET /4 0 -> 200 1",
        ]
    );
}

#[test]
fn a_hole_that_takes_chunked_framing_with_it_ends_the_message() {
    let lines = lines_of(&[
        to_server(get("/1")),
        to_client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        gap(ToClient, 50),
        to_client("more\r\n0\r\n\r\n"),
        to_server(get("/2")),
        to_client(ok("x")),
    ]);
    assert_eq!(lines, ["GET /1 0 -> 200 3, dissection: 50 response bytes missing", "GET /2 0 -> 200 1"]);
}

#[test]
fn a_lost_response_leaves_its_request_alone() {
    let lines = lines_of(&[
        to_server(get("/1")),
        gap(ToClient, 200),
        to_client("tail of the body"),
        to_server(get("/2")),
        to_client(ok("x")),
    ]);
    assert_eq!(
        lines,
        [format!("GET /1 0 -> -, {LOST}; 200 response bytes missing"), "GET /2 0 -> 200 1".to_owned()]
    );
}

#[test]
fn a_lost_request_leaves_its_response_alone() {
    // The hole may be reported before or after the answer came.
    for late in [false, true] {
        let mut middle = [gap(ToServer, 60), to_client(ok("of two"))];
        if late {
            middle.reverse();
        }
        let mut events = vec![to_server(get("/1")), to_client(ok("x"))];
        events.extend(middle);
        events.extend([to_server(get("/3")), to_client(ok("of three"))]);
        assert_eq!(
            lines_of(&events),
            [
                "GET /1 0 -> 200 1".to_owned(),
                format!("- -> 200 6, {UNASKED}"),
                "GET /3 0 -> 200 8".to_owned()
            ]
        );
    }
}

#[test]
fn after_a_lost_pipelined_response_nothing_is_paired_by_position() {
    let lines = lines_of(&[
        to_server(get("/1") + &get("/2") + &get("/3")),
        to_client(ok("one")),
        gap(ToClient, 80),
        to_client(ok("two or three")),
        to_server(get("/4")),
        to_client(ok("four, or not")),
    ]);
    assert_eq!(
        lines,
        [
            "GET /1 0 -> 200 3".to_owned(),
            format!("GET /2 0 -> -, {LOST}"),
            format!("GET /3 0 -> -, {LOST}"),
            format!("- -> 200 12, {UNASKED}"),
            format!("GET /4 0 -> -, {LOST}"),
            format!("- -> 200 12, {UNASKED}"),
        ]
    );
}

#[test]
fn a_hole_that_ends_a_body_and_goes_on_may_hide_messages() {
    let lines = lines_of(&[
        to_server(get("/1") + &get("/2") + &get("/3")),
        to_client("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        gap(ToClient, 60),
        to_client(ok("three?")),
    ]);
    assert_eq!(
        lines,
        [
            "GET /1 0 -> 200 10, dissection: 7 response bytes missing".to_owned(),
            format!("GET /2 0 -> -, {LOST}"),
            format!("GET /3 0 -> -, {LOST}"),
            format!("- -> 200 6, {UNASKED}"),
        ]
    );
}

#[test]
fn with_both_sides_torn_pairing_waits_for_silence() {
    let mut stream = Stream::new(Limits::default());
    let mut exchange = |number: usize, pause: i64| {
        stream.now += pause;
        stream.event(&to_server(get(&format!("/{number}"))));
        stream.event(&to_client(ok(&"x".repeat(number))));
        if number == 1 {
            stream.event(&gap(ToServer, 50));
            stream.event(&gap(ToClient, 50));
        }
        stream.items().iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(exchange(1, 0), ["GET /1 0 -> 200 1"]);
    for number in 2..20 {
        let expected = [format!("GET /{number} 0 -> -, {LOST}"), format!("- -> 200 {number}, {UNASKED}")];
        assert_eq!(exchange(number, 1_000_000), expected);
    }
    assert_eq!(exchange(20, 2_000_000_000), ["GET /20 0 -> 200 20"]);
    assert_eq!(exchange(21, 1_000_000), ["GET /21 0 -> 200 21"]);
}

#[test]
fn with_no_response_seen_yet_there_is_no_silence() {
    let mut stream = Stream::new(Limits::default());
    stream.now = 5_000_000_000;
    stream.event(&gap(ToServer, 50));
    stream.event(&gap(ToClient, 50));
    stream.event(&to_server(get("/3")));
    stream.event(&to_client(ok("of two")));
    let lines: Vec<_> = stream.items().iter().map(line).collect();
    assert!(!lines.contains(&"GET /3 0 -> 200 6".to_owned()), "{lines:?}");
}

#[test]
fn joined_in_the_middle() {
    // Between two messages: nothing is lost.
    let clean = [gap(ToServer, 0), gap(ToClient, 0), to_server(get("/1")), to_client(ok("x"))];
    assert_eq!(lines_of(&clean), ["GET /1 0 -> 200 1"]);
    // Inside a response: its rest is passed over.
    let torn = [
        gap(ToServer, 0),
        gap(ToClient, 0),
        to_client("the end of some body\r\n"),
        to_client("GET / HTTP/1.1 is only text here\r\n"),
        to_server(get("/1")),
        to_client(ok("x")),
    ];
    assert_eq!(lines_of(&torn), ["GET /1 0 -> 200 1"]);
    // Before a response: its request came before the capture, and the next request is not its.
    let answer_first = [gap(ToServer, 0), to_client(ok("zero")), to_server(get("/1")), to_client(ok("x"))];
    assert_eq!(
        lines_of(&answer_first),
        ["- -> 200 4, pair-not-found: no request: it came before the capture", "GET /1 0 -> 200 1"]
    );
}

#[test]
fn a_request_delivered_after_its_response_still_finds_it() {
    let mut stream = Stream::new(Limits::default());
    stream.now = 2_000_000_000;
    stream.event(&to_client(ok("x")));
    stream.now = 1_999_000_000;
    stream.event(&to_server(get("/1")));
    assert_eq!(stream.items().iter().map(line).collect::<Vec<_>>(), ["GET /1 0 -> 200 1"]);
    // Once exchanges are known, the order of delivery alone does not part them.
    stream.now = 3_000_000_000;
    stream.event(&to_client(ok("yy")));
    stream.now = 3_000_001_000;
    stream.event(&to_server(get("/2")));
    assert_eq!(stream.items().iter().map(line).collect::<Vec<_>>(), ["GET /2 0 -> 200 2"]);
}

#[test]
fn responses_of_a_capture_without_requests_come_out_in_time() {
    let mut stream = Stream::new(Limits::default());
    for number in 0..200 {
        stream.event(&to_client(ok(&"x".repeat(number))));
        stream.now += 300_000_000;
    }
    assert!(stream.drafts.len() >= 195, "{} of 200 are out", stream.drafts.len());
    for number in 200..400 {
        stream.event(&to_client(ok(&"x".repeat(number))));
    }
    assert!(stream.drafts.len() >= 330, "{} of 400 are out", stream.drafts.len());
    stream.event(&Event::End(ToClient, End::Fin));
    stream.event(&Event::End(ToServer, End::Fin));
    let items = stream.items();
    assert_eq!(items.len(), 400);
    assert!(items.iter().enumerate().all(|(at, item)| item["response"]["bodySize"] == at));
}

#[test]
fn too_many_waiting_requests_go_and_their_responses_stay_alone() {
    let mut stream = Stream::new(Limits { http_pipelined: 4, ..Limits::default() });
    for number in 1..=6 {
        stream.event(&to_server(get(&format!("/{number}"))));
    }
    for number in 1..=6 {
        stream.event(&to_client(ok(&"x".repeat(number))));
    }
    let lines: Vec<_> = stream.items().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "GET /1 0 -> -, pair-not-found: no response: too many requests wait",
            "GET /2 0 -> -, pair-not-found: no response: too many requests wait",
            "- -> 200 1, pair-not-found: no request: too many requests wait",
            "- -> 200 2, pair-not-found: no request: too many requests wait",
            "GET /3 0 -> 200 3",
            "GET /4 0 -> 200 4",
            "GET /5 0 -> 200 5",
            "GET /6 0 -> 200 6",
        ]
    );
}

#[test]
fn how_a_connection_ends_is_said() {
    let begun = [to_server(get("/1")), to_client("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")];
    let open = [to_server(get("/1")), to_client("HTTP/1.1 200 OK\r\n\r\nabc")];
    let cut = [to_server("GET /1 HTTP/1.1\r\nHost: x")];
    let asked = [to_server(get("/1"))];
    let after = |events: &[Event], end| lines_of(&[events, &ends(end)].concat()).join("|");
    for (end, early) in [
        (End::Fin, "connection: the connection was closed"),
        (End::Reset, "connection: the connection was reset"),
        (End::Evicted, "dissection: the stream was let go"),
        (End::Input, "dissection: the capture ended"),
    ] {
        let why = early.split(": ").nth(1).expect("a reason");
        assert_eq!(
            after(&begun, end),
            format!("GET /1 0 -> 200 3, {early} 6 bytes before the end of the response body")
        );
        let unpaired = format!("pair-not-found: no response: {why}");
        assert_eq!(after(&asked, end), format!("GET /1 0 -> -, {unpaired}"));
        assert_eq!(after(&cut, end), format!("GET /1 0 -> -, {unpaired}"));
        let whole = match end {
            End::Fin => "GET /1 0 -> 200 3".to_owned(),
            _ => format!("GET /1 0 -> 200 3, {early} before the end of the response body"),
        };
        assert_eq!(after(&open, end), whole);
    }
}

#[test]
fn broken_framing_is_marked_and_left_behind() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabc", "200 0, dissection: invalid Content-Length"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "200 0, dissection: invalid chunk size",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
            "200 2, dissection: chunk data does not end where its size says",
        ),
    ] {
        let events = [to_server(get("/1")), to_client(answer), to_server(get("/2")), to_client(ok("x"))];
        assert_eq!(lines_of(&events), [format!("GET /1 0 -> {expected}"), "GET /2 0 -> 200 1".to_owned()]);
    }
    let request = "POST /1 HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nwhat?";
    assert_eq!(
        lines_of(&[to_server(request), to_client("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")]),
        ["POST /1 0 -> 400 0, dissection: Transfer-Encoding does not end in chunked"]
    );
}

#[test]
fn a_head_without_end_comes_out_cut() {
    let mut stream = Stream::new(Limits { pending_bytes: 1000, ..Limits::default() });
    stream.event(&to_server("GET /1 HTTP/1.1\r\n"));
    for _ in 0..200 {
        stream.event(&to_server("X-More: and more\r\n"));
    }
    stream.event(&to_client("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"));
    let lines: Vec<_> = stream.items().iter().map(line).collect();
    assert_eq!(lines, ["GET /1 0 -> 431 0, dissection: head larger than 1000 bytes"]);
    let mut stream = Stream::new(Limits { http_headers: 5, ..Limits::default() });
    stream.event(&to_server("GET /1 HTTP/1.1\r\n".to_owned() + &"A: b\r\n".repeat(6) + "\r\n"));
    stream.event(&to_server("GET /2 HTTP/1.1\r\n".to_owned() + &"A: b\r\n".repeat(5) + "\r\n"));
    stream.event(&Event::End(ToServer, End::Fin));
    stream.event(&Event::End(ToClient, End::Fin));
    let lines: Vec<_> = stream.items().iter().map(line).collect();
    assert_eq!(lines, [format!("GET /2 0 -> -, {LOST}")]);
    assert!(stream.counters.undissected_bytes > 0);
}
