//! Messages in a TCP stream, each with its length before it (RFC 1035, section 4.2.2; RFC 7766).

use super::header::{HEADER, Header};
use super::key::Key;
use super::message::{self, Caps, Dns};
use super::transfer::{self, Transfer};
use super::{PORT, TCP_PROTOCOL, kind};
use crate::frame::{Framed, Length, Step};
use crate::item::{Absence, ErrorKind};
use crate::peers::{Peers, fingerprint};
use crate::{Context, Direction, Dissector, End, Frames, Framing, Half, Kind, Probe};

/// Bytes that tell a message's length.
const PREFIX: usize = 2;

struct DnsFraming;

impl Framing for DnsFraming {
    fn length(&self, _: Direction, bytes: &[u8]) -> Length {
        let Some((prefix, message)) = bytes.split_first_chunk::<PREFIX>() else { return Length::Unknown };
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length < HEADER {
            return Length::Invalid("a message is shorter than its header");
        }
        match Header::parse(message) {
            Some(header) if !header.is_plausible(length) || !header.has_known_operation() => {
                Length::Invalid("a header makes no sense")
            }
            Some(_) => Length::Known((PREFIX + length) as u64),
            None => Length::Unknown,
        }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        let Length::Known(length) = self.length(direction, bytes) else { return false };
        let message = &bytes[PREFIX..];
        match usize::try_from(length).ok().and_then(|length| bytes.get(PREFIX..length)) {
            Some(whole) => {
                Header::parse(whole).is_some_and(Header::is_strict) && message::is_whole_and_ordinary(whole)
            }
            None => {
                Header::parse(message).is_some_and(Header::is_strict) && message::begins_ordinarily(message)
            }
        }
    }
}

/// On the port a header that makes sense is enough to try; elsewhere the question has to be read as well.
pub(super) fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    match DnsFraming.length(direction, bytes) {
        Length::Unknown if server_port == PORT => Probe::Unsure,
        Length::Known(_) if server_port == PORT || DnsFraming.begins(direction, bytes) => Probe::Likely,
        _ => Probe::No,
    }
}

