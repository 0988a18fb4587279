//! Connectionless LDAP, as Active Directory's clients use it to find a server ([MS-ADTS], section 6.3.3; RFC 1798 with the
//! messages of RFC 4511).

use std::borrow::Cow;

use super::DATAGRAM_KIND;
use super::exchanges::Exchanges;
use super::framing::{Look, look};
use crate::frame::Framed;
use crate::item::Absence;
use crate::{Context, DatagramDissector, Direction, End};

pub(super) struct Conversation {
    exchanges: Exchanges,
}

impl Conversation {
    pub(super) const fn new() -> Self {
        Self { exchanges: Exchanges::new(DATAGRAM_KIND) }
    }
}

impl DatagramDissector for Conversation {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let mut at = 0;
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            let head = match look(rest) {
                Look::Head(head) => head,
                Look::Short if missing > 0 => break,
                Look::Short | Look::No(_) => {
                    let what = if let Look::No(what) = look(rest) { what } else { "the message ends early" };
                    let now = context.now;
                    context.items.push(DATAGRAM_KIND.failure(direction, now, rest, at as u64, what));
                    break;
                }
            };
            let length = usize::try_from(head.length).unwrap_or(usize::MAX);
            let here = rest.len().min(length);
            let cut = (length - here) as u64;
            let framed = Framed {
                bytes: Cow::Borrowed(&rest[..here]),
                time: context.now,
                offset: at as u64,
                size: here as u64,
                // A length that goes on behind the packet is a lie, which reading it will tell.
                missing: cut.min(missing.into()),
                cut: 0,
            };
            self.exchanges.message(direction, &framed, context);
            at += here;
        }
        if missing > 0 {
            self.exchanges.lose(direction, context);
        }
    }

    fn due(&self) -> Option<u64> {
        self.exchanges.due()
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.exchanges.elapse(context);
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        self.exchanges.let_go(Absence::Ended(end), context);
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.exchanges.memory()
    }
}
