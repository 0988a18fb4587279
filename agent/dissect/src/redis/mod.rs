//! Redis: RESP2 and RESP3 (<https://redis.io/docs/latest/develop/reference/protocol-spec/>), inline commands, and what
//! the server sends unasked: messages to subscribers, what a monitor is shown, a replication.
//!
//! Bytes are consumed as they come, so that a value of half a gigabyte costs no more than its beginning.

mod commands;
mod connection;
mod message;
mod recognise;
mod resp;
mod scan;
mod whole;

use crate::item::{Filter, Summary};
use crate::value::Value;
use crate::{Item, Kind, Over, Protocol, Registration};

pub static PROTOCOL: Protocol = Protocol {
    name: "redis",
    version: "3.x",
    abbr: "REDIS",
    long_name: "Redis Serialization Protocol",
    macro_name: "redis",
    background_color: "#a41e11",
    foreground_color: "#ffffff",
    font_size: 11,
    reference_link: "https://redis.io/docs/latest/develop/reference/protocol-spec/",
    ports: &["6379"],
    layer4: "tcp",
    priority: 3,
};

pub const REGISTRATION: Registration = Registration {
    protocol: &PROTOCOL,
    over: Over::Stream { probe: recognise::probe, create: |_| Box::new(connection::Connection::default()) },
};

const KIND: Kind = Kind { protocol: &PROTOCOL, summarize };

fn summarize(item: &Item) -> Summary<'_> {
    let mut summary = Summary::default();
    if let Some(request) = &item.draft.request {
        if let Some(Value::Str(command)) = request.get("command") {
            summary.method = command;
            summary.method_filter = Filter::Field("request.command");
        }
        if let Some(Value::Str(key)) = request.get("key")
            && !key.is_empty()
        {
            summary.summary = key;
            summary.summary_filter = Filter::Field("request.key");
        }
    }
    if let Some(response) = &item.draft.response
        && let Some(Value::Str(kind)) = response.get("type")
        && message::ERRORS.contains(&&*kind)
    {
        summary.status = 1;
        summary.status_filter = Filter::Query(format!("response.type == \"{kind}\"").into());
    }
    summary
}
