//! RESP2 and RESP3 values, read as their bytes come: nothing is scanned twice, and of a value of any size no more is kept
//! than the caps allow.

use remora_packet::Timestamp;

use crate::{Fields, Limits, Tree};

/// Of a line that holds a length, a number or a boolean.
const SHORT_LINE: usize = 64;

/// Of a line that holds a number of any size.
const NUMBER_LINE: usize = 4096;

/// Values deeper than this are not RESP that anyone sends.
const DEEPEST: usize = 256;

/// More than `proto-max-bulk-len` allows anywhere.
const LONGEST_BULK: u64 = 1 << 40;

const MOST_ENTRIES: u64 = 1 << 31;

/// A whole value, or as much of it as there is.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The type byte; 0 for an inline command.
    pub(super) marker: u8,
    pub(super) tree: Tree,
    pub(super) attributes: Option<Tree>,
    /// Entries of the outermost aggregate as announced, kept or not.
    pub(super) count: u64,
    /// Some of it was left out to stay under a cap.
    pub(super) truncated: bool,
    /// The message is not all there.
    pub(super) cut: bool,
    pub(super) time: Timestamp,
    pub(super) size: u64,
    pub(super) missing: u64,
}

/// What came of some bytes.
#[derive(Debug)]
pub(super) enum Step {
    /// All were used, and a value is unfinished or none has begun.
    More,
    /// So many were used.
    Value(Parsed, usize),
    /// Not RESP, from this byte on, or from a line or string on that began so many bytes before.
    Invalid(&'static str, usize, u64),
}

/// Reads one direction.
#[derive(Debug, Default)]
pub(super) struct Parser {
    stack: Vec<Open>,
    state: State,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    line_size: u64,
    time: Option<Timestamp>,
    size: u64,
    missing: u64,
    /// Bytes of heap that the unfinished value holds, more or less.
    kept: usize,
    truncated: bool,
    marker: u8,
    count: u64,
    attributes: Option<Tree>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Line,
    Bulk(Bulk),
    /// A dump of the whole data set, which no line end follows.
    Dump,
}

#[derive(Debug, Default)]
struct Bulk {
    marker: u8,
    data: Vec<u8>,
    /// Of the data, as far as announced.
    size: u64,
    /// Still to come, with the line end.
    left: u64,
    missing: u64,
    ending: [u8; 2],
    /// No line end follows, and nothing is kept.
    bare: bool,
}

/// An aggregate whose entries are coming.
#[derive(Debug)]
struct Open {
    marker: u8,
    /// Entries to come; `None` until a line says that there are no more.
    left: Option<u64>,
    /// Entries so far.
    seen: u64,
    entries: Vec<Tree>,
    /// For the entry that comes next.
    attributes: Option<Tree>,
}

impl Parser {
    /// Nothing of a value has come yet.
    pub(super) fn is_idle(&self) -> bool {
        self.time.is_none()
    }

    /// Lengths were read, and what they are of has begun.
    pub(super) fn is_inside(&self) -> bool {
        self.line.is_empty() && (!self.stack.is_empty() || matches!(self.state, State::Bulk(_)))
    }

    pub(super) fn memory(&self) -> usize {
        self.kept + self.line.capacity() + self.stack.capacity() * size_of::<Open>()
    }

    /// What comes next is the dump that begins a replication.
    pub(super) fn expect_dump(&mut self) {
        *self = Self { state: State::Dump, ..Self::default() };
    }

