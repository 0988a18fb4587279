use std::hash::BuildHasher;
use std::num::NonZeroU64;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use hashbrown::HashTable;
use remora_packet::Timestamp;

use super::Key;
use super::list::{Linked, Links, List, NONE};
use crate::engine::conversation::Tally;
use crate::item::{Endpoint, StreamName, Transport};
use crate::stream::Dissection;
use crate::tcp::Connection;
use crate::{Direction, Limits};

/// How much younger than its place in the order of age a stream may be. Moving it at every packet would touch the
/// memory of three streams each time.
const RELIST_NANOS: u64 = 1_000_000_000;

/// By what a stream is let go: the kinds are kept apart, each in the order of age.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Shelf {
    /// Finished; kept for a moment so that late packets do not look like a new conversation.
    #[default]
    Closed,
    /// UDP.
    Datagram,
    /// Holds nothing but its place in the table.
    Light,
    /// Holds heap memory.
    Heavy,
}

impl Shelf {
    pub(crate) const ALL: [Self; 4] = [Self::Closed, Self::Datagram, Self::Light, Self::Heavy];

    /// The shelf for a stream of this one that holds so many bytes now.
    pub(crate) fn of(self, held: usize) -> Self {
        match (self, held) {
            (Self::Datagram, _) => self,
            (_, 0) => Self::Light,
            _ => Self::Heavy,
        }
    }
}

/// A conversation.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) key: Key,
    pub(crate) number: u64,
    /// On the engine's clock.
    pub(crate) last_seen: u64,
    /// When it got its place in the order of age.
    listed: u64,
    links: Links,
    shelf: Shelf,
    pub(crate) client_is_low: bool,
    /// When it was opened, on the engine's clock and by its first packet.
    pub(crate) opened_at: u64,
    pub(crate) opened: Timestamp,
    /// How far its own clock is behind the engine's.
    pub(crate) lag: u64,
    /// Where conversations become items.
    pub(crate) tally: Option<Box<Tally>>,
    /// Items made so far.
    pub(crate) items: u32,
    /// Bytes of heap, as last counted.
    pub(crate) held: usize,
    /// When it waits to be looked at, on the engine's clock; which is never at its beginning.
    pub(crate) timer: Option<NonZeroU64>,
    pub(crate) connection: Connection,
    pub(crate) dissection: Dissection,
}

impl Stream {
    pub(crate) fn new(key: Key, number: u64, now: u64, client_is_low: bool) -> Self {
        let dissection = Dissection::new(key.transport());
        Self { key, number, last_seen: now, opened_at: now, client_is_low, dissection, ..Self::default() }
    }

    pub(crate) fn name(&self) -> StreamName {
        StreamName { number: self.number, transport: self.key.transport() }
    }

    /// Who sends in a direction, and who receives.
    #[inline]
    pub(crate) fn ends(&self, direction: Direction) -> (Endpoint, Endpoint) {
        self.key.ends(self.client_is_low == (direction == Direction::ToServer))
    }

    pub(crate) fn server_port(&self) -> u16 {
        self.key.port(!self.client_is_low)
    }

    pub(crate) fn transport(&self) -> Transport {
        self.key.transport()
    }

    pub(crate) fn shelf(&self) -> Shelf {
        self.shelf
    }

    /// When to look at it again if no packet comes before, on the engine's clock.
    pub(crate) fn due(&self, limits: &Limits) -> Option<NonZeroU64> {
        let connection = if self.connection.waiting() { self.connection.due(limits) } else { None };
        let due = match (connection, self.dissection.due()) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        NonZeroU64::new(due + self.lag)
    }
}

/// Streams by slot, in blocks that stay where they are: a table that grows neither copies nor needs twice the room.
#[derive(Default)]
struct Slots {
    blocks: Vec<Box<[Stream; BLOCK]>>,
    /// Slots given out at least once.
    used: usize,
}

const BLOCK: usize = 1024;

impl Slots {
    fn get(&self, slot: u32) -> &Stream {
        &self.blocks[slot as usize / BLOCK][slot as usize % BLOCK]
    }

    fn get_mut(&mut self, slot: u32) -> &mut Stream {
        &mut self.blocks[slot as usize / BLOCK][slot as usize % BLOCK]
    }

