//! Telling Redis by its first bytes, and finding a message where the place in the stream is not known.

use remora_packet::Timestamp;

use super::resp::{Parser, Step, length};
use crate::{Direction, Limits, Probe};

const PORTS: [u16; 2] = [6379, 26379];

/// A command's name and nothing else has to fit.
const LONGEST_NAME: u64 = 40;

/// What the bytes of a command in RESP begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Head<'a> {
    /// An array whose first entry is a string that may be a command.
    Command(&'a [u8]),
    /// Nothing speaks against it yet.
    Partial,
    No,
}

pub(super) fn head(bytes: &[u8]) -> Head<'_> {
    let Some(rest) = bytes.strip_prefix(b"*") else {
        return if bytes.is_empty() { Head::Partial } else { Head::No };
    };
    let rest = match number(rest, 1 << 24) {
        Ok((0, _)) | Err(true) => return Head::No,
        Ok((_, rest)) => rest,
        Err(false) => return Head::Partial,
    };
    let rest = match rest.split_first() {
        Some((b'$', rest)) => rest,
        Some(_) => return Head::No,
        None => return Head::Partial,
    };
    let (size, rest) = match number(rest, LONGEST_NAME) {
        Ok((0, _)) | Err(true) => return Head::No,
        Ok((size, rest)) => (size, rest),
        Err(false) => return Head::Partial,
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let name = &rest[..rest.len().min(size)];
    if !name.iter().enumerate().all(|(at, &byte)| is_of_name(at, byte)) {
        return Head::No;
    }
    match rest.get(size..) {
        Some([b'\r', b'\n', ..]) => Head::Command(name),
        None | Some([] | [b'\r']) => Head::Partial,
        Some(_) => Head::No,
    }
}

/// Modules have names with a dot.
fn is_of_name(at: usize, byte: u8) -> bool {
    byte.is_ascii_alphabetic()
        || at > 0 && (byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'|' | b':'))
}

/// A number and its line end; the error tells whether it is wrong or only unfinished.
fn number(bytes: &[u8], most: u64) -> Result<(u64, &[u8]), bool> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &bytes[digits..] {
        _ if digits > 9 => Err(true),
        [] => Err(false),
        [b'\r'] if digits > 0 => Err(false),
        [b'\r', b'\n', rest @ ..] => length(&bytes[..digits], most).map(|size| (size, rest)).ok_or(true),
        _ => Err(true),
    }
}

/// Whether bytes of a server, at the beginning of a segment, are whole values up to where they end.
pub(super) fn is_reply(bytes: &[u8]) -> bool {
    let limits = Limits { value_bytes: 0, list_entries: 0, ..Limits::default() };
    let (mut parser, mut rest, mut whole) = (Parser::default(), bytes, false);
    while !rest.is_empty() {
        match parser.feed(rest, false, Timestamp::default(), &limits) {
            Step::More => return whole || parser.is_inside(),
            Step::Value(_, used) => {
                whole = true;
                rest = &rest[used..];
            }
            Step::Invalid(..) => return false,
        }
    }
    whole
}

pub(super) fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let expected = PORTS.contains(&server_port);
    match (head(bytes), direction) {
        (Head::Command(_), Direction::ToServer) => Probe::Certain,
        // The sides may have been told apart wrongly; but a server also sends commands, to a replica.
        (Head::Command(name), Direction::ToClient) if is_known(name) => {
            if expected {
                Probe::No
            } else {
                Probe::Certain
            }
        }
        (Head::Partial, _) => Probe::Unsure,
        _ if !expected => Probe::No,
        (_, Direction::ToClient) if is_reply(bytes) => Probe::Likely,
        (_, Direction::ToClient) => Probe::No,
        (_, Direction::ToServer) => inline(bytes),
    }
}

/// A command typed by hand, where the port lets one expect it.
fn inline(bytes: &[u8]) -> Probe {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let word = line.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let printable = |&byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | 0x80..);
    if word > 24 || !line.iter().all(printable) {
        return Probe::No;
    }
    match (line.get(word), line.len() < bytes.len()) {
        (None, false) if word > 0 => Probe::Unsure,
        (_, true) if is_known(&line[..word]) => Probe::Likely,
        (Some(b' ' | b'\r'), false) if is_known(&line[..word]) => Probe::Unsure,
        _ => Probe::No,
    }
}

pub(super) fn is_known(name: &[u8]) -> bool {
    known(name).is_some()
}

/// A command by its name, however that is written.
pub(super) fn known(name: &[u8]) -> Option<&'static str> {
    let mut upper = [0; LONGEST_KNOWN];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    let letter = usize::from(upper.first()?.checked_sub(b'A')?);
    let (from, to) = (*INITIALS.get(letter)?, *INITIALS.get(letter + 1)?);
    let same = |command: &&&str| command.len() == upper.len() && command.as_bytes() == upper;
    COMMANDS.get(from..to)?.iter().find(same).copied()
}

/// Where the commands of each letter begin, and where those of the last end: few have the same.
const INITIALS: [usize; 27] = {
    let (mut initials, mut letter, mut at) = ([0; 27], 0, 0);
    while letter < initials.len() {
        while at < COMMANDS.len() && COMMANDS[at].as_bytes()[0] < b'A' + letter as u8 {
            at += 1;
        }
        initials[letter] = at;
        letter += 1;
    }
    initials
};

/// Of the commands that are known.
const LONGEST_KNOWN: usize = 16;

/// Enough to tell a client by, in order.
const COMMANDS: [&str; 118] = [
    "APPEND",
    "AUTH",
    "BGSAVE",
    "BITCOUNT",
    "BLMOVE",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "CONFIG",
    "COPY",
    "DBSIZE",
    "DECR",
    "DECRBY",
    "DEL",
    "DISCARD",
    "DUMP",
    "ECHO",
    "EVAL",
    "EVALSHA",
    "EXEC",
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "FCALL",
    "FLUSHALL",
    "FLUSHDB",
    "GEOADD",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HELLO",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HMSET",
    "HSCAN",
    "HSET",
    "HSETNX",
    "HVALS",
    "INCR",
    "INCRBY",
    "INFO",
    "KEYS",
    "LINDEX",
    "LLEN",
    "LMOVE",
    "LPOP",
    "LPUSH",
    "LRANGE",
    "LREM",
    "LTRIM",
    "MGET",
    "MONITOR",
    "MSET",
    "MULTI",
    "PEXPIRE",
    "PING",
    "PSETEX",
    "PSUBSCRIBE",
    "PSYNC",
    "PTTL",
    "PUBLISH",
    "PUBSUB",
    "QUIT",
    "RENAME",
    "REPLCONF",
    "RESET",
    "ROLE",
    "RPOP",
    "RPUSH",
    "SADD",
    "SCAN",
    "SCARD",
    "SCRIPT",
    "SELECT",
    "SENTINEL",
    "SET",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SISMEMBER",
    "SLOWLOG",
    "SMEMBERS",
    "SPOP",
    "SREM",
    "SSCAN",
    "STRLEN",
    "SUBSCRIBE",
    "TIME",
    "TTL",
    "TYPE",
    "UNLINK",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WATCH",
    "XACK",
    "XADD",
    "XRANGE",
    "XREAD",
    "XREADGROUP",
    "ZADD",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZREM",
    "ZSCORE",
];
