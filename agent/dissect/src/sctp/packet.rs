//! Packets: the common header and the chunks behind it (RFC 9260, section 3).

use super::chunk::{self, Chunk};
use super::names;
use crate::{Fields, Limits, ParseError, Reader, Tree};

const HEADER: usize = 12;

/// What pairs the packets of an association.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// By the tag that the one who asks chose.
    Init(u32),
    /// By what it carries.
    Heartbeat(u64),
    Cookie,
    Shutdown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Request(Key),
    Reply(Key),
    Alone,
}

/// A packet, read.
pub(super) struct Packet<'a> {
    pub(super) fields: Fields,
    pub(super) role: Role,
    /// Why the association was given up: the name of the first cause, or that there is none.
    pub(super) abort: Option<&'static str>,
    /// Its chunks with user data.
    pub(super) data: Vec<chunk::Data<'a>>,
}

pub(super) fn has_chunk(bytes: &[u8]) -> bool {
    let head = bytes.get(HEADER..HEADER + 4);
    head.is_some_and(|head| u16::from_be_bytes([head[2], head[3]]) >= 4)
}

/// Reads what is there. An error comes with what was read before it.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    missing: u32,
    limits: &Limits,
) -> (Packet<'a>, Result<(), ParseError>) {
    let mut packet =
        Packet { fields: Fields::with_capacity(6), role: Role::Alone, abort: None, data: Vec::new() };
    let result = packet.read(bytes, missing, limits);
    (packet, result)
}

impl<'a> Packet<'a> {
    fn read(&mut self, bytes: &'a [u8], missing: u32, limits: &Limits) -> Result<(), ParseError> {
        let mut r = Reader::new(bytes);
        r.skip(4)?;
        let (tag, checksum) = (r.u32_be()?, r.u32_le()?);
        self.fields.push("verificationTag", tag);
        self.fields.push("checksum", checksum);
        self.fields.push("length", bytes.len() as u64 + u64::from(missing));
        let (mut chunks, mut names, mut count) = (Vec::<Tree>::new(), String::with_capacity(16), 0);
        let result = loop {
            if r.is_empty() {
                break Ok(());
            }
            let chunk = match chunk::next(&mut r) {
                Ok(chunk) => chunk,
                Err(error) => break Err(error),
            };
            let mut fields = Fields::with_capacity(chunk::fields(&chunk));
            if let Err(error) = chunk::read(&chunk, &mut fields, limits) {
                break Err(error);
            }
            if count == 0 {
                self.fields.push("chunkType", names::chunk_name(chunk.kind));
            }
            count += 1;
            self.note(tag, &chunk);
            if chunks.len() < limits.list_entries {
                let separator = if names.is_empty() { "" } else { ", " };
                names.push_str(separator);
                names.push_str(&names::chunk_name(chunk.kind));
                chunks.push(fields.into());
            }
        };
        self.fields.push("chunkTypes", names);
        if count > chunks.len() {
            self.fields.push("chunkCount", count);
        }
        self.fields.push("chunks", chunks);
        result
    }

    /// What a chunk makes of its packet. The first that asks or answers decides.
    fn note(&mut self, tag: u32, chunk: &Chunk<'a>) {
        let role = match chunk.kind {
            1 => chunk::initiate_tag(chunk).map(|tag| Role::Request(Key::Init(tag))),
            2 => Some(Role::Reply(Key::Init(tag))),
            4 => Some(Role::Request(Key::Heartbeat(chunk::fingerprint(chunk)))),
            5 => Some(Role::Reply(Key::Heartbeat(chunk::fingerprint(chunk)))),
            10 => Some(Role::Request(Key::Cookie)),
            11 => Some(Role::Reply(Key::Cookie)),
            7 => Some(Role::Request(Key::Shutdown)),
            8 => Some(Role::Reply(Key::Shutdown)),
            // To an INIT whose tag it repeats it is the answer.
            6 => {
                self.abort = Some(chunk::first_cause(chunk).unwrap_or("no cause given"));
                Some(Role::Reply(Key::Init(tag)))
            }
            0 => {
                self.data.extend(chunk::data(chunk));
                None
            }
            _ => None,
        };
        if let (Role::Alone, Some(role)) = (self.role, role) {
            self.role = role;
        }
    }
}
