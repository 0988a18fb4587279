#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use remora_check::{Options, Severity, Surface, check, render, title};

/// The texts of the fenced JavaScript examples of a Markdown page, with the line each begins after.
fn fenced(page: &str) -> Vec<(usize, String)> {
    let mut examples = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.trim()) {
            (None, "```js" | "```javascript") => open = Some((number + 1, String::new())),
            (Some(_), "```") => examples.extend(open.take()),
            (Some((_, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    examples
}

fn errors(name: &str, source: &str) -> Vec<String> {
    check(source, &Surface::documented(), &Options::default())
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| render(name, source, found))
        .collect()
}

fn pages(folder: &Path, extension: &str) -> Vec<(String, String)> {
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_example_scripts_are_clean() {
    let scripts = pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts"), "js");
    assert!(!scripts.is_empty());
    for (name, source) in scripts {
        assert_eq!(check(&source, &Surface::documented(), &Options::default()), [], "{name}");
        assert!(title(&source).is_some(), "{name} has no title");
    }
}

#[test]
fn the_examples_of_the_documentation_are_clean() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scripting/README.md"));
    let examples = fenced(&page.unwrap());
    assert!(!examples.is_empty());
    for (line, source) in examples {
        assert_eq!(errors(&format!("README.md+{line}"), &source), [""; 0]);
    }
}

#[test]
fn the_examples_of_the_reference_pages_have_no_errors() {
    let folder = Path::new("/work/shared/seeds");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let mut count = 0;
    let mut broken = 0;
    for (name, page) in pages(folder, "md") {
        for (line, source) in fenced(&page) {
            count += 1;
            assert_eq!(errors(&format!("{name}+{line}"), &source), [""; 0]);
            let found = check(&source, &Surface::documented(), &Options::default());
            broken += usize::from(found.iter().any(|found| found.code == "not-understood"));
        }
    }
    // Three uploads lack a comma, and one example its closing fence.
    assert!(count > 40 && broken == 4, "{count} examples, {broken} broken");
}
