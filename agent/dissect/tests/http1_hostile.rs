//! Whatever bytes come, in whatever order: no panic, and no more memory than the caps allow.

mod http1_support;

use http1_support::*;
use remora_dissect::{Direction, End, Limits};

/// Pieces that lead far into the parser.
const PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /a?b=c HTTP/1.1\r\n",
    "HEAD /h HTTP/1.0\r\n",
    "CONNECT h:1 HTTP/1.1\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n",
    "HTTP/1.0 304 \r\n",
    "Host: h\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "Content-Length: x\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Content-Encoding: gzip, br, zstd, deflate\r\n",
    "Content-Type: multipart/form-data; boundary=\"b\r\n",
    "Expect: 100-continue\r\n",
    "Cookie: a=b; c=\"d\r\n",
    " folded\r\n",
    "\r\n",
    "\n",
    "\r",
    "5\r\nhello\r\n",
    "ffffffffffffffff\r\n",
    "0\r\n\r\n",
    "0\r\nTrailer: x\r\n\r\n",
    "hello",
    "--b\r\n",
    "\0\u{7f}\u{80}",
    "HTTP/",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

fn random_bytes(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.below(8) {
        match random.below(12) {
            0 => bytes.extend((0..random.below(40)).map(|_| random.below(256) as u8)),
            1 => bytes.extend(std::iter::repeat_n(b'a', random.below(3000))),
            _ => bytes.extend_from_slice(random.pick(PIECES).as_bytes()),
        }
    }
    if random.below(4) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] = random.below(256) as u8;
    }
    bytes
}

fn small() -> Limits {
    Limits {
        pending_bytes: 4 << 10,
        http_body_bytes: 8 << 10,
        decoded_bytes: 16 << 10,
        http_pipelined: 8,
        http_headers: 16,
        ..Limits::default()
    }
}

#[test]
fn random_conversations_neither_panic_nor_grow() {
    for seed in 1..=3_000 {
        let mut random = Random(seed * 0x9e37_79b9);
        let mut stream = Stream::new(small());
        for _ in 0..random.below(60) {
            let direction = *random.pick(&Direction::BOTH);
            match random.below(20) {
                0 => stream.event(&Event::Gap(direction, random.below(3000) as u64)),
                1 => stream.event(&Event::Gap(direction, u64::MAX)),
                _ => {
                    let bytes = random_bytes(&mut random);
                    for piece in bytes.chunks(1 + random.below(bytes.len())) {
                        stream.bytes(direction, piece);
                    }
                }
            }
            stream.now += random.below(400_000_000) as i64 - 50_000_000;
            // Eight waiting requests and sixty-four waiting responses, each of a head and a body that doubled once more.
            assert!(
                stream.memory() < (8 + 64 + 1) * (2 * 8 + 4 + 1) * 1024,
                "seed {seed}: {}",
                stream.memory()
            );
            assert!(stream.pending() <= 2 * (4 << 10), "seed {seed}");
        }
        let end = *random.pick(&[End::Fin, End::Reset, End::Evicted, End::Input]);
        ends(end).iter().for_each(|end| stream.event(end));
        let items = stream.items();
        for item in &items {
            let halves = [&item["request"], &item["response"]].map(|half| !half.is_null());
            assert!(halves.contains(&true), "seed {seed}: an empty item");
            assert!(
                halves == [true, true] || item["error"]["type"] == "pair-not-found",
                "seed {seed}: {item}"
            );
        }
        let left = stream.memory();
        let empty = Stream::new(small()).memory();
        assert!(
            left <= empty + 32 * 1024,
            "seed {seed}: {left} bytes are held after the end, {empty} before"
        );
    }
}

/// A message announces more than it brings: only what came is held.
#[test]
fn an_announced_length_reserves_little() {
    let mut stream = Stream::new(Limits::default());
    stream.event(&to_server("POST / HTTP/1.1\r\nContent-Length: 4294967296\r\n\r\n"));
    stream.event(&to_client("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"));
    assert!(stream.memory() < 256 << 10, "{}", stream.memory());
}

/// One long line byte by byte must not be searched from its beginning each time.
#[test]
fn a_head_in_single_bytes_costs_no_more_than_its_length() {
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(200 << 10));
    let mut stream = Stream::new(Limits { pending_bytes: 1 << 20, ..Limits::default() });
    let start = std::time::Instant::now();
    head.as_bytes().iter().for_each(|byte| stream.bytes(ToServer, &[*byte]));
    stream.event(&to_client(ok("x")));
    assert_eq!(stream.items().len(), 1);
    eprintln!("{} bytes one by one: {:?}", head.len(), start.elapsed());
}
