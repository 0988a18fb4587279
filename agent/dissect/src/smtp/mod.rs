//! SMTP: Simple Mail Transfer Protocol (RFC 5321), with pipelining (RFC 2920), chunking (RFC 3030), authentication
//! (RFC 4954), enhanced status codes (RFC 2034) and STARTTLS (RFC 3207), after which the stream is handed on.
//!
//! An item is a command with its reply; the commands of a mail transaction, the message and the replies to all of them are
//! one item. The greeting is an item of the server alone.

mod connection;
mod exchanges;
mod line;
mod mail;
mod reply;

use crate::item::{Filter, Summary};
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};

pub static SMTP: Protocol = Protocol {
    name: "smtp",
    version: "1",
    abbr: "SMTP",
    long_name: "Simple Mail Transfer Protocol",
    macro_name: "smtp",
    background_color: "#9a3412",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc5321",
    ports: &["25", "587"],
    layer4: "tcp",
    priority: 4,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &SMTP,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &SMTP, summarize };

/// Longest line that is waited for.
const PROBED_LINE: usize = 512;

/// Certain of a greeting that names the protocol, and of commands that no other has. Other greetings are likely: FTP begins
/// the same, and what the client says next tells. The rest counts on the usual ports only.
fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let is_port = matches!(server_port, 25 | 587 | 2525);
    let looks_right = match direction {
        Direction::ToServer => bytes.first().is_some_and(u8::is_ascii_alphabetic),
        Direction::ToClient => {
            bytes.iter().take(3).all(u8::is_ascii_digit)
                && bytes.first().is_none_or(|digit| (b'2'..=b'5').contains(digit))
        }
    };
    if !looks_right {
        return Probe::No;
    }
    let Some((end, _)) = line::line_end(bytes) else {
        let is_text = bytes.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\r');
        return if is_text && bytes.len() < PROBED_LINE { Probe::Unsure } else { Probe::No };
    };
    let line = &bytes[..end];
    if direction == Direction::ToServer {
        let command = line::command(line);
        return if command.is_telling() {
            Probe::Certain
        } else if is_port && command.is_well_formed() {
            Probe::Likely
        } else {
            Probe::No
        };
    }
    match line::reply_line(line) {
        Some((220, _, text)) => {
            let text = text.to_ascii_uppercase();
            let names = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
            if names(b"SMTP") {
                Probe::Certain
            } else if names(b"FTP") {
                Probe::No
            } else {
                Probe::Likely
            }
        }
        Some(_) if is_port => Probe::Likely,
        _ => Probe::No,
    }
}

/// The row of a command, or of a mail transaction by its sender.
pub(crate) fn summarize(item: &Item) -> Summary<'_> {
    let draft = &item.draft;
    let of_request = |name| draft.request.as_ref().and_then(|side| side.get(name));
    let of_response = |name| draft.response.as_ref().and_then(|side| side.get(name));
    let text = |value| if let Some(Value::Str(text)) = value { Some(text) } else { None };
    let mut summary = Summary::default();
    if let Some(command) = text(of_request("command")) {
        (summary.method, summary.method_filter) = (command, Filter::Field("request.command"));
    }
    for (name, filter) in [
        ("from", "request.from"),
        ("argument", "request.argument"),
        ("mechanism", "request.mechanism"),
        ("text", "request.text"),
    ] {
        if let Some(found) = text(of_request(name)) {
            (summary.summary, summary.summary_filter) = (found, Filter::Field(filter));
            break;
        }
    }
    if let Some(Value::Int(code)) = of_response("code") {
        (summary.status, summary.status_filter) = (code, Filter::Field("response.code"));
    } else if let Some(Value::Int(code)) = of_request("code") {
        (summary.status, summary.status_filter) = (code, Filter::Field("request.code"));
    }
    summary
}
