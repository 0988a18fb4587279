//! Which response answers which command: by the order of both, until packets may be missing. From then on responses
//! come out alone, up to a command that is the next one on both sides for sure.

use remora_packet::Timestamp;

use super::super::packets;
use super::super::response::{Response, Shape};
use super::assembly::Packet;
use crate::Limits;

/// Silence after which whoever sends a command waits for nothing.
const SILENCE_NANOS: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Alignment {
    /// Both sides are known to be at the same command.
    certain: bool,
    /// Since the loss: a command was seen, and so many responses began since the latest.
    began: bool,
    responses: u32,
    /// When the server's latest packet came.
    answered_at: Option<Timestamp>,
    /// A response whose command is not known.
    stray: Option<Response>,
}

impl Alignment {
    pub(super) const fn new() -> Self {
        Self { certain: true, began: false, responses: 0, answered_at: None, stray: None }
    }

    pub(super) const fn is_certain(&self) -> bool {
        self.certain
    }

    /// The answers to commands from here on can't be told.
    pub(super) const fn doubt(&mut self) {
        self.certain = false;
    }

    /// Command and response were found not to fit.
    pub(super) const fn shift(&mut self) {
        self.certain = false;
        self.began = false;
        self.responses = 0;
    }

    /// Packets may be missing. Gives the response that was coming.
    pub(super) const fn lose(&mut self) -> Option<Response> {
        self.shift();
        self.answered_at = None;
        self.stray.take()
    }

    /// The server sends something.
    pub(super) const fn answered(&mut self, at: Timestamp) {
        self.answered_at = Some(at);
    }

    /// The client begins a command that is answered: whether both sides are at the same place again. `idle` says that
    /// nothing of the server is unfinished. Gives the response that ends by it.
    pub(super) fn command(&mut self, at: Timestamp, idle: bool) -> Option<Response> {
        if self.certain {
            return None;
        }
        let quiet = self.answered_at.is_some_and(|answered| at.since(answered) >= SILENCE_NANOS);
        self.certain = idle && (self.began && self.responses == 1 || quiet);
        self.began = true;
        self.responses = 0;
        self.stray.take()
    }

    /// Takes a packet of a response whose command is not known. Gives the response that ends by it.
    pub(super) fn stray(&mut self, packet: &Packet<'_>, limits: &Limits) -> Option<Response> {
        let first = packet.number == 1;
        let mut ended = None;
        if first {
            ended = self.stray.take();
            self.responses = self.responses.saturating_add(1);
        }
        let stray = self.stray.get_or_insert_with(|| Response::new(Shape::Stream));
        stray.count(packet.framed.time, packet.captured, packet.framed.missing);
        if first && packet.payload().first() == Some(&0xff) && packet.is_whole() {
            stray.error = packets::error(packet.payload(), limits).ok();
        }
        ended
    }

    /// Nothing more comes. Gives the response that was coming.
    pub(super) const fn end(&mut self) -> Option<Response> {
        self.stray.take()
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        self.stray.as_ref().map_or(0, Response::heap)
    }
}
