//! Packets (RFC 2865, section 3).

use std::borrow::Cow;

use super::{attribute, dictionary, eap};
use crate::tree::hex;
use crate::{Fields, Limits, ParseError, Reader, Tree};

const HEADER: usize = 20;
const MAX_LENGTH: usize = 4096;

pub(super) struct Header {
    pub(super) code: u8,
    pub(super) id: u8,
    /// Of the packet, as claimed; at least that of a header.
    pub(super) length: usize,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[code, id, high, low], _) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let possible = bytes.len() >= HEADER && (HEADER..=MAX_LENGTH).contains(&length);
        possible.then_some(Self { code, id, length })
    }

    pub(super) const fn is_known(&self) -> bool {
        matches!(self.code, 1..=5 | 11..=13 | 40..=45)
    }

    /// Whether it answers, for those of which that can be told.
    pub(super) const fn is_response(&self) -> bool {
        matches!(self.code, 2 | 3 | 5 | 11 | 41 | 42 | 44 | 45)
    }
}

/// Whether a response may have that code.
pub(super) const fn answers(request: u8, response: u8) -> bool {
    matches!((request, response), (1, 2 | 3 | 11) | (4, 5) | (12, 2 | 5) | (40, 41 | 42) | (43, 44 | 45))
}

fn code_name(code: u8) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        1 => "Access-Request",
        2 => "Access-Accept",
        3 => "Access-Reject",
        4 => "Accounting-Request",
        5 => "Accounting-Response",
        11 => "Access-Challenge",
        12 => "Status-Server",
        13 => "Status-Client",
        40 => "Disconnect-Request",
        41 => "Disconnect-ACK",
        42 => "Disconnect-NAK",
        43 => "CoA-Request",
        44 => "CoA-ACK",
        45 => "CoA-NAK",
        _ => return format!("Code {code}").into(),
    })
}

/// Whether there is an attribute, and all are known and reach to the end. Strict, because little else tells the protocol.
pub(super) fn is_ordinary(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let mut any = false;
    let all = reader.skip(HEADER).and_then(|()| {
        while !reader.is_empty() {
            let (kind, value) = attribute::next(&mut reader)?;
            let fits = dictionary::find(kind).is_some_and(|entry| entry.kind.fits(value.len()));
            if !fits {
                return Err(reader.error("an attribute is unusual"));
            }
            any = true;
        }
        Ok(())
    });
    all.is_ok() && any
}

/// Reads what is there. An error comes with what was read before it.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> (Fields, Result<(), ParseError>) {
    let mut fields = Fields::with_capacity(8);
    let result = content(bytes, &mut fields, limits);
    (fields, result)
}

fn content(bytes: &[u8], fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    let mut r = Reader::new(bytes);
    let code = r.u8()?;
    fields.push("code", code);
    fields.push("codeName", code_name(code));
    fields.push("id", r.u8()?);
    let length = usize::from(r.u16_be()?);
    if length < HEADER {
        return Err(ParseError { offset: 2, what: "the length is less than a header's" });
    }
    let authenticator: [u8; 16] = r.array()?;
    fields.push("authenticator", hex(&authenticator));
    // What lies behind the length is padding.
    let mut inside = Reader::new(bytes.get(..length).unwrap_or(bytes));
    inside.skip(HEADER)?;
    let (mut attributes, mut count, mut messages) = (Vec::<Tree>::new(), 0usize, Vec::new());
    let mut telling = [None, None];
    let result = loop {
        if inside.is_empty() {
            let ends = bytes.len() >= length;
            break if ends { Ok(()) } else { Err(inside.error("the message ends early")) };
        }
        let (kind, value) = match attribute::next(&mut inside) {
            Ok(attribute) => attribute,
            Err(error) => break Err(error),
        };
        count += 1;
        match kind {
            1 => telling[0] = Some(Tree::lossy(value)),
            44 => telling[1] = Some(Tree::lossy(value)),
            // EAP, in pieces (RFC 3579, section 3.1).
            79 => messages.extend_from_slice(value),
            _ => {}
        }
        if attributes.len() < limits.list_entries {
            attributes.push(attribute::read(kind, value).into());
        }
    };
    let [user, session] = telling;
    fields.push_some("userName", user);
    fields.push_some("sessionId", session);
    if count > attributes.len() {
        fields.push("attributeCount", count);
    }
    fields.push("attributes", attributes);
    // Without its end it is not the message.
    if result.is_ok() && !messages.is_empty() {
        fields.push("eap", eap::read(&messages));
    }
    result
}
