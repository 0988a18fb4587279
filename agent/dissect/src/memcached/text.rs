//! The text protocol: lines, and values whose size a line tells.

use super::value::Data;
use crate::{Fields, Limits, Probe, Tree};

/// Of a line; a `get` of many keys is the longest there is.
const LONGEST_LINE: usize = 64 << 10;

const LONGEST_KEY: usize = 250;

/// Far above the `-I` of any server.
pub(super) const LONGEST_VALUE: u64 = 1 << 31;

/// What a line of a client says.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) fields: Fields,
    pub(super) note: Note,
    /// Bytes of the value that follows.
    pub(super) value: Option<u64>,
}

/// What is remembered of a command that waits.
#[derive(Debug, Default, Clone)]
pub(super) struct Note {
    pub(super) command: &'static str,
    /// No answer, or only an unusual one, is wanted.
    pub(super) noreply: bool,
    /// What tells the answer of a quiet meta command: its opaque, its key.
    pub(super) opaque: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
}

const STORAGE: [&str; 6] = ["set", "add", "replace", "append", "prepend", "cas"];
pub(super) const META: [&str; 6] = ["mg", "ms", "md", "ma", "mn", "me"];
const OTHERS: [&str; 23] = [
    "get",
    "gets",
    "gat",
    "gats",
    "incr",
    "decr",
    "delete",
    "touch",
    "stats",
    "version",
    "flush_all",
    "verbosity",
    "quit",
    "shutdown",
    "slabs",
    "lru",
    "lru_crawler",
    "watch",
    "cache_memlimit",
    "misbehave",
    "refresh_certs",
    "debugtime",
    "extstore",
];

fn command_of(word: &[u8]) -> Option<&'static str> {
    let all = STORAGE.into_iter().chain(META).chain(OTHERS);
    all.into_iter().find(|command| command.as_bytes() == word)
}

/// The line at the front, without its end, and the bytes it takes.
pub(super) enum Line<'a> {
    Whole(&'a [u8], usize),
    Unfinished,
    TooLong,
}

pub(super) fn line(bytes: &[u8]) -> Line<'_> {
    match memchr::memchr(b'\n', &bytes[..bytes.len().min(LONGEST_LINE)]) {
        Some(end) => {
            let text = &bytes[..end];
            Line::Whole(text.strip_suffix(b"\r").unwrap_or(text), end + 1)
        }
        None if bytes.len() >= LONGEST_LINE => Line::TooLong,
        None => Line::Unfinished,
    }
}

pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 20 {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

pub(super) fn integer(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

pub(super) fn is_key(word: &[u8]) -> bool {
    !word.is_empty() && word.len() <= LONGEST_KEY && word.iter().all(|&byte| byte > b' ' && byte != 0x7f)
}

/// A client's line. `None` for one that the server will refuse: it still is answered, by an error.
pub(super) fn request(line: &[u8], limits: &Limits) -> Option<Request> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let command = command_of(words.next()?)?;
    let mut rest: Vec<&[u8]> = words.collect();
    let mut fields = Fields::with_capacity(8).with("command", command);
    let mut note = Note { command, ..Note::default() };
    let mut value = None;
    if META.contains(&command) {
        return meta(command, &rest, fields, note);
    }
    if rest.last() == Some(&&b"noreply"[..]) && rest.len() > 1
        || command == "flush_all" && rest == [b"noreply"]
    {
        rest.pop();
        note.noreply = true;
    }
    if STORAGE.contains(&command) {
        let (key, numbers) = rest.split_first()?;
        let expected = if command == "cas" { 4 } else { 3 };
        if !is_key(key) || numbers.len() != expected {
            return None;
        }
        fields.push("key", Tree::lossy(key));
        fields.push("flags", number(numbers.first()?)?);
        fields.push("exptime", integer(numbers.get(1)?)?);
        value = Some(number(numbers.get(2)?).filter(|size| *size <= LONGEST_VALUE)?);
        if let Some(cas) = numbers.get(3) {
            fields.push("cas", number(cas)?);
        }
    } else {
        match command {
            "get" | "gets" => keys(&rest, &mut fields, limits)?,
            "gat" | "gats" => {
                let (exptime, rest) = rest.split_first()?;
                keys(rest, &mut fields, limits)?;
                fields.push("exptime", integer(exptime)?);
            }
            "incr" | "decr" | "touch" | "delete" => {
                let key = rest.first().filter(|key| is_key(key))?;
                fields.push("key", Tree::lossy(key));
                match (command, rest.get(1)) {
                    ("delete", None | Some(&b"0")) => {}
                    ("touch", Some(exptime)) => fields.push("exptime", integer(exptime)?),
                    ("incr" | "decr", Some(delta)) => fields.push("delta", number(delta)?),
                    _ => return None,
                }
            }
            "flush_all" if rest.is_empty() => {}
            "flush_all" => fields.push("delay", integer(rest.first()?)?),
            "quit" | "shutdown" => note.noreply = true,
            _ if rest.is_empty() => {}
            _ => fields.push(
                "args",
                rest.iter().take(limits.list_entries).map(|word| Tree::lossy(word)).collect::<Tree>(),
            ),
        }
    }
    if note.noreply && !matches!(command, "quit" | "shutdown") {
        fields.push("noreply", true);
    }
    Some(Request { fields, note, value })
}

fn keys(words: &[&[u8]], fields: &mut Fields, limits: &Limits) -> Option<()> {
    if words.is_empty() || !words.iter().all(|key| is_key(key)) {
        return None;
    }
    fields.push("key", Tree::lossy(words.first()?));
    fields.push("keys", words.iter().take(limits.list_entries).map(|key| Tree::lossy(key)).collect::<Tree>());
    if words.len() > limits.list_entries {
        fields.push("keyCount", words.len());
    }
    Some(())
}

/// `mg`, `ms`, `md`, `ma`, `me`: a key and flags of a letter each; `mn` is alone.
fn meta(command: &'static str, rest: &[&[u8]], mut fields: Fields, mut note: Note) -> Option<Request> {
    let mut value = None;
    let mut flags = rest;
    if command != "mn" {
        let (key, more) = rest.split_first()?;
        if !is_key(key) {
            return None;
        }
        fields.push("key", Tree::lossy(key));
        note.key = Some(key.to_vec());
        flags = more;
        if command == "ms" {
            let (size, more) = more.split_first()?;
            value = Some(number(size).filter(|size| *size <= LONGEST_VALUE)?);
            flags = more;
        }
    }
    note.opaque = flags.iter().find_map(|flag| flag.strip_prefix(b"O")).map(<[u8]>::to_vec);
    note.noreply = flags.contains(&&b"q"[..]);
    if !flags.is_empty() {
        fields.push("metaFlags", flags.iter().take(64).map(|flag| Tree::lossy(flag)).collect::<Tree>());
    }
    Some(Request { fields, note, value })
}

/// What a server's line is.
#[derive(Debug)]
pub(super) enum Answer {
    /// Of a list of values: the bytes of the value that follows.
    Value(u64),
    /// A meta value is an answer of its own.
    MetaValue(Fields, u64),
    Stat(String, Tree),
    End,
    /// A whole answer.
    Whole(Fields),
}

const WORDS: [&str; 17] = [
    "STORED",
    "NOT_STORED",
    "EXISTS",
    "NOT_FOUND",
    "DELETED",
    "TOUCHED",
    "OK",
    "RESET",
    "ERROR",
    "HD",
    "EN",
    "NF",
    "NS",
    "EX",
    "MN",
    "ME",
    "BLOCKED",
];

pub(super) fn answer(line: &[u8]) -> Option<Answer> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    let rest: Vec<&[u8]> = words.take(64).collect();
    let after = |word: &[u8]| line.get(word.len() + 1..).unwrap_or_default();
    Some(match first {
        b"VALUE" => Answer::Value(value_size(&rest)?),
        b"VA" => {
            let (size, flags) = rest.split_first()?;
            let fields = Fields::new().with("status", "VA");
            Answer::MetaValue(with_flags(fields, flags), number(size).filter(|size| *size <= LONGEST_VALUE)?)
        }
        b"STAT" => {
            let (name, value) = rest.split_first()?;
            Answer::Stat(crate::text::lossy(name).into_owned(), Tree::lossy(&value.join(&b' ')))
        }
        b"END" if rest.is_empty() => Answer::End,
        b"VERSION" => {
            Answer::Whole(Fields::new().with("status", "VERSION").with("version", Tree::lossy(after(first))))
        }
        b"CLIENT_ERROR" | b"SERVER_ERROR" | b"ERROR" => {
            let code: &'static str = match first {
                b"CLIENT_ERROR" => "CLIENT_ERROR",
                b"SERVER_ERROR" => "SERVER_ERROR",
                _ => "ERROR",
            };
            let error = Fields::new().with("code", code).with("message", Tree::lossy(after(first)));
            Answer::Whole(Fields::new().with("status", code).with("error", error))
        }
        word if word.iter().all(u8::is_ascii_digit) && rest.is_empty() => {
            Answer::Whole(Fields::new().with("status", "OK").with("number", number(word)?))
        }
        word => {
            let status = WORDS.into_iter().find(|known| known.as_bytes() == word)?;
            if status.len() > 2 && !rest.is_empty() {
                return None;
            }
            Answer::Whole(with_flags(Fields::new().with("status", status), &rest))
        }
    })
}

