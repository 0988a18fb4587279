//! What the language means, where the table of v1 does not say it already.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use remora_kfl::{Macros, Query};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000_000;

fn custom() -> Macros {
    Macros::with_custom([("https", "tls and (http or http2)"), ("slow", "elapsedTime > 100")]).unwrap()
}

fn matches(query: &str, item: &Value) -> bool {
    match Query::compile(query, &custom()) {
        Ok(query) => query.matches(item, NOW),
        Err(error) => panic!("{query}: {error}"),
    }
}

fn all_match(item: &Value, queries: &[&str]) {
    for query in queries {
        assert!(matches(query, item), "{query} does not match {item}");
    }
}

fn none_match(item: &Value, queries: &[&str]) {
    for query in queries {
        assert!(!matches(query, item), "{query} matches {item}");
    }
}

#[test]
fn operators_bind_from_tight_to_loose() {
    let item = json!({ "a": 1, "b": 2, "yes": true, "no": false });
    all_match(
        &item,
        &[
            "yes or no and no",
            "no and no or yes",
            "not no and yes",
            "not a == 2 and b == 2",
            "a < b == yes",
            "yes == a < b",
            "!no == yes",
            "not not yes",
            "!!yes",
            "yes || no && no",
            "3 > 2 > 0",
            "1 == 1 == true",
            "-a < 0 and -a == -1 and a == --1",
            "a//comment\n == 1 /* and one */ and yes",
            "/* nothing but a comment */",
        ],
    );
    none_match(&item, &["not (yes or no)", "!a == 2", "-a", "(no or no) and yes", "3 > 2 > 1"]);
}

#[test]
fn a_missing_path_is_false_where_it_stands_and_nowhere_else() {
    let item = json!({ "x": 1, "nil": null, "deep": { "y": 1 } });
    none_match(
        &item,
        &[
            "missing",
            "missing == 1",
            "missing != 1",
            "missing == nil",
            "missing != nil",
            "missing == missing",
            "missing < 1",
            "missing == r\"\"",
            "missing != r\"a\"",
            "1 != missing",
            "missing.contains(\"\")",
            "deep.y.z.w == 1",
            "x.y != 1",
            "x[0] != 1",
            "x.* != 1",
            "..missing != 1",
            "-missing == 0",
            "x.startsWith(missing)",
            "missing.json().x",
        ],
    );
    all_match(
        &item,
        &["!missing", "missing or x", "!(missing == 1)", "!missing.contains(\"a\")", "not missing and x"],
    );
}

#[test]
fn numbers_are_exact_and_texts_are_read_as_numbers_by_relations_only() {
    let item = json!({
        "int": 9_007_199_254_740_993_i64, "float": 0.1, "whole": 2.0, "text": "10", "word": "abc", "yes": true,
        "nil": null, "port": "8080", "object": {}, "huge": u64::MAX,
    });
    all_match(
        &item,
        &[
            "int == 9007199254740993",
            "int == 9_007_199_254_740_993",
            "int != 9007199254740992",
            "int > 9007199254740992",
            "int > 9007199254740992.0",
            "float == 0.1",
            "float == .1",
            "float == \"0.1\"",
            "float == 1e-1",
            "whole == 2",
            "whole == \"2\"",
            "port == 8080",
            "port == 8080.0",
            "port >= 8080 and port < 8080.5",
            "\"2\" < \"10\"",
            "text > 9",
            "word < 1 and word >= 0",
            "yes > 0 and yes == 1 > 0",
            "nil < 1",
            "nil == \"null\"",
            "yes == \"true\"",
            "yes == true",
            "010 == 10",
            "huge > 9223372036854775807",
            "huge == 18446744073709551615",
            "object != \"\" and object == object",
            "word == 'abc' and word == `abc`",
        ],
    );
    none_match(
        &item,
        &[
            "\"a\" < \"b\"",
            "text == 10.5",
            "yes == 1",
            "object == \"\"",
            "object > -1",
            "object == r\"\"",
            "word == 0",
        ],
    );
}

#[test]
fn lists_are_compared_by_any_element_and_with_each_other_by_content() {
    let item = json!({
        "a": [1, 2, "three"], "b": [1, 2, "three"], "c": [2, 1, "three"], "empty": [], "nested": [[1], [2, [3]]],
        "objects": [{ "n": 1, "t": ["x", "y"] }, { "n": 2, "t": ["z"] }], "one": [{ "n": [7, 8] }], "list": [7, 8],
        "low": [1, 2], "high": [3, 4], "longer": [1, 2, 3], "more": [{ "n": [7, 8], "m": 1 }],
    });
    all_match(
        &item,
        &[
            "a == 2",
            "2 == a",
            "a == \"three\"",
            "a == b",
            "a != c",
            "a != 4",
            "a > 1",
            "empty == empty",
            "empty != 1",
            "nested == 3",
            "nested.* == 3",
            "objects.*.t == \"y\"",
            "objects[*].n == low",
            "low == objects..n",
            "one.*.n == list",
            "one.*.n == 7",
            "low < high and high >= 3",
            "low <= low[0] and !(low > high)",
            "objects.* == objects",
            "a == r\"^th\"",
            "a != r\"four\"",
            "a.contains(\"hre\") and a.startsWith(\"thr\") and a.endsWith(1)",
            "-low == -2",
            "nested..missing or nested",
        ],
    );
    none_match(
        &item,
        &[
            "a != 2",
            "empty == 1",
            "empty > 0",
            "a == c",
            "a != r\"three\"",
            "low < low",
            "low == longer",
            "longer == low",
            "one == more",
            "more == one",
            "empty < empty",
            "a.contains(\"four\")",
            "objects.*.n == high",
            "objects.x == 1",
        ],
    );
}

