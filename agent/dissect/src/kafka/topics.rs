//! The topics a message is about, as the list row names them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::field::Field;

/// Topics named in a row.
pub(super) const SHOWN_TOPICS: usize = 20;

/// What names a topic, the more readable first, and where below a list's entry its text is.
pub(super) const NAMES: [(&str, &str); 4] =
    [("topic", ".topic"), ("name", ".name"), ("topicID", ".topicID.text"), ("uuid", ".uuid.text")];

/// Gathered while a body is gone through.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// The field that lists them.
    pub(super) list: &'static str,
    /// How many there are, shown or not.
    pub(super) count: usize,
    shown: Vec<Topic>,
    /// The best name that the entry has so far.
    best: Option<(usize, Name)>,
}

#[derive(Debug)]
struct Topic {
    index: usize,
    /// Below the list's entry.
    path: &'static str,
    name: Name,
}

#[derive(Clone, Copy, Debug)]
enum Name {
    /// Where in the message it begins, and its length.
    Text(usize, usize),
    Id([u8; 16]),
}

impl Topics {
    pub(super) fn begin(&mut self, list: &'static str, count: usize) {
        *self = Self { list, count, ..Self::default() };
    }

    pub(super) fn text(&mut self, field: &Field, end: usize, text: Option<&str>) {
        if let Some(text) = text {
            self.better(field, Name::Text(end - text.len(), text.len()));
        }
    }

    pub(super) fn id(&mut self, field: &Field, id: [u8; 16]) {
        self.better(field, Name::Id(id));
    }

    fn better(&mut self, field: &Field, name: Name) {
        let rank = NAMES.iter().position(|(name, _)| *name == field.name);
        if let Some(rank) = rank.filter(|rank| self.best.is_none_or(|(best, _)| *rank < best)) {
            self.best = Some((rank, name));
        }
    }

    /// The entry of a list of structures ends.
    pub(super) fn end(&mut self, index: usize) {
        if let Some((rank, name)) = self.best.take().filter(|_| index < SHOWN_TOPICS) {
            self.shown.push(Topic { index, path: NAMES[rank].1, name });
        }
    }

    /// An entry of a list of texts.
    pub(super) fn plain(&mut self, index: usize, end: usize, text: &str) {
        if index < SHOWN_TOPICS {
            self.shown.push(Topic { index, path: "", name: Name::Text(end - text.len(), text.len()) });
        }
    }

    /// Index, path below the list's entry, and name of the topics, from the message they are of.
    pub(super) fn iter<'a>(
        &'a self,
        message: &'a [u8],
    ) -> impl Iterator<Item = (usize, &'static str, Cow<'a, str>)> {
        self.shown.iter().map(|topic| {
            let name = match topic.name {
                Name::Text(start, length) => {
                    let text = message.get(start..start + length).map(crate::text::lossy);
                    text.unwrap_or_default()
                }
                Name::Id(id) => Cow::Owned(URL_SAFE_NO_PAD.encode(id)),
            };
            (topic.index, topic.path, name)
        })
    }

    pub(super) fn heap(&self) -> usize {
        self.shown.capacity() * size_of::<Topic>()
    }
}
