//! One direction's keys, and which record is the next.

use super::cipher::{Keys, Suite};
use super::derive;
use super::messages::Messages;
use super::secrets::{Secret, Session};

/// How many record numbers behind the next one are tried after bytes went missing. Each try costs as much as a record.
const NUMBERS_TRIED: u64 = 256;

/// Records in a row that may fail before a direction is given up.
const FAILURES: u32 = 16;

/// The shortest encrypted record, by which it is told how many a hole may have held.
const SHORTEST_RECORD: u64 = 5 + 16 + 1;

#[derive(Default)]
pub(super) struct Side {
    pub(super) active: Option<Active>,
    pub(super) messages: Messages,
    /// It sent a ChangeCipherSpec.
    pub(super) changed: bool,
    /// Data of it was handed on.
    pub(super) has_data: bool,
    /// Bytes missing since the last record that was decrypted.
    pub(super) missing: u64,
    /// Numbers that may have been left out before the next record.
    slack: u64,
    failures: u32,
    given_up: bool,
}

/// Keys in use.
pub(super) struct Active {
    keys: Keys,
    epoch: Epoch,
    /// Number of the next record.
    sequence: u64,
    /// The secrets of TLS 1.3.
    secrets: Option<Box<Chain>>,
    /// Other keys that early data may be encrypted with: its suite is only known later.
    or: Option<Box<Keys>>,
}

/// A direction's secrets of TLS 1.3, in the order of their use.
#[derive(Clone)]
struct Chain {
    handshake: Option<Secret>,
    /// The one in use, or the first.
    traffic: Option<Secret>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Epoch {
    Early,
    Handshake,
    /// TLS 1.2 has only this.
    Application,
}

/// What decrypted a record.
pub(super) struct Hit {
    /// What is inside.
    pub(super) kind: u8,
    sequence: u64,
    /// Keys other than those in use.
    changed: Option<Active>,
    /// The other keys of early data.
    other: bool,
}

impl Active {
    pub(super) fn of_master(keys: Keys) -> Self {
        Self { keys, epoch: Epoch::Application, sequence: 0, secrets: None, or: None }
    }

    /// The first keys of a session that are known, of the client or of the server.
    pub(super) fn of_session(suite: Suite, session: &Session, which: usize) -> Option<Self> {
        let chain = Chain { handshake: session.handshake[which], traffic: session.traffic[which] };
        chain.first(suite)
    }

    /// Those of early data.
    pub(super) fn early(secret: &Secret, session: &Session) -> Option<Self> {
        let mut fitting = Suite::TLS_1_3.iter().filter_map(|suite| Keys::of_secret(*suite, secret));
        let chain = Chain { handshake: session.handshake[0], traffic: session.traffic[0] };
        Some(Self {
            keys: fitting.next()?,
            epoch: Epoch::Early,
            sequence: 0,
            secrets: Some(Box::new(chain)),
            or: fitting.next().map(Box::new),
        })
    }

    fn memory(&self) -> usize {
        let other = self.or.as_ref().map_or(0, |keys| size_of::<Keys>() + keys.memory());
        self.keys.memory() + other + self.secrets.as_ref().map_or(0, |_| size_of::<Chain>())
    }

    /// What comes after these keys.
    fn next(&self, suite: Suite) -> Option<Self> {
        let chain = self.secrets.as_deref()?;
        match self.epoch {
            Epoch::Early => chain.first(suite),
            Epoch::Handshake => Chain { handshake: None, ..*chain }.first(suite),
            Epoch::Application => {
                let traffic = derive::updated(suite.hash, chain.traffic.as_ref()?)?;
                Chain { handshake: None, traffic: Some(traffic) }.first(suite)
            }
        }
    }
}

impl Chain {
    fn first(&self, suite: Suite) -> Option<Active> {
        let (epoch, secret) = match (&self.handshake, &self.traffic) {
            (Some(secret), _) => (Epoch::Handshake, secret),
            (None, Some(secret)) => (Epoch::Application, secret),
            (None, None) => return None,
        };
        let keys = Keys::of_secret(suite, secret)?;
        Some(Active { keys, epoch, sequence: 0, secrets: Some(Box::new(self.clone())), or: None })
    }
}

impl Side {
    pub(super) const fn is_given_up(&self) -> bool {
        self.given_up
    }