    /// Takes bytes up to the end of a value. `inline` says that a line without a type is a command.
    pub(super) fn feed(&mut self, bytes: &[u8], inline: bool, now: Timestamp, limits: &Limits) -> Step {
        let mut at = 0;
        while at < bytes.len() {
            self.time.get_or_insert(now);
            let before = at;
            let earlier = match &self.state {
                State::Line | State::Dump => self.line_size,
                State::Bulk(bulk) => (bulk.size + 2).saturating_sub(bulk.left),
            };
            let done = match &mut self.state {
                State::Line | State::Dump => self.line(bytes, &mut at, inline, limits),
                State::Bulk(bulk) => {
                    at += bulk.take(&bytes[at..], &mut self.kept, limits);
                    if bulk.left == 0 { self.bulk_end(limits) } else { Ok(None) }
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
        let rest = &bytes[*at..];
        let marker = self.line.first().or(rest.first()).copied().unwrap_or_default();
        let typed = !self.stack.is_empty() || !inline || marker == b'*';
        let long = matches!(marker, b'+' | b'-') || !typed;
        let cap = match marker {
            b'\r' | b'\n' if self.stack.is_empty() => SHORT_LINE,
            b'+' | b'-' if typed => limits.value_bytes,
            b'(' if typed => NUMBER_LINE,
            _ if typed && is_type(marker) => SHORT_LINE,
            _ if !typed && marker.is_ascii_alphabetic() => limits.value_bytes,
            _ => return Err("no value begins with this byte"),
        };
        let end = memchr::memchr(b'\n', rest);
        let piece = &rest[..end.map_or(rest.len(), |end| end + 1)];
        *at += piece.len();
        self.line_size += piece.len() as u64;
        if self.line_size > cap as u64 + 3 && !long {
            return Err("a line is too long");
        }
        let line = if self.line.is_empty() && end.is_some() {
            piece
        } else {
            let room = (cap + 3).saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if end.is_none() {
                return Ok(None);
            }
            &std::mem::take(&mut self.line)
        };
        let whole = std::mem::take(&mut self.line_size);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let ended = text.strip_suffix(b"\r");
        let text = ended.unwrap_or(text);
        if marker == b'\r' || marker == b'\n' {
            // Empty lines keep a connection alive; they are part of nothing.
            self.time = None;
            return if text.is_empty() { Ok(None) } else { Err("a line without a type") };
        }
        if typed && ended.is_none() && whole <= line.len() as u64 {
            return Err("a line ends without a carriage return");
        }
        if !typed {
            self.truncated |= whole > line.len() as u64;
            return Ok(self.inline(text));
        }
        let body = text.get(1..).unwrap_or_default();
        let cut = whole > line.len() as u64 || body.len() > cap;
        self.typed(marker, &body[..body.len().min(cap)], cut, whole, limits)
    }

    /// A command typed by hand.
    fn inline(&mut self, text: &[u8]) -> Option<Tree> {
        let words = words(text);
        if words.is_empty() {
            self.time = None;
            return None;
        }
        self.count = words.len() as u64;
        self.kept += text.len() + words.len() * size_of::<Tree>();
        Some(words.iter().map(|word| Tree::text_or_bytes(word)).collect())
    }

    fn typed(
        &mut self,
        marker: u8,
        body: &[u8],
        cut: bool,
        whole: u64,
        limits: &Limits,
    ) -> Result<Option<Tree>, &'static str> {
        if matches!(self.state, State::Dump) {
            return self.dump(marker, body);
        }
        let value = match marker {
            b'+' if !cut => Tree::text_or_bytes(body),
            b'-' if !cut && self.stack.is_empty() => Tree::text_or_bytes(body),
            b'-' if !cut => Fields::new().with("error", Tree::text_or_bytes(body)).into(),
            b'+' | b'-' => {
                self.truncated = true;
                shortened(Tree::lossy(body), whole.saturating_sub(3), 0)
            }
            b':' => Tree::Int(integer(body).ok_or("an integer is not one")?),
            b'_' if body.is_empty() => Tree::Null,
            b'#' if body == b"t" => Tree::Bool(true),
            b'#' if body == b"f" => Tree::Bool(false),
            b',' => double(body).ok_or("a double is not one")?,
            b'(' if integer_like(body) => Tree::lossy(body),
            b'$' | b'!' | b'=' | b';' => return self.begin_bulk(marker, body, limits),
            b'*' | b'%' | b'~' | b'>' | b'|' => return self.begin_aggregate(marker, body, limits),
            b'.' if body.is_empty() => {
                return match self.stack.last() {
                    Some(Open { left: None, .. }) => Ok(self.close(limits)),
                    _ => Err("an end where nothing is open"),
                };
            }
            _ => return Err("a value of its type may not look so"),
        };
        self.mark(marker);
        self.kept += body.len();
        Ok(self.value(value, limits))
    }

    fn mark(&mut self, marker: u8) {
        if self.stack.is_empty() {
            self.marker = marker;
        }
    }

    fn begin_bulk(&mut self, marker: u8, body: &[u8], limits: &Limits) -> Result<Option<Tree>, &'static str> {
        let piece = self.stack.last().is_some_and(|open| open.marker == b';');
        if piece != (marker == b';') {
            return Err("a streamed string and its pieces do not go together");
        }
        if body == b"-1" && marker == b'$' {
            self.mark(marker);
            return Ok(self.value(Tree::Null, limits));
        }
        self.mark(marker);
        if body == b"?" && marker == b'$' {
            self.open(b';', None)?;
            return Ok(None);
        }
        let size = length(body, LONGEST_BULK).ok_or("invalid bulk length")?;
        if piece && size == 0 {
            return Ok(self.close(limits));
        }
        self.state = State::Bulk(Bulk { marker, size, left: size + 2, ..Bulk::default() });
        Ok(None)
    }

    fn begin_aggregate(
        &mut self,
        marker: u8,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Option<Tree>, &'static str> {
        if body == b"-1" && marker == b'*' {
            self.mark(marker);
            return Ok(self.value(Tree::Null, limits));
        }
        let count = match body {
            b"?" if marker != b'|' => None,
            _ => Some(length(body, MOST_ENTRIES).ok_or("invalid multibulk length")?),
        };
        if marker != b'|' {
            self.mark(marker);
            if self.stack.is_empty() {
                self.count = count.unwrap_or(0);
            }
        }
        let pairs = matches!(marker, b'%' | b'|');
        self.open(marker, count.map(|count| if pairs { count * 2 } else { count }))?;
        Ok(if count == Some(0) { self.close(limits) } else { None })
    }

    fn open(&mut self, marker: u8, left: Option<u64>) -> Result<(), &'static str> {
        if self.stack.len() >= DEEPEST {
            return Err("values are nested too deeply");
        }
        self.stack.push(Open { marker, left, seen: 0, entries: Vec::new(), attributes: None });
        Ok(())
    }

