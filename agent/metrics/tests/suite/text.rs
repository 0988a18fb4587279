use remora_metrics::{Exposition, Registry, Sample};

use crate::{SCRIPT, sample, scrape};

#[test]
fn the_text_has_families_by_name_and_series_by_labels() {
    let registry = Registry::default();
    for (labels, value) in [
        ([("path", "/b"), ("code", "200")], 2.0),
        ([("code", "200"), ("path", "/a")], 0.5),
        ([("path", "/b"), ("code", "200")], 3.0),
    ] {
        registry.vector(SCRIPT, &sample("requests_total", 1, value, &labels)).unwrap();
    }
    registry.vector(SCRIPT, &sample("queue", 2, 9.0, &[("name", "in")])).unwrap();
    registry.vector(SCRIPT, &sample("queue", 2, -4.0, &[("name", "in")])).unwrap();
    registry.metric(SCRIPT, &sample("bytes_total", 1, 10.0, &[])).unwrap();
    registry.metric(SCRIPT, &sample("bytes_total", 1, 7.0, &[])).unwrap();
    registry.metric(SCRIPT, &sample("a:thing", 3, f64::NAN, &[("inf", "no")])).unwrap();
    let escaped = "back\\slash \"quotes\" line\nend";
    let labels = [("text", escaped)];
    let gauge = Sample { help: escaped, ..sample("escaped", 2, f64::NEG_INFINITY, &labels) };
    registry.metric(SCRIPT, &gauge).unwrap();
    registry.metric(SCRIPT, &Sample { help: "", ..sample("helpless", 2, 1e300, &[]) }).unwrap();
    assert_eq!(
        scrape(&registry),
        r#"# HELP a:thing Some help.
# TYPE a:thing untyped
a:thing{inf="no"} NaN
# HELP bytes_total Some help.
# TYPE bytes_total counter
bytes_total 7
# HELP escaped back\\slash "quotes" line\nend
# TYPE escaped gauge
escaped{text="back\\slash \"quotes\" line\nend"} -Inf
# TYPE helpless gauge
helpless 1e300
# HELP queue Some help.
# TYPE queue gauge
queue{name="in"} -4
# HELP requests_total Some help.
# TYPE requests_total counter
requests_total{code="200",path="/a"} 0.5
requests_total{code="200",path="/b"} 5
"#
    );
}

#[test]
fn a_family_that_several_sources_write_has_one_head_and_no_series_twice() {
    let mut exposition = Exposition::new();
    exposition.counter("remora_b_total", "B.", &[("stage", "two")], 2);
    exposition.gauge("remora_a", "A.", &[], 0.25);
    exposition.counter("remora_b_total", "B, in other words.", &[("stage", "one")], 1);
    exposition.counter("remora_b_total", "B.", &[("stage", "two")], 3);
    assert_eq!(
        exposition.finish(),
        "# HELP remora_a A.\n# TYPE remora_a gauge\nremora_a 0.25\n# HELP remora_b_total B.\n\
         # TYPE remora_b_total counter\nremora_b_total{stage=\"one\"} 1\nremora_b_total{stage=\"two\"} 2\n"
    );
}
