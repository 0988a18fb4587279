//! The name that was meant.

/// Longer names are not compared: none that exists is near.
const MAX_COMPARED: usize = 64;

/// The candidate nearest to `name` by Damerau-Levenshtein distance (insert, delete, replace, swap neighbours), if it is
/// near: a third of the name's length, at least one edit and at most three. Case alone is no distance.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = name.chars().take(MAX_COMPARED + 1).count();
    if !(2..=MAX_COMPARED).contains(&length) {
        return None;
    }
    let bound = (length / 3).clamp(1, 3);
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_COMPARED)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_others_are_not() {
        let names = ["log", "error", "clear", "onItemCaptured", "onItemQueried", "schedule", "influxdb"];
        for (name, expected) in [
            ("lgo", Some("log")),
            ("Log", Some("log")),
            ("eror", Some("error")),
            ("onitemcaptured", Some("onItemCaptured")),
            ("onItemCapture", Some("onItemCaptured")),
            ("onItemsCaptures", Some("onItemCaptured")),
            ("onItemClosed", None),
            ("shedule", Some("schedule")),
            ("influxDB", Some("influxdb")),
            ("warn", None),
            ("l", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, names), expected, "{name}");
        }
        assert_eq!(nearest(&"log".repeat(100_000), names), None);
    }
}
