use remora_metrics::{Caps, Registry, Sample};

use crate::{sample, scrape};

const ONE: u64 = 1;
const TWO: u64 = 2;

fn values(registry: &Registry) -> Vec<String> {
    scrape(registry).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_removed_script_takes_its_series_along_and_no_others() {
    let registry = Registry::default();
    let [a, b, both] = [[("x", "a")], [("x", "b")], [("x", "both")]];
    registry.vector(ONE, &sample("shared_total", 1, 1.0, &a)).unwrap();
    registry.vector(TWO, &sample("shared_total", 1, 1.0, &b)).unwrap();
    registry.vector(ONE, &sample("shared_total", 1, 1.0, &both)).unwrap();
    registry.vector(TWO, &sample("shared_total", 1, 1.0, &both)).unwrap();
    registry.metric(ONE, &sample("alone", 2, 1.0, &[])).unwrap();
    registry.remove_owner(ONE);
    assert_eq!(values(&registry), ["shared_total{x=\"b\"} 1", "shared_total{x=\"both\"} 2"]);
    registry.remove_owner(TWO);
    assert_eq!(scrape(&registry), "");
    let usage = registry.usage();
    assert_eq!((usage.families, usage.series, usage.bytes), (0, 0, 0));
}

#[test]
fn counters_that_are_added_to_go_on_after_a_reload_and_stated_values_do_not() {
    let registry = Registry::default();
    let state = |script| {
        registry.vector(script, &sample("added_total", 1, 5.0, &[])).unwrap();
    };
    state(ONE);
    registry.metric(ONE, &sample("set_total", 1, 5.0, &[])).unwrap();
    registry.metric(ONE, &sample("untyped", 3, 5.0, &[])).unwrap();
    registry.vector(ONE, &sample("gauge", 2, 5.0, &[])).unwrap();
    registry.reload_owner(ONE);
    assert_eq!(values(&registry), ["added_total 5"]);
    state(ONE);
    assert_eq!(values(&registry), ["added_total 10"]);
    registry.reload_owner(ONE);
    registry.remove_owner(ONE);
    assert_eq!(values(&registry), Vec::<String>::new());
}

#[test]
fn a_reloaded_script_may_change_what_a_metric_is() {
    let registry = Registry::default();
    let first = sample("a_total", 1, 5.0, &[("x", "1")]);
    let other = Sample { help: "Other help.", labels: &[("y", "1")], ..first };
    registry.vector(ONE, &first).unwrap();
    registry.vector(ONE, &other).unwrap_err();
    registry.reload_owner(ONE);
    registry.vector(ONE, &other).unwrap();
    assert_eq!(values(&registry), ["a_total{y=\"1\"} 5"]);
    registry.vector(ONE, &first).unwrap_err();
}

#[test]
fn a_reloaded_script_may_not_change_what_another_script_uses() {
    let registry = Registry::default();
    let first = sample("a_total", 1, 5.0, &[]);
    registry.vector(ONE, &first).unwrap();
    registry.vector(TWO, &first).unwrap();
    registry.reload_owner(ONE);
    registry.vector(ONE, &Sample { help: "Other help.", ..first }).unwrap_err();
    assert_eq!(values(&registry), ["a_total 10"]);
}

#[test]
fn series_of_former_versions_make_room_at_each_cap() {
    let unlimited = Caps::default();
    for caps in
        [Caps { series: 2, ..unlimited }, Caps { families: 1, ..unlimited }, Caps { bytes: 500, ..unlimited }]
    {
        let registry = Registry::new(caps);
        let name = |version: &str| if caps.families == 1 { version.to_owned() } else { "a".to_owned() };
        for version in ["old", "new"] {
            registry.reload_owner(ONE);
            for value in ["1", "2"] {
                let value = format!("{version}{value}");
                registry.vector(ONE, &sample(&name(version), 1, 1.0, &[("x", &value)])).unwrap();
            }
        }
        let text = scrape(&registry);
        assert!(text.contains("new1") && text.contains("new2"), "{caps:?}: {text}");
        assert!(!text.contains("old1"), "{caps:?}: {text}");
        // Those of the present version stay.
        let before = registry.usage().bytes;
        for index in 0..10 {
            let _ = registry.vector(ONE, &sample(&format!("more{index}"), 1, 1.0, &[("x", "")]));
            let _ = registry.vector(ONE, &sample(&name("new"), 1, 1.0, &[("x", &format!("more{index}"))]));
        }
        let text = scrape(&registry);
        assert!(text.contains("new1") && text.contains("new2"), "{caps:?}: {text}");
        assert!(registry.usage().bytes >= before);
    }
}
