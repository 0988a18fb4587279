//! One line of the protocol.

use super::options;
use crate::{Direction, Fields, Limits, Tree};

/// What a line means for the connection.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Info {
        /// TLS may follow.
        tls: bool,
    },
    Connect {
        verbose: bool,
    },
    Ping,
    Pong,
    /// `+OK` or `-ERR`.
    Verdict,
    /// SUB, UNSUB.
    Plain,
    /// So many bytes follow, of which the first are headers.
    Payload {
        headers: Option<u64>,
        size: u64,
    },
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) fields: Fields,
    pub(super) meaning: Meaning,
}

/// A line without its end. The error says what is wrong with it.
pub(super) fn parse(direction: Direction, line: &[u8], limits: &Limits) -> Result<Line, &'static str> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let rest = line[end..].trim_ascii();
    let verb = |known: &'static str| line[..end].eq_ignore_ascii_case(known.as_bytes()).then_some(known);
    let client: &[&str] = &["PUB", "HPUB", "SUB", "UNSUB", "CONNECT", "PING", "PONG"];
    let server: &[&str] = &["MSG", "HMSG", "INFO", "+OK", "-ERR", "PING", "PONG"];
    let known = if direction == Direction::ToServer { client } else { server };
    let verb = known.iter().find_map(|known| verb(known)).ok_or("not an operation")?;
    let fields = Fields::with_capacity(8).with("verb", verb);
    match verb {
        "PUB" | "HPUB" | "MSG" | "HMSG" => message(verb, rest, fields),
        "SUB" | "UNSUB" => subscription(verb, rest, fields),
        "INFO" | "CONNECT" => object(verb, rest, fields, limits),
        "-ERR" => {
            let text = rest.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(rest);
            let error = Fields::new().with("message", Tree::lossy(text));
            Ok(Line { fields: fields.with("error", error), meaning: Meaning::Verdict })
        }
        _ if !rest.is_empty() => Err("an operation without arguments has some"),
        "PING" => Ok(Line { fields, meaning: Meaning::Ping }),
        "PONG" => Ok(Line { fields, meaning: Meaning::Pong }),
        _ => Ok(Line { fields, meaning: Meaning::Verdict }),
    }
}

/// Words between spaces and tabs; `None` above the most that any operation has.
fn words(text: &[u8]) -> Option<([&[u8]; 5], usize)> {
    let mut words: [&[u8]; 5] = [b""; 5];
    let mut count = 0;
    for word in text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    Some((words, count))
}

fn name(word: &[u8]) -> Result<Tree, &'static str> {
    match std::str::from_utf8(word) {
        Ok(text) if !text.bytes().any(|byte| byte.is_ascii_control()) => Ok(text.to_owned().into()),
        _ => Err("a name is not text"),
    }
}

/// Sizes are 31 bits at most in the server.
fn number(word: &[u8]) -> Result<u64, &'static str> {
    const WRONG: &str = "a number is none";
    if word.is_empty() || word.len() > 10 || !word.iter().all(u8::is_ascii_digit) {
        return Err(WRONG);
    }
    let number = word.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    if number <= 0x7fff_ffff { Ok(number) } else { Err(WRONG) }
}

fn message(verb: &'static str, rest: &[u8], mut fields: Fields) -> Result<Line, &'static str> {
    const WRONG: &str = "a message has another number of arguments";
    let (words, count) = words(rest).ok_or(WRONG)?;
    let (names, sizes) = words[..count]
        .split_at_checked(count.wrapping_sub(1 + usize::from(verb.starts_with('H'))))
        .ok_or(WRONG)?;
    let delivered = verb.ends_with("MSG");
    let (subject, sid, reply) = match (delivered, names) {
        (false, [subject]) => (subject, None, None),
        (false, [subject, reply]) => (subject, None, Some(reply)),
        (true, [subject, sid]) => (subject, Some(sid), None),
        (true, [subject, sid, reply]) => (subject, Some(sid), Some(reply)),
        _ => return Err(WRONG),
    };
    fields.push("subject", name(subject)?);
    if let Some(sid) = sid {
        fields.push("sid", name(sid)?);
    }
    if let Some(reply) = reply {
        fields.push("replyTo", name(reply)?);
    }
    let (headers, size) = match sizes {
        [headers, size] => (Some(number(headers)?), number(size)?),
        [size] => (None, number(size)?),
        _ => return Err(WRONG),
    };
    if headers.is_some_and(|headers| headers > size) {
        return Err("headers are larger than their message");
    }
    Ok(Line { fields, meaning: Meaning::Payload { headers, size } })
}

fn subscription(verb: &str, rest: &[u8], mut fields: Fields) -> Result<Line, &'static str> {
    const WRONG: &str = "a subscription has another number of arguments";
    let (words, count) = words(rest).ok_or(WRONG)?;
    match (verb, &words[..count]) {
        ("SUB", [subject, sid]) => {
            fields.push("subject", name(subject)?);
            fields.push("sid", name(sid)?);
        }
        ("SUB", [subject, queue, sid]) => {
            fields.push("subject", name(subject)?);
            fields.push("queueGroup", name(queue)?);
            fields.push("sid", name(sid)?);
        }
        ("UNSUB", [sid]) => fields.push("sid", name(sid)?),
        ("UNSUB", [sid, most]) => {
            fields.push("sid", name(sid)?);
            fields.push("maxMessages", number(most)?);
        }
        _ => return Err(WRONG),
    }
    Ok(Line { fields, meaning: Meaning::Plain })
}

fn object(verb: &str, rest: &[u8], fields: Fields, limits: &Limits) -> Result<Line, &'static str> {
    let object = options::object(rest, limits).ok_or("not a JSON object")?;
    let is_set = |name: &str| object.field(name) == Some(&Tree::Bool(true));
    if verb == "INFO" {
        let tls = is_set("tls_required") || is_set("tls_available");
        return Ok(Line { fields: fields.with("info", object), meaning: Meaning::Info { tls } });
    }
    // The server takes a client that does not say for a verbose one.
    let verbose = object.field("verbose") != Some(&Tree::Bool(false));
    Ok(Line { fields: fields.with("options", object), meaning: Meaning::Connect { verbose } })
}
