//! Pairing by an identifier where either side may ask, and where messages may be sent again.

use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, Half, Kind};

/// Responses remembered, to know a second copy of one.
const REMEMBERED: usize = 8;

/// The requests of both directions.
#[derive(Debug)]
pub struct Peers<K, N = ()> {
    kind: Kind,
    sides: [ById<K, (u64, N)>; 2],
    /// Fingerprints of the latest responses, each in the place of the oldest.
    answered: [u64; REMEMBERED],
    /// Responses so far.
    answers: usize,
}

impl<K: Hash + PartialEq, N> Peers<K, N> {
    pub fn new(kind: Kind) -> Self {
        let sides = Direction::BOTH.map(|direction| ById::new(kind, direction));
        Self { kind, sides, answered: [0; REMEMBERED], answers: 0 }
    }

    /// A request begins to wait. Sent again as it was, it is the same request; with other content it is another, and the
    /// answer to the one before did not come in time. `fingerprint` is that of its bytes.
    pub fn request(
        &mut self,
        direction: Direction,
        key: K,
        half: Half,
        fingerprint: u64,
        note: N,
        context: &mut Context<'_>,
    ) {
        let side = &mut self.sides[direction.index()];
        let Some((known, _)) = side.note(&key) else {
            side.add(key, half, (fingerprint, note), context);
            return;
        };
        if *known == fingerprint {
            return;
        }
        if let Some((old, _)) = side.remove(&key) {
            context.items.push(self.kind.request(direction, old, Absence::Late));
        }
        // Keys may be vague, so that there is one more.
        side.request(key, half, (fingerprint, note), context);
    }

    /// A response: with its request where that waits. A second copy of an earlier one is left out, any other comes out
    /// alone. `direction` is the response's.
    pub fn response(
        &mut self,
        direction: Direction,
        key: &K,
        half: Half,
        fingerprint: u64,
        context: &mut Context<'_>,
    ) {
        let asking = direction.reverse();
        let request = self.sides[asking.index()].remove(key);
        if request.is_none() && self.answered[..self.answers.min(REMEMBERED)].contains(&fingerprint) {
            return;
        }
        self.answered[self.answers % REMEMBERED] = fingerprint;
        self.answers += 1;
        context.items.push(match request {
            Some((request, _)) => self.kind.exchange(asking, request, half),
            None => self.kind.response(asking, half, Absence::BeforeCapture),
        });
    }

    /// What is remembered of the request that a response answers; `direction` is the response's.
    pub fn note(&self, direction: Direction, key: &K) -> Option<&N> {
        self.sides[direction.reverse().index()].note(key).map(|(_, note)| note)
    }

    /// Takes out the request that a response answers; `direction` is the response's.
    pub fn remove(&mut self, direction: Direction, key: &K) -> Option<(Half, N)> {
        let (half, (_, note)) = self.sides[direction.reverse().index()].remove(key)?;
        Some((half, note))
    }

    /// When the request that waits for longest has waited long enough, on the engine's clock.
    pub fn due(&self) -> Option<u64> {
        self.sides.iter().filter_map(ById::due).min()
    }

    /// Lets go what has waited long enough.
    pub fn elapse(&mut self, context: &mut Context<'_>) {
        self.sides.iter_mut().for_each(|side| side.elapse(context));
    }

    /// All waiting requests of a direction come out alone.
    pub fn give_up(&mut self, direction: Direction, absence: Absence, context: &mut Context<'_>) {
        self.sides[direction.index()].give_up(absence, context);
    }

    pub fn memory(&self) -> usize {
        self.sides.iter().map(ById::memory).sum()
    }
}

/// Tells messages apart. Seeded anew by every process, so that nobody can send what is mistaken for something else.
pub fn fingerprint(message: impl Hash) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    STATE.hash_one(message)
}
