//! memcached: the text protocol with its meta commands, and the binary protocol
//! (`doc/protocol.txt` and `doc/protocol-binary.txt` of memcached), over TCP.

mod binary;
mod connection;
mod request;
mod server;
mod text;
mod told;
mod value;

use crate::item::{Filter, Summary};
use crate::value::Value;
use crate::{Direction, Item, Kind, Over, Probe, Protocol, Registration};

const PORT: u16 = 11211;

pub static TEXT: Protocol = Protocol {
    name: "memcached",
    version: "text",
    abbr: "MEMCACHED",
    long_name: "memcached text protocol",
    macro_name: "memcached",
    background_color: "#1f7a6c",
    foreground_color: "#ffffff",
    font_size: 10,
    reference_link: "https://docs.memcached.org/protocols/basic/",
    ports: &["11211"],
    layer4: "tcp",
    priority: 12,
};

pub static BINARY: Protocol = Protocol {
    version: "binary",
    long_name: "memcached binary protocol",
    reference_link: "https://docs.memcached.org/protocols/binary/",
    ..TEXT
};

pub const REGISTRATION: Registration = Registration {
    protocol: &TEXT,
    over: Over::Stream { probe, create: |_| Box::new(connection::Connection::default()) },
};

fn kind(binary: bool) -> Kind {
    Kind { protocol: if binary { &BINARY } else { &TEXT }, summarize }
}

fn probe(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe {
    let expected = server_port == PORT;
    if let Some(0x80 | 0x81) = bytes.first() {
        return binary::probe(direction, expected, bytes);
    }
    match direction {
        Direction::ToServer => text::probe_request(expected, bytes),
        Direction::ToClient if expected => text::probe_response(bytes),
        Direction::ToClient => Probe::No,
    }
}

fn summarize(item: &Item) -> Summary<'_> {
    let mut summary = Summary::default();
    if let Some(request) = &item.draft.request {
        if let Some(Value::Str(command)) = request.get("command") {
            summary.method = command;
            summary.method_filter = Filter::Field("request.command");
        }
        if let Some(Value::Str(key)) = request.get("key") {
            summary.summary = key;
            summary.summary_filter = Filter::Field("request.key");
        }
    }
    if let Some(response) = &item.draft.response
        && let Some(Value::Object(error)) = response.get("error")
    {
        match error.get("code") {
            Some(Value::Int(code)) => {
                summary.status = code;
                summary.status_filter = Filter::Query(format!("response.error.code == {code}").into());
            }
            Some(Value::Str(code)) => {
                summary.status = 1;
                summary.status_filter = Filter::Query(format!("response.error.code == \"{code}\"").into());
            }
            _ => {}
        }
    }
    summary
}
