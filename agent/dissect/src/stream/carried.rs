//! A stream within a stream: what a layer of encryption carries is read like any other connection.

use remora_packet::Timestamp;

use super::{Dissection, Feed};
use crate::dissector::Verdict;
use crate::item::Transport;
use crate::tcp::Sink;
use crate::{Context, Direction, End};

/// Streams within streams. Above it what is carried is not read.
pub(crate) const LAYERS: u8 = 4;

/// A hole whose length is not known, to be longer than what could be left of any message: what is behind it is not taken
/// for the rest of one. Holes of TCP are no longer.
const UNKNOWN: u64 = i32::MAX as u64;

pub(crate) struct Carried {
    dissection: Dissection,
    ended: [bool; 2],
    /// About how many bytes are missing, for items to show.
    missing: [u64; 2],
}

impl Carried {
    pub(crate) fn new() -> Self {
        Self { dissection: Dissection::new(Transport::Tcp), ended: [false; 2], missing: [0; 2] }
    }

    pub(crate) fn data(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        captured: Timestamp,
        context: &mut Context<'_>,
    ) {
        if !bytes.is_empty() && !self.ended[direction.index()] {
            // What carries it was sent when it was.
            let sent = context.sent;
            self.feed(captured, context, |feed| feed.data(direction, bytes, sent));
        }
    }

    /// Bytes are missing, `about` so many.
    pub(crate) fn gap(&mut self, direction: Direction, about: u64, context: &mut Context<'_>) {
        if !self.ended[direction.index()] {
            self.missing[direction.index()] += about.max(1);
            self.feed(context.now, context, |feed| feed.gap(direction, UNKNOWN));
        }
    }

    pub(crate) fn end(&mut self, direction: Direction, end: End, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.ended[direction.index()], true) {
            self.feed(context.now, context, |feed| feed.end(direction, end));
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.dissection.memory()
    }

    fn feed(&mut self, now: Timestamp, context: &mut Context<'_>, work: impl FnOnce(&mut Feed<'_>)) {
        let before = context.items.len();
        let mut feed = Feed {
            dissection: &mut self.dissection,
            transport: Transport::Tcp,
            // Where a beginning is missing there is a gap.
            begun: [true; 2],
            context: Context {
                now,
                clock: context.clock,
                offset: 0,
                sent: None,
                ipv6: context.ipv6,
                limits: context.limits,
                counters: &mut *context.counters,
                items: &mut *context.items,
                verdict: Verdict::default(),
                registry: context.registry,
                server_port: context.server_port,
                layers: context.layers + 1,
            },
        };
        work(&mut feed);
        for draft in context.items.iter_mut().skip(before) {
            draft.tls = true;
            let missing = if draft.request_direction == Direction::ToServer {
                self.missing
            } else {
                [self.missing[1], self.missing[0]]
            };
            for (gap, missing) in [&mut draft.gap.request, &mut draft.gap.response].into_iter().zip(missing) {
                if *gap >= UNKNOWN {
                    *gap = missing.max(1);
                }
            }
        }
    }
}