#[test]
fn paths_go_by_fields_indexes_wildcards_and_descent() {
    let item = json!({
        "a": { "x-y": { "z": [10, [20, 21]] }, "and": 1, "http": 2, "json": 3, "": 4, "*": 5 },
        "list": [{ "k": { "deep": "first" } }, { "k": { "deep": "second" } }],
        "é": { "ü": 1 },
    });
    all_match(
        &item,
        &[
            "a[\"x-y\"].z[0] == 10",
            "a[\"x-y\"][\"z\"][1][1] == 21",
            "a.and == 1 and a.http == 2 and a.json == 3 and a[\"\"] == 4 and a[\"*\"] == 5",
            "list..deep == \"second\"",
            "..deep == \"first\"",
            "list.*.k.deep == \"second\"",
            "a..[\"x-y\"].z[0] == 10",
            "é.ü == 1",
            "..k..deep == \"second\"",
            "list[1].k[\"deep\"] == \"second\" and list[0]..deep == \"first\"",
        ],
    );
    none_match(&item, &["list.k", "a[0]", "list[2]", "list[\"0\"]", "a.*.nothing", "..z..z"]);
}

#[test]
fn macros_are_whole_words_at_the_start_of_a_path() {
    let item = json!({
        "protocol": { "name": "http", "abbr": "HTTP", "http": "field" },
        "tls": true, "http": { "x": 1 }, "https2": 1, "elapsedTime": 200, "text": "http",
        "request": { "httpVersion": "HTTP/1.1", "http": 5 },
    });
    all_match(
        &item,
        &[
            "http",
            "(http)",
            "!dns",
            "https",
            "https == true",
            "https2 == 1",
            "request.httpVersion == \"HTTP/1.1\"",
            "request.http == 5",
            "http.x == 1",
            "http[\"x\"] == 1",
            "http..x == 1",
            "text == \"http\"",
            "slow and https and not gql",
            "tls",
        ],
    );
    none_match(&item, &["dns", "http2", "!https", "redis or kafka", "error"]);
    for (name, field, text) in remora_kfl::BUILT_IN {
        assert!(matches(name, &json!({ "protocol": { field: text } })), "{name}");
        assert!(!matches(name, &json!({ "protocol": { field: "other" } })), "{name}");
    }
}

#[test]
fn custom_macros_win_and_may_use_each_other() {
    let macros = Macros::with_custom([
        ("b", "a or port == 2"),
        ("a", "port == 1"),
        ("c", "b and not a"),
        ("http", "protocol.name == \"http\""),
        ("both", "http and a"),
    ])
    .unwrap();
    let item = |port: i64| json!({ "port": port, "protocol": { "name": "http", "abbr": "GQL" } });
    for (query, port, expected) in [
        ("a", 1, true),
        ("b", 2, true),
        ("c", 2, true),
        ("c", 1, false),
        ("http", 0, true),
        ("both", 1, true),
    ] {
        let found = Query::compile(query, &macros).unwrap().matches(&item(port), NOW);
        assert_eq!(found, expected, "{query} {port}");
    }
    assert_eq!(macros.get("a").unwrap().to_string(), "port == 1");
    assert!(macros.names().contains(&"both") && macros.names().contains(&"redis"));
}

#[test]
fn times_are_relative_to_the_moment_given() {
    let at = |offset: i64| json!({ "timestamp": NOW + offset, "now": 5 });
    for (query, offset, expected) in [
        ("timestamp == now()", 0, true),
        ("timestamp == now", 0, true),
        ("timestamp == seconds(-1)", -1_000, true),
        ("timestamp == seconds(0.5)", 500, true),
        ("timestamp == minutes(2)", 120_000, true),
        ("timestamp == hours(1)", 3_600_000, true),
        ("timestamp == days(-1)", -86_400_000, true),
        ("timestamp == weeks(1)", 604_800_000, true),
        ("timestamp == months(1)", 2_592_000_000, true),
        ("timestamp == years(-1)", -31_536_000_000, true),
        ("timestamp < years(9223372036854775807)", 0, true),
        ("timestamp > years(-1e300)", 0, true),
        ("timestamp > minutes(-5)", -300_000, false),
        ("now", 0, true),
    ] {
        assert_eq!(matches(query, &at(offset)), expected, "{query}");
    }
}

