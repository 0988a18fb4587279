//! Every example of the scripting reference runs as documented.
//!
//! Each has a file in `documented/`, with its keys and addresses replaced and its slips of syntax mended, and beside it a
//! file of the lines that must be seen when it runs, where `*` stands for anything. What surrounds an example is in
//! `documented/cases.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "documented/cases.rs"]
mod cases;
mod common;
#[path = "documented/seeds.rs"]
mod seeds;
#[path = "documented/server.rs"]
mod server;
#[path = "documented/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cases::{CASES, Case, Drive};
use common::items;
use remora_dissect::Item;
use world::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documented")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn item(index: usize, status: i64) -> Arc<Item> {
    items::http(u32::try_from(index).unwrap(), "/shop/cart", status)
}

/// Runs an example and says what was seen.
fn run(case: &Case, example: &str) -> Vec<String> {
    let world = World::new();
    let mut env = world.env();
    if !case.env.is_empty() {
        env.retain(|name, _| case.env.contains(&name.as_str()));
    }
    let running = match world.start(env, &format!("{}\n{example}\n{}", case.before, case.after)) {
        Ok(running) => running,
        Err(error) => return vec![format!("not loaded: {error}")],
    };
    let statuses: &[i64] = match case.drive {
        Drive::Nothing => &[],
        Drive::Jobs => &[200],
        Drive::Captured(statuses) | Drive::Queried(statuses) => statuses,
    };
    let items: Vec<_> = statuses.iter().enumerate().map(|(index, status)| item(index, *status)).collect();
    let mut answers = Vec::new();
    match case.drive {
        Drive::Queried(_) => answers = running.query(&items, "http"),
        _ => running.items(items.clone()),
    }
    let mut seen = world.seen(&running, &items);
    for (index, answer) in answers.into_iter().enumerate() {
        seen.extend(answer.map(|answer| format!("shown for item {index}: {answer}")));
    }
    seen
}

/// Whether a line is as expected; `*` is any text.
fn matches(expected: &str, line: &str) -> bool {
    let Some((start, rest)) = expected.split_once('*') else { return expected == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).any(|at| matches(rest, &line[at..]))
}

#[test]
fn every_documented_example_does_what_it_says() {
    let mut failed = Vec::new();
    for case in CASES {
        let code = read(&folder().join(format!("{}.js", case.name)));
        let examples: Vec<&str> = if case.line_by_line {
            code.lines().filter(|line| !line.starts_with("//")).collect()
        } else {
            vec![&code]
        };
        let seen: Vec<String> = examples.into_iter().flat_map(|example| run(case, example)).collect();
        let expected = read(&folder().join(format!("{}.txt", case.name)));
        let expected: Vec<&str> = expected.lines().collect();
        let same = expected.len() == seen.len()
            && expected.iter().zip(&seen).all(|(expected, line)| matches(expected, line));
        if !same {
            failed.push(format!(
                "{}\nseen:\n{}\nexpected:\n{}",
                case.name,
                seen.join("\n"),
                expected.join("\n")
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn every_example_has_its_case_its_title_and_its_expectation() {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".js")?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names, CASES.iter().map(|case| case.name).collect::<Vec<_>>());
    for name in names {
        assert!(read(&folder().join(format!("{name}.js"))).starts_with("// "), "{name}");
        assert!(folder().join(format!("{name}.txt")).is_file(), "{name}");
    }
}

#[test]
fn every_example_of_the_reference_is_among_them_once() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seeds");
    let Some(examples) = seeds::examples(&pages) else {
        return println!("skipped: {} is not there", pages.display());
    };
    let documented: Vec<_> = examples.iter().map(|code| seeds::mended(&seeds::bare(code))).collect();
    let ours: Vec<_> =
        CASES.iter().map(|case| seeds::bare(&read(&folder().join(format!("{}.js", case.name))))).collect();
    for (case, (ours, documented)) in CASES.iter().zip(ours.iter().zip(&documented)) {
        assert_eq!(ours, documented, "{}", case.name);
    }
    assert_eq!(ours.len(), documented.len());
}

#[test]
fn examples_are_compared_by_their_code_alone() {
    let page = "```js\na(\"x // y\") // why\n```\ntext\n```go\nb\n```\n```js\nc(filePath\n env.D)\n\n## Next\n\n```js\nd\n```\n";
    let bare: Vec<_> = seeds::fenced(page).iter().map(|code| seeds::bare(code)).collect();
    assert_eq!(bare, ["a(\"x // y\")", "c(filePathenv.D)", "d"]);
    assert_eq!(seeds::mended(&bare[1]), "c(filePath,env.D)");
    assert_eq!(seeds::mended("w(\"https://webhook.site/1\",\"b\")"), "w(env.WEBHOOK_URL,\"b\")");
}

#[test]
fn a_star_stands_for_any_text() {
    assert!(matches("a*c*", "abbc") && matches("*/5 * *", "*/5 * *") && matches("", ""));
    assert!(!matches("a*c", "abcd") && !matches("ab", "abc") && !matches("b*", "ab"));
}
