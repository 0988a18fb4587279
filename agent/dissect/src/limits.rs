//! Every cap of the dissection stage, with its default and what happens when it bites.

use std::sync::Arc;

use crate::protobuf::Schema;
use crate::tls::Secrets;

/// Config keys are `dissect.<name in camelCase>`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of heap all streams together may hold (reassembly, unfinished messages). Above it the streams idle for
    /// longest are let go; their unfinished items come out marked.
    pub total_bytes: usize,
    /// Streams (TCP and UDP conversations) tracked at once. Above it the one idle for longest is let go.
    pub streams: usize,
    /// Seconds of packet time without a packet after which a stream is let go.
    pub stream_idle_seconds: u32,
    /// Seconds of packet time without a packet after which a UDP conversation is let go.
    pub datagram_idle_seconds: u32,
    /// Bytes that arrived out of order and wait for a hole to fill, per direction. Above it the hole is skipped.
    pub reorder_bytes: usize,
    /// Segments that wait for a hole to fill, per direction. Above it the hole is skipped.
    pub reorder_segments: usize,
    /// Milliseconds of packet time a hole may stay open. After it the hole is skipped.
    pub hole_wait_millis: u32,
    /// Bytes a dissector may leave unconsumed (an unfinished message head), per direction.
    pub pending_bytes: usize,
    /// IP fragments kept for reassembly, in bytes, all datagrams together. Above it the oldest datagram is dropped.
    pub fragment_bytes: usize,
    /// Seconds of packet time a datagram may stay incomplete. After it its fragments are dropped.
    pub fragment_seconds: u32,
    /// Headers peeled off one packet (VLAN tags, tunnels, extension headers). Above it the packet is not followed.
    pub decode_depth: u8,
    /// Body bytes kept per HTTP message, as transferred. Above it the rest is counted in the size but not kept.
    pub http_body_bytes: usize,
    /// Bytes kept of one message whose protocol tells its length beforehand. Above it the rest is counted, not kept, and
    /// the item says so.
    pub message_bytes: usize,
    /// Bytes kept of one value inside a message: a key, a text, a record. Above it the value is cut and says so.
    pub value_bytes: usize,
    /// Entries kept of one list inside a message: records, rows, answers. Above it the rest is counted.
    pub list_entries: usize,
    /// How deep values may nest. Above it they are shown as bytes.
    pub nesting: usize,
    /// Requests of one conversation that wait for their response. Above it the oldest comes out without one.
    pub waiting_requests: usize,
    /// Seconds of packet time a request in a datagram waits for its answer. After it, it comes out without one.
    pub answer_seconds: u32,
    /// Bytes a compressed body may decode to. Above it decoding stops and the content is what was decoded so far.
    pub decoded_bytes: usize,
    /// How many times larger than its compressed form a body may decode to, once past 64 KiB. Above it decoding stops.
    pub decode_ratio: usize,
    /// Requests of one connection that wait for their response. Above it the oldest comes out without one.
    pub http_pipelined: usize,
    /// Header fields per HTTP message. Above it the message is not HTTP.
    pub http_headers: usize,
    /// TLS sessions whose secrets are kept. Above it those of more are not.
    pub tls_sessions: usize,
    /// Secrets of TLS sessions, by which what they carry is read. Not a cap; the config key is `dissect.tlsKeyLogs`.
    pub tls_secrets: Option<Arc<Secrets>>,
    /// Names for the fields of protobuf messages. Not a cap; the config key is `dissect.protobufDescriptors`.
    pub protobuf_schema: Option<Arc<Schema>>,
}

/// Of the limits, those of the values inside a message: what is decoded later has them with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueLimits {
    pub(crate) value_bytes: usize,
    pub(crate) list_entries: usize,
    pub(crate) nesting: usize,
    pub(crate) message_bytes: usize,
}

impl Limits {
    pub(crate) const fn of_values(&self) -> ValueLimits {
        ValueLimits {
            value_bytes: self.value_bytes,
            list_entries: self.list_entries,
            nesting: self.nesting,
            message_bytes: self.message_bytes,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_bytes: 256 << 20,
            streams: 200_000,
            stream_idle_seconds: 1_200,
            datagram_idle_seconds: 60,
            reorder_bytes: 1 << 20,
            reorder_segments: 1_024,
            hole_wait_millis: 3_000,
            pending_bytes: 256 << 10,
            fragment_bytes: 16 << 20,
            fragment_seconds: 30,
            decode_depth: 16,
            http_body_bytes: 4 << 20,
            message_bytes: 1 << 20,
            value_bytes: 64 << 10,
            list_entries: 1_000,
            nesting: 32,
            waiting_requests: 1_024,
            answer_seconds: 10,
            decoded_bytes: 8 << 20,
            decode_ratio: 200,
            http_pipelined: 1_024,
            http_headers: 256,
            tls_sessions: 100_000,
            tls_secrets: None,
            protobuf_schema: None,
        }
    }
}
