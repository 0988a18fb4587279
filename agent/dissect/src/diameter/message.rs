//! Messages (RFC 6733, section 3).

use std::sync::OnceLock;

use super::avp::{self, Avps, Caps};
use super::telling::{self, Told};
use super::{dictionary, names};
use crate::{Limits, Object, ParseError, Reader, Value, item, text};

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

/// A message, as a side of an item. It keeps its bytes: fields and AVPs are made out when they are asked for.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) header: Header,
    bytes: Box<[u8]>,
    told: Told,
    caps: Caps,
    avps: OnceLock<Avps>,
}

/// Reads what is there: the message as far as it goes, with the error that ends it. Without a header that makes sense there
/// is none.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<(Message, Result<(), ParseError>), ParseError> {
    let mut r = Reader::new(bytes);
    let header = Header::read(&mut r)?;
    if !header.is_possible() {
        return Err(ParseError { offset: 0, what: "the header makes no sense" });
    }
    let mut told = Told::default();
    let result = telling::each(r, |telling| told.note(&telling));
    let (bytes, caps) = (bytes.into(), Caps::of(limits));
    Ok((Message { header, bytes, told, caps, avps: OnceLock::new() }, result))
}

impl Message {
    fn behind_header(&self) -> Reader<'_> {
        let mut r = Reader::new(&self.bytes);
        let _ = r.skip(HEADER);
        r
    }

    fn avps(&self) -> &Avps {
        self.avps.get_or_init(|| Avps::read(self.behind_header(), self.caps))
    }

    /// Of all AVPs, where not all are shown.
    fn avp_count(&self) -> Option<usize> {
        // So many do not fit in, and need not be counted.
        if self.bytes.len() / AVP <= self.caps.entries {
            return None;
        }
        Some(self.avps().count).filter(|count| *count > self.caps.entries)
    }

    fn text(&self, name: &str) -> Option<Value<'_>> {
        let mut r = Reader::new(self.bytes.get(self.told.place(name)?..)?);
        Some(Value::Str(text::lossy(avp::next(&mut r).ok()?.data)))
    }
}

impl Object for Message {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.names(&mut |name| {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        });
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        for name in ["command", "commandName", "flags", "applicationId"] {
            visit(name);
        }
        if names::application_name(self.header.application).is_some() {
            visit("applicationName");
        }
        visit("hopByHopId");
        visit("endToEndId");
        telling::names(self.behind_header(), visit);
        if self.avp_count().is_some() {
            visit("avpCount");
        }
        visit("avps");
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let header = &self.header;
        Some(match name {
            "command" => Value::Int(header.command.into()),
            "commandName" => match names::command_name(header.command) {
                Some(name) => Value::str(name),
                None => Value::text(format!("Command-{}", header.command)),
            },
            "flags" => Value::object(header),
            "applicationId" => Value::Int(header.application.into()),
            "applicationName" => Value::str(names::application_name(header.application)?),
            "hopByHopId" => Value::Int(header.hop_by_hop.into()),
            "endToEndId" => Value::Int(header.end_to_end.into()),
            "resultCode" => Value::Int(self.told.result?.into()),
            "resultCodeName" => Value::str(self.told.result_name?),
            "avpCount" => Value::count(self.avp_count()? as u64),
            "avps" => Value::List(&self.avps().list),
            _ => return self.text(name),
        })
    }
}

impl item::Message for Message {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }
}

const FLAGS: [(&str, u8); 4] =
    [("request", 0x80), ("proxiable", 0x40), ("error", 0x20), ("retransmitted", 0x10)];

/// As the message's `flags` object.
impl Object for Header {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, bit) in FLAGS {
            visit(name, Value::Bool(self.flags & bit != 0));
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let (_, bit) = FLAGS.iter().find(|(flag, _)| *flag == name)?;
        Some(Value::Bool(self.flags & bit != 0))
    }
}
