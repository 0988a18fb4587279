//! Every score of `tests/data` is the one that the reference implementation gave.

#![allow(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use remora_sentiment::{Score, sentiment};

/// A line of `tests/data/*.tsv`, as `make.py` there writes it.
fn line(line: &str) -> (Score, String) {
    let columns: Vec<_> = line.splitn(5, '\t').collect();
    let [negative, neutral, positive, compound] = [0, 1, 2, 3].map(|at| columns[at].parse().unwrap());
    (Score { negative, neutral, positive, compound }, unescaped(columns[4]))
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match part.strip_prefix("u{").and_then(|part| part.split_once('}')) {
            Some((hex, rest)) => {
                unescaped.extend(char::from_u32(u32::from_str_radix(hex, 16).unwrap()));
                unescaped.push_str(rest);
            }
            None => {
                assert_eq!(part, "", "a backslash is followed by another or by u{{hex}}: {text}");
                unescaped.push('\\');
                unescaped.push_str(parts.next().unwrap());
            }
        }
    }
    unescaped
}

fn check(lines: &str, at_least: usize) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (expected, text) in lines.lines().map(line) {
        count += 1;
        let found = sentiment(&text);
        if found != expected {
            wrong.push(format!("{text:?}\n  expected {expected:?}\n  found    {found:?}\n"));
        }
    }
    assert!(count >= at_least, "only {count} texts");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].concat()
    );
}

#[test]
fn the_published_examples_score_as_published() {
    check(include_str!("data/examples.tsv"), 63);
}

#[test]
fn thousands_of_texts_score_as_by_the_reference() {
    check(include_str!("data/scores.tsv"), 2_000);
}

#[test]
fn the_file_holds_what_the_rules_are_about() {
    let texts: Vec<_> = include_str!("data/scores.tsv").lines().map(line).collect();
    let count = |has: fn(&Score, &str) -> bool| texts.iter().filter(|(score, text)| has(score, text)).count();
    assert!(count(|score, _| score.compound > 0.05) > 500);
    assert!(count(|score, _| score.compound < -0.05) > 500);
    assert!(count(|_, text| text.split_whitespace().any(|word| word.eq_ignore_ascii_case("but"))) > 100);
    assert!(count(|_, text| text.chars().any(|c| c >= '\u{1f300}')) > 100);
    assert!(count(|_, text| text.contains(['\x1c', '\u{2028}', '\u{3000}', '\u{85}'])) > 100);
    assert!(count(|_, text| text.to_lowercase().contains("n't")) > 100);
    assert!(count(|_, text| text.is_empty()) == 1);
}

#[test]
fn a_backslash_stands_for_itself_only_twice() {
    assert_eq!(unescaped(r"a\\b\u{1f600}\\\\c\u{9}"), "a\\b😀\\\\c\t");
}
