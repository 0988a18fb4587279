//! Messages in UDP datagrams.

use super::key::Key;
use super::message::{Caps, Dns};
use super::{PROTOCOL, kind};
use crate::item::Absence;
use crate::peers::{Peers, fingerprint};
use crate::{Context, DatagramDissector, Direction, Draft, End, Half, Kind, Protocol};

/// A message, or the item that says why it is none.
fn read(
    kind: Kind,
    direction: Direction,
    bytes: &[u8],
    missing: u32,
    multicast: bool,
    context: &Context<'_>,
) -> Result<Dns, Box<Draft>> {
    let parsed = Dns::parse(bytes, multicast, Caps::of(context.limits));
    match (parsed.dns, parsed.error) {
        (Some(dns), None) => Ok(dns),
        // What was captured of it is no less true.
        (Some(dns), Some(_)) if missing != 0 => Ok(dns),
        (_, Some(error)) => {
            let offset = error.offset as u64;
            Err(Box::new(kind.failure(direction, context.now, bytes, offset, error.what)))
        }
        (None, None) => Err(Box::new(kind.failure(direction, context.now, bytes, 0, "no message"))),
    }
}

/// A client and a server.
pub(super) struct Unicast {
    kind: Kind,
    pairing: Peers<Key>,
}

impl Unicast {
    pub(super) fn new() -> Self {
        let kind = kind(&PROTOCOL);
        Self { kind, pairing: Peers::new(kind) }
    }
}

impl DatagramDissector for Unicast {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let dns = match read(self.kind, direction, bytes, missing, false, context) {
            Ok(dns) => dns,
            Err(failure) => {
                context.items.push(*failure);
                return;
            }
        };
        let key = Key::new(&dns, dns.asked().as_ref());
        let copy = fingerprint(bytes);
        let is_response = dns.header.is_response();
        let half = Half::new(context.now, bytes.len() as u64, dns).missing(missing.into());
        if is_response {
            self.pairing.response(direction, &key, half, copy, context);
        } else {
            self.pairing.request(direction, key, half, copy, (), context);
        }
    }

    fn due(&self) -> Option<u64> {
        self.pairing.due()
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairing.elapse(context);
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        for direction in Direction::BOTH {
            self.pairing.give_up(direction, Absence::Ended(end), context);
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.pairing.memory()
    }
}

/// Multicast DNS and LLMNR: a question goes to a group, and whoever answers does so from another address or to the group.
/// So each message is an item of its own.
pub(super) struct OneWay {
    kind: Kind,
    /// The top bits of classes have their own meaning.
    multicast: bool,
}

impl OneWay {
    pub(super) fn new(protocol: &'static Protocol, multicast: bool) -> Self {
        Self { kind: kind(protocol), multicast }
    }
}

impl DatagramDissector for OneWay {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        let draft = match read(self.kind, direction, bytes, missing, self.multicast, context) {
            Ok(dns) => {
                let half = Half::new(context.now, bytes.len() as u64, dns.alone()).missing(missing.into());
                self.kind.message(direction, half)
            }
            Err(failure) => *failure,
        };
        context.items.push(draft);
    }

    fn end(&mut self, _: End, _: &mut Context<'_>) {}

    fn memory(&self) -> usize {
        size_of::<Self>()
    }
}
