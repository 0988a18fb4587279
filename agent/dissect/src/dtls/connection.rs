//! The handshakes between two addresses.

use super::KIND;
use super::current::Current;
use super::fragment::Fragment;
use super::record::{self, HEADER, Header};
use crate::item::Absence;
use crate::tls::fingerprint::Carrier;
use crate::tls::handshake::{Handshake, kind};
use crate::tls::hello::RETRY;
use crate::{Context, DatagramDissector, Direction, End};

/// Random values of handshakes that are over, by which a message sent again is known: two of each.
const KNOWN_RANDOMS: usize = 8;

#[derive(Default)]
pub(super) struct Connection {
    current: Option<Box<Current>>,
    known: Vec<[u8; 32]>,
    /// An alert came without a handshake.
    alerted: bool,
    /// Something came that is no record.
    failed: bool,
}

impl Connection {
    /// Takes the fragments of a record.
    fn fragments(&mut self, direction: Direction, content: &[u8], cut: bool, context: &mut Context<'_>) {
        let mut rest = content;
        let mut new = false;
        while !rest.is_empty() {
            let (fragment, behind) = match Fragment::read(rest) {
                Ok(read) => read,
                Err(error) => {
                    if let Some(current) = self.current.as_mut().filter(|_| !cut) {
                        current.handshake.fail(direction, &error.to_string());
                    }
                    break;
                }
            };
            rest = behind;
            if fragment.bytes.len() < fragment.size && !cut {
                if let Some(current) = &mut self.current {
                    current.handshake.fail(direction, "a fragment goes beyond its record");
                }
                break;
            }
            if let Some(current) = self.handshake_of(direction, &fragment, context) {
                new |= current.fragment(direction, &fragment, context);
            }
        }
        if let Some(current) = self.current.as_mut().filter(|_| new) {
            current.handshake.add_size(direction, (HEADER + content.len()) as u64);
        }
        self.forget_if_over();
    }

    /// The handshake that a fragment is of, which it may begin.
    fn handshake_of(
        &mut self,
        direction: Direction,
        fragment: &Fragment<'_>,
        context: &mut Context<'_>,
    ) -> Option<&mut Current> {
        let random = fragment.random().filter(|random| *random != RETRY);
        if random.is_some_and(|random| self.known.contains(&random)) {
            // Begun by a fragment of it that does not have the random value.
            self.current.take_if(|current| current.randoms == [None, None]);
            return None;
        }
        let begins = fragment.is_hello() && fragment.kind != kind::HELLO_VERIFY_REQUEST;
        let place = direction.index();
        if let Some(current) = &mut self.current {
            let differs =
                current.randoms[place].is_some_and(|known| random.is_some_and(|random| known != random));
            // A ClientHello that is sent again on demand should have the random value of the first.
            let goes_on = fragment.sequence > 0 && !current.handshake.is_answered();
            if differs && !goes_on {
                current.leave(Absence::Lost, context);
                self.forget();
            }
        }
        if self.current.is_none() && begins {
            self.current = Some(Box::new(Current::new()));
        }
        let current = self.current.as_deref_mut()?;
        if random.is_some() {
            current.randoms[place] = random;
        }
        current.due = context.clock + u64::from(context.limits.answer_seconds) * 1_000_000_000;
        Some(current)
    }

    fn alert(&mut self, direction: Direction, content: &[u8], context: &mut Context<'_>) {
        let [level @ 1..=2, code] = *content else { return };
        let size = (HEADER + content.len()) as u64;
        if let Some(current) = &mut self.current {
            current.flush_all(context);
            current.handshake.alert(direction, level, code, size, context);
            self.forget_if_over();
        } else if self.known.is_empty() && !self.alerted {
            // What it ends was not captured.
            let mut handshake = Handshake::new(KIND, Carrier::Dtls);
            handshake.alert(direction, level, code, size, context);
            self.alerted = handshake.is_over();
        }
    }

    /// A direction changes to encryption, or a record of it is encrypted.
    fn encrypted(&mut self, direction: Direction, sure: bool, context: &mut Context<'_>) {
        if let Some(current) = &mut self.current {
            current.encrypted(direction, sure, context);
            self.forget_if_over();
        }
    }

