//! Messages that came whole and are what they seem, as most do: kept as bytes, and decoded when somebody looks.
//!
//! [`command`] and [`reply`] go through the bytes at hand once. What they take the [`Parser`] takes too, and no cap
//! shortens it; they leave to it what is unfinished, wrong, long, or has to be understood when it comes.

use std::ops::Range;
use std::sync::OnceLock;

use remora_packet::Timestamp;

use super::message::{Command, Reply, type_name};
use super::resp::{Parsed, Parser, Step, integer};
use super::scan::{NOTHING, Scan};
use super::{commands, recognise};
use crate::few::FewBytes;
use crate::item::Message;
use crate::value::{Object, Value};
use crate::{Limits, Tree};

/// A command that has no meaning for the connection, and no secret in it.
#[derive(Debug)]
pub(super) struct WholeCommand {
    name: &'static str,
    key: Range<usize>,
    bytes: FewBytes,
    decoded: OnceLock<Box<Command>>,
}

/// A reply that is no message to a subscriber.
#[derive(Debug)]
pub(super) enum WholeReply {
    Short(Reply),
    Kept { marker: u8, bytes: FewBytes, decoded: OnceLock<Box<Reply>> },
}

/// The command at the front, and how many bytes it takes.
pub(super) fn command(bytes: &[u8], limits: &Limits) -> Option<(WholeCommand, usize)> {
    let mut scan = Scan { bytes, at: 0, held: 0 };
    if scan.byte()? != b'*' || limits.nesting == 0 {
        return None;
    }
    let count = scan.length().filter(|count| *count > 0)?;
    let name = scan.string()?;
    let name = recognise::known(&bytes[name]).filter(|_| count <= limits.list_entries)?;
    if !commands::is_plain(name) {
        return None;
    }
    let key = if count > 1 { scan.string()? } else { 0..0 };
    for _ in 2..count {
        scan.string()?;
    }
    scan.held += count * size_of::<Tree>();
    let used = scan.fitting(limits)?;
    Some((WholeCommand { name, key, bytes: bytes[..used].into(), decoded: OnceLock::new() }, used))
}

/// The reply at the front, and how many bytes it takes.
pub(super) fn reply(bytes: &[u8], limits: &Limits) -> Option<(WholeReply, usize)> {
    let mut scan = Scan { bytes, at: 0, held: 0 };
    let marker = *bytes.first()?;
    let tree = match marker {
        b'+' => {
            let text = scan.value(0, limits)?;
            commands::status(&bytes[text]).map(Tree::from)
        }
        b':' => {
            let digits = scan.value(0, limits)?;
            Some(Tree::Int(integer(&bytes[digits])?))
        }
        b'-' => {
            scan.at = 1;
            scan.line()?;
            None
        }
        b'$' if bytes.starts_with(NOTHING) => {
            scan.at = NOTHING.len();
            Some(Tree::Null)
        }
        b'$' | b'%' | b'~' => {
            scan.value(0, limits)?;
            None
        }
        b'*' => {
            let first = scan.value(0, limits)?;
            if commands::is_of_publication(&bytes[first]) {
                return None;
            }
            None
        }
        _ => return None,
    };
    let used = scan.fitting(limits)?;
    let reply = match tree {
        Some(tree) => WholeReply::Short(Reply::of(marker, tree)),
        None => WholeReply::Kept { marker, bytes: bytes[..used].into(), decoded: OnceLock::new() },
    };
    Some((reply, used))
}

/// What the parser makes of bytes that were gone through.
fn parse(bytes: &[u8], is_command: bool) -> Option<Parsed> {
    // No cap touches them.
    let most = usize::MAX / 2;
    let limits = Limits {
        value_bytes: most,
        message_bytes: most,
        list_entries: most,
        nesting: most,
        ..Limits::default()
    };
    match Parser::default().feed(bytes, is_command, Timestamp::default(), &limits) {
        Step::Value(parsed, _) => Some(parsed),
        _ => None,
    }
}

impl WholeCommand {
    fn decoded(&self) -> &Command {
        self.decoded
            .get_or_init(|| Box::new(parse(&self.bytes, true).and_then(Command::new).unwrap_or_default()))
    }
}

impl Object for WholeCommand {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.decoded().each(visit);
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.decoded().names(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "command" => Some(Value::str(self.name)),
            "key" => Some(Value::Str(crate::text::lossy(&self.bytes[self.key.clone()]))),
            "type" => Some(Value::str(type_name(b'*'))),
            name => self.decoded().get(name),
        }
    }
}

impl Message for WholeCommand {
    fn memory(&self) -> usize {
        let decoded = self.decoded.get().map_or(0, |decoded| decoded.memory());
        size_of::<Self>() + self.bytes.heap() + decoded
    }
}

