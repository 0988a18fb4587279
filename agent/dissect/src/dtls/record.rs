//! Records, and what a datagram tells (RFC 6347, section 4.1; RFC 9147, section 4; RFC 9146, section 4).

use super::fragment::Fragment;
use crate::Probe;

pub(super) mod kind {
    pub(in crate::dtls) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(in crate::dtls) const ALERT: u8 = 21;
    pub(in crate::dtls) const HANDSHAKE: u8 = 22;
    /// A record with a connection ID, always encrypted.
    pub(in crate::dtls) const CONNECTION_ID: u8 = 25;
    pub(in crate::dtls) const ACK: u8 = 26;
}

pub(super) const HEADER: usize = 13;

/// RFC 5246, section 6.2.3: the largest encrypted record.
const MAX_LENGTH: usize = (1 << 14) + 2048;

/// The shortest that is believed to be encrypted: what proves that it was not changed takes as much.
const MIN_ENCRYPTED: usize = 16;

/// The longest connection ID that is looked for where no hello told its length. What is in use has at most 20 bytes.
const MAX_CONNECTION_ID: usize = 20;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub kind: u8,
    /// 0 for what is not encrypted.
    pub epoch: u16,
    /// Of what follows the header. Unknown, and 0, with a connection ID.
    pub length: usize,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [kind, major, minor, epoch @ ..] = *bytes.first_chunk::<HEADER>()?;
        let [high, low, _, _, _, _, _, _, length @ ..] = epoch;
        if !is_version([major, minor]) {
            return None;
        }
        let epoch = u16::from_be_bytes([high, low]);
        let length = usize::from(u16::from_be_bytes(length));
        let (fits, length) = match (kind, epoch) {
            (kind::CONNECTION_ID, 1..) => (true, 0),
            (kind::CHANGE_CIPHER_SPEC, 0) => (length == 1 || length == 3 && [major, minor] == EARLY, length),
            (kind::ALERT, 0) => (length == 2, length),
            (kind::HANDSHAKE, 0) => ((Fragment::HEADER..=MAX_LENGTH).contains(&length), length),
            (kind::ACK, 0) => ((2..=MAX_LENGTH).contains(&length), length),
            (kind::CHANGE_CIPHER_SPEC..=kind::ACK, 1..) => {
                ((MIN_ENCRYPTED..=MAX_LENGTH).contains(&length), length)
            }
            _ => (false, 0),
        };
        fits.then_some(Self { kind, epoch, length })
    }
}

/// 1.0, 1.2, 1.3: there is no 1.1. And what OpenSSL had before RFC 4347, which Cisco's AnyConnect kept.
const fn is_version(version: [u8; 2]) -> bool {
    matches!(version, [0xfe, 0xff | 0xfd | 0xfc] | EARLY)
}

const EARLY: [u8; 2] = [1, 0];

/// The encrypted records of 1.3 have a short header of their own (RFC 9147, section 4); gives the low bits of the epoch.
pub(super) const fn unified(first: u8) -> Option<u8> {
    if first >> 5 == 1 { Some(first & 3) } else { None }
}

pub(super) fn look(bytes: &[u8]) -> Probe {
    let Some(header) = Header::read(bytes) else { return Probe::No };
    let content = &bytes[HEADER..];
    if header.kind == kind::HANDSHAKE && header.epoch == 0 && begins_hello(content, header.length) {
        return Probe::Certain;
    }
    if are_records(bytes) { Probe::Likely } else { Probe::No }
}

/// Whether a message begins that only begins a handshake. The capture may have cut it.
fn begins_hello(content: &[u8], length: usize) -> bool {
    let Ok((fragment, _)) = Fragment::read(content) else { return false };
    fragment.is_hello()
        && fragment.offset == 0
        && fragment.size + Fragment::HEADER <= length
        && fragment.bytes.first_chunk().is_some_and(|version| is_version(*version))
}

/// Whether a datagram is made of records to its last byte.
fn are_records(mut rest: &[u8]) -> bool {
    while let Some(first) = rest.first() {
        if unified(*first).is_some() {
            break;
        }
        let Some(header) = Header::read(rest) else { return false };
        if header.kind == kind::CONNECTION_ID {
            return (0..=MAX_CONNECTION_ID).any(|id| {
                let length = rest.get(HEADER - 2 + id..HEADER + id).and_then(<[u8]>::first_chunk);
                length.is_some_and(|length| {
                    usize::from(u16::from_be_bytes(*length)) + HEADER + id == rest.len()
                })
            });
        }
        let Some(content) = rest.get(HEADER..HEADER + header.length) else { return false };
        let fits = match (header.kind, header.epoch) {
            // Before RFC 4347 it had a number.
            (kind::CHANGE_CIPHER_SPEC, 0) => matches!(content, [1] | [1, _, _]),
            (kind::ALERT, 0) => matches!(content, [1..=2, _]),
            (kind::HANDSHAKE, 0) => Fragment::read(content).is_ok(),
            _ => true,
        };
        if !fits {
            return false;
        }
        rest = &rest[HEADER + header.length..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9, 0, length][..], content].concat()
    }

    #[test]
    fn a_datagram_is_known_by_a_hello_or_by_being_records() {
        let hello = [&[1, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 50, 0xfe, 0xfd][..], &[7; 48]].concat();
        assert_eq!(look(&record(22, 0, &hello)), Probe::Certain);
        assert_eq!(look(&record(22, 0, &hello)[..40]), Probe::Certain);
        let verify = [3, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0xfe, 0xff, 0];
        assert_eq!(look(&record(22, 0, &verify)), Probe::Certain);
        let key = [16, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 2, 9, 9];
        let flight = [record(22, 0, &key), record(20, 0, &[1]), record(22, 1, &[7; 40])].concat();
        assert_eq!(look(&flight), Probe::Likely);
        assert_eq!(look(&record(23, 1, &[7; 40])), Probe::Likely);
        assert_eq!(look(&record(21, 0, &[2, 40])), Probe::Likely);
        for wrong in [
            flight[..flight.len() - 1].to_vec(),
            [&flight[..], &[0]].concat(),
            record(23, 1, &[7; 9]),
            record(23, 0, &[7; 40]),
            record(21, 0, &[3, 40]),
            record(20, 0, &[2]),
            record(27, 1, &[7; 40]),
            record(22, 0, &[1, 0, 0, 50, 0, 0, 0, 0, 1, 0, 0, 50, 0xfe, 0xfd]),
            vec![0x2f; 40],
            vec![22, 3, 1, 0, 5, 1, 0, 0, 1, 0, 0, 0, 0, 0],
            vec![],
        ] {
            assert_eq!(look(&wrong), Probe::No, "{wrong:?}");
        }
    }

    #[test]
    fn records_with_connection_ids_look_like_it_where_a_length_fits() {
        let mut bytes = vec![25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0xaa, 0xbb, 0xcc, 0, 20];
        bytes.extend([9; 20]);
        assert_eq!(look(&bytes), Probe::Likely);
        bytes.push(1);
        assert_eq!(look(&bytes), Probe::No);
    }
}
