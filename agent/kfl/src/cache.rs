//! Compiled queries by their text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::caps::MAX_QUERY_BYTES;
use crate::error::Error;
use crate::macros::Macros;
use crate::query::Query;

/// Keeps the queries used last, also those that have an error. May be shared between threads.
#[derive(Debug)]
pub struct QueryCache {
    macros: Macros,
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_text: HashMap<Box<str>, Entry>,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    query: Result<Arc<Query>, Error>,
    last_use: u64,
}

impl QueryCache {
    /// Keeps at most `capacity` texts, and at least one.
    pub fn new(macros: Macros, capacity: usize) -> Self {
        Self { macros, capacity: capacity.max(1), entries: Mutex::default() }
    }

    /// The compiled query of a text. Two threads that ask for a new text at once may both compile it.
    pub fn get(&self, text: &str) -> Result<Arc<Query>, Error> {
        if text.len() > MAX_QUERY_BYTES {
            return Query::compile(text, &self.macros).map(Arc::new);
        }
        if let Some(found) = self.find(text) {
            return found;
        }
        let query = Query::compile(text, &self.macros).map(Arc::new);
        self.put(text, query.clone());
        query
    }

    /// Texts kept now.
    pub fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).by_text.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, text: &str) -> Option<Result<Arc<Query>, Error>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.uses += 1;
        let uses = entries.uses;
        let entry = entries.by_text.get_mut(text)?;
        entry.last_use = uses;
        Some(entry.query.clone())
    }

    fn put(&self, text: &str, query: Result<Arc<Query>, Error>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.by_text.len() >= self.capacity && !entries.by_text.contains_key(text) {
            // A pass over all of them costs less than the compilation that led here.
            let oldest = entries.by_text.iter().min_by_key(|(_, entry)| entry.last_use);
            if let Some(oldest) = oldest.map(|(text, _)| text.clone()) {
                entries.by_text.remove(&oldest);
            }
        }
        let last_use = entries.uses;
        entries.by_text.insert(text.into(), Entry { query, last_use });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept() {
        let cache = QueryCache::new(Macros::default(), 2);
        let first = cache.get("a").unwrap();
        let second = cache.get("b").unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get("a").unwrap()));
        cache.get("c").unwrap();
        assert_eq!(cache.len(), 2);
        assert!(Arc::ptr_eq(&first, &cache.get("a").unwrap()));
        assert!(!Arc::ptr_eq(&second, &cache.get("b").unwrap()));
    }

    #[test]
    fn an_error_is_kept_too() {
        let cache = QueryCache::new(Macros::default(), 8);
        let error = cache.get("a ==").unwrap_err();
        assert_eq!((cache.len(), cache.get("a ==").unwrap_err()), (1, error));
        cache.get(&"a".repeat(MAX_QUERY_BYTES + 1)).unwrap_err();
        assert_eq!(cache.len(), 1, "what is too long is not");
    }
}
