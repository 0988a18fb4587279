//! What a hostile script says is to become of it.
//!
//! Lines of the comment at its beginning, all of which must come true:
//!
//! ```text
//! // expect: timeouts or abandoned     one of these counters goes up
//! // expect: says text of a line       a console line of the script has this text
//! // expect: load text of an error     the script is not loaded, with an error that has this text
//! // expect(v8): ...                   on this engine alone; expect(quickjs) likewise
//! ```

use remora_script::ScriptStats;

const ENGINE: &str = if cfg!(feature = "v8") { "v8" } else { "quickjs" };

#[derive(Debug)]
pub(crate) enum Expected {
    Counters(Vec<String>),
    Says(String),
    Load(String),
}

/// The expectations in a script's comment.
pub(crate) fn read(code: &str) -> Vec<Expected> {
    let comment = code.lines().map_while(|line| line.strip_prefix("// ")).skip(1);
    let expected = comment.filter_map(|line| {
        let (head, text) = line.split_once(": ").unwrap_or_else(|| panic!("not an expectation: {line}"));
        let engine = match head {
            "expect" => ENGINE,
            "expect(v8)" => "v8",
            "expect(quickjs)" => "quickjs",
            _ => panic!("not an expectation: {line}"),
        };
        (engine == ENGINE).then(|| match text.split_once(' ') {
            Some(("says", text)) => Expected::Says(text.to_owned()),
            Some(("load", text)) => Expected::Load(text.to_owned()),
            _ => Expected::Counters(text.split(" or ").map(str::to_owned).collect()),
        })
    });
    let expected: Vec<_> = expected.collect();
    assert!(!expected.is_empty(), "the script does not say what is expected on {ENGINE}");
    expected
}

impl Expected {
    pub(crate) fn holds(&self, stats: &ScriptStats, lines: &[String]) -> bool {
        match self {
            Self::Counters(names) => names.iter().any(|name| counter(stats, name) > 0),
            Self::Says(text) => lines.iter().any(|line| line.contains(text.as_str())),
            Self::Load(_) => false,
        }
    }
}

fn counter(stats: &ScriptStats, name: &str) -> u64 {
    match name {
        "errors" => stats.errors,
        "timeouts" => stats.timeouts,
        "heap_overflows" => stats.heap_overflows,
        "shed" => stats.shed,
        "console_suppressed" => stats.console_suppressed,
        "abandoned" => stats.abandoned.into(),
        _ => panic!("there is no counter {name}"),
    }
}