/// The bytes of the value behind a line whose further words these are.
fn value_size(rest: &[&[u8]]) -> Option<u64> {
    let [key, flags, size, more @ ..] = rest else { return None };
    number(flags)?;
    if let Some(cas) = more.first() {
        number(cas)?;
    }
    number(size).filter(|size| *size <= LONGEST_VALUE && is_key(key))
}

/// What the line before a value of a list says.
pub(super) fn value_fields(line: &[u8]) -> Option<Fields> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).skip(1);
    let mut fields = Fields::with_capacity(6).with("key", Tree::lossy(words.next()?));
    fields.push("flags", number(words.next()?)?);
    words.next()?;
    if let Some(cas) = words.next() {
        fields.push("cas", number(cas)?);
    }
    Some(fields)
}

fn with_flags(mut fields: Fields, flags: &[&[u8]]) -> Fields {
    if !flags.is_empty() {
        fields.push("metaFlags", flags.iter().map(|flag| Tree::lossy(flag)).collect::<Tree>());
    }
    fields
}

pub(super) fn probe_request(expected: bool, bytes: &[u8]) -> Probe {
    let word = bytes.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
    if word == 0 || word > 14 {
        return Probe::No;
    }
    match line(bytes) {
        Line::TooLong => Probe::No,
        Line::Unfinished if word == bytes.len() => Probe::Unsure,
        Line::Unfinished if command_of(&bytes[..word]).is_some() && bytes[word] == b' ' => Probe::Unsure,
        // What a whole line may be here, its beginning may be too.
        Line::Unfinished if expected && is_printable(bytes) => Probe::Unsure,
        Line::Unfinished => Probe::No,
        Line::Whole(line, used) => match request(line, &Limits::default()) {
            Some(_) if bytes.get(used.wrapping_sub(2)) != Some(&b'\r') => Probe::No,
            // The numbers of a storage command are found nowhere else.
            Some(Request { value: Some(_), .. }) if expected => Probe::Certain,
            Some(Request { value: Some(_), .. }) => Probe::Likely,
            _ if expected && line.iter().all(|byte| matches!(byte, b' '..=b'~')) => Probe::Likely,
            _ => Probe::No,
        },
    }
}

/// Whether this may be the beginning of a line.
fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r'))
}

pub(super) fn probe_response(bytes: &[u8]) -> Probe {
    match line(bytes) {
        Line::Whole(line, _) if answer(line).is_some() => Probe::Likely,
        Line::Unfinished if bytes.first().is_some_and(u8::is_ascii_uppercase) && is_printable(bytes) => {
            Probe::Unsure
        }
        _ => Probe::No,
    }
}

/// A value on its way, with the line end behind it.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) data: Data,
    /// Of the value and its line end.
    pub(super) left: u64,
    ending: [u8; 2],
}

impl Incoming {
    pub(super) fn new(size: u64) -> Self {
        Self { data: Data::default(), left: size + 2, ending: *b"\r\n" }
    }

    /// Takes what belongs to it; `None` where it does not end as it must.
    pub(super) fn take(&mut self, bytes: &[u8], limits: &Limits) -> Option<usize> {
        let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let data = taken.min(usize::try_from(self.left.saturating_sub(2)).unwrap_or(usize::MAX));
        self.data.add(&bytes[..data], self.left.saturating_sub(2), limits);
        self.left -= taken as u64;
        for &byte in &bytes[data..taken] {
            self.ending = [self.ending[1], byte];
        }
        (self.left > 0 || self.ending == *b"\r\n").then_some(taken)
    }
}
