//! Records, and what the first bytes of a stream tell (RFC 8446, section 5; RFC 5246, section 6.2).

use crate::Probe;

pub(super) mod kind {
    pub(in crate::tls) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(in crate::tls) const ALERT: u8 = 21;
    pub(in crate::tls) const HANDSHAKE: u8 = 22;
    pub(in crate::tls) const APPLICATION_DATA: u8 = 23;
    pub(in crate::tls) const HEARTBEAT: u8 = 24;
}

pub(super) const HEADER: usize = 5;

/// RFC 5246, section 6.2.3: the largest encrypted record.
const MAX_LENGTH: usize = (1 << 14) + 2048;

/// The largest hello that is believed where it is not known that one begins.
const MAX_HELLO: u32 = 1 << 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub kind: u8,
    /// Of what follows the header.
    pub length: usize,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [kind @ kind::CHANGE_CIPHER_SPEC..=kind::HEARTBEAT, 3, 0..=4, high, low, ..] = *bytes else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let fits = match kind {
            kind::CHANGE_CIPHER_SPEC => length == 1,
            // In the clear 2 bytes; encrypted at least a MAC more.
            kind::ALERT => length == 2 || (16..=MAX_LENGTH).contains(&length),
            kind::APPLICATION_DATA => length <= MAX_LENGTH,
            _ => (1..=MAX_LENGTH).contains(&length),
        };
        fits.then_some(Self { kind, length })
    }
}

/// Whether handshake bytes begin with a ClientHello or ServerHello: what is encrypted does not.
pub(super) fn begins_hello(bytes: &[u8]) -> bool {
    let [kind @ 1..=2, a, b, c, major, minor, ..] = *bytes else { return false };
    let length = u32::from_be_bytes([0, a, b, c]);
    let version = matches!((major, minor), (3, 0..=4)) || kind == 2 && major == 0x7f;
    version && (38..=MAX_HELLO).contains(&length)
}

/// The length of an SSL 2.0 record that is a CLIENT-HELLO, header included; `None` where more bytes are needed to tell.
pub(super) fn v2_client_hello(bytes: &[u8]) -> Option<Option<usize>> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let Some(first) = number(0) else { return (bytes.first()? & 0x80 != 0).then_some(None) };
    let length = first & 0x7fff;
    if first & 0x8000 == 0 || length < 9 + 3 + 16 {
        return None;
    }
    let (Some(version), Some(ciphers), Some(session), Some(challenge)) =
        (number(3), number(5), number(7), number(9))
    else {
        let begins = matches!(bytes.get(2..), Some([] | [1] | [1, 0 | 3, ..]));
        return begins.then_some(None);
    };
    let fits = bytes[2] == 1
        && matches!(version, 0x0002 | 0x0300..=0x0303)
        && ciphers > 0
        && ciphers.is_multiple_of(3)
        && matches!(session, 0 | 16 | 32)
        && (16..=32).contains(&challenge)
        && length == 9 + ciphers + session + challenge;
    fits.then_some(Some(2 + length))
}

pub(super) fn look(bytes: &[u8]) -> Probe {
    match v2_client_hello(bytes) {
        Some(Some(_)) => return Probe::Certain,
        Some(None) => return Probe::Unsure,
        None => {}
    }
    let Some(header) = Header::read(bytes) else {
        let begins = match *bytes {
            [] => true,
            [kind] => (20..=24).contains(&kind),
            [kind, 3] | [kind, 3, 0..=4] | [kind, 3, 0..=4, _] => (20..=24).contains(&kind),
            _ => false,
        };
        return if begins { Probe::Unsure } else { Probe::No };
    };
    let content = &bytes[HEADER..];
    match header.kind {
        kind::HANDSHAKE if begins_hello(content) => Probe::Certain,
        // A record may carry as little as a byte of a hello.
        kind::HANDSHAKE if content.len() < header.length.min(6) => Probe::Unsure,
        kind::HANDSHAKE => Probe::Likely,
        kind::ALERT if header.length == 2 => match *content {
            [1..=2, _, ..] => Probe::Likely,
            [] | [1..=2] => Probe::Unsure,
            _ => Probe::No,
        },
        kind::CHANGE_CIPHER_SPEC => match *content {
            [1, ..] => Probe::Likely,
            [] => Probe::Unsure,
            _ => Probe::No,
        },
        _ => Probe::Likely,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_known_by_its_first_record() {
        let hello = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
        assert_eq!(look(&hello), Probe::Certain);
        for length in 0..hello.len() {
            assert_eq!(look(&hello[..length]), Probe::Unsure, "{length}");
        }
        assert_eq!(look(&[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]), Probe::Certain);
        assert_eq!(look(&[23, 3, 3, 0, 40, 9, 9]), Probe::Likely);
        assert_eq!(look(&[21, 3, 1, 0, 2, 2, 40]), Probe::Likely);
        assert_eq!(look(&[20, 3, 3, 0, 1, 1]), Probe::Likely);
        for wrong in [
            &b"GET / HTTP/1.1\r\n"[..],
            &[22, 3, 1, 0xff, 0xff, 1],
            &[21, 3, 1, 0, 2, 3, 40],
            &[21, 3, 1, 0, 3, 3, 40],
            &[20, 3, 3, 0, 1, 2],
            &[20, 3, 3, 0, 2, 1],
            &[25, 3, 3, 0, 2, 1],
            &[0, 0, 0, 1],
        ] {
            assert_eq!(look(wrong), Probe::No, "{wrong:?}");
        }
    }

    #[test]
    fn the_hello_of_ssl_2_is_known_by_its_lengths() {
        let hello = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 16, 1, 0, 0x80];
        assert_eq!(look(&hello), Probe::Certain);
        assert_eq!(v2_client_hello(&hello), Some(Some(0x30)));
        for length in 1..11 {
            assert_eq!(look(&hello[..length]), Probe::Unsure, "{length}");
        }
        assert_eq!(look(&[0x80, 0x2f, 1, 3, 1, 0, 0x15, 0, 0, 0, 16]), Probe::No);
        assert_eq!(look(&[0x80, 0x2e, 2, 3, 1, 0, 0x15, 0, 0, 0, 16]), Probe::No);
    }
}
