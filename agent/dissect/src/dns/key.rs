//! By what a response is known to answer a query.

use std::hash::{Hash, Hasher};

use super::header::Header;
use super::message::Dns;
use super::name;
use crate::Reader;
use crate::peers::fingerprint;

/// A question as it is compared: names without regard to case (RFC 4343).
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) kind: u16,
    hash: u64,
}

impl Asked {
    /// The first question of a message, if it has any, without reading more.
    pub(super) fn peek(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if Header::read(&mut reader).ok()?.counts[0] == 0 {
            return None;
        }
        let mut lower = [0; name::MAX_NAME];
        let length = name::lower(&mut reader, &mut lower).ok()?;
        let (kind, class) = (reader.u16_be().ok()?, reader.u16_be().ok()?);
        Some(Self { kind, hash: fingerprint((&lower[..length], kind, class)) })
    }
}

/// What a response repeats of its query. One to a query that could not be read repeats no question.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: u16,
    question: Option<u64>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && (self.question == other.question || self.question.is_none() || other.question.is_none())
    }
}

/// Of what equal ones are sure to share.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl Key {
    pub(super) fn new(dns: &Dns, asked: Option<&Asked>) -> Self {
        Self { id: dns.header.id, question: asked.map(|asked| asked.hash) }
    }

    /// Without reading more of a message than its question.
    pub(super) fn peek(bytes: &[u8]) -> Option<Self> {
        let id = Header::parse(bytes)?.id;
        Some(Self { id, question: Asked::peek(bytes).map(|asked| asked.hash) })
    }
}
