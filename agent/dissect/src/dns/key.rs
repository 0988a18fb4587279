//! By what a response is known to answer a query.

use std::hash::{Hash, Hasher};

use super::message::{self, Dns, Header};

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
    pub(super) fn of(dns: &Dns) -> Self {
        Self { id: dns.header.id, question: dns.questions.first().map(message::question_hash) }
    }

    /// Without reading more of a message than its question.
    pub(super) fn peek(bytes: &[u8]) -> Option<Self> {
        let id = Header::parse(bytes)?.id;
        Some(Self { id, question: message::first_question(bytes).as_ref().map(message::question_hash) })
    }
}
