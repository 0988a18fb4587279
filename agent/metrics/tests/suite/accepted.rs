use std::collections::BTreeMap;

use proptest::prelude::*;
use remora_metrics::{Registry, Sample};

use crate::parse::{Family, parse};
use crate::{SCRIPT, scrape};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c\\\\\"\n\r\0{},= ]{0,6}",
        ".{0,12}",
        Just("undefined".to_owned()),
        "# (HELP|TYPE) a gauge\n",
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab_]{1,2}", 1 => "[a-zA-Z_:][a-zA-Z0-9_:]{0,5}", 1 => ".{0,3}", 1 => "(__|remora_)a"]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), -3.0..1e3, Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)]
}

#[derive(Clone, Debug)]
struct Call {
    vector: bool,
    name: String,
    help: String,
    kind: u8,
    value: f64,
    labels: Vec<(String, String)>,
}

fn call() -> impl Strategy<Value = Call> {
    let labels = prop::collection::vec((name(), text()), 0..3);
    let help = prop_oneof![4 => Just("Help.".to_owned()), 1 => text()];
    (any::<bool>(), name(), help, 0_u8..5, value(), labels).prop_map(
        |(vector, name, help, kind, value, labels)| Call { vector, name, help, kind, value, labels },
    )
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_read_back_as_the_same_series(calls in prop::collection::vec(call(), 0..40)) {
        let registry = Registry::default();
        let mut expected: BTreeMap<String, Family> = BTreeMap::new();
        for call in &calls {
            let labels: Vec<_> = call.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let Call { vector, ref name, ref help, kind, value, .. } = *call;
            let sample = Sample { name, help, kind: kind.into(), value, labels: &labels };
            let result = if vector { registry.vector(SCRIPT, &sample) } else { registry.metric(SCRIPT, &sample) };
            if result.is_err() {
                continue;
            }
            let family = expected.entry(name.clone()).or_default();
            family.help = (!help.is_empty()).then(|| help.clone());
            family.kind = ["counter", "gauge", "untyped"][usize::from(kind) - 1].to_owned();
            let labels = call.labels.iter().cloned().collect();
            let before = family.series.entry(labels).or_insert_with(|| "0".to_owned());
            let counted: f64 = if vector && kind == 1 { before.parse().unwrap() } else { 0.0 };
            *before = (counted + value).to_string();
        }
        // Zero has a sign that the text does not show.
        for value in expected.values_mut().flat_map(|family| family.series.values_mut()) {
            if *value == "-0" {
                "0".clone_into(value);
            }
        }
        prop_assert_eq!(parse(&scrape(&registry)), expected);
        registry.remove_owner(SCRIPT);
        prop_assert_eq!(registry.usage().bytes, 0);
    }
}
