//! Cassandra's CQL native protocol, versions 3, 4 and 5 (`native_protocol_v3.spec`, `native_protocol_v4.spec` and
//! `native_protocol_v5.spec` of Apache Cassandra).
//!
//! Responses name the stream of their request. A statement's text and the types of its variables and columns come with
//! its preparation, and are remembered for its executions.

mod compression;
mod connection;
mod framing;
mod kept;
mod message;
mod names;
mod request;
mod response;
mod scan;
mod statements;
mod types;
mod wire;

use std::any::Any;
use std::borrow::Cow;

use crate::item::{Filter, Message, Summary};
use crate::on_demand::OnDemand;
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration, Value};
use framing::{HEADER, Header, Outer};
use names::opcode;

pub static PROTOCOL: Protocol = Protocol {
    name: "cassandra",
    version: "5",
    abbr: "CQL",
    long_name: "Cassandra CQL Native Protocol",
    macro_name: "cassandra",
    background_color: "#1287b1",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://cassandra.apache.org/doc/latest/cassandra/reference/native-protocol.html",
    ports: &["9042"],
    layer4: "tcp",
    priority: 9,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::new()) },
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

/// The server's port, and the one that is used for TLS beside it.
const PORTS: [u16; 2] = [9042, 9142];

/// A connection begins with `OPTIONS` or `STARTUP`; one joined later is looked at on the server's port only.
fn probe(_: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let on_port = PORTS.contains(&server_port);
    if on_port && Outer::parse(bytes).is_some() {
        return Probe::Likely;
    }
    let Some(header) = Header::parse(bytes) else {
        let may_be = bytes.first().is_none_or(|first| (3..=5).contains(&(first & 0x7f)))
            && bytes.get(1).is_none_or(|flags| *flags < 0x20);
        return if bytes.len() < HEADER && (may_be || on_port) { Probe::Unsure } else { Probe::No };
    };
    match header.code {
        opcode::STARTUP => {
            let body = &bytes[HEADER..];
            if memchr::memmem::find(body, b"CQL_VERSION").is_some() {
                Probe::Certain
            } else if header.fits(bytes) && body.len() < (header.length as usize).min(1024) {
                Probe::Unsure
            } else {
                Probe::No
            }
        }
        opcode::OPTIONS if on_port => Probe::Certain,
        opcode::OPTIONS if bytes.len() == HEADER => Probe::Likely,
        _ if on_port && header.fits(bytes) => Probe::Likely,
        _ => Probe::No,
    }
}

/// The opcode, the statement (or else what it is about), and the code of an error.
fn summarize(item: &Item) -> Summary<'_> {
    let (request, response) = (item.draft.request.as_ref(), item.draft.response.as_ref());
    let text = |name| match request.and_then(|request| request.get(name)) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    };
    let mut summary = Summary::default();
    if let Some(name) = text("opcode") {
        summary.method = name;
        summary.method_filter = Filter::Field("request.opcode");
    } else if let Some(Value::Str(name)) = response.and_then(|response| response.get("opcode")) {
        summary.method = name;
        summary.method_filter = Filter::Field("response.opcode");
    }
    if let Some((text, field)) = ["query", "id", "eventType", "batchType"]
        .into_iter()
        .zip(["request.query", "request.id", "request.eventType", "request.batchType"])
        .find_map(|(name, field)| text(name).map(|text| (text, field)))
    {
        summary.summary = text;
        summary.summary_filter = Filter::Field(field);
    }
    let code = response.and_then(|response| error_code(&**response));
    summary.status = code.unwrap_or(0);
    summary.status_filter = match code {
        Some(_) => Filter::Field("response.error.code"),
        None if response.is_some() => Filter::Query(Cow::Borrowed("response.opcode != \"ERROR\"")),
        None => Filter::None,
    };
    summary
}

fn error_code(response: &dyn Message) -> Option<i64> {
    let any: &dyn Any = response;
    if let Some(kept) = any.downcast_ref::<OnDemand<kept::Response>>() {
        return kept.kept().error_code().map(i64::from);
    }
    match response.get("error")? {
        Value::Object(error) => match error.get("code")? {
            Value::Int(code) => Some(code),
            _ => None,
        },
        _ => None,
    }
}
