//! Random conversations over a capture that loses segments: a response never comes out with a request it does not
//! answer, and few that were seen come out alone.

mod http1_support;

use std::collections::VecDeque;

use http1_support::*;
use remora_dissect::{Direction, End, Limits};
use serde_json::Value;

/// How a client uses its connection.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Client {
    /// Waits for each response.
    Waits,
    /// Keeps so many requests on their way.
    Pipelines(usize),
}

/// The segments of a conversation of `count` exchanges, in the order a capture sees them; each message tells its number.
fn segments(client: Client, count: usize, random: &mut Random) -> Vec<(Direction, Vec<u8>)> {
    let ahead = match client {
        Client::Waits => 1,
        Client::Pipelines(depth) => depth,
    };
    let (mut segments, mut due) = (Vec::new(), VecDeque::new());
    let mut send = |direction, text: String, random: &mut Random| {
        let size = *random.pick(&[20, 80, 300, 1460]);
        text.as_bytes().chunks(size).for_each(|part| segments.push((direction, part.to_vec())));
    };
    for number in 0..count {
        let body = "q".repeat(random.below(4) * random.below(300));
        let text = match random.below(3) {
            0 => format!(
                "POST /{number} HTTP/1.1\r\nX-Id: {number}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            _ => format!("GET /{number} HTTP/1.1\r\nX-Id: {number}\r\n\r\n"),
        };
        send(ToServer, text, random);
        due.push_back(number);
        while due.len() >= ahead || number + 1 == count && !due.is_empty() {
            let number = due.pop_front().unwrap_or(0);
            let body = "r".repeat(random.below(5) * random.below(700));
            let text = match random.below(3) {
                0 => format!(
                    "HTTP/1.1 200 OK\r\nX-Id: {number}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}x\r\n0\r\n\r\n",
                    body.len() + 1
                ),
                _ => format!(
                    "HTTP/1.1 200 OK\r\nX-Id: {number}\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            };
            send(ToClient, text, random);
        }
    }
    segments
}

/// Feeds all but `loss` of a hundred segments. A hole is told when the next segment of its direction comes, or earlier:
/// when any segment comes, as where acknowledgments tell.
fn replay(segments: &[(Direction, Vec<u8>)], loss: usize, early: bool, random: &mut Random) -> Vec<Value> {
    let mut stream = Stream::new(Limits::default());
    let mut missing = [0u64; 2];
    let mut tell = |stream: &mut Stream, direction: Direction, lost: u64| {
        let missing = &mut missing[direction.index()];
        match lost {
            0 if *missing > 0 => stream.event(&Event::Gap(direction, std::mem::take(missing))),
            lost => *missing += lost,
        }
    };
    for (direction, bytes) in segments {
        stream.now += 100_000;
        if random.below(100) < loss {
            tell(&mut stream, *direction, bytes.len() as u64);
            continue;
        }
        let told = Direction::BOTH.into_iter().filter(|told| early || told == direction);
        told.for_each(|direction| tell(&mut stream, direction, 0));
        stream.bytes(*direction, bytes);
    }
    Direction::BOTH.into_iter().for_each(|direction| tell(&mut stream, direction, 0));
    ends(End::Fin).iter().for_each(|end| stream.event(end));
    stream.items()
}

/// How many items have both sides, and how many of those do not belong together.
fn judge(items: &[Value]) -> (usize, usize) {
    let (mut paired, mut wrong) = (0, 0);
    for item in items {
        let (asked, answered) = (&item["request"]["path"], &item["response"]["headers"]["X-Id"]);
        if item["request"].is_null() || item["response"].is_null() {
            continue;
        }
        paired += 1;
        if let (Some(asked), Some(answered)) = (asked.as_str(), answered.as_str()) {
            wrong += usize::from(asked.trim_start_matches('/') != answered);
        }
    }
    (paired, wrong)
}

#[test]
fn responses_find_their_requests_or_none() {
    const COUNT: usize = 40;
    const SEEDS: u64 = 20;
    for client in [Client::Waits, Client::Pipelines(2), Client::Pipelines(5), Client::Pipelines(COUNT)] {
        for (loss, least) in [(0, 1.0), (1, 0.94), (3, 0.85), (10, 0.4)] {
            for early in [true, false] {
                let (mut paired, mut wrong) = (0, 0);
                for seed in 1..=SEEDS {
                    let mut random = Random(seed * 0x9e37_79b9 + loss as u64);
                    let segments = segments(client, COUNT, &mut random);
                    let (these, bad) = judge(&replay(&segments, loss, early, &mut random));
                    paired += these;
                    wrong += bad;
                }
                let share = paired as f64 / (SEEDS as usize * COUNT) as f64;
                let case = format!(
                    "{client:?}, {loss} % lost, told early: {early}: {share:.3} paired, {wrong} wrong"
                );
                eprintln!("{case}");
                assert_eq!(wrong, 0, "{case}");
                assert!(share >= least || client != Client::Waits && loss != 0, "{case}");
            }
        }
    }
}