pub(super) struct Connection {
    kind: Kind,
    frames: Frames,
    /// With the type that a query asks for.
    pairing: Peers<Key, u16>,
    transfer: Option<Box<Transfer>>,
    transfer_memory: usize,
    /// A whole message was read.
    sure: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        let kind = kind(&TCP_PROTOCOL);
        Self {
            kind,
            frames: Frames::default(),
            pairing: Peers::new(kind),
            transfer: None,
            transfer_memory: 0,
            sure: false,
        }
    }

    fn message(&mut self, direction: Direction, framed: &Framed<'_>, context: &mut Context<'_>) {
        let Some(bytes) = framed.bytes.get(PREFIX..) else { return };
        // A message of a transfer is read to its end, then shortened.
        let caps = Caps::of(context.limits);
        let is_of_transfer = self.transfer.is_some() || self.is_transfer(direction, bytes);
        let parsed = Dns::parse(bytes, false, if is_of_transfer { transfer::unlimited(caps) } else { caps });
        let lost = framed.missing;
        let dns = match (parsed.dns, parsed.error) {
            (Some(dns), None) => dns,
            (Some(dns), Some(_)) if !framed.is_whole() => dns,
            (_, error) => {
                if !self.sure {
                    context.withdraw();
                    return;
                }
                let (at, what) = error.map_or((0, "no message"), |error| (error.offset, error.what));
                let offset = framed.offset + (PREFIX + at) as u64;
                context.items.push(self.kind.failure(direction, framed.time, &framed.bytes, offset, what));
                return;
            }
        };
        if framed.is_whole() {
            self.sure = true;
            context.confirm();
        }
        let asked = dns.asked();
        let key = Key::new(&dns, asked.as_ref());
        let kind = asked.map_or(0, |asked| asked.kind);
        let copy = fingerprint(bytes);
        if !dns.header.is_response() {
            let half = Half::new(framed.time, framed.size, dns).missing(lost);
            self.pairing.request(direction, key, half, copy, kind, context);
        } else if let Some(dns) = self.transferred(direction, &key, dns, framed, context) {
            let half = Half::new(framed.time, framed.size, dns).missing(lost);
            self.pairing.response(direction, &key, half, copy, context);
        }
    }

    /// Whether these may be the bytes of a transfer's first response.
    fn is_transfer(&self, direction: Direction, bytes: &[u8]) -> bool {
        let Some(key) = Key::peek(bytes) else { return false };
        self.pairing.note(direction, &key).is_some_and(|kind| transfer::is_transfer(*kind))
    }

    /// Takes a response that belongs to a transfer; gives back any other.
    fn transferred(
        &mut self,
        direction: Direction,
        key: &Key,
        dns: Dns,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) -> Option<Dns> {
        if self.transfer.as_ref().is_none_or(|transfer| transfer.key != *key) {
            if !self.pairing.note(direction, key).is_some_and(|kind| transfer::is_transfer(*kind)) {
                return Some(dns);
            }
            self.break_off(direction, "another transfer began", context);
            let (request, kind) = self.pairing.remove(direction, key)?;
            let new = Transfer::new(key.clone(), request, kind, &dns, framed.time);
            self.transfer = Some(Box::new(new));
        }
        let transfer = self.transfer.as_mut()?;
        let over = transfer.add(dns, framed.size, framed.missing, Caps::of(context.limits));
        self.transfer_memory = transfer.memory();
        if over && let Some(transfer) = self.transfer.take() {
            self.transfer_memory = 0;
            let (request, response) = transfer.into_halves();
            context.items.push(self.kind.exchange(direction.reverse(), request, response));
        }
        None
    }

    /// A transfer whose end did not come; `direction` is that of the responses.
    fn break_off(&mut self, direction: Direction, why: &str, context: &mut Context<'_>) {
        if let Some(transfer) = self.transfer.take() {
            self.transfer_memory = 0;
            let (request, response) = transfer.into_halves();
            let response = response.error(ErrorKind::Dissection, format!("the transfer has no end: {why}"));
            context.items.push(self.kind.exchange(direction.reverse(), request, response));
        }
    }

    fn cut(&mut self, direction: Direction, framed: Option<Framed<'static>>, context: &mut Context<'_>) {
        if let Some(framed) = framed {
            self.message(direction, &framed, context);
        }
    }
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            let time = context.now;
            let offset = context.offset;
            match self.frames.step(&DnsFraming, direction, &bytes[used..], context) {
                Step::Wait => break,
                Step::Used(count) => used += count,
                Step::Message(framed, count) => {
                    used += count;
                    self.message(direction, &framed, context);
                }
                Step::Invalid(what) => {
                    if !self.sure {
                        context.withdraw();
                        return used;
                    }
                    let failure = self.kind.failure(direction, time, &bytes[used..], offset, what);
                    context.items.push(failure);
                }
            }
        }
        used
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        let framed = self.frames.gap(&DnsFraming, direction, bytes, unparsed, context);
        let inside = framed.is_some();
        self.cut(direction, framed, context);
        // Whole messages of a transfer may be among what is missing.
        if !inside
            && bytes != 0
            && let Some(transfer) = &mut self.transfer
        {
            transfer.lose(bytes);
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        self.frames.lose(direction);
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        let framed = self.frames.end(&DnsFraming, direction, unparsed, context);
        self.cut(direction, framed, context);
        // Whoever ends has had its say: nothing of it answers any more.
        let absence = Absence::Ended(end);
        self.break_off(direction, absence.as_str(), context);
        self.pairing.give_up(direction.reverse(), absence, context);
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.frames.memory() + self.pairing.memory() + self.transfer_memory
    }
}
