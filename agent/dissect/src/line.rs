//! What waits in the order in which it came, and is taken out by a key.

use std::collections::VecDeque;
use std::hash::Hash;

use hashbrown::HashTable;

use crate::peers::fingerprint;

/// Up to so many are looked through one by one, which is faster than an index and needs no memory.
const INDEXED: usize = 64;

/// Where keys are equal their hashes must be; equality need not be transitive, and the oldest counts.
#[derive(Debug)]
pub(crate) struct Line<K, V> {
    /// From the oldest on; none where one was taken out, but neither first nor last.
    places: VecDeque<Option<(K, V)>>,
    /// The number of the first place.
    first: u64,
    len: usize,
    /// Numbers of places by key, from when there were too many to look through until there are none.
    index: Option<Box<HashTable<u64>>>,
}

impl<K: Hash + PartialEq, V> Line<K, V> {
    pub(crate) const fn new() -> Self {
        Self { places: VecDeque::new(), first: 0, len: 0, index: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of heap of the line itself.
    pub(crate) fn memory(&self) -> usize {
        self.places.capacity() * size_of::<Option<(K, V)>>()
            + self.index.as_ref().map_or(0, |index| size_of_val(&**index) + index.allocation_size())
    }

    pub(crate) fn first(&self) -> Option<&V> {
        self.places.front()?.as_ref().map(|(_, value)| value)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let (_, value) = self.places.get(self.find(key)?)?.as_ref()?;
        Some(value)
    }

    pub(crate) fn push(&mut self, key: K, value: V) {
        if self.places.len() > 2 * self.len + INDEXED {
            self.places.retain(Option::is_some);
            self.reindex();
        }
        let number = self.first + self.places.len() as u64;
        let hash = self.index.as_ref().map(|_| fingerprint(&key));
        self.places.push_back(Some((key, value)));
        self.len += 1;
        match (&mut self.index, hash) {
            (Some(index), Some(hash)) => {
                let (places, first) = (&self.places, self.first);
                index.insert_unique(hash, number, |number| hash_at(places, first, *number));
            }
            _ if self.len > INDEXED => self.reindex(),
            _ => {}
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.take(self.find(key)?)
    }

    pub(crate) fn pop(&mut self) -> Option<V> {
        self.take(0)
    }

    fn find(&self, key: &K) -> Option<usize> {
        let is_it = |place: &Option<(K, V)>| place.as_ref().is_some_and(|(known, _)| known == key);
        let Some(index) = &self.index else { return self.places.iter().position(is_it) };
        let numbers = index.iter_hash(fingerprint(key)).filter_map(|number| self.place(*number));
        numbers.filter(|place| self.places.get(*place).is_some_and(is_it)).min()
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    fn take(&mut self, place: usize) -> Option<V> {
        if self.index.is_some() {
            self.unlist(place);
        }
        let taken = if place == 0 {
            self.first += 1;
            self.places.pop_front()?
        } else {
            self.places.get_mut(place)?.take()
        };
        let (_, value) = taken?;
        self.len -= 1;
        if self.places.len() > self.len {
            self.trim();
        }
        Some(value)
    }

    /// Takes a place out of the index, and the index away with the last.
    fn unlist(&mut self, place: usize) {
        let (Some(index), Some(Some((key, _)))) = (&mut self.index, self.places.get(place)) else { return };
        let number = self.first + place as u64;
        if let Ok(entry) = index.find_entry(fingerprint(key), |known| *known == number) {
            entry.remove();
        }
        if index.is_empty() {
            self.index = None;
        }
    }

    /// Takes away what is empty at both ends.
    fn trim(&mut self) {
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        while let Some(None) = self.places.back() {
            self.places.pop_back();
        }
    }

    /// Numbers the places anew.
    fn reindex(&mut self) {
        self.first = 0;
        self.index = None;
        if self.len <= INDEXED {
            return;
        }
        let places = &self.places;
        let mut index = HashTable::with_capacity(2 * self.len);
        for (place, taken) in places.iter().enumerate() {
            if let Some((key, _)) = taken {
                let hash_of = |number: &u64| hash_at(places, 0, *number);
                index.insert_unique(fingerprint(key), place as u64, hash_of);
            }
        }
        self.index = Some(Box::new(index));
    }
}

fn hash_at<K: Hash, V>(places: &VecDeque<Option<(K, V)>>, first: u64, number: u64) -> u64 {
    let place = usize::try_from(number - first).ok().and_then(|place| places.get(place));
    place.and_then(Option::as_ref).map_or(0, |(key, _)| fingerprint(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_found_in_whatever_order_they_are_taken() {
        let mut random = 7u64;
        let mut line = Line::new();
        let mut model: Vec<(u32, u64)> = Vec::new();
        for round in 0..60_000u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (random >> 33) as u32 % 500;
            // Long and short by turns, and empty in between.
            let grows = (round / 1_000).is_multiple_of(2);
            match random >> 60 {
                0..=1 => {
                    let first = if model.is_empty() { None } else { Some(model.remove(0).1) };
                    assert_eq!(line.pop(), first);
                }
                2..=9 if grows => {
                    line.push(key, round);
                    model.push((key, round));
                    assert!(line.places.len() <= 2 * line.len() + INDEXED);
                }
                _ => {
                    let place = model.iter().position(|(known, _)| *known == key);
                    assert_eq!(line.get(&key).copied(), place.map(|place| model[place].1));
                    let removed = place.map(|place| model.remove(place).1);
                    assert_eq!(line.remove(&key), removed);
                }
            }
            assert_eq!((line.len(), line.first()), (model.len(), model.first().map(|(_, value)| value)));
            if round % 10_000 == 9_999 {
                while line.pop().is_some() {}
                model.clear();
                assert!(line.is_empty() && line.index.is_none());
            }
        }
    }
}
