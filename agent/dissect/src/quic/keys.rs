//! The keys of Initial packets, which anyone can derive (RFC 9001, section 5.2), and what they protect.

use std::sync::LazyLock;

use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128, Block};
use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes128Gcm, Key};
use hkdf::{Hkdf, HkdfExtract};
use sha2::Sha256;

use super::packet::{Header, Version};
use crate::Direction;

/// One direction's keys.
pub(super) struct Keys {
    aead: Aes128Gcm,
    iv: [u8; 12],
    header: Aes128,
}

const TAG: usize = 16;

/// What the keys of both directions follow from.
pub(super) struct Initial {
    pub(super) version: Version,
    secret: Hkdf<Sha256>,
}

impl Initial {
    /// For the connection ID that the client chose for the server first.
    pub(super) fn new(version: Version, connection_id: &[u8]) -> Self {
        let mut extract = salted(version);
        extract.input_ikm(connection_id);
        Self { version, secret: extract.finalize().1 }
    }

    /// The keys of the side that sends in `direction`.
    pub(super) fn keys(&self, direction: Direction) -> Option<Keys> {
        let label: &[u8] = if direction == Direction::ToServer { b"client in" } else { b"server in" };
        let mut secret = [0; 32];
        expand(&self.secret, label, &mut secret)?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let (key_label, iv_label, header_label): (&[u8], &[u8], &[u8]) = if self.version.is_2() {
            (b"quicv2 key", b"quicv2 iv", b"quicv2 hp")
        } else {
            (b"quic key", b"quic iv", b"quic hp")
        };
        let (mut key, mut iv, mut header) = ([0; 16], [0; 12], [0; 16]);
        expand(&secret, key_label, &mut key)?;
        expand(&secret, iv_label, &mut iv)?;
        expand(&secret, header_label, &mut header)?;
        let key: Key<Aes128Gcm> = key.into();
        Some(Keys { aead: Aes128Gcm::new(&key), iv, header: Aes128::new(&header.into()) })
    }
}

/// What begins with a version's salt. That of the version nearly all speak is made once.
fn salted(version: Version) -> HkdfExtract<Sha256> {
    static VERSION_1: LazyLock<HkdfExtract<Sha256>> =
        LazyLock::new(|| HkdfExtract::new(Some(Version(1).salt())));
    if version == Version(1) { VERSION_1.clone() } else { HkdfExtract::new(Some(version.salt())) }
}

impl Keys {
    /// The payload of a packet, which begins `bytes`; `None` where it was made with other keys.
    pub(super) fn open(&self, header: &Header<'_>, bytes: &[u8]) -> Option<Opened> {
        let packet = bytes.get(..header.end)?;
        let mut mask = Block::default();
        mask.copy_from_slice(packet.get(header.number_at + 4..header.number_at + 20)?);
        self.header.encrypt_block(&mut mask);
        let first = packet.first()? ^ mask[0] & 0x0f;
        let number_length = usize::from(first & 0x03) + 1;
        let payload_at = header.number_at + number_length;
        let mut opened = packet.to_vec();
        let (associated, protected) = opened.split_at_mut_checked(payload_at)?;
        *associated.first_mut()? = first;
        let mut number = 0;
        for (byte, mask) in associated.get_mut(header.number_at..)?.iter_mut().zip(mask.iter().skip(1)) {
            *byte ^= mask;
            number = number << 8 | u32::from(*byte);
        }
        // Initial packets are few, so that their numbers are not shortened.
        let mut nonce = self.iv;
        for (byte, number) in nonce.iter_mut().skip(8).zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        let (payload, tag) = protected.split_last_chunk_mut::<TAG>()?;
        self.aead.decrypt_inout_detached(&nonce.into(), associated, payload.into(), &(*tag).into()).ok()?;
        Some(Opened { packet: opened, payload_at })
    }
}

/// A packet without its protection.
pub(super) struct Opened {
    packet: Vec<u8>,
    payload_at: usize,
}

impl Opened {
    /// Its payload.
    pub(super) fn bytes(&self) -> &[u8] {
        let end = self.packet.len().saturating_sub(TAG);
        self.packet.get(self.payload_at..end).unwrap_or_default()
    }
}

/// HKDF-Expand-Label without context (RFC 8446, section 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &[u8], out: &mut [u8]) -> Option<()> {
    const PREFIX: &[u8] = b"tls13 ";
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = u8::try_from(PREFIX.len() + label.len()).ok()?;
    secret.expand_multi_info(&[&length, &[label_length], PREFIX, label, &[0]], out).ok()
}

#[cfg(test)]
mod tests {
    use super::super::packet;
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()
    }

    const CONNECTION_ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    /// RFC 9001, appendix A.3.
    #[test]
    fn the_servers_initial_packet_of_rfc_9001() {
        let packet = bytes(
            "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb3
             8cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84
             022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
        );
        let header = packet::long_header(&packet).unwrap();
        let keys = Initial::new(Version(1), &CONNECTION_ID).keys(Direction::ToClient).unwrap();
        let payload = keys.open(&header, &packet).unwrap();
        assert_eq!(
            payload.bytes(),
            bytes(
                "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200
                 130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b0002
                 0304"
            )
        );
        let other = Initial::new(Version(1), &CONNECTION_ID).keys(Direction::ToServer).unwrap();
        assert!(other.open(&header, &packet).is_none());
    }

    /// RFC 9369, appendix A.3.
    #[test]
    fn the_servers_initial_packet_of_rfc_9369() {
        let packet = bytes(
            "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf872630
             17915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2
             c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
        );
        let header = packet::long_header(&packet).unwrap();
        assert_eq!(header.kind, packet::Kind::Initial);
        let keys = Initial::new(header.version, &CONNECTION_ID).keys(Direction::ToClient).unwrap();
        let payload = keys.open(&header, &packet).unwrap();
        assert!(payload.bytes().starts_with(&[2, 0, 0, 0, 0, 6, 0, 0x40, 0x5a, 2, 0, 0, 0x56, 3, 3]));
    }
}