    fn bulk_end(&mut self, limits: &Limits) -> Result<Option<Tree>, &'static str> {
        let State::Bulk(mut bulk) = std::mem::take(&mut self.state) else { return Ok(None) };
        if bulk.missing == 0 && bulk.ending != *b"\r\n" {
            return Err("a string does not end where its length says");
        }
        if bulk.marker == b'=' && bulk.data.get(3) == Some(&b':') {
            bulk.data.drain(..4);
            bulk.size -= 4;
        }
        let nested_error = bulk.marker == b'!' && !self.stack.is_empty();
        let mut value = self.bulk_value(bulk);
        if nested_error {
            value = Fields::new().with("error", value).into();
        }
        Ok(self.value(value, limits))
    }

    fn bulk_value(&mut self, bulk: Bulk) -> Tree {
        let whole = bulk.missing == 0 && bulk.data.len() as u64 == bulk.size;
        let data = bulk.data;
        if whole {
            return match String::from_utf8(data) {
                Ok(text) => text.into(),
                Err(error) => Tree::Bytes(error.into_bytes()),
            };
        }
        self.truncated = true;
        let kept = match String::from_utf8(data) {
            Ok(text) => text.into(),
            Err(error) => match error.utf8_error() {
                why if why.error_len().is_some() => Tree::Bytes(error.into_bytes()),
                // A character that the cut went through is left out.
                why => Tree::lossy(&error.as_bytes()[..why.valid_up_to()]),
            },
        };
        shortened(kept, bulk.size, bulk.missing)
    }

