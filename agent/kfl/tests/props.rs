//! Any tree prints as a text that parses to the same tree; no text, and no item, makes the language panic.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use proptest::prelude::*;
use remora_kfl::ast::{Comparison, Expr, Literal, Operator, Path, Step, Test, TestKind, Time, Unit};
use remora_kfl::{Macros, Query};
use serde_json::Value;

fn macros() -> Macros {
    Macros::with_custom([("https", "tls and (http or http2)")]).unwrap()
}

fn compile(text: &str) -> Result<Expr, remora_kfl::Error> {
    Query::compile(text, &macros()).map(|query| query.expr().clone())
}

/// A pattern or a macro comes from the parser.
fn parsed(text: &str) -> Expr {
    compile(text).unwrap()
}

fn name() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        "[a-z]{1,6}",
        "[A-Za-zé_][A-Za-z0-9_é]{0,6}",
        Just("and".to_owned()),
        Just("http".to_owned()),
        any::<String>()
    ]
    .prop_map(Into::into)
}

/// A path's first name is a word, and no keyword or macro.
fn first() -> impl Strategy<Value = Step> {
    let word = "x[a-z0-9_]{0,5}".prop_map(|name| Step::Field(name.into()));
    prop_oneof![4 => word, 1 => name().prop_map(Step::Descend)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => name().prop_map(Step::Field),
        1 => name().prop_map(Step::Descend),
        1 => (0..1000_usize).prop_map(Step::Index),
        1 => Just(Step::Each),
        1 => Just(Step::Json),
        1 => Just(Step::Xml),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    (first(), prop::collection::vec(step(), 0..5)).prop_map(|(first, rest)| {
        let steps: Vec<Step> = std::iter::once(first).chain(rest).collect();
        Path { steps: steps.into() }
    })
}

/// Paths of `redact` may begin with any step that is no call.
fn redacted() -> impl Strategy<Value = Path> {
    let steps = prop::collection::vec(step(), 1..5);
    steps
        .prop_filter("begins with a call", |steps| !matches!(steps[0], Step::Json | Step::Xml))
        .prop_map(|steps| Path { steps: steps.into() })
}

fn number() -> impl Strategy<Value = Literal> {
    let float = prop_oneof![any::<f64>(), Just(-0.0), Just(1e20), Just(5e-324)];
    prop_oneof![
        any::<i64>().prop_map(Literal::Int),
        float.prop_filter("finite", |value| value.is_finite()).prop_map(Literal::Float),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Nil),
        any::<bool>().prop_map(Literal::Bool),
        number(),
        any::<String>().prop_map(|text| Literal::Text(text.into())),
    ]
}

fn leaf() -> impl Strategy<Value = Expr> {
    let units = prop::sample::select(vec![
        Unit::Seconds,
        Unit::Minutes,
        Unit::Hours,
        Unit::Days,
        Unit::Weeks,
        Unit::Months,
        Unit::Years,
    ]);
    prop_oneof![
        4 => path().prop_map(Expr::Path),
        2 => literal().prop_map(Expr::Literal),
        1 => prop::sample::select(vec!["http", "https", "redis"]).prop_map(parsed),
        1 => prop::sample::select(vec!["now", "datetime(\"1/2/2023, 4:05:06 AM\")"]).prop_map(parsed),
        1 => (units, number()).prop_map(|(unit, count)| Expr::Time(Time::FromNow { unit, count })),
        1 => (0..=i64::MAX as u64).prop_map(Expr::Limit),
        1 => any::<String>().prop_map(|name| Expr::Record(name.into())),
        1 => prop::collection::vec(redacted(), 1..3).prop_map(|paths| Expr::Redact(paths.into())),
    ]
}

