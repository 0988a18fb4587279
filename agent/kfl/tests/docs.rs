//! The examples of `docs/kfl.md` are queries.

use remora_kfl::{BUILT_IN, Macros, Query};

const DOCS: &str = include_str!("../../../docs/kfl.md");

#[test]
fn every_example_compiles() {
    let mut examples: Vec<&str> = Vec::new();
    for block in DOCS.split("```text\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        if !block.contains(":=") && !block.starts_with("1:") {
            examples.extend(block.lines());
        }
    }
    let (_, table) = DOCS.split_once("## In a minute").unwrap_or_default();
    let (table, _) = table.split_once("##").unwrap_or_default();
    examples.extend(table.lines().skip(4).filter_map(|row| row.strip_prefix("| `")?.split("` |").next()));
    assert!(examples.len() > 20, "{examples:?}");
    for example in examples {
        if let Err(error) = Query::compile(example, &Macros::default()) {
            panic!("{example}: {error}");
        }
    }
}

#[test]
fn every_macro_is_named() {
    let (_, macros) = DOCS.split_once("## Macros").unwrap_or_default();
    let (macros, _) = macros.split_once("##").unwrap_or_default();
    for (name, _, text) in BUILT_IN {
        assert!(macros.contains(&format!("`{name}`")), "{name}");
        assert!(
            name == text || macros.contains(&format!("\"{text}\"")) || name == "redis" || name == "kafka",
            "{text}"
        );
    }
}
