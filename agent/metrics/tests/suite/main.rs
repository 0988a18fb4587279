//! The registry, the text it gives and the endpoint, by their public interfaces.
#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod accepted;
mod client;
mod endpoint;
mod hostile;
mod parse;
mod promtool;
mod refusals;
mod reload;
mod text;
mod threads;

use remora_metrics::{Collect, Exposition, Registry, Sample};

/// A script, by a number no other test's script has a need for.
const SCRIPT: u64 = 7;

fn sample<'a>(name: &'a str, kind: u8, value: f64, labels: &'a [(&'a str, &'a str)]) -> Sample<'a> {
    Sample { name, help: "Some help.", kind: kind.into(), value, labels }
}

/// What a scraper reads of the scripts' metrics.
fn scrape(registry: &Registry) -> String {
    let mut exposition = Exposition::new();
    registry.collect(&mut exposition);
    let own = |line: &str| {
        let head = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        head.unwrap_or(line).starts_with("remora_")
    };
    exposition.finish().split_inclusive('\n').filter(|line| !own(line)).collect()
}
