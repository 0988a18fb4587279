use remora_metrics::{Caps, Collect, Exposition, Refusal, Registry, Sample};

use crate::{SCRIPT, sample, scrape};

/// The message of a refusal. The registry must show the same afterwards, and one refusal more.
#[track_caller]
fn refused(registry: &Registry, vector: bool, sample: &Sample<'_>) -> String {
    let (before, usage) = (scrape(registry), registry.usage());
    let result = if vector { registry.vector(SCRIPT, sample) } else { registry.metric(SCRIPT, sample) };
    let refusal = result.expect_err("accepted");
    let after = registry.usage();
    assert_eq!(scrape(registry), before);
    assert_eq!((after.families, after.series, after.bytes), (usage.families, usage.series, usage.bytes));
    let count = |usage: &remora_metrics::Usage| {
        let mut sum = 0;
        usage.refused.each(&mut |_, count| sum += count);
        sum
    };
    assert_eq!(count(&after), count(&usage) + 1);
    refusal.to_string()
}

#[test]
fn names_that_prometheus_does_not_take_are_refused() {
    let registry = Registry::default();
    for name in ["", "0a", "a-b", "a b", "é", "a\nb 1", "a\0"] {
        let message = refused(&registry, true, &sample(name, 1, 1.0, &[]));
        assert!(message.contains("is no metric name"), "{message}");
        let message = refused(&registry, true, &sample("a", 1, 1.0, &[(name, "x")]));
        assert!(message.contains("is no label name"), "{message}");
    }
    refused(&registry, true, &sample("a", 1, 1.0, &[("with:colon", "x")]));
    assert_eq!(registry.usage().refused.name, 7);
    assert_eq!(registry.usage().refused.labels, 8);
}

#[test]
fn reserved_names_are_refused() {
    let registry = Registry::default();
    for name in ["__name", "remora_packets_total"] {
        let message = refused(&registry, false, &sample(name, 1, 1.0, &[]));
        assert!(message.contains("is reserved"), "{message}");
    }
    let message = refused(&registry, false, &sample("a", 1, 1.0, &[("__name__", "b")]));
    assert!(message.contains("\"__name__\" of metric \"a\" is reserved"), "{message}");
    registry.metric(SCRIPT, &sample("a", 1, 1.0, &[("remora_x", "b"), ("_a", "")])).unwrap();
}

#[test]
fn a_label_given_twice_is_refused() {
    let registry = Registry::default();
    let message = refused(&registry, true, &sample("a", 1, 1.0, &[("x", "1"), ("x", "2")]));
    assert_eq!(message, "metric \"a\" is given label \"x\" twice");
    registry.vector(SCRIPT, &sample("a", 1, 1.0, &[("x", "1"), ("y", "2")])).unwrap();
    refused(&registry, true, &sample("a", 1, 1.0, &[("x", "1"), ("x", "2")]));
}

#[test]
fn a_call_that_contradicts_an_earlier_one_is_refused() {
    let registry = Registry::default();
    let first = sample("a", 1, 1.0, &[("x", "1"), ("y", "2")]);
    registry.vector(SCRIPT, &first).unwrap();
    assert_eq!(
        refused(&registry, true, &Sample { kind: 2.0, ..first }),
        "metric \"a\" is a counter of prometheus.vector, and was now given as a gauge to prometheus.vector"
    );
    assert_eq!(
        refused(&registry, false, &first),
        "metric \"a\" is a counter of prometheus.vector, and was now given as a counter to prometheus.metric"
    );
    assert_eq!(
        refused(&registry, true, &Sample { help: "Other help.", ..first }),
        "metric \"a\" has the help \"Some help.\", and was now given \"Other help.\""
    );
    for labels in [&[("x", "1")][..], &[("x", "1"), ("z", "2")], &[("x", "1"), ("y", "2"), ("z", "3")], &[]] {
        let message = refused(&registry, true, &Sample { labels, ..first });
        assert!(message.starts_with("metric \"a\" has the labels [x, y], and was now given ["), "{message}");
    }
    assert_eq!(registry.usage().refused.conflict, 7);
}

#[test]
fn types_are_what_the_helper_takes() {
    let registry = Registry::default();
    for kind in [0.0, 4.0, 1.5, -1.0, f64::NAN, f64::INFINITY] {
        for vector in [false, true] {
            refused(&registry, vector, &Sample { kind, ..sample("a", 1, 1.0, &[]) });
        }
    }
    assert_eq!(
        refused(&registry, true, &sample("a", 3, 1.0, &[])),
        "type 3 is unknown: prometheus.vector takes 1 (counter) and 2 (gauge)"
    );
    registry.metric(SCRIPT, &sample("a", 3, 1.0, &[])).unwrap();
}