    /// An encrypted record of 1.3, with the low bits of its epoch.
    fn unified(&mut self, direction: Direction, epoch: u8, context: &mut Context<'_>) {
        /// Early data, which comes before the ServerHello.
        const EARLY: u8 = 1;
        if let Some(current) = &self.current
            && epoch != EARLY
            && (current.handshake.is_1_3() || !current.handshake.is_answered())
        {
            self.encrypted(direction, true, context);
        }
    }

    fn record(
        &mut self,
        direction: Direction,
        header: Header,
        content: &[u8],
        cut: bool,
        context: &mut Context<'_>,
    ) {
        match (header.kind, header.epoch) {
            (_, 1..) => self.encrypted(direction, false, context),
            (record::kind::CHANGE_CIPHER_SPEC, _) => self.encrypted(direction, true, context),
            (record::kind::ALERT, _) => self.alert(direction, content, context),
            (record::kind::HANDSHAKE, _) => self.fragments(direction, content, cut, context),
            // An ACK says nothing of the handshake.
            _ => {}
        }
    }

    /// What comes is not a record: told once, since what shares the ports may come any number of times.
    fn invalid(&mut self, direction: Direction, bytes: &[u8], offset: usize, context: &mut Context<'_>) {
        context.counters.undissected_bytes += bytes.len() as u64;
        if !std::mem::replace(&mut self.failed, true) {
            context.items.push(KIND.failure(direction, context.now, bytes, offset as u64, "no DTLS record"));
        }
    }

    fn forget_if_over(&mut self) {
        if self.current.as_ref().is_some_and(|current| current.handshake.is_over()) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let Some(current) = self.current.take() else { return };
        for random in current.randoms.into_iter().flatten() {
            if self.known.len() >= KNOWN_RANDOMS {
                self.known.remove(0);
            }
            self.known.push(random);
        }
    }

    fn leave(&mut self, absence: Absence, context: &mut Context<'_>) {
        if let Some(current) = &mut self.current {
            current.leave(absence, context);
            self.forget();
        }
    }
}

impl DatagramDissector for Connection {
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>) {
        // What shares the ports, as STUN and RTP do, is told apart by its first byte (RFC 7983, section 7).
        if !matches!(bytes.first(), Some(20..=63)) {
            context.counters.undissected_bytes += bytes.len() as u64;
            return;
        }
        let mut at = 0;
        let mut has_messages = false;
        while let Some(first) = bytes.get(at) {
            let rest = &bytes[at..];
            if let Some(epoch) = record::unified(*first) {
                // What follows in the datagram is encrypted too.
                self.unified(direction, epoch, context);
                break;
            }
            let Some(header) = Header::read(rest) else {
                if rest.len() >= HEADER || missing == 0 {
                    self.invalid(direction, rest, at, context);
                }
                break;
            };
            if header.kind == record::kind::CONNECTION_ID {
                self.encrypted(direction, false, context);
                break;
            }
            let content = &rest[HEADER..];
            let cut = content.len() < header.length;
            if cut && missing == 0 {
                self.invalid(direction, rest, at, context);
                break;
            }
            let content = &content[..header.length.min(content.len())];
            has_messages |= header.kind == record::kind::HANDSHAKE && header.epoch == 0;
            self.record(direction, header, content, cut, context);
            at += HEADER + header.length;
        }
        if let Some(current) = self.current.as_mut().filter(|_| has_messages) {
            current.handshake.lose(direction, missing.into());
        }
    }

    fn due(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.due)
    }

    fn elapse(&mut self, context: &mut Context<'_>) {
        if self.current.as_ref().is_some_and(|current| current.due <= context.clock) {
            self.leave(Absence::Late, context);
        }
    }

    fn end(&mut self, end: End, context: &mut Context<'_>) {
        self.leave(Absence::Ended(end), context);
    }

    fn memory(&self) -> usize {
        let known = self.known.capacity() * size_of::<[u8; 32]>();
        known + self.current.as_ref().map_or(0, |current| current.memory())
    }
}
