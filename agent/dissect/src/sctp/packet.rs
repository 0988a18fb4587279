//! Packets: the common header and the chunks behind it (RFC 9260, section 3).

use std::borrow::Cow;
use std::sync::OnceLock;

use super::chunk::{self, Chunk};
use super::names;
use crate::{Limits, Object, ParseError, Reader, Tree, Value, item};

const HEADER: usize = 12;

/// What pairs the packets of an association.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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

/// What a packet means to its association.
pub(super) struct Note {
    pub(super) role: Role,
    /// Why the association was given up: the name of the first cause, or that there is none.
    pub(super) abort: Option<&'static str>,
    /// It has user data.
    pub(super) carries: bool,
}

/// A packet, as a side of an item. It keeps its bytes: chunks are made out when they are asked for.
#[derive(Debug)]
pub(super) struct Packet {
    bytes: Box<[u8]>,
    missing: u32,
    /// The first chunk's type.
    kind: u8,
    /// Of all chunks up to the end, or to an error.
    pub(super) count: usize,
    /// Chunks shown at most.
    entries: usize,
    chunks: OnceLock<Vec<Tree>>,
}

pub(super) fn has_chunk(bytes: &[u8]) -> bool {
    let head = bytes.get(HEADER..HEADER + 4);
    head.is_some_and(|head| u16::from_be_bytes([head[2], head[3]]) >= 4)
}

/// The first chunks of a packet.
fn each_chunk(bytes: &[u8], count: usize) -> impl Iterator<Item = Chunk<'_>> {
    let mut r = Reader::new(bytes.get(HEADER..).unwrap_or_default());
    (0..count).map_while(move |_| chunk::next(&mut r).ok())
}

/// The user data in the first chunks of a packet.
pub(super) fn data(bytes: &[u8], count: usize) -> impl Iterator<Item = chunk::Data<'_>> {
    each_chunk(bytes, count).filter_map(|chunk| chunk::data(&chunk))
}

impl Packet {
    /// A packet that is yet to be read.
    pub(super) fn new(bytes: &[u8], missing: u32, limits: &Limits) -> Self {
        let entries = limits.list_entries;
        Self { bytes: bytes.into(), missing, kind: 0, count: 0, entries, chunks: OnceLock::new() }
    }

    /// Reads what is there and notes what it means. Before an error all is read.
    pub(super) fn read(&mut self, note: &mut Note) -> Result<(), ParseError> {
        let mut r = Reader::new(&self.bytes);
        r.skip(4)?;
        let tag = r.u32_be()?;
        r.skip(4)?;
        while !r.is_empty() {
            let chunk = chunk::next(&mut r)?;
            chunk::check(&chunk, self.entries)?;
            if self.count == 0 {
                self.kind = chunk.kind;
            }
            self.count += 1;
            note.take(tag, &chunk);
        }
        Ok(())
    }

    fn each_chunk(&self) -> impl Iterator<Item = Chunk<'_>> {
        each_chunk(&self.bytes, self.count)
    }

    fn chunks(&self) -> &Vec<Tree> {
        self.chunks.get_or_init(|| {
            let shown = self.each_chunk().take(self.entries);
            shown.map(|chunk| chunk::shown(&chunk, self.entries).into()).collect()
        })
    }

    /// The type of the first chunk, where one was read.
    pub(super) fn first_kind(&self) -> Option<Cow<'static, str>> {
        (self.count > 0).then(|| names::chunk_name(self.kind))
    }

    /// The types of the chunks that are shown.
    pub(super) fn kinds(&self) -> Cow<'static, str> {
        if self.count.min(self.entries) == 1 {
            return names::chunk_name(self.kind);
        }
        let mut kinds = String::with_capacity(16);
        for chunk in self.each_chunk().take(self.entries) {
            let separator = if kinds.is_empty() { "" } else { ", " };
            kinds.push_str(separator);
            kinds.push_str(&names::chunk_name(chunk.kind));
        }
        kinds.into()
    }

    /// Whether the common header is there; without it nothing is shown.
    pub(super) fn has_header(&self) -> bool {
        self.bytes.len() >= HEADER
    }

    fn word(&self, at: usize) -> Option<[u8; 4]> {
        self.bytes.get(..HEADER)?.get(at..)?.first_chunk().copied()
    }
}

const FIELDS: [&str; 7] =
    ["verificationTag", "checksum", "length", "chunkType", "chunkTypes", "chunkCount", "chunks"];

impl Object for Packet {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in FIELDS {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        let tag = self.word(4)?;
        Some(match name {
            "verificationTag" => Value::Int(u32::from_be_bytes(tag).into()),
            "checksum" => Value::Int(u32::from_le_bytes(self.word(8)?).into()),
            "length" => Value::count(self.bytes.len() as u64 + u64::from(self.missing)),
            "chunkType" => Value::Str(self.first_kind()?),
            "chunkTypes" => Value::Str(self.kinds()),
            "chunkCount" if self.count > self.entries => Value::count(self.count as u64),
            "chunks" => Value::List(self.chunks()),
            _ => return None,
        })
    }
}

impl item::Message for Packet {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }
}

impl Note {
    pub(super) const NONE: Self = Self { role: Role::Alone, abort: None, carries: false };

    /// What a chunk makes of its packet. The first that asks or answers decides.
    fn take(&mut self, tag: u32, chunk: &Chunk<'_>) {
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
                self.carries = true;
                None
            }
            _ => None,
        };
        if let (Role::Alone, Some(role)) = (self.role, role) {
            self.role = role;
        }
    }
}
