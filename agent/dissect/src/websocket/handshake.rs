//! What the opening handshake agreed on (RFC 6455, section 4; RFC 7692, section 7.1).

use crate::Direction;

/// Longest path and host that messages repeat; the handshake's own item has all of it.
const SHOWN_BYTES: usize = 2_048;

/// What a WebSocket connection inherits from the HTTP exchange that opened it.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// The direction of the request.
    pub(crate) client: Direction,
    /// Of the request's target; empty where the request was not seen.
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    /// The subprotocol the server chose.
    pub(crate) subprotocol: Option<String>,
    pub(crate) extensions: Extensions,
    /// The direction of the request was read without loss up to the first frame.
    pub(crate) placed: bool,
}

/// What the server's Sec-WebSocket-Extensions say.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Extensions {
    pub(super) deflate: Option<Deflate>,
    /// One that is not known, so that its messages can't be read.
    pub(super) unknown: bool,
}

/// Whether the messages of a sender refer back to those before. How far back they may, `max_window_bits`, does not
/// matter to a reader that keeps the largest window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deflate {
    pub(super) client_takeover: bool,
    pub(super) server_takeover: bool,
}

impl Handshake {
    /// Bytes of heap it holds.
    pub(super) fn memory(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        self.path.capacity() + text(&self.host) + text(&self.subprotocol)
    }
}

impl Extensions {
    pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut extensions = Self::default();
        for extension in values.flat_map(|value| value.split(|&byte| byte == b',')) {
            let mut words = extension.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            match words.next() {
                None | Some(b"") => {}
                Some(name) if name.eq_ignore_ascii_case(b"permessage-deflate") => {
                    let mut deflate = Deflate { client_takeover: true, server_takeover: true };
                    for word in words {
                        deflate.client_takeover &= !word.eq_ignore_ascii_case(b"client_no_context_takeover");
                        deflate.server_takeover &= !word.eq_ignore_ascii_case(b"server_no_context_takeover");
                    }
                    extensions.deflate = Some(deflate);
                }
                Some(_) => extensions.unknown = true,
            }
        }
        extensions
    }
}

/// A header's text as messages repeat it; one that is cut ends in an ellipsis.
pub(crate) fn shown(text: &[u8]) -> String {
    let mut shown = crate::text::lossy(&text[..text.len().min(SHOWN_BYTES)]).into_owned();
    if text.len() > SHOWN_BYTES {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_and_their_parameters() {
        let parse = |text: &'static str| Extensions::parse([text.as_bytes()].into_iter());
        let deflate = |client_takeover, server_takeover| Extensions {
            deflate: Some(Deflate { client_takeover, server_takeover }),
            unknown: false,
        };
        assert_eq!(parse(""), Extensions::default());
        assert_eq!(parse("permessage-deflate"), deflate(true, true));
        assert_eq!(
            parse("Permessage-Deflate; server_no_context_takeover ;client_max_window_bits=12"),
            deflate(true, false)
        );
        assert_eq!(parse("permessage-deflate;client_no_context_takeover"), deflate(false, true));
        assert!(parse("x-webkit-deflate-frame").unknown);
    }
}
