//! Packets as far as they are not protected (RFC 8999, RFC 9000 section 17, RFC 9369).

use std::borrow::Cow;

use crate::read::{ParseError, Reader};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Version(pub u32);

impl Version {
    pub(super) const NEGOTIATION: Self = Self(0);

    pub(super) const fn is_2(self) -> bool {
        matches!(self.0, 0x6b33_43cf | 0x709a_50c4)
    }

    /// Drafts from 22 on, of which each had the packets of version 1.
    const fn draft(self) -> Option<u8> {
        match self.0 {
            0xff00_0016..=0xff00_0022 => Some((self.0 & 0xff) as u8),
            // Facebook's mvfst.
            0xface_b001 => Some(22),
            0xface_b002 | 0xface_b00e => Some(27),
            _ => None,
        }
    }

    /// Whether its Initial packets can be read.
    pub(super) const fn is_known(self) -> bool {
        self.0 == 1 || self.is_2() || self.draft().is_some()
    }

    /// Versions of the form 0x?a?a?a?a, by which a client asks for a negotiation (RFC 9000, section 15).
    pub(super) const fn is_reserved(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    pub(super) fn name(self) -> Cow<'static, str> {
        match (self.0, self.draft()) {
            (1, _) => "1".into(),
            (0x6b33_43cf, _) => "2".into(),
            (0xff00_0000..=0xff00_ffff, Some(draft)) => format!("draft-{draft}").into(),
            (number, _) => format!("0x{number:08x}").into(),
        }
    }

    /// What the initial secret is salted with.
    pub(super) const fn salt(self) -> &'static [u8; 20] {
        match (self.0, self.draft()) {
            (0x6b33_43cf, _) => &[
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d,
                0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
            ],
            (0x709a_50c4, _) => &[
                0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06,
                0xea, 0x7a, 0xe3, 0xe5, 0xd3,
            ],
            (_, Some(29..=32)) => &[
                0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11,
                0xe0, 0x43, 0x90, 0xa8, 0x99,
            ],
            (_, Some(23..=28)) => &[
                0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63,
                0x65, 0xbe, 0xf9, 0xf5, 0x02,
            ],
            (_, Some(22)) => &[
                0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e,
                0xbd, 0x7a, 0x02, 0x64, 0x4a,
            ],
            _ => &[
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
                0xad, 0xcc, 0xbb, 0x7f, 0x0a,
            ],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
    /// The server does not speak the version.
    Negotiation,
    /// Of a version whose packets are not known.
    Other,
}

/// A long header.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub version: Version,
    pub kind: Kind,
    pub destination: &'a [u8],
    pub source: &'a [u8],
    /// Where the packet number begins.
    pub number_at: usize,
    /// Where the packet ends, by its own account.
    pub end: usize,
    /// Versions the server offers instead.
    pub offered: &'a [u8],
}

/// A connection ID of a version that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ConnectionId {
    length: u8,
    bytes: [u8; MAX_CONNECTION_ID],
}

impl ConnectionId {
    pub(super) fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_CONNECTION_ID];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { length: id.len() as u8, bytes })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// RFC 9000, section 17.2; only for versions that are not known may a connection ID be longer.
const MAX_CONNECTION_ID: usize = 20;

/// Whether the bit is set that tells QUIC from what else may be on its ports. Ends that agreed on it clear it at will
/// (RFC 9287), which is known only once their first packets were read.
pub(super) fn has_fixed_bit(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & 0x40 != 0)
}

/// Reads a packet with a long header, which begins `bytes`.
pub(super) fn long_header(bytes: &[u8]) -> Result<Header<'_>, ParseError> {
    let mut reader = Reader::new(bytes);
    let first = reader.u8()?;
    if first & 0x80 == 0 {
        return Err(reader.error("not a long header"));
    }
    let version = Version(reader.u32_be()?);
    let destination = connection_id(&mut reader, version)?;
    let source = connection_id(&mut reader, version)?;
    let kind = match (version, first >> 4 & 3) {
        (Version::NEGOTIATION, _) => Kind::Negotiation,
        _ if !version.is_known() => Kind::Other,
        (_, kind) => {
            // RFC 9369, section 3.2: version 2 counts from 1.
            match if version.is_2() { (kind + 3) % 4 } else { kind } {
                0 => Kind::Initial,
                1 => Kind::ZeroRtt,
                2 => Kind::Handshake,
                _ => Kind::Retry,
            }
        }
    };
    let mut header =
        Header { version, kind, destination, source, number_at: 0, end: bytes.len(), offered: &[] };
    match kind {
        Kind::Initial | Kind::ZeroRtt | Kind::Handshake => {
            if kind == Kind::Initial {
                let token = variable(&mut reader)?;
                reader.skip(usize::try_from(token).unwrap_or(usize::MAX))?;
            }
            let length = usize::try_from(variable(&mut reader)?).unwrap_or(usize::MAX);
            header.number_at = reader.position();
            header.end = header.number_at.saturating_add(length);
        }
        Kind::Negotiation => header.offered = reader.rest(),
        Kind::Retry | Kind::Other => {}
    }
    Ok(header)
}

fn connection_id<'a>(reader: &mut Reader<'a>, version: Version) -> Result<&'a [u8], ParseError> {
    let length = usize::from(reader.u8()?);
    if length > MAX_CONNECTION_ID && version.is_known() {
        return Err(reader.error("a connection ID of more than 20 bytes"));
    }
    reader.take(length)
}

/// A variable-length integer (RFC 9000, section 16).
pub(super) fn variable(reader: &mut Reader<'_>) -> Result<u64, ParseError> {
    let first = reader.u8()?;
    let more = reader.take((1usize << (first >> 6)) - 1)?;
    Ok(more.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers_are_those_of_the_rfc() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(variable(&mut Reader::new(bytes)), Ok(value));
            assert!(variable(&mut Reader::new(&bytes[..bytes.len() - 1])).is_err());
        }
    }

    /// RFC 9001, appendix A.4.
    #[test]
    fn a_retry_is_told_from_an_initial_packet() {
        let retry = [0xff, 0, 0, 0, 1, 0, 8, 0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5, b't', b'o'];
        let header = long_header(&retry).unwrap();
        assert_eq!((header.kind, header.source.len()), (Kind::Retry, 8));
        let mut second = retry;
        second[0] = 0xcf;
        second[1..5].copy_from_slice(&0x6b33_43cf_u32.to_be_bytes());
        assert_eq!(long_header(&second).unwrap().kind, Kind::Retry);
        for length in 0..15 {
            assert!(long_header(&retry[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn versions_have_names() {
        let names = [(1, "1"), (0x6b33_43cf, "2"), (0xff00_001d, "draft-29"), (0x1a2a_3a4a, "0x1a2a3a4a")];
        for (number, name) in names {
            assert_eq!(Version(number).name(), name);
        }
        assert!(Version(0x1a2a_3a4a).is_reserved() && !Version(1).is_reserved());
    }
}