impl WholeReply {
    fn reply(&self) -> &Reply {
        match self {
            Self::Short(reply) => reply,
            Self::Kept { marker, bytes, decoded } => decoded.get_or_init(|| {
                let reply = parse(bytes, false).map(Reply::new);
                Box::new(reply.unwrap_or_else(|| Reply::of(*marker, Tree::Null)))
            }),
        }
    }
}

impl Object for WholeReply {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        self.reply().each(visit);
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.reply().names(visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match (self, name) {
            (Self::Short(_), "error") => None,
            (Self::Kept { marker, .. }, "error") if *marker != b'-' => None,
            (Self::Kept { marker, .. }, "type") => Some(Value::str(type_name(*marker))),
            (_, name) => self.reply().get(name),
        }
    }
}

impl Message for WholeReply {
    fn memory(&self) -> usize {
        match self {
            Self::Short(reply) => reply.memory(),
            Self::Kept { bytes, decoded, .. } => {
                size_of::<Self>() + bytes.heap() + decoded.get().map_or(0, |decoded| decoded.memory())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(object: &dyn Object) -> String {
        let mut out = Vec::new();
        crate::json::write_object(object, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_kept_reads_as_what_is_parsed() {
        let limits = Limits::default();
        for bytes in [
            &b"*1\r\n$4\r\nping\r\n"[..],
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n",
            b"*3\r\n$3\r\nset\r\n$2\r\n\xff\xfe\r\n$0\r\n\r\n",
        ] {
            let followed = [bytes, b"*1\r\n"].concat();
            let (kept, used) = command(&followed, &limits).unwrap();
            assert_eq!(used, bytes.len());
            let parsed = Command::new(parse(bytes, true).unwrap()).unwrap();
            let known = ["command", "key", "type"].map(|name| kept.get(name).map(|value| json(&value)));
            assert_eq!(
                known,
                ["command", "key", "type"].map(|name| parsed.get(name).map(|value| json(&value)))
            );
            assert_eq!(text(&kept), text(&parsed));
        }
        for bytes in [
            &b"+OK\r\n"[..],
            b"+hash\r\n",
            b":-12\r\n",
            b"$-1\r\n",
            b"$5\r\nhello\r\n",
            b"-MOVED 3999 127.0.0.1:6381\r\n",
            b"*0\r\n",
            b"*3\r\n$1\r\na\r\n$-1\r\n*2\r\n:1\r\n+x\r\n",
            b"%2\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n",
            b"~1\r\n$1\r\n\xff\r\n",
        ] {
            let followed = [bytes, b"+OK\r\n"].concat();
            let (kept, used) = reply(&followed, &limits).unwrap();
            assert_eq!(used, bytes.len());
            let parsed = Reply::new(parse(bytes, false).unwrap());
            let known = ["error", "type"].map(|name| kept.get(name).map(|value| json(&value)));
            assert_eq!(known, ["error", "type"].map(|name| parsed.get(name).map(|value| json(&value))));
            assert_eq!(text(&kept), text(&parsed));
        }
    }

    fn json(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        crate::json::write_value(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_has_to_be_understood_at_once_is_left() {
        let limits = Limits { value_bytes: 60, list_entries: 3, ..Limits::default() };
        let long = [&b"*2\r\n$3\r\nGET\r\n$60\r\n"[..], &[b'k'; 60], b"\r\n"].concat();
        for bytes in [
            &b"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n"[..],
            b"*2\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n",
            b"*1\r\n$5\r\nOTHER\r\n",
            b"*0\r\n",
            b"*0\r\n$3\r\nGET\r\n$1\r\nk\r\n",
            b"*2\r\n$3\r\nGET\r\n$1\r\nk",
            b"*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n",
            b"*2\r\n$3\r\nGET\r\n:1\r\n",
            b"*4\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
            b"*99999999\r\n$3\r\nDEL\r\n",
            &long,
        ] {
            assert!(command(bytes, &limits).is_none(), "{}", bytes.escape_ascii());
        }
        for bytes in [
            &b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"[..],
            b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
            b"*3\r\n+SUBSCRIBE\r\n$1\r\na\r\n:1\r\n",
            b"*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
            b"%2\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
            b":x\r\n",
            b":000000000000000000001\r\n",
            b"+OK\n",
            b"-ERR",
            b"$5\r\nhello",
            b"|1\r\n+a\r\n+b\r\n+OK\r\n",
            b"\r\n+OK\r\n",
        ] {
            assert!(reply(bytes, &limits).is_none(), "{}", bytes.escape_ascii());
        }
    }
}
