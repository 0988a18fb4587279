//! Every script in `scripts/` does what its first line says.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::*;
use remora_script::{Observer, Script, ScriptHost, Services, Verdict};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts")
}

/// Runs an example on a GET answered with 200, one answered with 404 and one answered with 502.
fn run(name: &str) -> Running {
    let script = Script::read(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(script.name, name);
    let recorder = Arc::<Recorder>::default();
    let host = ScriptHost::start(
        vec![script],
        config(),
        Services::default(),
        Arc::clone(&recorder) as Arc<dyn Observer>,
    );
    let running = Running { host: host.unwrap_or_else(|errors| panic!("{errors:?}")), recorder };
    running.items([
        items::http(0, "/shop/cart", 200),
        items::http(1, "/shop/none", 404),
        items::http(2, "/shop/pay", 502),
    ]);
    running
}

#[test]
fn log_items_prints_a_line_per_item() {
    assert_eq!(
        run("log-items.js").recorder.lines(),
        [
            "[log-items.js] GET /shop/cart 200",
            "[log-items.js] GET /shop/none 404",
            "[log-items.js] GET /shop/pay 502"
        ]
    );
}

#[test]
fn rules_fails_server_errors_and_passes_the_rest() {
    let running = run("rules.js");
    assert_eq!(
        running.recorder.verdicts(),
        [(0, Verdict::Passed), (1, Verdict::Passed), (2, Verdict::Failed)]
    );
    assert_eq!(running.recorder.lines(), ["[rules.js] error: GET /shop/pay was answered with 502"]);
}

#[test]
fn every_example_begins_with_its_title() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let script = Script::read(&path).unwrap();
            let title =
                script.code.lines().next().and_then(|line| line.strip_prefix("// ")).unwrap_or_default();
            assert!(!title.is_empty(), "{}", script.name);
            names.push(script.name);
        }
    }
    assert!(names.len() > 2, "{names:?}");
    for name in names {
        let lines = run(&name).recorder.lines();
        let wrong =
            |line: &String| line.contains("] error: ") && !line.contains("not active") && name != "rules.js";
        assert!(!lines.iter().any(wrong), "{name}: {lines:?}");
    }
}
