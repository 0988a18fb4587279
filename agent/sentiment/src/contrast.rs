//! "but": what comes behind it counts more than what came before.

use std::collections::BTreeSet;

const BEFORE: f64 = 0.5;
const BEHIND: f64 = 1.5;

/// The valences with those before the place of the first "but" halved and those behind it raised by half.
///
/// The reference goes through its list, looks for the first valence that equals the one at hand, and changes that one.
/// So where valences repeat, or become equal by the change, one may be changed twice and another not at all. This does
/// the same, but finds the first equal one in a set instead of the list, which takes quadratic time.
pub(crate) fn weighed(valences: impl Iterator<Item = f64>, but: usize) -> Vec<f64> {
    let mut valences: Vec<f64> = valences.collect();
    let mut seen = BTreeSet::new();
    for at in 0..valences.len() {
        let valence = valences[at];
        // Zero stays what it is, and "but" itself has no valence.
        if valence == 0.0 {
            continue;
        }
        let key = |valence: f64| valence.to_bits();
        seen.insert((key(valence), at));
        let Some(&(_, first)) = seen.range((key(valence), 0)..).next() else { continue };
        seen.remove(&(key(valence), first));
        valences[first] = valence * if first < but { BEFORE } else { BEHIND };
        seen.insert((key(valences[first]), first));
    }
    valences
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the reference has it.
    fn by_search(mut valences: Vec<f64>, but: usize) -> Vec<f64> {
        for at in 0..valences.len() {
            let valence = valences[at];
            let first = valences.iter().position(|&other| other == valence).unwrap();
            if first < but {
                valences[first] = valence * 0.5;
            } else if first > but {
                valences[first] = valence * 1.5;
            }
        }
        valences
    }

    #[test]
    fn halves_before_and_raises_behind() {
        assert_eq!(weighed([2.0, 0.0, -1.0].into_iter(), 1), [1.0, 0.0, -1.5]);
    }

    #[test]
    fn equal_valences_take_each_others_turn() {
        assert_eq!(weighed([2.0, 1.0, 0.0].into_iter(), 2), [0.5, 1.0, 0.0]);
        assert_eq!(weighed([0.0, 2.0, 3.0, 4.5].into_iter(), 0), [0.0, 6.75, 3.0, 4.5]);
    }

    proptest! {
        #[test]
        fn the_set_finds_what_the_search_finds(
            tenths in prop::collection::vec(prop::sample::select(vec![0, 4, 6, 8, 9, 12, 16, 18, 24, 27, 36, -8, -12]), 1..60),
            but in any::<prop::sample::Index>(),
        ) {
            let mut valences: Vec<f64> = tenths.into_iter().map(|tenths| f64::from(tenths) / 8.0).collect();
            let but = but.index(valences.len());
            valences[but] = 0.0;
            prop_assert_eq!(weighed(valences.iter().copied(), but), by_search(valences, but));
        }
    }
}
