//! The binary protocol: a header of 24 bytes, then extras, key and value.

use super::value::Data;
use crate::frame::{Framed, Length};
use crate::{Direction, Fields, Framing, Limits, Probe, Reader, Tree};

const HEADER: usize = 24;
const REQUEST: u8 = 0x80;
const RESPONSE: u8 = 0x81;

/// Far above the `-I` of any server.
const LONGEST: u32 = 1 << 30;

/// Which direction the requests take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames24 {
    pub(super) client: Direction,
}

/// What is remembered of a request that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Note {
    pub(super) opcode: u8,
    pub(super) opaque: u32,
}

impl Note {
    /// It is answered only when something is wrong, or found.
    pub(super) const fn is_quiet(self) -> bool {
        name(self.opcode).1
    }
}

/// A message, decoded.
pub(super) struct Message {
    pub(super) fields: Fields,
    pub(super) note: Note,
    /// Of the statistics that a `stat` is answered with, one a message: name and value.
    pub(super) stat: Option<(String, Tree)>,
}

impl Framing for Frames24 {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        let magic = if direction == self.client { REQUEST } else { RESPONSE };
        match bytes.first() {
            None => return Length::Unknown,
            Some(first) if *first != magic => return Length::Invalid("wrong magic"),
            Some(_) => {}
        }
        let Some(header) = bytes.get(..HEADER) else { return Length::Unknown };
        let key = u32::from(u16::from_be_bytes([header[2], header[3]]));
        let body = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        if body < key + u32::from(header[4]) || body > LONGEST {
            return Length::Invalid("the lengths of a header contradict each other");
        }
        Length::Known(HEADER as u64 + u64::from(body))
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        matches!(self.length(direction, bytes), Length::Known(_)) && is_plausible(bytes)
    }
}

/// Opcode, data type, key length, and the extras that the opcode wants.
fn is_plausible(header: &[u8]) -> bool {
    let [magic, opcode, key_high, key_low, extras, data_type, ..] = *header else { return false };
    let key = u16::from_be_bytes([key_high, key_low]);
    let wanted = magic == RESPONSE || extras == extras_of(opcode) || opcode == 0x08 && extras == 4;
    let answered = magic == REQUEST || matches!(extras, 0 | 4);
    !name(opcode).0.is_empty() && data_type == 0 && key <= 250 && wanted && answered
}

pub(super) fn probe(direction: Direction, expected: bool, bytes: &[u8]) -> Probe {
    let magic = if direction == Direction::ToServer { REQUEST } else { RESPONSE };
    if bytes.first() != Some(&magic) {
        return Probe::No;
    }
    if bytes.len() < HEADER {
        return Probe::Unsure;
    }
    // The reserved field of a request, the status of an answer.
    let reserved = u16::from_be_bytes([bytes[6], bytes[7]]);
    let framing = Frames24 { client: Direction::ToServer };
    let small = bytes[8] < 8;
    match framing.begins(direction, bytes)
        && small
        && (reserved == 0 || magic == RESPONSE && reserved < 0x100)
    {
        true if expected && direction == Direction::ToServer => Probe::Certain,
        true if expected || direction == Direction::ToServer => Probe::Likely,
        _ => Probe::No,
    }
}

/// Name of an opcode, and whether it is a quiet one.
const fn name(opcode: u8) -> (&'static str, bool) {
    match opcode {
        0x00 => ("get", false),
        0x01 => ("set", false),
        0x02 => ("add", false),
        0x03 => ("replace", false),
        0x04 => ("delete", false),
        0x05 => ("increment", false),
        0x06 => ("decrement", false),
        0x07 => ("quit", false),
        0x08 => ("flush", false),
        0x09 => ("getq", true),
        0x0a => ("noop", false),
        0x0b => ("version", false),
        0x0c => ("getk", false),
        0x0d => ("getkq", true),
        0x0e => ("append", false),
        0x0f => ("prepend", false),
        0x10 => ("stat", false),
        0x11 => ("setq", true),
        0x12 => ("addq", true),
        0x13 => ("replaceq", true),
        0x14 => ("deleteq", true),
        0x15 => ("incrementq", true),
        0x16 => ("decrementq", true),
        0x17 => ("quitq", true),
        0x18 => ("flushq", true),
        0x19 => ("appendq", true),
        0x1a => ("prependq", true),
        0x1b => ("verbosity", false),
        0x1c => ("touch", false),
        0x1d => ("gat", false),
        0x1e => ("gatq", true),
        0x20 => ("sasl list mechs", false),
        0x21 => ("sasl auth", false),
        0x22 => ("sasl step", false),
        0x23 => ("gatk", false),
        0x24 => ("gatkq", true),
        _ => ("", false),
    }
}

const fn extras_of(opcode: u8) -> u8 {
    match opcode {
        0x01..=0x03 | 0x11..=0x13 => 8,
        0x05 | 0x06 | 0x15 | 0x16 => 20,
        0x1b..=0x1e | 0x23 | 0x24 => 4,
        _ => 0,
    }
}

