//! Scripts and what is found in them.

mod examples;
mod hooks;
mod hostile;
mod members;
mod names;

use remora_check::{Finding, Options, Surface, check};

/// All findings as `line:column code`, in order.
fn places(source: &str) -> Vec<String> {
    findings(source).iter().map(|found| format!("{}:{} {}", found.line, found.column, found.code)).collect()
}

fn findings(source: &str) -> Vec<Finding> {
    check(source, &Surface::documented(), &Options::default())
}

/// Compares each source's findings with those expected.
#[track_caller]
fn table<const N: usize>(rows: [(&str, &[&str]); N]) {
    for (source, expected) in rows {
        assert_eq!(places(source), expected, "{source}");
    }
}

/// The only finding's suggestion.
#[track_caller]
fn suggestion(source: &str) -> Option<String> {
    let mut found = findings(source);
    assert_eq!(found.len(), 1, "{source}: {found:?}");
    found.pop()?.suggestion
}
