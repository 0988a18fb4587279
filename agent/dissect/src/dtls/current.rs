//! A handshake that is not over.

use super::KIND;
use super::fragment::Fragment;
use super::messages::{Messages, Taken};
use crate::item::Absence;
use crate::tls::fingerprint::Carrier;
use crate::tls::handshake::{Handed, Handshake, kind};
use crate::tls::hello::RETRY;
use crate::{Context, Direction};

pub(super) struct Current {
    pub(super) handshake: Handshake,
    /// The random values of the hellos.
    pub(super) randoms: [Option<[u8; 32]>; 2],
    messages: [Messages; 2],
    /// What a direction sends is encrypted.
    encrypted: [bool; 2],
    /// When it is given up, on the engine's clock.
    pub(super) due: u64,
}

impl Current {
    pub(super) fn new() -> Self {
        Self {
            handshake: Handshake::new(KIND, Carrier::Dtls),
            randoms: [None, None],
            messages: Default::default(),
            encrypted: [false, false],
            due: 0,
        }
    }

    /// Takes a fragment; whether it had something new.
    pub(super) fn fragment(
        &mut self,
        direction: Direction,
        fragment: &Fragment<'_>,
        context: &mut Context<'_>,
    ) -> bool {
        let cap = context.limits.message_bytes;
        match self.messages[direction.index()].take(fragment, context.now, cap) {
            Taken::Known => return false,
            Taken::Refused(why) => {
                self.handshake.fail(direction, why);
                return false;
            }
            Taken::Kept => {}
            Taken::Due => {
                let Fragment { kind, bytes: body, .. } = *fragment;
                let handed = Handed { kind, body, whole: true, time: context.now };
                self.message(direction, fragment.sequence, handed, context);
            }
        }
        while let Some(message) = self.messages[direction.index()].due(cap) {
            let whole = message.length <= cap;
            let handed = Handed { kind: message.kind, body: message.body(), whole, time: message.time };
            self.message(direction, message.sequence, handed, context);
            if !whole {
                self.handshake.too_long(direction, message.length as u64);
            }
        }
        true
    }

    fn message(
        &mut self,
        direction: Direction,
        sequence: u16,
        handed: Handed<'_>,
        context: &mut Context<'_>,
    ) {
        let is_first = !self.handshake.has(direction);
        let is_retry = handed.body.get(2..34) == Some(&RETRY[..]);
        if handed.kind == kind::SERVER_HELLO && sequence > 0 && !is_retry {
            self.handshake.is_repeated();
        }
        self.handshake.message(direction, handed, context);
        match handed.kind {
            kind::CLIENT_HELLO if is_first && sequence > 0 => {
                self.handshake.fail(direction, "the first ClientHello was not captured");
            }
            // What said that it is encrypted may have overtaken it.
            kind::SERVER_HELLO if self.handshake.is_answered() => {
                for direction in Direction::BOTH {
                    if self.encrypted[direction.index()] {
                        self.encrypted(direction, true, context);
                    }
                }
            }
            _ => {}
        }
    }

    /// `sure` says that it is this handshake's encryption: a session before it may still send.
    pub(super) fn encrypted(&mut self, direction: Direction, sure: bool, context: &mut Context<'_>) {
        self.encrypted[direction.index()] |= sure;
        if !self.handshake.is_answered() {
            return;
        }
        if self.handshake.is_encrypted(direction.reverse()) {
            self.flush_all(context);
        }
        self.handshake.encrypts(direction, true, context);
    }

    pub(super) fn flush_all(&mut self, context: &mut Context<'_>) {
        Direction::BOTH.into_iter().for_each(|direction| self.flush(direction, context));
    }

    /// Hands over what waits for messages that do not come any more.
    fn flush(&mut self, direction: Direction, context: &mut Context<'_>) {
        let cap = context.limits.message_bytes;
        for (missing, message) in self.messages[direction.index()].left() {
            if let Some(number) = missing.into_iter().next() {
                self.handshake.fail(direction, &format!("handshake message {number} is missing"));
            }
            let body = message.body();
            let whole = body.len() == message.length;
            let is_hello = matches!(message.kind, kind::CLIENT_HELLO | kind::SERVER_HELLO);
            if whole || is_hello && !body.is_empty() {
                let handed = Handed { kind: message.kind, body, whole, time: message.time };
                self.message(direction, message.sequence, handed, context);
            }
            if !whole && message.length > cap {
                self.handshake.too_long(direction, message.length as u64);
            } else if !whole {
                let number = message.sequence;
                self.handshake.fail(direction, &format!("handshake message {number} is not whole"));
            }
        }
    }

    /// It comes out unfinished.
    pub(super) fn leave(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.flush_all(context);
        // Nobody encrypts without a ServerHello.
        let is_lost = !self.handshake.is_answered() && self.encrypted != [false, false];
        self.handshake.leave(if is_lost { Absence::Lost } else { absence }, context);
    }

    pub(super) fn memory(&self) -> usize {
        let messages: usize = self.messages.iter().map(Messages::memory).sum();
        size_of::<Self>() + messages + self.handshake.memory()
    }
}
