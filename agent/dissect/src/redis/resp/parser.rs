//! Which of lines, strings and entries comes next in a direction, and what there is of a message when bytes are missing.

use remora_packet::Timestamp;

use super::building::{Building, shortened};
use super::bulk::Bulk;
use super::line::{Line, Lines, Shape};
use super::{Parsed, Step, inline, scalar};
use crate::{Limits, Tree};

/// More than `proto-max-bulk-len` allows anywhere.
const LONGEST_BULK: u64 = 1 << 40;

const MOST_ENTRIES: u64 = 1 << 31;

/// Reads one direction.
#[derive(Debug, Default)]
pub(in crate::redis) struct Parser {
    building: Building,
    state: State,
    lines: Lines,
    time: Option<Timestamp>,
    size: u64,
    missing: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Line,
    Bulk(Bulk),
    /// A line with the length of a dump, behind which the dump comes.
    Dump,
}

impl Parser {
    /// Nothing of a value has come yet.
    pub(in crate::redis) const fn is_idle(&self) -> bool {
        self.time.is_none()
    }

    /// A message begins with the next byte, and nothing is known of it.
    pub(in crate::redis) const fn is_fresh(&self) -> bool {
        self.time.is_none() && matches!(self.state, State::Line)
    }

    /// Lengths were read, and what they are of has begun.
    pub(in crate::redis) const fn is_inside(&self) -> bool {
        self.lines.is_empty() && (!self.building.is_outermost() || matches!(self.state, State::Bulk(_)))
    }

    pub(in crate::redis) const fn memory(&self) -> usize {
        let room = if let State::Bulk(bulk) = &self.state { bulk.room() } else { 0 };
        self.building.memory() + self.lines.memory() + room
    }

    /// What comes next is the dump that begins a replication.
    pub(in crate::redis) fn expect_dump(&mut self) {
        *self = Self { state: State::Dump, ..Self::default() };
    }

    /// Takes bytes up to the end of a value. `inline` says that a line without a type is a command.
    pub(in crate::redis) fn feed(
        &mut self,
        bytes: &[u8],
        inline: bool,
        now: Timestamp,
        limits: &Limits,
    ) -> Step {
        let mut at = 0;
        while at < bytes.len() {
            self.time.get_or_insert(now);
            let before = at;
            let earlier = match &self.state {
                State::Line | State::Dump => self.lines.size(),
                State::Bulk(bulk) => bulk.taken(),
            };
            let done = match &mut self.state {
                State::Line | State::Dump => self.line(bytes, &mut at, inline, limits),
                State::Bulk(bulk) => {
                    at += bulk.take(&bytes[at..], &mut self.building.kept, limits);
                    if bulk.is_done() { self.bulk_end(limits) } else { Ok(None) }
                }
            };
            self.size += (at - before) as u64;
            if self.time.is_none() {
                self.size = 0;
            }
            match done {
                Ok(Some(tree)) => return Step::Value(self.finish(tree, false), at),
                Ok(None) => {}
                Err(why) => {
                    *self = Self::default();
                    return Step::Invalid(why, before, earlier);
                }
            }
        }
        Step::More
    }