fn pattern() -> impl Strategy<Value = Expr> {
    let patterns = vec![r"^\d+$", r#"a\"b"#, r"\\", "", "(?i)é|ü"];
    prop::sample::select(patterns).prop_map(|text| match parsed(&format!("a == r\"{text}\"")) {
        Expr::Compare(comparison) => comparison.right,
        other => panic!("{other} is no comparison"),
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let many = || prop::collection::vec(inner.clone(), 2..4);
        let operators = [
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
        ];
        let kinds = prop::sample::select(vec![TestKind::StartsWith, TestKind::EndsWith, TestKind::Contains]);
        let compare = |operator, left, right| Expr::Compare(Box::new(Comparison { operator, left, right }));
        let equality = prop::sample::select(vec![Operator::Equal, Operator::NotEqual]);
        prop_oneof![
            many().prop_map(Expr::All),
            many().prop_map(Expr::Any),
            inner.clone().prop_map(|expr| Expr::Not(Box::new(expr))),
            // The parser makes a negated number a number.
            inner
                .clone()
                .prop_filter("number", |expr| !matches!(
                    expr,
                    Expr::Literal(Literal::Int(_) | Literal::Float(_))
                ))
                .prop_map(|expr| Expr::Negate(Box::new(expr))),
            (prop::sample::select(operators.to_vec()), inner.clone(), inner.clone())
                .prop_map(move |(operator, left, right)| compare(operator, left, right)),
            (equality, inner.clone(), pattern(), any::<bool>()).prop_map(
                move |(operator, expr, pattern, swap)| {
                    if swap { compare(operator, pattern, expr) } else { compare(operator, expr, pattern) }
                }
            ),
            (kinds, path(), inner).prop_map(|(kind, path, argument)| Expr::Test(Box::new(Test {
                kind,
                path,
                argument
            }))),
        ]
    })
}

fn item() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(|text| serde_json::json!({ "x": [text, 1] }).to_string().into()),
        "[a-z<>&/ ]{0,12}".prop_map(|text| format!("<x>{text}</x>").into()),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("x[a-z]?|http|protocol", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    tree.prop_map(|value| serde_json::json!({ "x": value }))
}

/// Texts that are nearly queries.
fn nearly() -> impl Strategy<Value = String> {
    let words = [
        "x",
        "x.*",
        "x..x",
        "http",
        "and",
        "or",
        "not",
        "!",
        "-",
        "==",
        "!=",
        "<",
        ">=",
        "(",
        ")",
        "[",
        "]",
        ".",
        "..",
        ",",
        "*",
        "\"a\"",
        "r\"a+\"",
        "5",
        ".5",
        "1e3",
        "true",
        "nil",
        "x.json()",
        "x.xml()",
        ".contains(",
        "limit(1)",
        "redact(\"..x\")",
        "now",
        "minutes(-5)",
        "//",
        "/*",
        "*/",
        "\n",
        "é",
        "\"",
        "'",
        "\\",
    ];
    prop::collection::vec((prop::sample::select(words.to_vec()), any::<bool>()), 0..12).prop_map(|words| {
        words.into_iter().map(|(word, space)| format!("{word}{}", if space { " " } else { "" })).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_tree_parses_to_itself(expr in expr()) {
        let text = expr.to_string();
        let again = compile(&text);
        prop_assert_eq!(again.as_ref(), Ok(&expr), "{}", text);
        prop_assert_eq!(again.unwrap().to_string(), text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(expr) = compile(&text) {
            prop_assert_eq!(compile(&expr.to_string()), Ok(expr));
        }
    }

    #[test]
    fn no_text_that_is_nearly_a_query_panics(text in nearly(), mut item in item()) {
        match Query::compile(&text, &macros()) {
            Ok(query) => {
                prop_assert_eq!(&compile(&query.expr().to_string()), &Ok(query.expr().clone()), "{}", text);
                let outcome = query.evaluate(&item, 0);
                prop_assert_eq!(outcome.matched, query.matches(&item, 0));
                outcome.redact(&mut item);
            }
            Err(error) => {
                let lines: Vec<&str> = text.split('\n').collect();
                prop_assert!(error.line <= lines.len(), "{}: {}", text, error);
                prop_assert!(error.column <= lines[error.line - 1].chars().count() + 1, "{}: {}", text, error);
            }
        }
    }

    #[test]
    fn any_query_on_any_item_ends_without_a_panic(expr in expr(), mut item in item()) {
        let query = Query::compile(&expr.to_string(), &macros()).unwrap();
        prop_assert_eq!(query.matches(&item, 1), query.evaluate(&item, 1).matched);
        query.redact(&mut item, 1);
    }

    #[test]
    fn not_and_its_like_are_complements(expr in expr(), item in item()) {
        let holds = |text: String| Query::compile(&text, &macros()).unwrap().matches(&item, 1);
        let plain = holds(expr.to_string());
        prop_assert_eq!(holds(format!("not ({expr})")), !plain);
        prop_assert_eq!(holds(format!("({expr}) or false")), plain);
        prop_assert_eq!(holds(format!("true && ({expr})")), plain);
    }

    #[test]
    fn what_was_redacted_holds_nothing_more(item in item()) {
        let redact = |mut item: Value| {
            let query = Query::compile("redact(\"x..x\", \"x.*.json()..x\", \"x..xa.xml()..x\")", &macros()).unwrap();
            query.redact(&mut item, 0);
            item
        };
        let once = redact(item);
        let search = Query::compile("x..x != \"[REDACTED]\"", &macros()).unwrap();
        prop_assert!(!search.matches(&once, 0), "{}", once);
        prop_assert_eq!(redact(once.clone()), once);
    }
}
