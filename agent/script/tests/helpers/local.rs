//! `console.clear`, `kfl.*`, `utils.*`, `prometheus.*`: what needs neither network nor disk.

use crate::common::items;
use crate::common::server::Server;
use crate::common::world::World;
use crate::lines;

fn world() -> World {
    World::new(&Server::always(500, ""))
}

fn said(code: &str) -> Vec<String> {
    lines(&world(), &Server::always(500, ""), code)
}

#[test]
fn clearing_the_console_reaches_the_observer() {
    assert_eq!(
        said("console.log('a'); console.log(console.clear()); console.log('b')"),
        ["a", "(cleared)", "undefined", "b"]
    );
}

#[test]
fn a_query_matches_an_item_whatever_was_done_to_its_object() {
    let server = Server::always(500, "");
    let world = world();
    let running = world.start(
        &server,
        "function onItemCaptured(data) {
             const says = (query) => kfl.match(query, data);
             console.log(says('http and response.status == 502'), says('response.status < 500'), says('broken'), says(''));
             const query = 'request.path == \"/a\"';
             console.log(says(query), data.request.path, says(query));
             data.request.path = '/b';
             console.log(says(query), says('request.path == \"/b\"'));
             data.mark = 7;
             console.log(says('mark == 7'), says('mark == 8'), kfl.match('broken', { ...data }));
             test.fail(data);
             console.log(says('failed == true'));
         }",
    );
    let said = running.item_lines(items::http(0, "/a", 502));
    assert_eq!(said, ["true false true true", "true /a true", "false true", "true false true", "true"]);
}

#[test]
fn a_mark_is_seen_by_a_query_on_an_item_that_is_otherwise_as_it_was() {
    let server = Server::always(500, "");
    let world = world();
    let running = world.start(
        &server,
        "function onItemCaptured(data) {
             console.log(kfl.match('passed == true', data));
             test.pass(data);
             console.log(kfl.match('passed == true', data), kfl.match('failed == true', data));
         }",
    );
    assert_eq!(running.item_lines(items::http(0, "/a", 200)), ["false", "true false"]);
}

#[test]
fn a_query_matches_plain_objects() {
    let said = said(
        "console.log(kfl.match('a.b == 1', { a: { b: 1 } }), kfl.match('a.b == 1', { a: { b: 2 } }), kfl.match('a.b == 1', {}));
         console.log(kfl.match('a == 1', undefined), kfl.match('a == 1', null), kfl.match(undefined, { a: 1 }));",
    );
    assert_eq!(said, ["true false false", "false false true"]);
}

#[test]
fn what_is_no_query_throws_with_its_place() {
    let said = said(
        "console.log(attempt(() => kfl.match('http and\\n  and', {})));
         console.log(attempt(() => kfl.match('response.status ==', {})));",
    );
    assert!(said[0].starts_with("true 2:3: unexpected "), "{said:?}");
    assert!(said[1].starts_with("true 1:19: unexpected "), "{said:?}");
}

#[test]
fn a_query_can_be_validated_aloud_or_quietly() {
    let said = said(
        "console.log(kfl.validate('http and broken'), kfl.validate(''), kfl.validate());
         console.log(kfl.validate('http and', true));
         console.log(kfl.validate('http and'));",
    );
    assert_eq!(said[..2], ["true true true", "false"]);
    assert!(said[2].starts_with("error: 1:9: unexpected "), "{said:?}");
    assert_eq!(said[3..], ["false"]);
}

#[test]
fn utils_names_the_node_and_writes_yaml() {
    let said = said(
        "console.log(utils.nodeName());
         console.log(utils.json2Yaml('{\"b\": {\"c\": [1, \"x\"]}, \"a\": null}'));
         console.log(utils.json2Yaml({ count: 1 }));
         console.log(attempt(() => utils.json2Yaml('{')));
         console.log(attempt(() => utils.json2Yaml()));",
    );
    assert_eq!(said[0], "node-1");
    let lines: Vec<_> = said[1].lines().map(str::trim_end).collect();
    assert!(lines.contains(&"b:") && lines.contains(&"a: null"), "{said:?}");
    assert_eq!(said[2].trim_end(), "count: 1");
    assert!(said[3].starts_with("true utils.json2Yaml: the text is not JSON: "), "{said:?}");
    assert_eq!(said[4], "true utils.json2Yaml: json is missing");
}

#[test]
fn metrics_are_there_for_prometheus_to_read() {
    let world = world();
    let server = Server::always(500, "");
    let running = world.start(
        &server,
        "prometheus.metric('shop_open', 'Whether it is.', 2, 1);
         prometheus.metric('shop_seen_total', 'Visitors.', 1, 5);
         prometheus.metric('shop_seen_total', 'Visitors.', 1, 7);
         for (const status of ['2xx', '5xx', '2xx']) prometheus.vector('answers_total', 'Answers.', 1, 2, { status, none: undefined });
         prometheus.vector('depth', 'Depth.', 2, 3.5, { queue: 1 });
         prometheus.vector('depth', 'Depth.', 2, 1.5, { queue: 1 });",
    );
    assert_eq!(running.lines(), [""; 0]);
    let text = world.exposition();
    for line in [
        "# HELP shop_open Whether it is.",
        "# TYPE shop_open gauge",
        "shop_open 1",
        "# TYPE shop_seen_total counter",
        "shop_seen_total 7",
        r#"answers_total{status="2xx"} 4"#,
        r#"answers_total{status="5xx"} 2"#,
        r#"depth{queue="1"} 1.5"#,
    ] {
        assert!(text.iter().any(|known| known == line), "{line}: {text:#?}");
    }
    running.host.remove("test.js");
    let text = world.exposition();
    assert!(!text.iter().any(|line| line.starts_with("shop_open")), "{text:#?}");
}

#[test]
fn what_is_no_metric_throws() {
    let said = said(
        "console.log(attempt(() => prometheus.metric('a b', '', 2, 1)));
         console.log(attempt(() => prometheus.metric('a', '', 2)));
         console.log(attempt(() => prometheus.metric('a', '', 'gauge', 1)));
         console.log(attempt(() => prometheus.vector('a', '', 3, 1)));
         console.log(attempt(() => prometheus.vector('a', '', 1, -1)));
         console.log(attempt(() => prometheus.vector()));",
    );
    assert!(said.iter().all(|line| line.starts_with("true prometheus.")), "{said:?}");
    assert_eq!(said[1], "true prometheus.metric: value must be a number");
    assert_eq!(said[2], "true prometheus.metric: type must be a number");
    assert_eq!(said[5], "true prometheus.vector: name is missing");
}
