//! What a call from a script costs, and a scrape: `cargo bench -p remora-metrics`. The best of several rounds.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::time::{Duration, Instant};

use remora_metrics::{Caps, Collect, Exposition, Registry, Sample};

const ROUNDS: usize = 7;
const SERIES: usize = 10_000;

fn main() {
    let registry = Registry::new(Caps::default());
    let paths: Vec<String> = (0..SERIES).map(|index| format!("/api/v2/orders/{index}/items")).collect();
    let add = |path: &str| {
        let labels = [("path", path), ("method", "GET"), ("status", "200")];
        let help = "Requests by path, method and status.";
        let sample = Sample { name: "http_requests_total", help, kind: 1.0, value: 1.0, labels: &labels };
        registry.vector(1, &sample).unwrap();
    };
    let created = Instant::now();
    paths.iter().for_each(|path| add(path));
    print("vector, new series", created.elapsed(), SERIES);
    print("vector, one series again", best(|| (0..SERIES).for_each(|_| add(&paths[0]))), SERIES);
    print("vector, each series in turn", best(|| paths.iter().for_each(|path| add(path))), SERIES);
    let mut bytes = 0;
    let scrape = best(|| {
        let mut exposition = Exposition::new();
        registry.collect(&mut exposition);
        bytes = exposition.finish().len();
    });
    println!("scrape of {SERIES} series, {bytes} bytes: {:.2} ms", scrape.as_secs_f64() * 1e3);
}

fn best(mut round: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn print(what: &str, time: Duration, count: usize) {
    println!("{what}: {:.0} ns", time.as_secs_f64() * 1e9 / count as f64);
}