    pub(super) fn give_up(&mut self) {
        self.given_up = true;
        self.active = None;
        self.messages = Messages::default();
    }

    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.active.as_ref().map(|active| active.epoch)
    }

    /// Whether it is not known which record is the next.
    pub(super) const fn is_torn(&self) -> bool {
        self.slack > 0
    }

    /// Of what is not counted with the connection.
    pub(super) fn memory(&self) -> usize {
        self.messages.memory() + self.active.as_ref().map_or(0, Active::memory)
    }

    pub(super) fn gap(&mut self, bytes: u64) {
        self.messages.lose();
        self.missing = self.missing.saturating_add(bytes);
        // A gap whose length is not known may have held any number.
        let records = if bytes == 0 { NUMBERS_TRIED } else { bytes / SHORTEST_RECORD + 1 };
        self.slack = self.slack.saturating_add(records).min(NUMBERS_TRIED);
    }

    /// A record came before it was known how to read it.
    pub(super) fn pass(&mut self, bytes: u64) {
        // TLS 1.2 has one more, which is not told from one in the clear.
        self.gap(bytes.max(2 * SHORTEST_RECORD));
    }

    /// The next record is not one of these keys, or was changed.
    pub(super) fn fail(&mut self, bytes: u64) {
        self.messages.lose();
        self.missing = self.missing.saturating_add(bytes);
        self.slack = (self.slack + 1).min(NUMBERS_TRIED);
        self.failures += 1;
        if self.failures > FAILURES {
            self.give_up();
        }
    }

    /// Decrypts a record with the keys in use, else with those that come after them.
    pub(super) fn attempt(&self, record: &[u8], suite: Option<Suite>, out: &mut Vec<u8>) -> Option<Hit> {
        let active = self.active.as_ref()?;
        for sequence in active.sequence..=active.sequence.saturating_add(self.slack) {
            if let Some(kind) = active.keys.open(sequence, record, out) {
                return Some(Hit { kind, sequence, changed: None, other: false });
            }
            if let Some(keys) = &active.or
                && let Some(kind) = keys.open(sequence, record, out)
            {
                return Some(Hit { kind, sequence, changed: None, other: true });
            }
        }
        let suite = suite?;
        let mut next = active.next(suite);
        for _ in 0..2 {
            let candidate = next?;
            for sequence in 0..=self.slack {
                if let Some(kind) = candidate.keys.open(sequence, record, out) {
                    return Some(Hit { kind, sequence, changed: Some(candidate), other: false });
                }
            }
            next = candidate.next(suite);
        }
        None
    }

    /// A record was decrypted; about how many bytes of what is carried are missing before it, where any may be.
    pub(super) fn accept(&mut self, hit: Hit) -> Option<u64> {
        let active = self.active.as_mut()?;
        let missing = std::mem::take(&mut self.missing);
        (self.slack, self.failures) = (0, 0);
        let left_out = match hit.changed {
            // Of a handshake nothing is carried, but data may have come before it and behind it.
            None => hit.sequence != active.sequence && active.epoch != Epoch::Handshake,
            Some(_) if active.epoch == Epoch::Handshake => hit.sequence != 0,
            Some(_) => true,
        };
        if let Some(changed) = hit.changed {
            *active = changed;
        }
        if hit.other
            && let Some(keys) = active.or.take()
        {
            active.keys = *keys;
        }
        active.or = None;
        active.sequence = hit.sequence.saturating_add(1);
        left_out.then(|| missing.max(1))
    }

    /// The side said that its next record is encrypted with the next keys.
    pub(super) fn change_keys(&mut self, suite: Suite) {
        match self.active.as_ref().and_then(|active| active.next(suite)) {
            Some(next) => self.active = Some(next),
            None => self.give_up(),
        }
    }
}