fn status_name(status: u16) -> &'static str {
    match status {
        0x00 => "NO_ERROR",
        0x01 => "KEY_NOT_FOUND",
        0x02 => "KEY_EXISTS",
        0x03 => "VALUE_TOO_LARGE",
        0x04 => "INVALID_ARGUMENTS",
        0x05 => "ITEM_NOT_STORED",
        0x06 => "NON_NUMERIC_VALUE",
        0x07 => "WRONG_VBUCKET",
        0x08 | 0x20 => "AUTHENTICATION_ERROR",
        0x09 | 0x21 => "AUTHENTICATION_CONTINUE",
        0x81 => "UNKNOWN_COMMAND",
        0x82 => "OUT_OF_MEMORY",
        0x83 => "NOT_SUPPORTED",
        0x84 => "INTERNAL_ERROR",
        0x85 => "BUSY",
        0x86 => "TEMPORARY_FAILURE",
        _ => "UNKNOWN_STATUS",
    }
}

/// Reads a message as far as it is there; `None` where not even its header is.
pub(super) fn decode(framed: &Framed<'_>, limits: &Limits) -> Option<Message> {
    let mut reader = Reader::new(&framed.bytes);
    let is_request = reader.u8().ok()? == REQUEST;
    let opcode = reader.u8().ok()?;
    let key_length = usize::from(reader.u16_be().ok()?);
    let extras_length = usize::from(reader.u8().ok()?);
    reader.skip(1).ok()?;
    let status = reader.u16_be().ok()?;
    let body = reader.u32_be().ok()? as usize;
    let opaque = reader.u32_be().ok()?;
    let cas = reader.u64_be().ok()?;
    let note = Note { opcode, opaque };
    let mut fields = Fields::with_capacity(10);
    let (command, quiet) = name(opcode);
    if is_request {
        match command {
            "" => fields.push("command", format!("0x{opcode:02x}")),
            command => fields.push("command", command),
        }
        fields.push("opcode", opcode);
        if quiet {
            fields.push("quiet", true);
        }
    } else {
        fields.push("status", status_name(status));
    }
    fields.push("opaque", opaque);
    if cas != 0 {
        fields.push("cas", cas);
    }
    let mut message = Message { fields, note, stat: None };
    let fields = &mut message.fields;
    if let Ok(extras) = reader.take(extras_length) {
        self::extras(opcode, is_request, extras, fields);
    }
    let key = reader.take(key_length).ok().filter(|key| !key.is_empty());
    fields.push_some("key", key.map(Tree::lossy));
    let size = body.saturating_sub(key_length + extras_length);
    let there = reader.rest();
    if size == 0 {
        if !is_request && status != 0 {
            let error = Fields::new().with("code", status).with("message", status_name(status));
            fields.push("error", error);
        }
        return Some(message);
    }
    if matches!(opcode, 0x21 | 0x22) && is_request {
        fields.push("value", "***");
        fields.push("size", size);
        return Some(message);
    }
    if !is_request && status != 0 {
        let message = Tree::lossy(&there[..there.len().min(limits.value_bytes)]);
        let error = Fields::new().with("code", status).with("message", message);
        fields.push("error", error);
    } else if !is_request && matches!(opcode, 0x05 | 0x06 | 0x15 | 0x16) && size == 8 {
        fields.push_some("number", Reader::new(there).u64_be().ok());
    } else if let (0x10, false, Some(key)) = (opcode, is_request, key) {
        message.stat = Some((crate::text::lossy(key).into_owned(), Tree::lossy(there)));
        return Some(message);
    } else if opcode == 0x0b && !is_request {
        fields.push("version", Tree::lossy(there));
    } else {
        let mut data = Data::default();
        data.add(&there[..there.len().min(size)], size as u64, limits);
        data.miss(size.saturating_sub(there.len()) as u64);
        data.write(fields);
    }
    Some(message)
}

fn extras(opcode: u8, is_request: bool, extras: &[u8], fields: &mut Fields) {
    let mut reader = Reader::new(extras);
    if !is_request {
        fields.push_some("flags", reader.u32_be().ok());
        return;
    }
    match opcode {
        0x01..=0x03 | 0x11..=0x13 => {
            fields.push_some("flags", reader.u32_be().ok());
            fields.push_some("exptime", reader.u32_be().ok());
        }
        0x05 | 0x06 | 0x15 | 0x16 => {
            fields.push_some("delta", reader.u64_be().ok());
            fields.push_some("initial", reader.u64_be().ok());
            fields.push_some("exptime", reader.u32_be().ok());
        }
        0x1b => fields.push_some("verbosity", reader.u32_be().ok()),
        0x08 | 0x18 | 0x1c..=0x1e | 0x23 | 0x24 => fields.push_some("exptime", reader.u32_be().ok()),
        _ => {}
    }
}
