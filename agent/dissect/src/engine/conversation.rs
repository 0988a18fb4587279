//! Conversations as items: how a TCP connection or an exchange of UDP datagrams went, and what became of connections that
//! failed.

use remora_packet::Timestamp;

use super::Options;
use crate::decode::Segment;
use crate::exchange::{Half, Kind};
use crate::item::{ErrorKind, Filter, Summary, Transport};
use crate::tcp::Connection;
use crate::tree::{Fields, Tree};
use crate::value::Value;
use crate::{Direction, Draft, Item, Protocol};

/// A SYN without an answer for so long has failed, though no packet says so: the first retransmission is due after it
/// (RFC 6298, section 2).
const ANSWER_NANOS: u64 = 1_000_000_000;

/// Application protocols named of one conversation; more are seen after `Upgrade` or STARTTLS only.
const NAMED_PROTOCOLS: usize = 4;

pub(crate) static TCP: Protocol = Protocol {
    name: "tcp",
    version: "",
    abbr: "TCP",
    long_name: "Transmission Control Protocol",
    macro_name: "tcp",
    background_color: "#37474f",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc9293",
    ports: &[],
    layer4: "tcp",
    priority: 250,
};

pub(crate) static UDP: Protocol = Protocol {
    name: "udp",
    abbr: "UDP",
    long_name: "User Datagram Protocol",
    macro_name: "udp",
    background_color: "#455a64",
    reference_link: "https://datatracker.ietf.org/doc/html/rfc768",
    layer4: "udp",
    ..TCP
};

/// What is counted of a conversation, each direction on its own.
#[derive(Default)]
pub(crate) struct Tally {
    packets: [u64; 2],
    /// Of payload, on the wire.
    bytes: [u64; 2],
    retransmissions: [u64; 2],
    syn: Option<Timestamp>,
    /// When the opener acknowledged the answer to its SYN.
    established: Option<Timestamp>,
    last: Timestamp,
    protocols: [Option<&'static str>; NAMED_PROTOCOLS],
}

impl Tally {
    pub(super) fn datagram(&mut self, direction: Direction, bytes: u64, now: Timestamp) {
        self.packets[direction.index()] += 1;
        self.bytes[direction.index()] += bytes;
        self.last = self.last.max(now);
    }

    /// To be called before the connection takes the segment.
    pub(super) fn segment(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        connection: &Connection,
        now: Timestamp,
    ) {
        let length = segment.payload.len() as u64 + u64::from(segment.missing);
        self.datagram(direction, length, now);
        let again = connection.has_seen(direction, segment);
        self.retransmissions[direction.index()] += u64::from(again);
        let flags = segment.flags;
        if direction == Direction::ToServer {
            if flags.syn() {
                self.syn.get_or_insert(now);
            } else if flags.ack() && self.syn.is_some() && connection.begun(Direction::ToClient) {
                self.established.get_or_insert(now);
            }
        }
    }

    /// A protocol was recognised in it.
    pub(super) fn carries(&mut self, protocol: &'static Protocol) {
        for place in &mut self.protocols {
            match place {
                Some(name) if *name == protocol.name => return,
                Some(_) => {}
                None => {
                    *place = Some(protocol.name);
                    return;
                }
            }
        }
    }
}

/// How a conversation is over.
#[derive(Clone, Copy)]
pub(super) enum Conclusion {
    /// By FIN from both sides.
    Closed,
    /// By a RST in this direction.
    Reset(Direction),
    /// Without a word of its own.
    Left,
}

/// What is known of a conversation when it is over.
pub(super) struct Facts<'a> {
    pub(super) transport: Transport,
    pub(super) opened: Timestamp,
    /// Since it was opened, on the engine's clock.
    pub(super) age: u64,
    pub(super) connection: &'a Connection,
    pub(super) tally: Option<&'a Tally>,
}

