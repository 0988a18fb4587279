#![allow(clippy::unwrap_used)]

use std::thread;

use proptest::prelude::*;
use remora_check::{
    Finding, MAX_FINDINGS, MAX_SOURCE_BYTES, Options, Severity, Surface, check, render, title,
};

/// Checks and renders on a thread whose stack no recursion over the source would survive.
fn on_a_small_stack(source: String) -> Vec<Finding> {
    let work = move || {
        let found = check(&source, &Surface::documented(), &Options { env: Some(&[]) });
        let _ = title(&source);
        for one in &found {
            let _ = render("x.js", &source, one);
        }
        found
    };
    thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap()
}

#[test]
fn nesting_without_end_overflows_no_stack() {
    for (open, middle, close) in [
        ("[", "", "]"),
        ("(", "1", ")"),
        ("{", "", "}"),
        ("{a:", "1", "}"),
        ("f(", "", ")"),
        ("x=>", "1", ""),
        ("!", "1", ""),
        ("-", "1", ""),
        ("a?b:", "c", ""),
        ("a?", "b", ":c"),
        ("a**", "b", ""),
        ("a+", "b", ""),
        ("a=", "b", ""),
        ("a.", "b", ""),
        ("", "a", ".b"),
        ("", "a", "[0]"),
        ("", "a", "()"),
        ("if(a)", ";", ""),
        ("if(a);else ", ";", ""),
        ("for(;;)", ";", ""),
        ("with(a)", ";", ""),
        ("`${", "", "}`"),
        ("new ", "a", ""),
        ("a:", ";", ""),
        ("function f(){", "", "}"),
        ("class A{m(){", "", "}}"),
        ("[a=", "1", "]"),
        ("async()=>{await ", "1", "}"),
        ("<a>", "", "</a>"),
        ("/*", "", ""),
        ("//\n", "", ""),
        ("'", "", ""),
        ("\\u{", "", ""),
        ("/(", "", ""),
    ] {
        // Deep enough for any recursion that is there; the plain brackets, which are cheap, as deep as it gets.
        let most = if open.len() == 1 && "[({".contains(open) { 100_000 } else { 10_000 };
        for count in [1_000, most] {
            on_a_small_stack(format!("{}{middle}{}", open.repeat(count), close.repeat(count)));
            on_a_small_stack(format!("{}{middle}", open.repeat(count)));
            on_a_small_stack(format!("{middle}{}", close.repeat(count)));
        }
    }
}

#[test]
fn readings_that_the_parser_frees_by_recursion_overflow_no_stack() {
    // An object or a block with a label, undecided to the end.
    on_a_small_stack(format!("{}1", "{a:".repeat(MAX_SOURCE_BYTES / 3 - 1)));
}

#[test]
fn what_is_nested_too_deeply_is_not_looked_at_and_a_note_says_so() {
    let source = format!("{}console.warn(1){}", "(".repeat(20_000), ")".repeat(20_000));
    let found = on_a_small_stack(source);
    assert_eq!((found.len(), found[0].code, found[0].severity), (1, "not-understood", Severity::Note));
    let source = format!("{}console.warn(1){}", "(".repeat(500), ")".repeat(500));
    assert_eq!(on_a_small_stack(source)[0].code, "unknown-member");
}

#[test]
fn names_in_scopes_too_deep_are_not_judged() {
    let deep = |count| format!("{}console.warn(1){}", "{".repeat(count), "}".repeat(count));
    assert_eq!(on_a_small_stack(deep(150)).len(), 1);
    assert_eq!(on_a_small_stack(deep(250)), []);
}

#[test]
fn a_source_beyond_the_cap_is_not_checked() {
    let found = on_a_small_stack(" ".repeat(MAX_SOURCE_BYTES + 1));
    assert_eq!((found.len(), found[0].code), (1, "not-checked"));
    assert_eq!(on_a_small_stack(" ".repeat(MAX_SOURCE_BYTES)), []);
}

#[test]
fn findings_beyond_the_cap_are_counted() {
    let found = on_a_small_stack("console.warn(1);\n".repeat(MAX_FINDINGS + 23));
    assert_eq!(found.len(), MAX_FINDINGS + 1);
    let last = found.last().unwrap();
    assert_eq!((last.code, last.message.as_str()), ("more-findings", "23 more findings are left out"));
}

#[test]
fn a_large_ordinary_script_is_checked_to_its_end() {
    let part =
        "function f(data) { if (data.response.status >= 500) { a[data.x] = (a[data.x] || 0) + 1; } }\n";
    let source = format!("{}console.warn(1)", part.repeat(MAX_SOURCE_BYTES / part.len() - 1));
    let found = on_a_small_stack(source);
    assert_eq!((found.len(), found[0].code), (1, "unknown-member"));
}

#[test]
fn many_uses_of_helpers_in_deep_scopes_end() {
    on_a_small_stack("{fetch;env.a;".repeat(MAX_SOURCE_BYTES / 13));
    on_a_small_stack(format!("env{}", ".a".repeat(MAX_SOURCE_BYTES / 2 - 2)));
    on_a_small_stack(format!("var {}", "onItemCapture=f,".repeat(MAX_SOURCE_BYTES / 16 - 1)));
    on_a_small_stack(format!("vendor.{}()", "x".repeat(MAX_SOURCE_BYTES - 20)));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(source in any::<String>()) {
        on_a_small_stack(source);
    }

    #[test]
    fn text_made_of_a_scripts_pieces_never_panics(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "function ", "onItemCaptured", "onItemCapture", "(", ")", "{", "}", "[", "]", "=>", "=", ".", "?.", ",",
            ";", "\n", "\r", "\u{2028}", "vendor", "slack", "s3", "env", "globalThis", "this", "const ", "let ",
            "var ", "class ", "import ", "export ", "typeof ", "delete ", "new ", "`", "${", "'", "\"", "/", "*",
            "/*", "*/", "//", "...", "async ", "await ", "for", "of ", "in ", "with", "#", "\\", "é", "🦈", "\0",
            "console", "warn", "fetch", "1", "a", " ", "\t", "<!--", "-->", "<", ">", ":",
        ]),
        0..80,
    )) {
        let source: String = pieces.concat();
        let lines = source.split(['\n', '\r', '\u{2028}']).count();
        for found in on_a_small_stack(source) {
            prop_assert!(found.line >= 1 && found.line <= lines && found.column >= 1);
        }
    }

    #[test]
    fn a_place_is_that_of_the_name(before in "[ \t\n\r\u{2028}é🦈a-z]{0,40}") {
        let source = format!("/*{before}*/console.wran(1)");
        let found = on_a_small_stack(source.clone());
        prop_assert_eq!(found.len(), 1);
        let line = source.replace("\r\n", "\n").split(['\n', '\r', '\u{2028}']).nth(found[0].line - 1)
            .unwrap().encode_utf16().collect::<Vec<_>>();
        prop_assert!(String::from_utf16_lossy(&line[found[0].column - 1..]).starts_with("wran"));
    }
}
