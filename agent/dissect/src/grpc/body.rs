//! The messages in a body: each with a flag and its length before it.

use base64::Engine as _;

use super::{content_type, subtype};
use crate::http::stored::Stored;
use crate::protobuf::{self, Typed};
use crate::tree::{Fields, Tree};
use crate::unpack::{Coding, unpack};

/// Flag byte and length.
const PREFIX_BYTES: usize = 5;

#[derive(Default)]
pub(super) struct Body {
    /// The messages up to the cap of lists.
    pub(super) messages: Vec<Tree>,
    /// Messages that are whole.
    pub(super) count: u64,
    /// More messages, or the rest of the last one, are missing or beyond a cap.
    pub(super) truncated: bool,
    /// The header lines that gRPC-Web sends as a last message.
    pub(super) web_trailers: Option<Box<[u8]>>,
}

/// What a message holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Protobuf,
    Other,
}

pub(super) fn caps(stored: &Stored) -> protobuf::Caps {
    let caps = stored.caps();
    protobuf::Caps { value_bytes: caps.value_bytes, list_entries: caps.list_entries, nesting: caps.nesting }
}

impl Body {
    pub(super) fn read(stored: &Stored, typed: Option<&Typed>) -> Self {
        let subtype = content_type(stored).and_then(subtype).unwrap_or_default().to_ascii_lowercase();
        let (content, whole) = stored.unbroken_content();
        let is_text = subtype.starts_with(b"-web-text");
        let decoded = is_text.then(|| from_base64(content));
        let format = match subtype.iter().position(|&byte| byte == b'+') {
            Some(plus) if !subtype[plus..].trim_ascii_end().eq(b"+proto") => Content::Other,
            _ => Content::Protobuf,
        };
        let coding = match stored.fields().all(b"grpc-encoding").next() {
            Some(b"gzip") => Some(Coding::Gzip),
            Some(b"deflate") => Some(Coding::Deflate),
            Some(b"zstd") => Some(Coding::Zstd),
            _ => None,
        };
        let mut body = Self { truncated: !whole, ..Self::default() };
        let mut rest = decoded.as_deref().unwrap_or(content);
        // What all messages together may decode to.
        let mut allowed = stored.caps().decode.allow(rest.len());
        while let Some((&[flag, a, b, c, d], after)) = rest.split_first_chunk::<PREFIX_BYTES>() {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let Some((message, after)) = after.split_at_checked(length) else { break };
            rest = after;
            if flag & 0x80 != 0 {
                body.web_trailers = Some(message.into());
                continue;
            }
            body.count += 1;
            if body.messages.len() >= stored.caps().list_entries {
                body.truncated = true;
                continue;
            }
            let compressed = flag & 1 != 0;
            let mut shown = Fields::new().with("compressed", compressed).with("size", length);
            let plain = match coding.filter(|_| compressed) {
                Some(coding) => unpack(coding, message, allowed),
                None => None,
            };
            if let Some(plain) = &plain {
                allowed -= plain.len().min(allowed);
                shown.push("decodedSize", plain.len());
            }
            let readable = plain.is_some() || !compressed;
            show(&mut shown, plain.as_deref().unwrap_or(message), readable, format, typed, stored);
            body.messages.push(shown.into());
        }
        body.truncated |= !rest.is_empty();
        body
    }
}

/// Adds what a message holds.
fn show(
    shown: &mut Fields,
    message: &[u8],
    readable: bool,
    format: Content,
    typed: Option<&Typed>,
    stored: &Stored,
) {
    let caps = caps(stored);
    if readable && format == Content::Protobuf {
        let known = typed.map(|typed| (&*typed.schema, typed.message));
        if let Some((tree, cut)) = protobuf::decode(message, known, caps) {
            shown.push("protobuf", tree);
            if cut {
                shown.push("truncated", true);
            }
            return;
        }
    }
    let data = &message[..message.len().min(caps.value_bytes)];
    shown.push("data", if readable { Tree::text_or_bytes(data) } else { Tree::Bytes(data.to_vec()) });
    if data.len() < message.len() {
        shown.push("truncated", true);
    }
}

/// Base64 that may have padding in its middle: each part was coded by itself. Ends at what is not valid.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    for quad in text.chunks_exact(4) {
        match base64::engine::general_purpose::STANDARD.decode_vec(quad, &mut decoded) {
            Ok(()) => {}
            Err(_) => break,
        }
    }
    decoded
}