#[test]
fn counters_do_not_go_down_and_stay_numbers() {
    let registry = Registry::default();
    for vector in [false, true] {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let message = refused(&registry, vector, &sample("a", 1, value, &[]));
            assert!(message.contains("takes finite numbers only"), "{message}");
        }
        let message = refused(&registry, vector, &sample("a", 1, -1.0, &[]));
        assert_eq!(message, "counter \"a\" can only go up, and was given -1");
    }
    registry.vector(SCRIPT, &sample("a", 1, f64::MAX, &[])).unwrap();
    let message = refused(&registry, true, &sample("a", 1, f64::MAX, &[]));
    assert!(message.contains("largest number"), "{message}");
}

#[test]
fn every_cap_is_named_when_it_is_reached() {
    let caps = Caps { families: 2, series: 3, bytes: 4096, labels: 2, name: 10, label_value: 4, help: 20 };
    let registry = Registry::new(caps);
    let ten = "a234567890";
    registry.vector(SCRIPT, &sample(ten, 1, 1.0, &[(ten, "four")])).unwrap();
    for (sample, setting) in [
        (sample("a2345678901", 1, 1.0, &[]), "metricName"),
        (sample("b", 1, 1.0, &[("a2345678901", "")]), "metricName"),
        (Sample { help: "longer than 20 bytes.", ..sample("b", 1, 1.0, &[]) }, "metricHelp"),
        (sample("b", 1, 1.0, &[("x", "five5")]), "metricLabelValue"),
        (sample(ten, 1, 1.0, &[(ten, "five5")]), "metricLabelValue"),
        (sample("b", 1, 1.0, &[("x", ""), ("y", ""), ("z", "")]), "metricLabels"),
    ] {
        let message = refused(&registry, true, &sample);
        assert!(message.contains(&format!("scripting.limits.{setting} allows")), "{message}");
    }
    for value in ["1", "2"] {
        registry.vector(SCRIPT, &sample(ten, 1, 1.0, &[(ten, value)])).unwrap();
    }
    let message = refused(&registry, true, &sample(ten, 1, 1.0, &[(ten, "3")]));
    assert!(message.contains("scripting.limits.metricSeries allows 3"), "{message}");
    registry.vector(SCRIPT, &sample("b", 1, 1.0, &[])).unwrap();
    let message = refused(&registry, true, &sample("c", 1, 1.0, &[]));
    assert!(message.contains("scripting.limits.metricFamilies allows 2"), "{message}");
    // What is there already goes on.
    registry.vector(SCRIPT, &sample(ten, 1, 1.0, &[(ten, "2")])).unwrap();
}

#[test]
fn series_and_metrics_share_a_cap_in_bytes() {
    let caps = Caps { bytes: 2000, ..Caps::default() };
    let registry = Registry::new(caps);
    let mut accepted = 0;
    let message = loop {
        let value = accepted.to_string();
        match registry.vector(SCRIPT, &sample("a", 1, 1.0, &[("x", &value)])) {
            Ok(()) => accepted += 1,
            Err(refusal) => break refusal.to_string(),
        }
    };
    assert!(message.contains("beyond scripting.limits.metricBytes, 2000 bytes"), "{message}");
    assert!((5..20).contains(&accepted), "{accepted}");
    assert!(registry.usage().bytes <= 2000);
    refused(&registry, false, &sample("b", 1, 1.0, &[]));
    registry.remove_owner(SCRIPT);
    assert_eq!(registry.usage().bytes, 0);
    registry.metric(SCRIPT, &sample("b", 1, 1.0, &[])).unwrap();
}

#[test]
fn messages_repeat_no_more_than_the_beginning_of_a_long_name() {
    let registry = Registry::default();
    let long = "é".repeat(100);
    let refusal = registry.metric(SCRIPT, &sample(&long, 1, 1.0, &[])).unwrap_err();
    assert!(matches!(refusal, Refusal::TooLong { bytes: 200, cap: 128, .. }), "{refusal}");
    let label = "é".repeat(60);
    let refusal = registry.metric(SCRIPT, &sample("a", 1, 1.0, &[(&label, "")])).unwrap_err();
    assert!(refusal.to_string().len() < 300, "{refusal}");
    let refusal = registry.metric(SCRIPT, &sample(&long, 1, -1.0, &[])).unwrap_err();
    assert!(refusal.to_string().contains("é...\""), "{refusal}");
}

#[test]
fn refusals_are_shown_to_the_scraper() {
    let registry = Registry::default();
    let _ = registry.metric(SCRIPT, &sample("a b", 1, 1.0, &[]));
    let mut exposition = Exposition::new();
    registry.collect(&mut exposition);
    let text = exposition.finish();
    assert!(text.contains("remora_script_metric_refusals_total{reason=\"name\"} 1\n"), "{text}");
    assert!(text.contains("remora_script_metric_refusals_total{reason=\"conflict\"} 0\n"), "{text}");
}