impl Facts<'_> {
    /// The item, where one is wanted.
    pub(super) fn item(&self, conclusion: Conclusion, options: Options) -> Option<Draft> {
        let protocol = match self.transport {
            Transport::Tcp => &TCP,
            Transport::Udp => &UDP,
            Transport::Icmp | Transport::Sctp => return None,
        };
        let (state, error) = self.state(conclusion);
        let wanted = self.tally.is_some() || options.connection_errors && error.is_some();
        if !wanted {
            return None;
        }
        let bytes = self.tally.map_or(0, |tally| tally.bytes.iter().sum());
        let mut half = Half::new(self.opened, bytes, self.fields(state, conclusion));
        if let Some((kind, message)) = error {
            half = half.error(kind, message);
        }
        let mut draft = Kind { protocol, summarize }.message(Direction::ToServer, half);
        draft.elapsed = self.tally.map(|tally| tally.last.since(self.opened));
        Some(draft)
    }

    fn state(&self, conclusion: Conclusion) -> (&'static str, Option<(ErrorKind, &'static str)>) {
        if self.transport != Transport::Tcp {
            return ("closed", None);
        }
        let [asked, answered] = Direction::BOTH.map(|direction| self.connection.begun(direction));
        match conclusion {
            Conclusion::Closed => ("closed", None),
            Conclusion::Reset(Direction::ToClient) if asked && !answered => {
                ("refused", Some((ErrorKind::Connection, "the connection was refused")))
            }
            Conclusion::Reset(_) if self.connection.closing() => ("closed", None),
            Conclusion::Reset(Direction::ToClient) => {
                ("reset", Some((ErrorKind::Connection, "the server reset the connection")))
            }
            Conclusion::Reset(Direction::ToServer) => {
                ("reset", Some((ErrorKind::Connection, "the client reset the connection")))
            }
            Conclusion::Left if asked && !answered && !self.connection.carries_answer() => {
                if self.age >= ANSWER_NANOS {
                    (
                        "timeout",
                        Some((ErrorKind::Timeout, "the server did not answer the attempt to connect")),
                    )
                } else {
                    ("opening", None)
                }
            }
            Conclusion::Left if self.connection.closing() => ("closing", None),
            Conclusion::Left => ("open", None),
        }
    }

    fn fields(&self, state: &'static str, conclusion: Conclusion) -> Fields {
        let mut fields = Fields::new().with("state", state);
        if let Conclusion::Reset(by) = conclusion {
            let by = if by == Direction::ToServer { "client" } else { "server" };
            fields.push("resetBy", by);
        }
        let Some(tally) = self.tally else { return fields };
        fields.push("timeBegin", self.opened.millis());
        fields.push("timeEnd", tally.last.millis());
        fields.push("packetsSent", tally.packets[0]);
        fields.push("packetsReceived", tally.packets[1]);
        fields.push("bytesSent", tally.bytes[0]);
        fields.push("bytesReceived", tally.bytes[1]);
        if self.transport == Transport::Tcp {
            fields.push("retransmissionsSent", tally.retransmissions[0]);
            fields.push("retransmissionsReceived", tally.retransmissions[1]);
            if let (Some(syn), Some(established)) = (tally.syn, tally.established) {
                fields.push("handshakeTime", established.since(syn) as f64 / 1e6);
            }
        }
        fields.push("protocols", tally.protocols.iter().flatten().copied().collect::<Tree>());
        fields
    }
}

fn summarize(item: &Item) -> Summary<'_> {
    let state = match item.draft.request.as_deref().and_then(|request| request.get("state")) {
        Some(Value::Str(state)) => state,
        _ => "".into(),
    };
    let summary = match &item.draft.error {
        Some(error) => error.message.as_str().into(),
        None => format!("{} bytes", item.draft.request_size).into(),
    };
    Summary {
        method: state,
        method_filter: Filter::Field("request.state"),
        summary,
        summary_filter: if item.draft.error.is_some() { Filter::Field("error.msg") } else { Filter::None },
        ..Summary::default()
    }
}