    /// A slot never used before.
    fn grow(&mut self) -> u32 {
        if self.used == self.blocks.len() * BLOCK {
            let block: Box<[Stream]> = std::iter::repeat_with(Stream::default).take(BLOCK).collect();
            self.blocks.extend(block.try_into().ok());
        }
        self.used += 1;
        (self.used - 1) as u32
    }
}

impl Linked for Slots {
    fn links(&mut self, slot: u32) -> &mut Links {
        &mut self.get_mut(slot).links
    }
}

/// All conversations, found by key and ordered by age.
pub(crate) struct Table {
    slots: Slots,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: SeedableRandomState,
    shelves: [List; 4],
    /// The stream found last: packets come in runs.
    latest: u32,
}

impl Table {
    pub(crate) fn new() -> Self {
        // Keys come from the network: without a seed from the system they could be chosen to collide.
        let seed = std::hash::RandomState::new().hash_one(0);
        Self {
            slots: Slots::default(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_random()),
            shelves: [List::default(); 4],
            latest: NONE,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn shelved(&self, shelf: Shelf) -> usize {
        self.shelves[shelf as usize].len
    }

    /// Bytes of heap of the table itself.
    pub(crate) fn memory(&self) -> usize {
        self.slots.blocks.len() * BLOCK * size_of::<Stream>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.allocation_size()
    }

    pub(crate) fn stream(&mut self, slot: u32) -> &mut Stream {
        self.slots.get_mut(slot)
    }

    pub(crate) fn find(&mut self, key: &Key) -> Option<u32> {
        if self.latest != NONE && self.slots.get(self.latest).key == *key {
            return Some(self.latest);
        }
        let slot = *self.index.find(self.hasher.hash_one(key), |slot| self.slots.get(*slot).key == *key)?;
        self.latest = slot;
        Some(slot)
    }

    /// Puts in a stream whose key is not there.
    pub(crate) fn insert(&mut self, stream: Stream, shelf: Shelf) -> u32 {
        let hash = self.hasher.hash_one(stream.key);
        let slot = self.free.pop().unwrap_or_else(|| self.slots.grow());
        *self.slots.get_mut(slot) = stream;
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, slot, |slot| hasher.hash_one(slots.get(*slot).key));
        self.list(slot, shelf);
        slot
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        let stream = self.slots.get(slot);
        let (key, shelf) = (stream.key, stream.shelf);
        if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(key), |candidate| *candidate == slot) {
            entry.remove();
        }
        self.shelves[shelf as usize].remove(slot, &mut self.slots);
        *self.slots.get_mut(slot) = Stream::default();
        self.free.push(slot);
        if self.latest == slot {
            self.latest = NONE;
        }
    }

    /// A packet of the stream came.
    pub(crate) fn touch(&mut self, slot: u32, now: u64) {
        let stream = self.slots.get_mut(slot);
        stream.last_seen = now;
        if now >= stream.listed + RELIST_NANOS {
            let shelf = stream.shelf;
            self.shelve(slot, shelf);
        }
    }

    /// Moves a stream to the young end of a shelf.
    pub(crate) fn shelve(&mut self, slot: u32, shelf: Shelf) {
        let from = self.slots.get(slot).shelf;
        self.shelves[from as usize].remove(slot, &mut self.slots);
        self.list(slot, shelf);
    }

    fn list(&mut self, slot: u32, shelf: Shelf) {
        let stream = self.slots.get_mut(slot);
        stream.shelf = shelf;
        stream.listed = stream.last_seen;
        self.shelves[shelf as usize].push_newest(slot, &mut self.slots);
    }

    /// The stream of a shelf that was silent for longest, give or take [`RELIST_NANOS`].
    pub(crate) fn oldest(&self, shelf: Shelf) -> Option<u32> {
        Some(self.shelves[shelf as usize].oldest).filter(|slot| *slot != NONE)
    }

    /// The slots of all streams, by number.
    pub(crate) fn by_number(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = self.index.iter().copied().collect();
        slots.sort_unstable_by_key(|slot| self.slots.get(*slot).number);
        slots
    }

    /// Forgets all streams and frees their memory.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }
}
