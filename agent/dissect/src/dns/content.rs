//! What a message says, made out.

use std::sync::Arc;

use super::header::{Header, RECORD};
use super::message::Caps;
use super::record::{Head, OPT, Question, Record};
use crate::{ParseError, Reader};

/// Questions and records, as many as are shown.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) questions: Vec<Question>,
    /// Answers, authorities, additionals.
    pub(super) sections: [Vec<Record>; 3],
    /// How many there were, shown or not.
    pub(super) counts: [u64; 4],
    /// The first record with what EDNS says.
    pub(super) edns: Option<Record>,
    /// Of a zone transfer.
    pub(super) messages: u32,
    /// Bytes of heap, without that of the message that records are read from.
    pub(super) heap: usize,
}

impl Content {
    /// As much as can be read of it.
    pub(super) fn of(message: &Arc<[u8]>, header: Header, multicast: bool, caps: Caps) -> Self {
        let mut content = Self { messages: 1, ..Self::default() };
        let mut reader = Reader::new(message);
        let read = Header::read(&mut reader);
        // Where the rest is cut off, the header still tells how many there were.
        if read.and_then(|_| content.read(&mut reader, message, header, multicast, caps)).is_err() {
            content.counts = header.counts.map(u64::from);
        }
        content
    }

    fn read(
        &mut self,
        reader: &mut Reader<'_>,
        message: &Arc<[u8]>,
        header: Header,
        multicast: bool,
        caps: Caps,
    ) -> Result<(), ParseError> {
        let [questions, records @ ..] = header.counts;
        for _ in 0..questions {
            let question = Question::read(reader, multicast)?;
            self.counts[0] += 1;
            if self.questions.len() < caps.entries.max(1) {
                self.heap += question.name.capacity() + size_of::<Question>();
                self.questions.push(question);
            }
        }
        for (section, count) in records.into_iter().map(usize::from).enumerate() {
            let shown = count.min(caps.entries);
            self.sections[section].reserve_exact(shown.min(reader.remaining() / RECORD));
            for place in 0..count {
                let head = Head::read(reader, multicast)?;
                if head.kind == OPT {
                    self.edns.get_or_insert_with(|| head.of(message, caps));
                }
                self.counts[section + 1] += 1;
                if place < shown {
                    self.keep(section, head.of(message, caps));
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, section: usize, record: Record) {
        self.heap += size_of::<Record>();
        self.sections[section].push(record);
    }

    /// Its questions, without records, for those of a zone transfer's messages.
    pub(super) fn empty_copy(&self) -> Self {
        let questions = self.questions.clone();
        let asked = questions.iter().map(|question| question.name.capacity() + size_of::<Question>());
        let heap = asked.sum();
        Self {
            questions,
            counts: [self.counts[0], 0, 0, 0],
            edns: self.edns.clone(),
            heap,
            ..Self::default()
        }
    }

    /// Adds the records of a zone transfer's next message.
    pub(super) fn append(&mut self, next: Self, caps: Caps) {
        self.messages += next.messages;
        for (count, more) in self.counts.iter_mut().zip(next.counts).skip(1) {
            *count += more;
        }
        let mut message_bytes = 0;
        for (section, records) in next.sections.into_iter().enumerate() {
            let room = caps.entries.saturating_sub(self.sections[section].len());
            for record in records.into_iter().take(room) {
                message_bytes = record.message_bytes();
                self.keep(section, record);
            }
        }
        self.heap += message_bytes;
    }

    /// Whether some of what there was is not shown.
    pub(super) fn is_shortened(&self) -> bool {
        let shown =
            [self.questions.len(), self.sections[0].len(), self.sections[1].len(), self.sections[2].len()];
        self.counts != shown.map(|shown| shown as u64)
    }
}
