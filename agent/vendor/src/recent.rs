//! A small table of what was used last.

use std::sync::{Mutex, PoisonError};

/// Entries a table keeps. Scripts use one or two buckets or certificates.
const ENTRIES: usize = 16;

/// At most [`ENTRIES`] values by key; the one unused for longest makes room.
pub(crate) struct Recent<K, V>(Mutex<Vec<(K, V)>>);

impl<K: PartialEq, V: Clone> Recent<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value of `key`, made if there is none.
    pub(crate) fn get_or_make<E>(&self, key: K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<V, E> {
        // A panic while the lock was held left a valid table.
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = entries.iter().position(|(known, _)| *known == key) {
            entries[..=at].rotate_right(1);
            return Ok(entries[0].1.clone());
        }
        let value = make(&key)?;
        entries.truncate(ENTRIES - 1);
        entries.insert(0, (key, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_unused_for_longest_makes_room() {
        let table = Recent::new();
        let get = |key: usize, made: usize| table.get_or_make(key, |_| Ok::<_, ()>(made)).unwrap();
        (0..ENTRIES).for_each(|key| assert_eq!(get(key, key), key));
        assert_eq!(get(0, 99), 0, "kept");
        assert_eq!(get(ENTRIES, 1), 1, "new");
        assert_eq!(get(0, 99), 0, "used lately");
        assert_eq!(get(1, 99), 99, "was unused for longest");
        assert_eq!(table.get_or_make(77, |_| Err("no")), Err("no"));
        assert_eq!(get(77, 7), 7, "a failure is not kept");
    }
}
