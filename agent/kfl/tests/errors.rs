//! Every error says where it is and what to write instead; every cap of a query is an error with its number.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use remora_kfl::caps::{
    MAX_CUSTOM_MACROS, MAX_DEPTH, MAX_MACRO_CHAIN, MAX_NODES, MAX_QUERY_BYTES, MAX_REGEXES, MAX_STEPS,
};
use remora_kfl::{ErrorKind, Macros, Query};

fn error(text: &str) -> String {
    match Query::compile(text, &Macros::default()) {
        Ok(query) => panic!("{text} is a query: {}", query.expr()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_the_place_in_the_text_as_written() {
    for (text, expected) in [
        ("a ?", "1:3: unexpected \"?\" (expected a value, an operator or the end of the query)"),
        ("a ==", "1:5: unexpected end of the query (expected a field, a value, a helper or \"(\")"),
        ("http and http and ?", "1:19: unexpected \"?\""),
        ("a\n  and é ?", "2:9: unexpected \"?\""),
        ("a b", "1:3: unexpected \"b\" (expected an operator, \"and\", \"or\" or the end of the query)"),
        ("(a", "1:3: unexpected end of the query (expected \")\", \"and\", \"or\" or an operator)"),
        ("()", "1:2: unexpected \")\""),
        ("a == and", "1:6: unexpected \"and\""),
        ("a = 1", "1:3: unexpected \"=\": equality is written =="),
        ("a & b", "1:3: unexpected \"&\": write \"and\" or \"&&\""),
        ("a | b", "1:3: unexpected \"|\": write \"or\" or \"||\""),
        ("now() + 5", "1:7: unexpected \"+\": there is no arithmetic"),
        ("now() - 5", "1:7: unexpected \"-\""),
        (
            "h.x-y == 1",
            "1:4: unexpected \"-\": there is no arithmetic; a name with \"-\" is written in brackets",
        ),
        ("a.0", "1:2: unexpected \".0\": an element is written in brackets, as in a[0]"),
        ("a[-1]", "1:3: unexpected \"-\" (expected an index from 0, a name in quotes or \"*\")"),
        ("a[1.5]", "1:3: unexpected \"1.5\" (expected an index from 0)"),
        ("a[x]", "1:3: unexpected \"x\": a name in brackets is in quotes"),
        ("a[1", "1:4: unexpected end of the query (expected \"]\")"),
        ("a.", "1:3: unexpected end of the query (expected a field's name)"),
        ("a..", "1:4: unexpected end of the query (expected a field's name)"),
        ("*.a", "1:1: unexpected \"*\": a wildcard follows a field"),
        ("\"abc", "1:1: the string is not closed"),
        ("\"abc\n\"", "1:1: the string is not closed"),
        ("a == r\"x", "1:6: the regular expression is not closed"),
        ("a /* b", "1:3: the comment is not closed"),
        ("a == \"\\d\"", "1:7: unknown escape \"\\\\d\""),
        ("a == \"\\ud800\"", "1:7: unknown escape"),
        ("a == 0x10", "1:6: \"0x10\" is no number"),
        ("a == 1e999", "1:6: \"1e999\" is no number"),
        ("a.startswith(\"x\")", "1:3: unknown helper \"startswith\": do you mean startsWith?"),
        ("a.matches(\"x\")", "1:3: unknown helper \"matches\": a regular expression is compared with"),
        ("a.limit(1)", "1:3: unknown helper \"limit\": limit(…) stands by itself, not behind a path"),
        ("contains(\"x\")", "1:1: unknown helper \"contains\": contains(…) follows a path"),
        ("rlimit(1)", "1:1: unknown helper \"rlimit\": do you mean limit?"),
        ("http(1)", "1:1: unknown helper \"http\""),
        ("minute(5)", "1:1: unknown helper \"minute\": do you mean minutes?"),
        ("a.contains()", "1:12: contains takes one argument"),
        ("a.contains(1, 2)", "1:13: contains takes one argument"),
        ("a.contains(1).b", "1:14: unexpected \".\": contains(…) is true or false and has no fields"),
        ("a.json(1).b", "1:8: json takes no argument"),
        ("limit(-1)", "1:7: limit takes a whole number from 0"),
        ("limit(x)", "1:7: limit takes a whole number from 0"),
        ("minutes(x)", "1:9: minutes takes a number"),
        ("now(1)", "1:5: now takes no argument"),
        ("now().x", "1:6: unexpected \".\": now(…) has no fields"),
        ("record(1)", "1:8: record takes a name in quotes"),
        ("datetime(1)", "1:10: datetime takes a date in quotes"),
        ("datetime(\"2021-10-19\")", "1:10: \"2021-10-19\" is no date of the form"),
        ("redact()", "1:8: redact takes one path in quotes or more"),
        ("redact(\"a\" \"b\")", "1:12: redact takes one path in quotes or more"),
        ("redact(\"a.b == 1\")", "1:8: in the path \"a.b == 1\": unexpected \"==\""),
        ("redact(\"\")", "1:8: in the path \"\": unexpected end"),
        ("redact(\"a.contains(1)\")", "1:8: in the path"),
        ("a == r\"(\"", "1:6: the regular expression has an error: unclosed group"),
        ("a == r\"\\w{300}\"", "1:6: the regular expression takes more than"),
        ("r\"a\"", "1:1: a regular expression stands on one side of == or !="),
        ("a > r\"a\" == b", "1:3: a regular expression stands on one side"),
        ("!r\"a\" == b", "1:1: a regular expression stands on one side"),
        ("r\"a\" == r\"a\"", "1:6: a regular expression stands on one side"),
        ("a == (r\"a\")", "1:7: a regular expression stands on one side"),
    ] {
        let found = error(text);
        assert!(found.starts_with(expected), "{text}:\n  {found}\n  {expected}");
    }
}

#[test]
fn a_long_token_is_not_repeated_in_full() {
    assert!(error(&format!("a {}", "b".repeat(5_000))).len() < 200);
    assert!(error(&format!("a \"{}\"", "b".repeat(5_000))).len() < 200);
}

fn kind(text: &str) -> Option<ErrorKind> {
    Query::compile(text, &Macros::default()).err().map(|error| error.kind)
}

#[test]
fn a_query_has_caps() {
    let nested =
        |levels: usize, open: &str, close: &str| format!("{}a{}", open.repeat(levels), close.repeat(levels));
    for (open, close) in [("(", ")"), ("!", ""), ("-", ""), ("not ", ""), ("b.contains(", ")")] {
        assert_eq!(kind(&nested(MAX_DEPTH, open, close)), None, "{open}");
        assert_eq!(kind(&nested(MAX_DEPTH + 1, open, close)), Some(ErrorKind::Depth), "{open}");
    }
    // A comparison with parentheses on its right takes two levels.
    assert_eq!(kind(&nested(MAX_DEPTH / 2, "a == (", ")")), None);
    assert_eq!(kind(&nested(MAX_DEPTH / 2 + 1, "a == (", ")")), Some(ErrorKind::Depth));
    let chain = |operators: usize| format!("a{}", " == a".repeat(operators));
    assert_eq!(kind(&chain(MAX_DEPTH)), None);
    assert_eq!(kind(&chain(MAX_DEPTH + 1)), Some(ErrorKind::Depth));
    let path = |steps: usize| format!("a{}", "[0]".repeat(steps - 1));
    assert_eq!(kind(&path(MAX_STEPS)), None);
    assert_eq!(kind(&path(MAX_STEPS + 1)), Some(ErrorKind::Steps));
    let regexes = |count: usize| vec!["a == r\"x\""; count].join(" or ");
    assert_eq!(kind(&regexes(MAX_REGEXES)), None);
    assert_eq!(kind(&regexes(MAX_REGEXES + 1)), Some(ErrorKind::Regexes));
    assert_eq!(kind(&" ".repeat(MAX_QUERY_BYTES)), None);
    assert_eq!(kind(&" ".repeat(MAX_QUERY_BYTES + 1)), Some(ErrorKind::Length));
    // Wide, not deep: thousands of parts are no problem for the stack.
    assert_eq!(kind(&vec!["a"; 3_000].join(" or ")), None);
}

#[test]
fn macros_count_with_all_they_expand_to() {
    // Each twice the one before: 2^15 parts from 15 short texts.
    let doubling = (0..16).map(|level| {
        let below = format!("m{}", level - 1);
        (format!("m{level}"), if level == 0 { "a".to_owned() } else { format!("{below} or {below}") })
    });
    let error = Macros::with_custom(doubling).unwrap_err().to_string();
    assert!(error.contains(&format!("more than {MAX_NODES} parts")), "{error}");

    let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
    let macros = Macros::with_custom([("deep", deep)]).unwrap();
    assert!(Query::compile(&format!("{}deep{}", "(".repeat(30), ")".repeat(30)), &macros).is_ok());
    let error = Query::compile(&format!("{}deep{}", "(".repeat(50), ")".repeat(50)), &macros).unwrap_err();
    assert_eq!((error.kind, error.column), (ErrorKind::Depth, 51));
}

#[test]
fn an_error_in_a_macro_names_the_macro() {
    let error = |macros: &[(&str, &str)]| match Macros::with_custom(macros.iter().copied()) {
        Ok(_) => panic!("{macros:?} have no error"),
        Err(error) => error.to_string(),
    };
    assert!(error(&[("x", "a ?")]).starts_with("macro \"x\": 1:3: unexpected \"?\""));
    assert!(error(&[("outer", "a and inner"), ("inner", "b ==")]).starts_with("macro \"inner\": 1:5: "));
    assert!(error(&[("x-y", "a")]).starts_with("macro \"x-y\": a macro's name is an identifier"));
    assert!(error(&[("and", "a")]).starts_with("macro \"and\": a macro's name"));
    assert!(error(&[("self", "a and self")]).contains("the macro \"self\" uses itself"));
    let cycle = error(&[("a", "x and b"), ("b", "c"), ("c", "(a)")]);
    assert!(cycle.starts_with("macro \"c\": 1:2: the macro \"a\" uses itself"), "{cycle}");
    let chain =
        |length: usize| (0..length).map(|at| (format!("m{at}"), format!("m{}", at + 1))).collect::<Vec<_>>();
    assert!(Macros::with_custom(chain(MAX_MACRO_CHAIN)).is_ok());
    let long = Macros::with_custom(chain(MAX_MACRO_CHAIN + 1)).unwrap_err().to_string();
    assert!(long.contains("macros use each other in a chain"), "{long}");
    let many = |count: usize| (0..count).map(|at| (format!("m{at}"), "a"));
    assert!(Macros::with_custom(many(MAX_CUSTOM_MACROS)).is_ok());
    assert!(Macros::with_custom(many(MAX_CUSTOM_MACROS + 1)).is_err());
}
