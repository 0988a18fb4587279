//! Which command an answer may be to.

use std::borrow::Cow;

use super::server::END;
use super::text::{META, Note};
use crate::{Fields, Tree};

/// What of an answer tells whose it is.
#[derive(Debug, Default)]
pub(super) struct Told {
    status: Cow<'static, str>,
    /// It is statistics.
    pub(super) stats: bool,
    pub(super) error: bool,
    /// Flags of a meta command that are repeated.
    opaque: Option<String>,
    key: Option<String>,
}

impl Told {
    /// Of a list.
    pub(super) fn of_end(stats: bool) -> Self {
        Self { status: END.into(), stats, ..Self::default() }
    }

    pub(super) fn of(answer: &Fields) -> Self {
        let status = match answer.field("status") {
            Some(Tree::Text(status)) => status.clone(),
            _ => "".into(),
        };
        let flags = answer.field("metaFlags").and_then(Tree::as_list).unwrap_or_default();
        let repeated = |letter: char| {
            flags
                .iter()
                .filter_map(Tree::as_text)
                .find_map(|flag| flag.strip_prefix(letter))
                .map(str::to_owned)
        };
        Self {
            status,
            stats: answer.field("stats").is_some(),
            error: answer.field("error").is_some(),
            opaque: repeated('O'),
            key: repeated('k'),
        }
    }

    /// Whether an answer may be to this command. A quiet meta command's is told by what it repeats.
    pub(super) fn fits(&self, note: &Note) -> bool {
        if self.error {
            return true;
        }
        let status = &*self.status;
        let meta = META.contains(&note.command);
        let is_meta = matches!(status, "VA" | "HD" | "EN" | "NF" | "NS" | "EX" | "MN" | "ME");
        if !meta {
            let listed = matches!(note.command, "get" | "gets" | "gat" | "gats");
            return !is_meta && listed == (status == "END" && !self.stats);
        }
        if (status == "MN") != (note.command == "mn") || !is_meta {
            return false;
        }
        let same = |mine: &Option<Vec<u8>>, theirs: &str| mine.as_deref() == Some(theirs.as_bytes());
        match (&self.opaque, &self.key) {
            (Some(opaque), _) => same(&note.opaque, opaque),
            (None, Some(key)) => same(&note.key, key),
            _ => true,
        }
    }

    /// Whether an answer repeats what tells whose it is.
    pub(super) fn repeats(&self) -> bool {
        self.opaque.is_some() || self.key.is_some() || self.status == "MN"
    }
}
