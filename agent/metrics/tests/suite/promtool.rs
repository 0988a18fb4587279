use std::io::Write;
use std::process::{Command, Stdio};

use crate::client::{Endpoint, config};
use crate::{SCRIPT, sample};

#[test]
fn promtool_has_nothing_to_say_about_a_scrape() {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = match promtool.spawn() {
        Ok(child) => child,
        Err(error) => {
            // Past the test harness, which hides what passing tests print.
            let line = format!("skipped: promtool_has_nothing_to_say_about_a_scrape: promtool: {error}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            return;
        }
    };
    let endpoint = Endpoint::start(config());
    let odd = "back\\slash \"quotes\" line\nend \r \0 \u{1f41f} {a=\"b\"} # HELP";
    let registry = &endpoint.registry;
    registry.vector(SCRIPT, &sample("odd_total", 1, 1e-300, &[("text", odd), ("empty", "")])).unwrap();
    registry.metric(SCRIPT, &sample("odd", 3, f64::NAN, &[("text", odd)])).unwrap();
    registry.metric(SCRIPT, &sample("endless", 2, f64::INFINITY, &[])).unwrap();
    let scrape = endpoint.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").body;
    promtool.stdin.take().unwrap().write_all(scrape.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{scrape}");
}