    /// A value is whole: the message, or an entry of what is open.
    fn value(&mut self, mut value: Tree, limits: &Limits) -> Option<Tree> {
        let depth = self.stack.len();
        let Some(open) = self.stack.last_mut() else { return Some(value) };
        if let Some(attributes) = open.attributes.take() {
            value = Fields::new().with("attributes", attributes).with("value", value).into();
        }
        open.seen += 1;
        let fits = open.entries.len() < limits.list_entries && self.kept < limits.message_bytes;
        if fits && depth <= limits.nesting {
            self.kept += size_of::<Tree>();
            open.entries.push(value);
        } else {
            self.truncated = true;
        }
        if let Some(left) = &mut open.left {
            *left = left.saturating_sub(1);
        }
        if open.left == Some(0) { self.close(limits) } else { None }
    }

    /// The innermost aggregate is whole.
    fn close(&mut self, limits: &Limits) -> Option<Tree> {
        let open = self.stack.pop()?;
        let marker = open.marker;
        if self.stack.is_empty() && marker != b'|' && open.left.is_none() {
            self.count = open.seen / if marker == b'%' { 2 } else { 1 };
        }
        let value = tree_of(open);
        if marker != b'|' {
            return self.value(value, limits);
        }
        match self.stack.last_mut() {
            Some(open) => open.attributes = Some(value),
            None => self.attributes = Some(value),
        }
        None
    }

    fn dump(&mut self, marker: u8, body: &[u8]) -> Result<Option<Tree>, &'static str> {
        let size = match marker {
            b'$' => length(body, LONGEST_BULK).ok_or("a dump of unknown length")?,
            _ => return Err("a dump was expected"),
        };
        // It counts as its head; what follows it has no line end.
        self.mark(b'$');
        let ending = *b"\r\n";
        self.state = State::Bulk(Bulk { marker, size, left: size, ending, bare: true, ..Bulk::default() });
        Ok(None)
    }

    fn finish(&mut self, tree: Tree, cut: bool) -> Parsed {
        let done = std::mem::take(self);
        // The memory of the stack is good for the next value.
        self.stack = done.stack;
        Parsed {
            marker: done.marker,
            tree,
            attributes: done.attributes,
            count: done.count,
            truncated: done.truncated,
            cut,
            time: done.time.unwrap_or_default(),
            size: done.size,
            missing: done.missing,
        }
    }

    /// Bytes went missing. True where it is known how the stream goes on behind them.
    pub(super) fn skip(&mut self, missing: u64) -> bool {
        let State::Bulk(bulk) = &mut self.state else { return false };
        if missing >= bulk.left {
            return false;
        }
        bulk.missing += missing;
        bulk.left -= missing;
        self.missing += missing;
        true
    }

    /// Gives up the value that is unfinished: what there is of it.
    pub(super) fn abandon(&mut self, missing: u64, limits: &Limits) -> Option<Parsed> {
        self.time?;
        self.missing += missing;
        let mut last = match std::mem::take(&mut self.state) {
            State::Bulk(mut bulk) => {
                let present = bulk.size.saturating_sub(bulk.left.saturating_sub(2));
                bulk.missing = bulk.missing.max(bulk.size - present.min(bulk.size)).max(1);
                Some(self.bulk_value(bulk))
            }
            _ => None,
        };
        while let Some(mut open) = self.stack.pop() {
            open.entries.extend(last.take().filter(|_| self.stack.len() < limits.nesting));
            last = Some(tree_of(open));
        }
        self.truncated = true;
        Some(self.finish(last.unwrap_or_default(), true))
    }
}

