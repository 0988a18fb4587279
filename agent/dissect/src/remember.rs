//! What a connection was told once and refers to later: prepared statements, portals.

use std::hash::Hash;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Named things, as many as the caps allow. Above them the oldest is forgotten.
#[derive(Debug)]
pub(crate) struct Remembered<K, V> {
    entries: HashMap<K, Entry<V>, RandomState>,
    next: u64,
    memory: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    number: u64,
    memory: usize,
}

/// Caps of a [`Remembered`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl<K: Eq + Hash + Clone, V> Remembered<K, V> {
    pub(crate) fn new() -> Self {
        Self { entries: HashMap::default(), next: 0, memory: 0 }
    }

    /// `memory` is what the key and the value hold on the heap. False where another was forgotten for it.
    pub(crate) fn insert(&mut self, key: K, value: V, memory: usize, caps: Caps) -> bool {
        self.remove(&key);
        let mut all = true;
        while !self.entries.is_empty()
            && (self.entries.len() >= caps.entries || self.memory + memory > caps.bytes)
        {
            self.forget_oldest();
            all = false;
        }
        self.memory += memory;
        self.entries.insert(key, Entry { value, number: self.next, memory });
        self.next += 1;
        all
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.memory -= entry.memory;
        Some(entry.value)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.memory = 0;
    }

    /// Bytes of heap held.
    pub(crate) fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<(K, Entry<V>)>() + self.memory
    }

    fn forget_oldest(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.number).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_above_a_cap() {
        let mut remembered = Remembered::new();
        let caps = Caps { entries: 2, bytes: 100 };
        for (key, memory) in [(1, 10), (2, 10), (3, 10), (4, 95)] {
            remembered.insert(key, key, memory, caps);
        }
        assert_eq!([1, 2, 3, 4].map(|key| remembered.get(&key).copied()), [None, None, None, Some(4)]);
        assert_eq!(remembered.memory, 95);
        assert_eq!(remembered.remove(&4), Some(4));
        assert_eq!(remembered.memory, 0);
    }
}
