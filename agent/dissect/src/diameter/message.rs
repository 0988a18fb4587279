//! Messages (RFC 6733, section 3).

use super::avp::{self, Reading};
use super::{dictionary, names};
use crate::{Fields, Limits, ParseError, Reader, Tree};

pub(super) const HEADER: usize = 20;
/// The least of an AVP.
const AVP: usize = 8;
/// Longer ones are not sent: the largest carry a user's profile.
const MAX_LENGTH: u32 = 1 << 20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) length: u32,
    flags: u8,
    command: u32,
    application: u32,
    hop_by_hop: u32,
    end_to_end: u32,
}

/// What an answer repeats of its request.
pub(crate) type Key = (u32, u32);

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Reader::new(bytes)).ok().filter(|header| header.is_possible())
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        if r.u8()? != 1 {
            return Err(ParseError { offset: 0, what: "the version is unknown" });
        }
        Ok(Self {
            length: r.u24_be()?,
            flags: r.u8()?,
            command: r.u24_be()?,
            application: r.u32_be()?,
            hop_by_hop: r.u32_be()?,
            end_to_end: r.u32_be()?,
        })
    }

    fn is_possible(&self) -> bool {
        let length = self.length as usize;
        let flags = self.flags & 0x0f == 0 && self.flags & 0xa0 != 0xa0;
        length >= HEADER && length.is_multiple_of(4) && self.length <= MAX_LENGTH && flags
    }

    pub(crate) const fn is_request(&self) -> bool {
        self.flags & 0x80 != 0
    }

    pub(super) fn is_known(&self) -> bool {
        names::command_name(self.command).is_some()
    }

    pub(super) const fn is_capabilities_exchange(&self) -> bool {
        self.command == 257 && self.application == 0
    }

    pub(crate) const fn key(&self) -> Key {
        (self.hop_by_hop, self.end_to_end)
    }
}

/// Whether the first AVP is one that messages begin with; `None` where too little of it is there.
pub(super) fn begins_well(bytes: &[u8], header: &Header) -> Option<bool> {
    let head = bytes.get(HEADER..HEADER + AVP)?;
    let mut r = Reader::new(head);
    let (Ok(code), Ok(flags), Ok(length)) = (r.u32_be(), r.u8(), r.u24_be()) else { return Some(false) };
    let fits = (AVP as u32..=header.length - HEADER as u32).contains(&length);
    Some(fits && flags & 0x1f == 0 && (flags & 0x80 != 0 || dictionary::find(0, code).is_some()))
}

/// Reads what is there. An error comes with what was read before it.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> (Fields, Result<(), ParseError>) {
    let mut fields = Fields::with_capacity(16);
    let result = content(bytes, &mut fields, limits);
    (fields, result)
}

fn content(bytes: &[u8], fields: &mut Fields, limits: &Limits) -> Result<(), ParseError> {
    let mut r = Reader::new(bytes);
    let header = Header::read(&mut r)?;
    fields.push("command", header.command);
    let name = names::command_name(header.command);
    fields.push("commandName", name.map_or_else(|| format!("Command-{}", header.command).into(), Tree::from));
    let flag = |bit: u8| header.flags & bit != 0;
    let flags = Fields::with_capacity(4)
        .with("request", flag(0x80))
        .with("proxiable", flag(0x40))
        .with("error", flag(0x20))
        .with("retransmitted", flag(0x10));
    fields.push("flags", flags);
    fields.push("applicationId", header.application);
    fields.push_some("applicationName", names::application_name(header.application));
    fields.push("hopByHopId", header.hop_by_hop);
    fields.push("endToEndId", header.end_to_end);
    if !header.is_possible() {
        return Err(ParseError { offset: 0, what: "the header makes no sense" });
    }
    telling(r, fields);
    let mut reading = Reading { limits, room: limits.list_entries, count: 0 };
    let (avps, result) = reading.list(r, 0);
    if reading.count > limits.list_entries {
        fields.push("avpCount", reading.count);
    }
    fields.push("avps", avps);
    result
}

/// What a message is about, to be found without looking through its AVPs.
fn telling(mut r: Reader<'_>, fields: &mut Fields) {
    while let Ok(found) = avp::next(&mut r) {
        let text = || Tree::lossy(found.data);
        match (found.vendor, found.code) {
            (0, 263) => fields.set("sessionId", text()),
            (0, 264) => fields.set("originHost", text()),
            (0, 296) => fields.set("originRealm", text()),
            (0, 293) => fields.set("destinationHost", text()),
            (0, 283) => fields.set("destinationRealm", text()),
            (0, 1) => fields.set("userName", text()),
            (0, 268) => result_code(found.data, names::result_name, fields),
            // Of a vendor: the code is in a group with the vendor.
            (0, 297) => {
                let mut inside = Reader::new(found.data);
                while let Ok(part) = avp::next(&mut inside) {
                    if (part.vendor, part.code) == (0, 298) {
                        result_code(part.data, names::experimental_result_name, fields);
                    }
                }
            }
            _ => {}
        }
    }
}

fn result_code(data: &[u8], name: fn(u32) -> Option<&'static str>, fields: &mut Fields) {
    if let Ok(code) = Reader::new(data).u32_be() {
        fields.set("resultCode", code);
        if let Some(name) = name(code) {
            fields.set("resultCodeName", name);
        }
    }
}
