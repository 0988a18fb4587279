//! Lines of a client that are kept as they are: those of the commands that come most.

use std::ops::Range;

use remora_packet::Timestamp;

use super::text::{self, Incoming, Note, Request};
use super::value::Data;
use crate::few::FewBytes;
use crate::on_demand::{Kept, Known, OnDemand};
use crate::{Fields, Half, Limits, Value};

/// What a line of a client says.
#[derive(Debug)]
pub(super) enum Words {
    Read(Request),
    Kept(KeptLine),
}

/// A `get`, or a command that stores something.
#[derive(Debug)]
pub(super) struct KeptLine {
    command: &'static str,
    noreply: bool,
    key: Range<usize>,
    line: FewBytes,
    /// Bytes of the value that follows.
    size: Option<u64>,
    value: Option<Data>,
}

/// A command whose value arrives.
#[derive(Debug)]
pub(super) struct Storing {
    pub(super) words: Words,
    pub(super) value: Incoming,
    pub(super) time: Timestamp,
    pub(super) size: u64,
    pub(super) missing: u64,
}

/// The line, if it can be kept: [`text::request`] says the same of it, and no cap shortens it.
pub(super) fn words(line: &[u8], limits: &Limits) -> Option<Words> {
    let mut words = line.split(|&byte| byte == b' ');
    let command = match words.next()? {
        b"get" => "get",
        b"gets" => "gets",
        b"set" => "set",
        b"add" => "add",
        b"replace" => "replace",
        _ => return None,
    };
    let word = words.next().filter(|word| text::is_key(word))?;
    let key = command.len() + 1..command.len() + 1 + word.len();
    let (mut size, mut noreply) = (None, false);
    if command.starts_with("get") {
        let mut keys = 1;
        for key in words {
            keys += 1;
            // It may be meant for the word that no `get` has.
            if !text::is_key(key) || key == b"noreply" || keys > limits.list_entries {
                return None;
            }
        }
    } else {
        text::number(words.next()?)?;
        text::integer(words.next()?)?;
        size = Some(text::number(words.next()?).filter(|size| *size <= text::LONGEST_VALUE)?);
        noreply = match words.next() {
            None => false,
            Some(b"noreply") => true,
            Some(_) => return None,
        };
        if words.next().is_some() {
            return None;
        }
    }
    Some(Words::Kept(KeptLine { command, noreply, key, line: line.into(), size, value: None }))
}

impl Words {
    /// Bytes of the value that follows.
    pub(super) const fn value(&self) -> Option<u64> {
        match self {
            Self::Read(request) => request.value,
            Self::Kept(line) => line.size,
        }
    }

    /// With the value, where there is one.
    pub(super) fn into_half(self, value: Option<Data>, time: Timestamp, size: u64) -> (Note, Half) {
        match self {
            Self::Read(Request { mut fields, note, .. }) => {
                if let Some(value) = value {
                    value.write(&mut fields);
                }
                (note, Half::new(time, size, fields))
            }
            Self::Kept(line) => {
                let note = Note { command: line.command, noreply: line.noreply, ..Note::default() };
                (note, Half::new(time, size, OnDemand::new(KeptLine { value, ..line })))
            }
        }
    }

    fn heap(&self) -> usize {
        match self {
            Self::Read(request) => request.fields.heap(),
            Self::Kept(line) => line.heap(),
        }
    }
}

impl Storing {
    pub(super) fn into_half(self) -> (Note, Half) {
        let (note, half) = self.words.into_half(Some(self.value.data), self.time, self.size);
        (note, half.missing(self.missing))
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.value.data.memory() + self.words.heap()
    }
}

impl Kept for KeptLine {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "command" => Known::Is(Value::str(self.command)),
            "key" => {
                let key = self.line.get(self.key.clone()).unwrap_or_default();
                Known::Is(Value::Str(crate::text::lossy(key)))
            }
            "error" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let limits = Limits { list_entries: usize::MAX, ..Limits::default() };
        let mut fields = text::request(&self.line, &limits).map(|request| request.fields).unwrap_or_default();
        if let Some(value) = &self.value {
            value.tell(&mut fields);
        }
        fields
    }

    fn heap(&self) -> usize {
        self.line.heap() + self.value.as_ref().map_or(0, Data::memory)
    }
}
