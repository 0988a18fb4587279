//! Packets (RFC 2865, section 3).

use std::borrow::Cow;
use std::sync::OnceLock;

use super::{attribute, dictionary, eap};
use crate::tree::hex;
use crate::{Fields, Limits, List, Object, ObjectRef, ParseError, Reader, Value, item};

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

/// A packet, as a side of an item. It keeps its bytes: fields and attributes are made out when they are asked for.
#[derive(Debug)]
pub(super) struct Packet {
    /// To its end by its own account, or as far as they were captured.
    bytes: Box<[u8]>,
    /// Of all attributes that could be read, and of those that are shown.
    count: usize,
    shown: usize,
    /// Where those begin.
    places: OnceLock<Box<[u16]>>,
    /// Where the last attributes with the user's name and the session begin.
    user: Option<u16>,
    session: Option<u16>,
    /// There are attributes that carry EAP, and none is missing.
    eap: bool,
}

const USER_NAME: u8 = 1;
const SESSION_ID: u8 = 44;
const EAP_MESSAGE: u8 = 79;

/// Reads what is there. An error comes with what was read before it.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> (Packet, Result<(), ParseError>) {
    let mut packet = Packet {
        bytes: Box::default(),
        count: 0,
        shown: 0,
        places: OnceLock::new(),
        user: None,
        session: None,
        eap: false,
    };
    let result = packet.read(bytes, limits);
    (packet, result)
}

impl Packet {
    fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), ParseError> {
        let mut r = Reader::new(bytes);
        let (_code, _id) = (r.u8()?, r.u8()?);
        let length = r.u16_be()?;
        if usize::from(length) < HEADER {
            return Err(ParseError { offset: 2, what: "the length is less than a header's" });
        }
        r.skip(16)?;
        // What lies behind the length is padding.
        let inside = bytes.get(..length.into()).unwrap_or(bytes);
        self.bytes = inside.into();
        let mut r = Reader::new(inside);
        r.skip(HEADER)?;
        let mut eap = false;
        while !r.is_empty() {
            // Below the length.
            let place = r.position() as u16;
            let (kind, value) = attribute::next(&mut r)?;
            match kind {
                USER_NAME => self.user = Some(place),
                SESSION_ID => self.session = Some(place),
                EAP_MESSAGE => eap |= !value.is_empty(),
                _ => {}
            }
            self.count += 1;
            self.shown = self.count.min(limits.list_entries);
        }
        if inside.len() < length.into() {
            return Err(r.error("the message ends early"));
        }
        self.eap = eap;
        Ok(())
    }

    /// The attribute that begins at a place.
    fn attribute(&self, place: u16) -> Option<(u8, &[u8])> {
        attribute::next(&mut Reader::new(self.bytes.get(place.into()..)?)).ok()
    }

    fn places(&self) -> &[u16] {
        self.places.get_or_init(|| {
            let mut places = Vec::with_capacity(self.shown);
            let mut r = Reader::new(&self.bytes);
            if r.skip(HEADER).is_ok() {
                while places.len() < self.shown {
                    places.push(r.position() as u16);
                    if attribute::next(&mut r).is_err() {
                        break;
                    }
                }
            }
            places.into()
        })
    }

    fn text(&self, place: Option<u16>) -> Option<Value<'_>> {
        let (_, value) = self.attribute(place?)?;
        Some(Value::Str(String::from_utf8_lossy(value)))
    }

    /// EAP comes in pieces (RFC 3579, section 3.1).
    fn eap(&self) -> Fields {
        let mut r = Reader::new(self.bytes.get(HEADER..).unwrap_or_default());
        let mut message = Vec::new();
        while let Ok((kind, value)) = attribute::next(&mut r) {
            if kind == EAP_MESSAGE {
                message.extend_from_slice(value);
            }
        }
        eap::read(&message)
    }
}

const FIELDS: [&str; 9] = [
    "code",
    "codeName",
    "id",
    "authenticator",
    "userName",
    "sessionId",
    "attributeCount",
    "attributes",
    "eap",
];

impl Object for Packet {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let code = *self.bytes.first()?;
        Some(match name {
            "code" => Value::Int(code.into()),
            "codeName" => Value::Str(code_name(code)),
            "id" => Value::Int((*self.bytes.get(1)?).into()),
            "authenticator" => Value::text(hex(self.bytes.get(4..HEADER)?)),
            "userName" => self.text(self.user)?,
            "sessionId" => self.text(self.session)?,
            "attributeCount" if self.count > self.shown => Value::count(self.count as u64),
            "attributes" => Value::List(self),
            "eap" if self.eap => Value::Object(ObjectRef::Owned(Box::new(self.eap()))),
            _ => return None,
        })
    }
}

/// Of its attributes.
impl List for Packet {
    fn len(&self) -> usize {
        self.shown
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        let (kind, value) = self.attribute(*self.places().get(index)?)?;
        Some(Value::Object(ObjectRef::Owned(Box::new(attribute::read(kind, value)))))
    }
}

impl item::Message for Packet {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.places.get().map_or(0, |places| size_of_val(&**places))
    }
}
