//! Marking messages off: `LDAPMessage ::= SEQUENCE { messageID, protocolOp, controls [0] OPTIONAL }` (RFC 4511, section
//! 4.1.1), in BER with definite lengths.

use super::names::{self, op};
use crate::Direction;
use crate::der::tag;
use crate::frame::{Framing, Length};

/// No server takes or sends longer messages.
const MAX_MESSAGE: u64 = 64 << 20;

/// The beginning of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Bytes of the whole message.
    pub length: u64,
    pub id: i64,
    pub op: u8,
    /// Where the operation's content begins and ends, from the message's first byte.
    pub content: usize,
    pub end: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Short,
    No(&'static str),
    Head(Head),
}

/// A tag's length: itself, and where the content begins. `Err(None)` where bytes are missing to tell.
fn length(bytes: &[u8], at: usize) -> Result<(u64, usize), Option<&'static str>> {
    let first = *bytes.get(at).ok_or(None)?;
    match first {
        0..=0x7f => Ok((first.into(), at + 1)),
        // Active Directory sends four bytes of length whatever the length is.
        0x81..=0x84 => {
            let end = at + 1 + usize::from(first & 0x7f);
            let bytes = bytes.get(at + 1..end).ok_or(None)?;
            Ok((bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)), end))
        }
        _ => Err(Some("a length that LDAP does not allow")),
    }
}

pub(super) fn look(bytes: &[u8]) -> Look {
    match head(bytes) {
        Ok(head) => Look::Head(head),
        Err(None) => Look::Short,
        Err(Some(what)) => Look::No(what),
    }
}

fn head(bytes: &[u8]) -> Result<Head, Option<&'static str>> {
    if *bytes.first().ok_or(None)? != tag::SEQUENCE {
        return Err(Some("a message does not begin with a sequence"));
    }
    let (inner, begin) = length(bytes, 1)?;
    let whole = begin as u64 + inner;
    if !(5..=MAX_MESSAGE).contains(&inner) {
        return Err(Some("a message too short or too long"));
    }
    if *bytes.get(begin).ok_or(None)? != tag::INTEGER {
        return Err(Some("a message without a message id"));
    }
    let (id_length, id_at) = length(bytes, begin + 1)?;
    if !(1..=4).contains(&id_length) {
        return Err(Some("a message id too short or too long"));
    }
    let op_at = id_at + id_length as usize;
    let id = bytes.get(id_at..op_at).ok_or(None)?.iter().fold(0, |id, byte| id << 8 | i64::from(*byte));
    if id > i64::from(i32::MAX) {
        return Err(Some("a message id below zero"));
    }
    let op = *bytes.get(op_at).ok_or(None)?;
    if names::operation(op).is_none() {
        return Err(Some("an operation that is not known"));
    }
    let (content_length, content) = length(bytes, op_at + 1)?;
    let end = content as u64 + content_length;
    // Controls, or what a later version adds, are two bytes at least.
    if end > whole || end + 1 == whole {
        return Err(Some("an operation that does not fit its message"));
    }
    if end < whole
        && let Some(next) = usize::try_from(end).ok().and_then(|end| bytes.get(end))
        && *next != tag::context(0)
    {
        return Err(Some("an operation followed by something else than controls"));
    }
    Ok(Head { length: whole, id, op, content, end })
}

/// Whether an operation's content begins as it must. `None` where it is too short to tell, or there is little to check.
pub(super) fn is_plausible(head: &Head, bytes: &[u8]) -> Option<bool> {
    let content = bytes.get(head.content..)?;
    Some(match head.op {
        op::BIND_REQUEST => matches!(content.get(..4)?, [2, 1, 1..=3, 4]),
        op::BIND_RESPONSE
        | op::SEARCH_DONE
        | op::MODIFY_RESPONSE
        | op::ADD_RESPONSE
        | op::DEL_RESPONSE
        | op::MODIFY_DN_RESPONSE
        | op::COMPARE_RESPONSE
        | op::EXTENDED_RESPONSE => match content.get(..3)? {
            [0x0a, 1, _] => *content.get(3)? == 4,
            [0x0a, 2, _] => *content.get(4)? == 4,
            _ => false,
        },
        op::SEARCH_REQUEST => {
            let (length, at) = octets(content)?;
            let after = content.get(at + usize::try_from(length).ok()?..)?;
            matches!(after.get(..7)?, [0x0a, 1, 0..=3, 0x0a, 1, 0..=3, 2])
        }
        op::SEARCH_ENTRY | op::ADD_REQUEST | op::MODIFY_REQUEST | op::COMPARE_REQUEST => {
            let (length, at) = octets(content)?;
            *content.get(at + usize::try_from(length).ok()?)? == tag::SEQUENCE
        }
        op::MODIFY_DN_REQUEST | op::SEARCH_REFERENCE => *content.first()? == tag::OCTET_STRING,
        op::EXTENDED_REQUEST => {
            let (0x80, (length @ 3..=128, at)) = (*content.first()?, length(content, 1).ok()?) else {
                return Some(false);
            };
            let oid = content.get(at..at + length as usize)?;
            oid.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        }
        op::UNBIND_REQUEST => return if head.end == head.content as u64 { None } else { Some(false) },
        op::ABANDON_REQUEST => return if head.end - head.content as u64 <= 4 { None } else { Some(false) },
        _ => return None,
    })
}

fn octets(content: &[u8]) -> Option<(u64, usize)> {
    if *content.first()? == tag::OCTET_STRING {
        length(content, 1).ok()
    } else {
        Some((u64::from(u32::MAX), 0))
    }
}

/// How a connection's messages are marked off.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// A SASL bind may have put a layer below the messages: from then on buffers that begin with their length (RFC 4513,
    /// section 5.2.3; RFC 4422, section 3.7) may come in their place.
    pub layered: bool,
}

/// Whether a frame is a buffer of a SASL layer. Its first byte is part of a length below 16 MiB.
pub(super) fn is_layer(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0)
}

impl Framing for Messages {
    fn length(&self, _direction: Direction, bytes: &[u8]) -> Length {
        if self.layered && is_layer(bytes) {
            return match bytes.first_chunk::<4>() {
                Some(length) => Length::Known(4 + u64::from(u32::from_be_bytes(*length))),
                None => Length::Unknown,
            };
        }
        match look(bytes) {
            Look::Short => Length::Unknown,
            Look::No(what) => Length::Invalid(what),
            Look::Head(head) => Length::Known(head.length),
        }
    }

    fn begins(&self, _direction: Direction, bytes: &[u8]) -> bool {
        matches!(look(bytes), Look::Head(head) if is_plausible(&head, bytes) != Some(false))
    }
}