impl Bulk {
    /// Takes what belongs to it.
    fn take(&mut self, bytes: &[u8], kept: &mut usize, limits: &Limits) -> usize {
        let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let ending = if self.bare { 0 } else { 2 };
        let data = taken.min(usize::try_from(self.left.saturating_sub(ending)).unwrap_or(usize::MAX));
        let room = limits.value_bytes.saturating_sub(self.data.len());
        let room = room.min(limits.message_bytes.saturating_sub(*kept));
        let room = if self.missing == 0 && !self.bare { data.min(room) } else { 0 };
        if self.data.capacity() == 0 {
            let size = usize::try_from(self.size).unwrap_or(usize::MAX);
            self.data.reserve_exact(size.min(limits.value_bytes).min(room.max(SHORT_LINE)));
        }
        self.data.extend_from_slice(&bytes[..room]);
        *kept += room;
        self.left -= data as u64;
        for &byte in &bytes[data..taken] {
            self.ending = [self.ending[1], byte];
            self.left -= 1;
        }
        taken
    }
}

/// What stands for a value of which only the beginning was kept.
fn shortened(data: Tree, size: u64, missing: u64) -> Tree {
    let mut fields = Fields::new().with("data", data).with("size", size).with("truncated", true);
    fields.push_some("missing", (missing > 0).then_some(missing));
    fields.into()
}

fn tree_of(open: Open) -> Tree {
    match open.marker {
        b'%' | b'|' => {
            let mut fields = Fields::with_capacity(open.entries.len() / 2);
            let mut entries = open.entries.into_iter();
            while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
                let key = match key {
                    Tree::Text(text) => text,
                    other => super::message::text(&other).into_owned().into(),
                };
                fields.push(key, value);
            }
            fields.into()
        }
        b';' => {
            let mut whole = String::new();
            for piece in &open.entries {
                whole.push_str(&super::message::text(piece));
            }
            whole.into()
        }
        _ => Tree::List(open.entries),
    }
}

const fn is_type(marker: u8) -> bool {
    matches!(
        marker,
        b'*' | b'$' | b':' | b'%' | b'~' | b'>' | b'|' | b'_' | b'#' | b',' | b'!' | b'=' | b';' | b'.'
    )
}

/// A length on the wire: digits without a sign.
pub(super) fn length(digits: &[u8], most: u64) -> Option<u64> {
    if digits.is_empty() || digits.len() > 13 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    (value <= most).then_some(value)
}

fn integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn integer_like(digits: &[u8]) -> bool {
    let digits = digits.strip_prefix(b"-").or(digits.strip_prefix(b"+")).unwrap_or(digits);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn double(text: &[u8]) -> Option<Tree> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    // JSON has no infinity.
    Some(if number.is_finite() { Tree::Float(number) } else { Tree::lossy(text) })
}

/// The words of an inline command, with quotes and escapes undone.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    loop {
        while bytes.next_if(|byte| byte.is_ascii_whitespace()).is_some() {}
        if bytes.peek().is_none() {
            return words;
        }
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(byte) = bytes.next() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, byte) if byte.is_ascii_whitespace() => break,
                (Some(open), byte) if byte == open => quote = None,
                (Some(b'"'), b'\\') => {
                    let escaped = bytes.next().unwrap_or(b'\\');
                    word.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'a' => 7,
                        b'x' => {
                            let mut digit = || bytes.next_if(u8::is_ascii_hexdigit);
                            let (high, low) = (digit(), digit());
                            let value = |digit: Option<u8>| {
                                digit.and_then(|digit| char::from(digit).to_digit(16)).unwrap_or(0) as u8
                            };
                            value(high) << 4 | value(low)
                        }
                        other => other,
                    });
                }
                (Some(b'\''), b'\\') if bytes.peek() == Some(&b'\'') => {
                    word.extend(bytes.next());
                }
                (_, byte) => word.push(byte),
            }
        }
        words.push(word);
    }
}
