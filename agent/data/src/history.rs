//! What the names of addresses were, and since when: `pcap.nameResolutionHistory`.

use std::collections::{BTreeMap, HashMap};

/// The most bytes of an address, and of a name. DNS names have at most 253, an address with its port at most 47.
const MAX_TEXT_BYTES: usize = 1024;

type Names = BTreeMap<String, String>;

/// A map from Unix seconds to the names that addresses (`ip` or `ip:port`) got then.
///
/// Only changes are kept. Once there are more than `limit` names in it, the oldest second is folded into the one after:
/// what still holds is not lost, only since when. Where more than `limit` addresses have names at once, some go.
#[derive(Debug)]
pub struct NameHistory {
    changes: BTreeMap<i64, Names>,
    latest: HashMap<String, String>,
    entries: usize,
    limit: usize,
    dropped: u64,
}

impl NameHistory {
    /// With room for `limit` names.
    pub fn new(limit: usize) -> Self {
        Self { changes: BTreeMap::new(), latest: HashMap::new(), entries: 0, limit: limit.max(1), dropped: 0 }
    }

    /// From `at` (Unix seconds) on, `address` has this name. Empty where it has none any more.
    pub fn record(&mut self, at: i64, address: &str, name: &str) {
        if address.len() > MAX_TEXT_BYTES || name.len() > MAX_TEXT_BYTES {
            self.dropped += 1;
            return;
        }
        if self.latest.get(address).is_some_and(|known| known == name) {
            return;
        }
        self.latest.insert(address.to_owned(), name.to_owned());
        let new = self.changes.entry(at).or_default().insert(address.to_owned(), name.to_owned());
        self.entries += usize::from(new.is_none());
        while self.entries > self.limit {
            if !self.fold() {
                self.drop_one();
            }
        }
    }

    /// Makes the two oldest seconds one, without names that were taken away; false where there is only one.
    fn fold(&mut self) -> bool {
        let Some((oldest, mut names)) = self.changes.pop_first() else { return false };
        let Some(mut next) = self.changes.first_entry() else {
            self.changes.insert(oldest, names);
            return false;
        };
        self.entries -= names.len() + next.get().len();
        // The first is the large one where many were folded into it.
        for (address, name) in std::mem::take(next.get_mut()) {
            if name.is_empty() {
                names.remove(&address);
                if self.latest.get(&address).is_some_and(String::is_empty) {
                    self.latest.remove(&address);
                }
            } else {
                names.insert(address, name);
            }
        }
        self.entries += names.len();
        next.insert(names);
        true
    }

    fn drop_one(&mut self) {
        let Some(mut oldest) = self.changes.first_entry() else { return };
        if let Some((address, _)) = oldest.get_mut().pop_first() {
            self.latest.remove(&address);
            self.entries -= 1;
            self.dropped += 1;
        }
    }

    /// Names that are not in it, because they are too long or too many addresses have names at once.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Names kept.
    pub fn len(&self) -> usize {
        self.entries
    }

    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// `{"1700000000": {"10.0.0.1": "web.shop", "10.0.0.2:80": "api.shop"}}`, seconds and addresses in order.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.changes).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_changes_only() {
        let mut history = NameHistory::new(10);
        history.record(100, "10.0.0.1", "web.shop");
        history.record(160, "10.0.0.1", "web.shop");
        history.record(160, "10.0.0.2:80", "a\"b");
        history.record(200, "10.0.0.1", "");
        assert_eq!(
            history.to_json(),
            r#"{"100":{"10.0.0.1":"web.shop"},"160":{"10.0.0.2:80":"a\"b"},"200":{"10.0.0.1":""}}"#
        );
        assert_eq!((history.len(), history.dropped()), (3, 0));
    }

    #[test]
    fn the_oldest_are_folded_and_none_that_holds_is_lost() {
        let mut history = NameHistory::new(3);
        for (at, address, name) in [(1, "a", "x"), (2, "b", "y"), (3, "a", "z"), (4, "b", "w")] {
            history.record(at, address, name);
        }
        assert_eq!(history.to_json(), r#"{"3":{"a":"z","b":"y"},"4":{"b":"w"}}"#);
    }

    #[test]
    fn addresses_that_lost_their_name_make_room_for_others() {
        let mut history = NameHistory::new(4);
        for at in 0..1_000 {
            history.record(2 * at, &format!("10.0.0.{at}"), "pod");
            history.record(2 * at + 1, &format!("10.0.0.{at}"), "");
        }
        history.record(5_000, "10.1.1.1", "new");
        assert!(history.to_json().ends_with(r#""5000":{"10.1.1.1":"new"}}"#));
        assert!(history.latest.len() <= 4);
        assert_eq!(history.dropped(), 0);
    }

    #[test]
    fn never_has_more_than_its_limit() {
        let mut history = NameHistory::new(50);
        for at in 0..10_000i64 {
            history.record(at / 3, &format!("10.0.0.{}", at % 70), &format!("n{}", at % 13));
            assert!(history.len() <= 50 && history.latest.len() <= 50);
        }
        assert!(history.dropped() > 0);
        assert!(
            history.to_json().contains(r#""10.0.0.59":"n2""#),
            "the newest is kept: {}",
            history.to_json()
        );
        history.record(1, &"a".repeat(2000), "n");
        assert!(!history.to_json().contains("aaa"));
    }
}
