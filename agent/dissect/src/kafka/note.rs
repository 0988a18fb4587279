//! What is known of a request while it waits, and what that tells of bytes.

use super::apis::{API_VERSIONS, Api};
use super::header::{Header, Look, SIZE_BYTES, look, skip_tags};
use super::messages::Layout;
use super::schema::{Body, Encoding, check};
use crate::Reader;

/// Length field and correlation id.
pub(super) const RESPONSE_HEAD: usize = SIZE_BYTES + 4;

/// `UNSUPPORTED_VERSION`: answered in version 0, for the client to learn which versions there are (KIP-511).
const UNSUPPORTED_VERSION: i16 = 35;

/// Bytes of a body that a header is believed for.
const TELLING_BYTES: usize = 16;

/// What reading a response needs to know of its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) key: i16,
    pub(super) version: i16,
    pub(super) api: Option<&'static Api>,
    /// The client has a name.
    pub(super) named: bool,
}

impl Note {
    pub(super) fn of(header: &Header<'_>) -> Self {
        let named = header.client.is_some_and(|client| !client.is_empty());
        Self { key: header.key, version: header.version, api: header.api, named }
    }

    /// Whether a response of this id could hardly be anything else's.
    pub(super) const fn tells(self, id: i32) -> bool {
        self.named || id > 0
    }

    pub(super) fn encoding(self) -> Encoding {
        let flexible = self.api.is_some_and(|api| api.is_flexible(self.version));
        Encoding { version: self.version, flexible }
    }

    /// Fields, encoding and reader of a response's body. `None` where it is not decoded, or its header is not whole.
    pub(super) fn response<'a>(
        self,
        bytes: &'a [u8],
        total: usize,
    ) -> Option<(&'static Layout, Encoding, Reader<'a>)> {
        let layout = Layout::of(self.key, self.version)?;
        let mut reader = Reader::new(bytes);
        reader.skip(RESPONSE_HEAD).ok()?;
        let mut encoding = self.encoding();
        if self.key == API_VERSIONS {
            let mut ahead = reader;
            if ahead.i16_be() == Ok(UNSUPPORTED_VERSION) {
                encoding = Encoding { version: 0, flexible: false };
            }
        } else if encoding.flexible {
            skip_tags(&mut reader, total).ok()??;
        }
        Some((layout, encoding, reader))
    }

    /// The answer to a version that the broker does not have. Brokers before Kafka 2.4 and others end it after the code,
    /// or go on in a form of their own.
    pub(super) fn is_refusal(self, body: &Body) -> bool {
        self.key == API_VERSIONS && body.error_code == UNSUPPORTED_VERSION
    }
}

/// What the length field says.
pub(super) fn size(bytes: &[u8]) -> Option<u32> {
    Reader::new(bytes).u32_be().ok()
}

/// A response's correlation id.
pub(super) fn correlation(bytes: &[u8]) -> Option<i32> {
    let mut reader = Reader::new(bytes);
    reader.skip(SIZE_BYTES).ok()?;
    reader.i32_be().ok()
}

/// Whether what is there of a request's body can be one.
pub(super) fn fits(header: &Header<'_>, bytes: &[u8]) -> bool {
    let total = header.size as usize + SIZE_BYTES;
    let Some(layout) = Layout::of(header.key, header.version) else { return true };
    let mut reader = Reader::new(&bytes[..bytes.len().min(total)]);
    reader.skip(header.body).is_ok()
        && check(layout.request, Note::of(header).encoding(), reader, total).is_none()
}

/// Whether a request, which passed the probe, is more than its header: a client with a name, and much or all of a body
/// that is decoded.
pub(super) fn is_beyond_doubt(bytes: &[u8]) -> bool {
    let Look::Header(header) = look(bytes, true) else { return false };
    let total = header.size as usize + SIZE_BYTES;
    Note::of(&header).named
        && Layout::of(header.key, header.version).is_some()
        && bytes.len() >= total.min(header.body + TELLING_BYTES)
        && fits(&header, bytes)
}