    /// Takes a line, if its end is there.
    fn line(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        inline: bool,
        limits: &Limits,
    ) -> Result<Option<Tree>, &'static str> {
        let marker = self.lines.first().or(bytes.get(*at).copied()).unwrap_or_default();
        let shape = Shape::of(marker, self.building.is_outermost(), inline, limits)
            .ok_or("no value begins with this byte")?;
        let Some(line) = self.lines.take(bytes, at, shape)? else { return Ok(None) };
        let (text, ended) = line.text();
        if marker == b'\r' || marker == b'\n' {
            // Empty lines keep a connection alive; they are part of nothing.
            self.time = None;
            return if text.is_empty() { Ok(None) } else { Err("a line without a type") };
        }
        if !shape.typed {
            if line.is_cut() {
                self.building.truncate();
            }
            return Ok(self.inline(text));
        }
        if !ended && !line.is_cut() {
            return Err("a line ends without a carriage return");
        }
        self.typed(marker, &line, shape.cap, limits)
    }

    /// A command typed by hand.
    fn inline(&mut self, text: &[u8]) -> Option<Tree> {
        let words = inline::words(text);
        if words.is_empty() {
            self.time = None;
            return None;
        }
        self.building.announce(words.len() as u64);
        self.building.kept += text.len() + words.len() * size_of::<Tree>();
        Some(words.iter().map(|word| Tree::text_or_bytes(word)).collect())
    }

    fn typed(
        &mut self,
        marker: u8,
        line: &Line<'_>,
        cap: usize,
        limits: &Limits,
    ) -> Result<Option<Tree>, &'static str> {
        let (text, _) = line.text();
        let body = text.get(1..).unwrap_or_default();
        let cut = line.is_cut() || body.len() > cap;
        let body = &body[..body.len().min(cap)];
        if matches!(self.state, State::Dump) {
            return self.dump(marker, body);
        }
        let value = match marker {
            b'$' | b'!' | b'=' | b';' => return self.begin_bulk(marker, body, limits),
            b'*' | b'%' | b'~' | b'>' | b'|' => return self.begin_aggregate(marker, body, limits),
            b'.' if body.is_empty() && self.building.is_endless() => return Ok(self.building.close(limits)),
            b'.' if body.is_empty() => return Err("an end where nothing is open"),
            b'+' | b'-' if cut => {
                self.building.truncate();
                shortened(Tree::lossy(body), line.size().saturating_sub(3), 0)
            }
            _ => scalar::value(marker, body, !self.building.is_outermost())?,
        };
        self.building.mark(marker);
        self.building.kept += body.len();
        Ok(self.building.add(value, limits))
    }

    fn begin_bulk(&mut self, marker: u8, body: &[u8], limits: &Limits) -> Result<Option<Tree>, &'static str> {
        let piece = self.building.is_streamed_string();
        if piece != (marker == b';') {
            return Err("a streamed string and its pieces do not go together");
        }
        self.building.mark(marker);
        if body == b"-1" && marker == b'$' {
            return Ok(self.building.add(Tree::Null, limits));
        }
        if body == b"?" && marker == b'$' {
            self.building.open(b';', None)?;
            return Ok(None);
        }
        let size = scalar::length(body, LONGEST_BULK).ok_or("invalid bulk length")?;
        if piece && size == 0 {
            return Ok(self.building.close(limits));
        }
        self.state = State::Bulk(Bulk::new(marker, size));
        Ok(None)
    }

    fn begin_aggregate(
        &mut self,
        marker: u8,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Option<Tree>, &'static str> {
        if body == b"-1" && marker == b'*' {
            self.building.mark(marker);
            return Ok(self.building.add(Tree::Null, limits));
        }
        let count = match body {
            b"?" if marker != b'|' => None,
            _ => Some(scalar::length(body, MOST_ENTRIES).ok_or("invalid multibulk length")?),
        };
        if marker != b'|' {
            self.building.mark(marker);
            self.building.announce(count.unwrap_or(0));
        }
        let pairs = matches!(marker, b'%' | b'|');
        self.building.open(marker, count.map(|count| if pairs { count * 2 } else { count }))?;
        Ok(if count == Some(0) { self.building.close(limits) } else { None })
    }

    fn dump(&mut self, marker: u8, body: &[u8]) -> Result<Option<Tree>, &'static str> {
        let size = match marker {
            b'$' => scalar::length(body, LONGEST_BULK).ok_or("a dump of unknown length")?,
            _ => return Err("a dump was expected"),
        };
        // It counts as its head; what follows it has no line end.
        self.building.mark(marker);
        self.state = State::Bulk(Bulk::dump(size));
        Ok(None)
    }

    fn bulk_end(&mut self, limits: &Limits) -> Result<Option<Tree>, &'static str> {
        let State::Bulk(mut bulk) = std::mem::take(&mut self.state) else { return Ok(None) };
        bulk.end()?;
        let nested_error = bulk.marker() == b'!' && !self.building.is_outermost();
        let mut value = self.string(bulk);
        if nested_error {
            value = scalar::error(value);
        }
        Ok(self.building.add(value, limits))
    }

    fn string(&mut self, bulk: Bulk) -> Tree {
        if !bulk.is_whole() {
            self.building.truncate();
        }
        bulk.into_tree()
    }

    fn finish(&mut self, tree: Tree, cut: bool) -> Parsed {
        let mut done = std::mem::take(self);
        let built = done.building.finish();
        self.building = done.building;
        Parsed {
            marker: built.marker,
            tree,
            attributes: built.attributes,
            count: built.count,
            truncated: built.truncated,
            cut,
            time: done.time.unwrap_or_default(),
            size: done.size,
            missing: done.missing,
        }
    }

    /// Bytes went missing. True where it is known how the stream goes on behind them.
    pub(in crate::redis) const fn skip(&mut self, missing: u64) -> bool {
        let State::Bulk(bulk) = &mut self.state else { return false };
        if !bulk.skip(missing) {
            return false;
        }
        self.missing += missing;
        true
    }

    /// Gives up the value that is unfinished: what there is of it.
    pub(in crate::redis) fn abandon(&mut self, missing: u64, limits: &Limits) -> Option<Parsed> {
        self.time?;
        self.missing += missing;
        let last = match std::mem::take(&mut self.state) {
            State::Bulk(mut bulk) => {
                bulk.abandon();
                Some(self.string(bulk))
            }
            _ => None,
        };
        let tree = self.building.abandon(last, limits);
        Some(self.finish(tree, true))
    }
}
