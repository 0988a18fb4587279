//! What a score costs, for texts of different kinds and lengths: the best of several rounds.
//!
//! `cargo bench -p remora-sentiment`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use remora_sentiment::{MAX_TEXT_BYTES, sentiment};

const ROUNDS: usize = 5;

const ANSWER: &str = "Yes, the HTTP request failed: the server answered with status 500, and the body says that an \
                      internal error occurred. It isn't a problem of the client, but a retry would probably succeed! ";

fn main() {
    // The first call reads the pages of the lexicon; there is nothing to build.
    let start = Instant::now();
    black_box(sentiment(ANSWER));
    println!("{:36} {:>10.2?}", "first call", start.elapsed());
    for (name, text) in [
        ("one word", "good".to_owned()),
        ("a sentence", "VADER is VERY SMART, handsome, and FUNNY!!!".to_owned()),
        ("an answer", ANSWER.to_owned()),
        ("an answer with emojis", ANSWER.replace(',', " 💘")),
        ("32 answers", ANSWER.repeat(32)),
        ("the longest text", ANSWER.repeat(MAX_TEXT_BYTES / ANSWER.len())),
        ("the longest without a known word", "日本語です ".repeat(MAX_TEXT_BYTES / 16)),
        ("the longest of emojis", "💘".repeat(MAX_TEXT_BYTES / 4)),
        ("the longest of valences behind but", format!("but{}", " good bad".repeat(MAX_TEXT_BYTES / 9 - 1))),
    ] {
        let calls = (4 << 20) / (text.len() + 64);
        let best = (0..ROUNDS).map(|_| round(&text, calls.max(4))).min().unwrap_or_default();
        let rate = text.len() as f64 / best.as_secs_f64() / 1e6;
        println!("{name:36} {best:>10.2?} {rate:>8.1} MB/s");
    }
}

fn round(text: &str, calls: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(sentiment(black_box(text)));
    }
    start.elapsed() / calls as u32
}
