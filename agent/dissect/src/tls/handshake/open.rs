//! A handshake that is not over: what each side said so far.

use remora_packet::Timestamp;

use crate::item::{ErrorKind, Message as _};
use crate::tls::kept::Kept;
use crate::{Direction, Fields, Half, ItemError};

/// DTLS counts its versions down.
pub(super) const fn is_1_3(version: u16) -> bool {
    matches!(version, 0x0304..0xfe00 | 0xfefc)
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) client: Direction,
    pub(super) sides: [Side; 2],
    /// What the ServerHello chose.
    pub(super) version: Option<u16>,
    /// A HelloRetryRequest came.
    pub(super) retried: Option<Option<u16>>,
    /// A HelloVerifyRequest came, when.
    pub(super) verify: Option<(Fields, Timestamp)>,
    /// What was said only a handshake has that agrees on new keys.
    pub(super) full: bool,
    /// The last message in the clear of each direction of such a handshake came.
    pub(super) done: [bool; 2],
    /// The identifiers of sessions that the hellos say.
    pub(super) sessions: [Vec<u8>; 2],
    pub(super) memory: usize,
}

/// What one side sent.
#[derive(Default, Debug)]
pub(super) struct Side {
    /// Its hello.
    pub(super) message: Option<Kept>,
    pub(super) alert: Option<Fields>,
    pub(super) time: Timestamp,
    pub(super) missing: u64,
    pub(super) error: Option<Box<ItemError>>,
    pub(super) encrypted: bool,
}

impl Side {
    pub(super) fn fail(&mut self, kind: ErrorKind, message: impl Into<String>) {
        self.error.get_or_insert_with(|| Box::new(ItemError { kind, message: message.into() }));
    }

    pub(super) fn into_half(self, size: u64) -> Option<Half> {
        let message = match (self.message, self.alert) {
            (Some(message), None) => message,
            (Some(mut message), Some(alert)) => {
                message.set("alert", alert);
                message
            }
            (None, Some(alert)) => Fields::new().with("type", "Alert").with("alert", alert).into(),
            (None, None) => return None,
        };
        let mut half = Half::new(self.time, size, message).missing(self.missing);
        half.error = self.error;
        Some(half)
    }
}

impl Open {
    pub(super) fn new(client: Direction) -> Self {
        Self {
            client,
            sides: Default::default(),
            version: None,
            retried: None,
            verify: None,
            full: false,
            done: [false, false],
            sessions: Default::default(),
            memory: size_of::<Self>(),
        }
    }

    pub(super) fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    pub(super) fn server(&self) -> Direction {
        self.client.reverse()
    }

    pub(super) fn has(&self, direction: Direction) -> bool {
        self.sides[direction.index()].message.is_some()
    }

    pub(super) fn is_1_3(&self) -> bool {
        self.version.is_some_and(is_1_3)
    }

    /// Whether the handshake goes on with an earlier session, told by what can't be missed without a word: over datagrams
    /// any message may be lost.
    pub(super) fn is_resumed(&self) -> Option<bool> {
        let [one, other] = &self.sessions;
        if self.full { Some(false) } else { (!one.is_empty() && one == other).then_some(true) }
    }

    pub(super) fn count(&mut self) {
        let held = |side: &Side| side.message.as_ref().map_or(0, Kept::memory);
        let sessions: usize = self.sessions.iter().map(Vec::capacity).sum();
        let verify = self.verify.as_ref().map_or(0, |(fields, _)| fields.memory());
        self.memory = size_of::<Self>() + self.sides.iter().map(held).sum::<usize>() + sessions + verify;
    }
}
