//! LDAP over TCP.

use super::exchanges::{Exchanges, Meaning};
use super::framing::{self, Look, Messages};
use super::{KIND, names};
use crate::frame::{Framed, Frames, Step};
use crate::item::Absence;
use crate::{Context, Direction, Dissector, End, Successor};

pub(super) struct Connection {
    frames: Frames,
    framing: Messages,
    exchanges: Exchanges,
    /// The request for TLS that waits for its response; until then the client's bytes are left lying.
    tls: Option<i64>,
    /// A message was read.
    sure: bool,
    asked_for_sasl: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::default(),
            framing: Messages::default(),
            exchanges: Exchanges::new(KIND),
            tls: None,
            sure: false,
            asked_for_sasl: false,
        }
    }

    /// Takes a message; whether another protocol follows it.
    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) -> bool {
        if self.framing.layered && framing::is_layer(&framed.bytes) {
            context.counters.undissected_bytes += framed.size;
            return false;
        }
        if self.sure
            || matches!(framing::look(&framed.bytes), Look::Head(head) if framing::is_plausible(&head, &framed.bytes) == Some(true))
        {
            context.confirm();
        }
        self.sure = true;
        match self.exchanges.message(direction, framed, context) {
            Meaning::AsksForTls(id) => self.tls = Some(id),
            Meaning::AsksForSasl => self.asked_for_sasl = true,
            Meaning::Result { id, success } if self.tls == Some(id) => {
                self.tls = None;
                if success {
                    self.exchanges.let_go(Absence::Lost, context);
                    context.hand_over(Successor::Probed);
                    return true;
                }
            }
            Meaning::Result { success: true, .. } => self.framing.layered |= self.asked_for_sasl,
            _ => {}
        }
        false
    }

    /// A hello of TLS in place of a message: what asked for it was not seen.
    fn is_tls(&self, bytes: &[u8]) -> bool {
        self.sure && matches!(bytes, [0x16, 3, 0..=4, _, _, 1 | 2, ..])
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            if self.tls.is_some() && self.exchanges.client() == Some(direction) {
                break;
            }
            let rest = &bytes[used..];
            match self.frames.step(&self.framing, direction, rest, context) {
                Step::Wait => break,
                Step::Used(more) if self.frames.is_lost(direction) && self.is_tls(rest) => {
                    context.counters.undissected_bytes -= more as u64;
                    self.exchanges.let_go(Absence::Lost, context);
                    context.hand_over(Successor::Probed);
                    break;
                }
                Step::Used(more) => used += more,
                Step::Message(framed, more) => {
                    used += more;
                    if self.message(direction, &framed, context) {
                        break;
                    }
                }
                Step::Invalid(_) if !self.sure => {
                    context.withdraw();
                    break;
                }
                Step::Invalid(_) if self.is_tls(rest) => {
                    self.exchanges.let_go(Absence::Lost, context);
                    context.hand_over(Successor::Probed);
                    break;
                }
                Step::Invalid(what) => {
                    context.items.push(KIND.failure(direction, context.now, rest, context.offset, what));
                    self.exchanges.lose(direction, context);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        // The response to a request for TLS may be what is missing.
        self.tls = None;
        if let Some(framed) = self.frames.gap(&self.framing, direction, bytes, unparsed, context) {
            self.message(direction, &framed, context);
        }
        // Where a capture joins, nothing is lost of what is asked for from then on.
        if self.sure || bytes > 0 {
            self.exchanges.lose(direction, context);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        self.tls = None;
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(direction);
        self.exchanges.lose(direction, context);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        // What was left lying for TLS may be messages after all.
        let waited = self.tls.take_if(|_| self.exchanges.client() == Some(direction)).is_some();
        let used = if waited { self.parse(direction, unparsed, context) } else { 0 };
        let rest = unparsed.get(used..).unwrap_or_default();
        if let Some(framed) = self.frames.end(&self.framing, direction, rest, context) {
            self.message(direction, &framed, context);
        }
        if self.exchanges.client() != Some(direction) {
            self.exchanges.let_go(Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.frames.memory() + self.exchanges.memory()
    }
}

/// Whether an operation is one of a client.
pub(super) fn is_of_client(op: u8) -> bool {
    names::operation(op).is_some_and(|(of_client, _)| of_client)
}
