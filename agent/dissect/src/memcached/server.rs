//! What a server is in the middle of: values, statistics and lines, up to what ends their list.

use remora_packet::Timestamp;

use super::text::{self, Answer, Incoming};
use super::value::Data;
use crate::few::FewBytes;
use crate::on_demand::{Kept, Known, OnDemand};
use crate::{Fields, Half, Limits, Tree, Value};

/// What ends a list.
pub(super) const END: &str = "END";

/// Bytes that the fields of a value take.
const VALUE_FIELDS: usize = 6 * (size_of::<Tree>() + size_of::<&str>());

/// What comes before a value.
#[derive(Debug)]
pub(super) enum Head {
    /// The line of a value that is one of a list.
    Line(FewBytes),
    /// Of a value that is an answer of its own.
    Meta(Fields),
}

#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) lost: bool,
    pub(super) since: Option<Timestamp>,
    pub(super) size: u64,
    pub(super) missing: u64,
    /// The value that arrives.
    pub(super) value: Option<(Head, Incoming)>,
    list: List,
    pub(super) lines: Vec<Tree>,
    /// Values and lines, kept or not.
    count: u64,
    heap: usize,
    truncated: bool,
}

/// What is kept of a list.
#[derive(Debug, Default)]
struct List {
    values: Vec<(FewBytes, Data)>,
    stats: Fields,
    /// Lines of statistics, as long as no cap is near.
    raw: Vec<u8>,
    raw_count: usize,
}

impl Server {
    /// Its place is not known.
    pub(super) fn lost() -> Self {
        Self { lost: true, ..Self::default() }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.count == 0 && self.value.is_none() && self.list.stats.is_empty()
    }

    /// What came is no list of values.
    pub(super) fn has_stats(&self) -> bool {
        !self.list.stats.is_empty() || !self.list.raw.is_empty() || !self.lines.is_empty()
    }

    /// Counts an entry; says whether it is kept.
    pub(super) fn room(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.count += 1;
        let entries = self.list.values.len() + self.lines.len() + self.list.stats.len() + self.list.raw_count;
        let fits = entries < limits.list_entries && self.heap < limits.message_bytes;
        self.truncated |= !fits;
        self.heap += if fits { bytes + size_of::<Tree>() } else { 0 };
        fits
    }

    /// Takes a line of statistics as it is. False where it is none, or has to be read.
    pub(super) fn stat(&mut self, line: &[u8], limits: &Limits) -> bool {
        let List { values, stats, raw, raw_count } = &mut self.list;
        let is_stat = line.strip_prefix(b"STAT ").is_some_and(|rest| rest.iter().any(|byte| *byte != b' '));
        let (entries, bytes) = (*raw_count + 1, raw.len() + line.len() + 1);
        let fits = entries + self.lines.len() <= limits.list_entries
            && bytes <= limits.value_bytes
            && bytes + entries * size_of::<Tree>() < limits.message_bytes;
        if !is_stat || !fits || !stats.is_empty() || !values.is_empty() {
            return false;
        }
        raw.extend_from_slice(line);
        raw.push(b'\n');
        *raw_count += 1;
        self.count += 1;
        true
    }

    pub(super) fn add_stat(&mut self, name: String, value: Tree, limits: &Limits) {
        let raw = std::mem::take(&mut self.list.raw);
        self.count -= std::mem::take(&mut self.list.raw_count) as u64;
        for (name, value) in stats(&raw).chain([(name, value)]) {
            if self.room(name.len() + value.heap(), limits) {
                self.list.stats.push(name, value);
            }
        }
    }

    pub(super) fn add_value(&mut self, line: FewBytes, value: Data, limits: &Limits) {
        if self.room(VALUE_FIELDS + line.len() + value.memory(), limits) {
            self.list.values.push((line, value));
        }
    }

    /// A list that has come to its end.
    pub(super) fn finish_list(&mut self, now: Timestamp) -> Half {
        if self.truncated || !self.lines.is_empty() {
            return self.finish(Fields::with_capacity(4).with("status", END), now);
        }
        let done = self.take();
        let (time, size) = (done.since.unwrap_or(now), done.size);
        Half::new(time, size, OnDemand::new(done.list)).missing(done.missing)
    }

    /// The answer so far; what comes begins anew.
    pub(super) fn finish(&mut self, mut fields: Fields, now: Timestamp) -> Half {
        let done = self.take();
        let is_list = fields.field("status") == Some(&Tree::from(END)) && fields.field("stats").is_none();
        if done.lines.is_empty() || done.list.has_stats() {
            done.list.tell(&mut fields, is_list);
        } else {
            fields.push("lines", done.lines);
        }
        if done.truncated {
            fields.push("count", done.count);
            fields.push("truncated", true);
        }
        Half::new(done.since.unwrap_or(now), done.size, fields).missing(done.missing)
    }

    /// What a hole, or the end, leaves of the answer.
    pub(super) fn cut(&mut self, missing: u64, now: Timestamp) -> Half {
        let mut fields = Fields::new();
        let mut values: Vec<Tree> =
            self.list.values.drain(..).map(|(line, value)| tree(&line, &value)).collect();
        if let Some((head, mut value)) = self.value.take() {
            value.data.miss(value.left.saturating_sub(2).max(1));
            values.push(match head {
                Head::Line(line) => tree(&line, &value.data),
                Head::Meta(mut fields) => {
                    value.data.write(&mut fields);
                    fields.into()
                }
            });
        }
        if !values.is_empty() {
            fields.push("values", values);
        }
        self.missing += missing;
        self.truncated = true;
        self.finish(fields, now)
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self { lost: self.lost, ..Self::default() })
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        let value = self.value.as_ref().map_or(0, |(head, value)| {
            let head = match head {
                Head::Line(line) => line.heap(),
                Head::Meta(fields) => fields.heap(),
            };
            head + value.data.memory()
        });
        value
            + self.heap
            + self.list.raw.capacity()
            + self.list.values.capacity() * size_of::<(FewBytes, Data)>()
    }
}

/// The statistics in lines.
fn stats(lines: &[u8]) -> impl Iterator<Item = (String, Tree)> {
    lines.split(|&byte| byte == b'\n').filter_map(|line| match text::answer(line) {
        Some(Answer::Stat(name, value)) => Some((name, value)),
        _ => None,
    })
}

/// A value of a list, with the line before it.
fn tree(line: &[u8], value: &Data) -> Tree {
    let mut fields = text::value_fields(line).unwrap_or_default();
    value.tell(&mut fields);
    fields.into()
}

impl List {
    fn has_stats(&self) -> bool {
        !self.stats.is_empty() || !self.raw.is_empty()
    }

    fn tell(&self, fields: &mut Fields, is_list: bool) {
        if self.has_stats() {
            let mut all = self.stats.clone();
            for (name, value) in stats(&self.raw) {
                all.push(name, value);
            }
            fields.push("stats", all);
        } else if is_list {
            let values: Vec<Tree> = self.values.iter().map(|(line, value)| tree(line, value)).collect();
            fields.push("values", values);
        }
    }
}

impl Kept for List {
    fn known(&self, name: &str) -> Known<'_> {
        match name {
            "status" => Known::Is(Value::str(END)),
            "error" => Known::Absent,
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let mut fields = Fields::with_capacity(2).with("status", END);
        self.tell(&mut fields, true);
        fields
    }

    fn heap(&self) -> usize {
        let values: usize = self.values.iter().map(|(line, value)| line.heap() + value.memory()).sum();
        let list = self.values.capacity() * size_of::<(FewBytes, Data)>();
        values + list + self.stats.heap() + self.raw.capacity()
    }
}