#[test]
fn record_selects_by_the_field_record() {
    let item = json!({ "record": "monday" });
    all_match(&item, &["record(\"monday\")", "record == \"monday\"", "!record(\"tuesday\")"]);
    none_match(&json!({}), &["record(\"monday\")"]);
}

#[test]
fn json_inside_texts_is_a_further_path() {
    let inner = r#"{"a":{"b":["x",{"c":"/api/v1"}]},"n":9007199254740993,"t":"{\"k\":\"v\"}","d":1,"d":2,"q":"\"\u00e9"}"#;
    let item =
        json!({ "body": inner, "list": ["{\"k\":1}", "no", "{\"k\":2}"], "number": "12", "text": "\"t\"" });
    all_match(
        &item,
        &[
            "body.json().a.b[0] == \"x\"",
            "body.json()[\"a\"][\"b\"][1][\"c\"] == \"/api/v1\"",
            "body.json().a.b[1].c.startsWith(\"/api\")",
            "body.json()..c.endsWith(\"v1\")",
            "body.json()..c == r\"v\\d$\"",
            "body.json().n == 9007199254740993",
            "body.json().t.json().k == \"v\"",
            "body.json().d == 2",
            "body.json().q == \"\\\"é\"",
            "body.json()",
            "body.json().a.b.* == \"x\"",
            "list.*.json().k == 2",
            "number.json() == 12",
            "text.json() == \"t\"",
            "body.json().a.b[1].c == \"/api/v1\" and number == 12",
        ],
    );
    none_match(
        &item,
        &["list.json()", "list[1].json()", "number.json().x", "body.json().missing != 1", "body.xml()"],
    );
}

#[test]
fn xml_inside_texts_is_a_further_path() {
    let xml = "<?xml version=\"1.0\"?>\n<!DOCTYPE s:shop [<!ENTITY e \"x\">]>\n<s:shop xmlns:s=\"urn:s\" open='yes &amp; no'>\n  \
               <book lang=\"en\">First</book><book>Second &lt;&#50;&gt;<![CDATA[ <raw>]]></book><!-- no -->\n  \
               <empty/><owner><name>Ann</name> text <name>Bob</name></owner><e>&e;</e>\n</s:shop>\n";
    let item = json!({ "body": xml, "base64": "PGE+PGI+MTwvYj48L2E+" });
    all_match(
        &item,
        &[
            "body.xml().shop[\"-open\"] == \"yes & no\"",
            "body.xml().shop.book[0][\"#text\"] == \"First\"",
            "body.xml().shop.book[0][\"-lang\"] == \"en\"",
            "body.xml().shop.book[1] == \"Second <2> <raw>\"",
            "body.xml().shop.book == r\"^Second\"",
            "body.xml().shop.empty == \"\"",
            "body.xml().shop.owner.name == \"Bob\"",
            "body.xml().shop.owner[\"#text\"] == \"text\"",
            "body.xml()..name.startsWith(\"A\")",
            "body.xml().shop.e == \"&e;\"",
            "body.xml().*.owner.name[1] == \"Bob\"",
            "base64.xml().a.b == 1",
        ],
    );
    none_match(&item, &["body.xml().book", "body.xml().shop.book[2]", "body.json()"]);
    for broken in
        ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "<a b=c/>", "<a>&#xffffffff;</a>", "</a>"]
    {
        assert!(!matches("body.xml()", &json!({ "body": broken })), "{broken}");
    }
}

#[test]
fn strings_interpret_escapes_and_regular_expressions_do_not() {
    let item = json!({ "a": "x\ty\"z\\", "b": "line\nbreak", "c": "é😀", "d": "12.5", "e": "a\"b" });
    all_match(
        &item,
        &[
            r#"a == "x\ty\"z\\""#,
            r#"a == 'x\ty"z\\'"#,
            r#"b == "line\x0abreak""#,
            r#"c == "\u00e9\U0001F600""#,
            r#"d == r"^\d+\.\d$""#,
            r#"e == r"\"""#,
            r#"c == r"^\p{L}""#,
            r#"b == r"(?i)LINE\s""#,
            r#"r"\." == d"#,
        ],
    );
}

#[test]
fn tests_take_any_scalar_and_look_into_lists() {
    let item =
        json!({ "n": 1234, "t": true, "prefix": "/api", "path": "/api/v1", "list": ["no", "/api"], "o": {} });
    all_match(
        &item,
        &[
            "n.startsWith(12) and n.endsWith(\"34\") and t.contains(\"ru\")",
            "path.startsWith(prefix)",
            "path.startsWith(list)",
            "list.startsWith(prefix)",
        ],
    );
    none_match(&item, &["o.contains(\"\")", "path.startsWith(o)", "path.endsWith(prefix)"]);
}
