//! Record protection: of TLS 1.3 (RFC 8446, section 5.2), of TLS 1.2 with AEADs (RFC 5288, RFC 7905) and with CBC (RFC 5246,
//! section 6.2.3.2; RFC 7366 for the MAC outside).

use std::fmt;

use aes::cipher::{Array, BlockCipherDecrypt, BlockSizeUser, consts::U16};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::super::cipher_suites;
use super::super::record::HEADER;
use super::derive::{self, Hash};
use super::secrets::Secret;

const TAG: usize = 16;
const BLOCK: usize = 16;

/// The longest key material of a suite: two keys of each kind, AES-256-CBC with SHA-384.
const KEY_BLOCK: usize = 2 * (48 + 32 + 12);

/// What a cipher suite protects records with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Suite {
    pub(super) algorithm: Algorithm,
    pub(super) hash: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Algorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Cbc { key: usize, mac: MacHash },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MacHash {
    Sha1,
    Sha256,
    Sha384,
}

impl Suite {
    pub(super) const TLS_1_3: [Self; 3] = [
        Self { algorithm: Algorithm::Aes128Gcm, hash: Hash::Sha256 },
        Self { algorithm: Algorithm::ChaCha20Poly1305, hash: Hash::Sha256 },
        Self { algorithm: Algorithm::Aes256Gcm, hash: Hash::Sha384 },
    ];

    /// The suite by its number, whose name says all: how keys are exchanged does not matter.
    pub(super) fn of(number: u16) -> Option<Self> {
        let name = cipher_suites::name(number)?;
        let name =
            name.split_once("_WITH_").map_or_else(|| name.strip_prefix("TLS_"), |(_, name)| Some(name))?;
        let cbc = |key, mac| Algorithm::Cbc { key, mac };
        let algorithm = match name {
            "AES_128_GCM_SHA256" => Algorithm::Aes128Gcm,
            "AES_256_GCM_SHA384" => Algorithm::Aes256Gcm,
            "CHACHA20_POLY1305_SHA256" => Algorithm::ChaCha20Poly1305,
            "AES_128_CBC_SHA" => cbc(16, MacHash::Sha1),
            "AES_256_CBC_SHA" => cbc(32, MacHash::Sha1),
            "AES_128_CBC_SHA256" => cbc(16, MacHash::Sha256),
            "AES_256_CBC_SHA256" => cbc(32, MacHash::Sha256),
            "AES_256_CBC_SHA384" => cbc(32, MacHash::Sha384),
            _ => return None,
        };
        Some(Self { algorithm, hash: if name.ends_with("_SHA384") { Hash::Sha384 } else { Hash::Sha256 } })
    }
}

/// The keys of one direction.
pub(super) struct Keys {
    cipher: Cipher,
    iv: [u8; 12],
    is_1_3: bool,
}

enum Cipher {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    Cbc { aes: Aes, mac: MacKey, encrypt_then_mac: bool },
}

enum Aes {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

enum MacKey {
    Sha1(Box<Hmac<Sha1>>),
    Sha256(Box<Hmac<Sha256>>),
    Sha384(Box<Hmac<Sha384>>),
}

impl Keys {
    /// Those of TLS 1.3 out of a traffic secret.
    pub(super) fn of_secret(suite: Suite, secret: &Secret) -> Option<Self> {
        if secret.bytes().len() != suite.hash.length() {
            return None;
        }
        let (mut key, mut iv) = ([0; 32], [0; 12]);
        let key = key.get_mut(..suite.algorithm.key_length())?;
        derive::expand_label(suite.hash, secret, "key", key)?;
        derive::expand_label(suite.hash, secret, "iv", &mut iv)?;
        Some(Self { cipher: Cipher::aead(suite.algorithm, key)?, iv, is_1_3: true })
    }

    /// Those of TLS 1.2 for the side that sends in `sender`, which is the client's where `is_client`.
    pub(super) fn of_master(
        suite: Suite,
        master: &Secret,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        is_client: bool,
        encrypt_then_mac: bool,
    ) -> Option<Self> {
        let mut block = [0; KEY_BLOCK];
        derive::key_block(suite.hash, master, client_random, server_random, &mut block)?;
        let algorithm = suite.algorithm;
        let mut rest = &block[..];
        let mut own = |length: usize| {
            let (both, behind) = rest.split_at_checked(2 * length)?;
            rest = behind;
            let (client, server) = both.split_at(length);
            Some(if is_client { client } else { server })
        };
        let mac = own(algorithm.mac_length())?;
        let key = own(algorithm.key_length())?;
        let fixed_iv = own(algorithm.fixed_iv_length())?;
        let mut iv = [0; 12];
        iv.get_mut(..fixed_iv.len())?.copy_from_slice(fixed_iv);
        let cipher = match algorithm {
            Algorithm::Cbc { mac: hash, .. } => {
                let aes = match key.len() {
                    16 => Aes::Aes128(Box::new(Aes128::new_from_slice(key).ok()?)),
                    _ => Aes::Aes256(Box::new(Aes256::new_from_slice(key).ok()?)),
                };
                Cipher::Cbc { aes, mac: MacKey::new(hash, mac)?, encrypt_then_mac }
            }
            _ => Cipher::aead(algorithm, key)?,
        };
        Some(Self { cipher, iv, is_1_3: false })
    }

    /// Decrypts a record, header included, into `out`, and says of what kind its content is. `None`, and nothing of use in
    /// `out`, where its tag is not that of these keys and this number.
    pub(super) fn open(&self, sequence: u64, record: &[u8], out: &mut Vec<u8>) -> Option<u8> {
        let (header, content) = record.split_first_chunk::<HEADER>()?;
        out.clear();
        if self.is_1_3 {
            let (text, tag) = content.split_last_chunk::<TAG>()?;
            out.extend_from_slice(text);
            self.cipher.open(&self.nonce(sequence), header, out, tag)?;
            // Zeros pad what the last other byte names.
            let end = out.iter().rposition(|byte| *byte != 0)?;
            let kind = out.get(end).copied();
            out.truncate(end);
            return kind;
        }
        let kind = header[0];
        if let Cipher::Cbc { aes, mac, encrypt_then_mac } = &self.cipher {
            open_cbc(aes, mac, *encrypt_then_mac, sequence, header, content, out)?;
            return Some(kind);
        }
        let (nonce, content) = match &self.cipher {
            Cipher::ChaCha20Poly1305(_) => (self.nonce(sequence), content),
            _ => {
                let (explicit, content) = content.split_first_chunk::<8>()?;
                let mut nonce = self.iv;
                nonce[4..].copy_from_slice(explicit);
                (nonce, content)
            }
        };
        let (text, tag) = content.split_last_chunk::<TAG>()?;
        out.extend_from_slice(text);
        self.cipher.open(&nonce, &associated(sequence, header, text.len()), out, tag)?;
        Some(kind)
    }

    /// Bytes of heap.
    pub(super) fn memory(&self) -> usize {
        match &self.cipher {
            Cipher::Aes128Gcm(aead) => size_of_val(&**aead),
            Cipher::Aes256Gcm(aead) => size_of_val(&**aead),
            Cipher::ChaCha20Poly1305(aead) => size_of_val(&**aead),
            Cipher::Cbc { aes, mac, .. } => aes.memory() + mac.memory(),
        }
    }

    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// What a record of TLS 1.2 is authenticated with besides its content.
fn associated(sequence: u64, header: &[u8; HEADER], length: usize) -> [u8; 13] {
    let mut out = [0; 13];
    out[..8].copy_from_slice(&sequence.to_be_bytes());
    out[8..11].copy_from_slice(&header[..3]);
    // Records are shorter than 64 KiB.
    out[11..].copy_from_slice(&(length as u16).to_be_bytes());
    out
}

impl Algorithm {
    const fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
            Self::Cbc { key, .. } => key,
        }
    }

    const fn mac_length(self) -> usize {
        match self {
            Self::Cbc { mac: MacHash::Sha1, .. } => 20,
            Self::Cbc { mac: MacHash::Sha256, .. } => 32,
            Self::Cbc { mac: MacHash::Sha384, .. } => 48,
            _ => 0,
        }
    }

    const fn fixed_iv_length(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 4,
            Self::ChaCha20Poly1305 => 12,
            Self::Cbc { .. } => 0,
        }
    }
}

impl Cipher {
    fn aead(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Aes128Gcm => Self::Aes128Gcm(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Algorithm::Aes256Gcm => Self::Aes256Gcm(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Algorithm::ChaCha20Poly1305 => {
                Self::ChaCha20Poly1305(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?))
            }
            Algorithm::Cbc { .. } => return None,
        })
    }

    fn open(&self, nonce: &[u8; 12], associated: &[u8], text: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        fn with<A: AeadInOut>(
            aead: &A,
            nonce: &[u8; 12],
            associated: &[u8],
            text: &mut [u8],
            tag: &[u8; TAG],
        ) -> Option<()> {
            let nonce: &Nonce<A> = nonce.as_slice().try_into().ok()?;
            let tag: &Tag<A> = tag.as_slice().try_into().ok()?;
            aead.decrypt_inout_detached(nonce, associated, text.into(), tag).ok()
        }
        match self {
            Self::Aes128Gcm(aead) => with(&**aead, nonce, associated, text, tag),
            Self::Aes256Gcm(aead) => with(&**aead, nonce, associated, text, tag),
            Self::ChaCha20Poly1305(aead) => with(&**aead, nonce, associated, text, tag),
            Self::Cbc { .. } => None,
        }
    }
}

impl MacKey {
    fn new(hash: MacHash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            MacHash::Sha1 => Self::Sha1(Box::new(Hmac::new_from_slice(key).ok()?)),
            MacHash::Sha256 => Self::Sha256(Box::new(Hmac::new_from_slice(key).ok()?)),
            MacHash::Sha384 => Self::Sha384(Box::new(Hmac::new_from_slice(key).ok()?)),
        })
    }

    fn memory(&self) -> usize {
        match self {
            Self::Sha1(mac) => size_of_val(&**mac),
            Self::Sha256(mac) => size_of_val(&**mac),
            Self::Sha384(mac) => size_of_val(&**mac),
        }
    }

    const fn length(&self) -> usize {
        match self {
            Self::Sha1(_) => 20,
            Self::Sha256(_) => 32,
            Self::Sha384(_) => 48,
        }
    }

    fn verify(&self, associated: &[u8], text: &[u8], tag: &[u8]) -> Option<()> {
        fn with<M: Mac + Clone>(keyed: &M, associated: &[u8], text: &[u8], tag: &[u8]) -> Option<()> {
            let mut mac = keyed.clone();
            mac.update(associated);
            mac.update(text);
            mac.verify_slice(tag).ok()
        }
        match self {
            Self::Sha1(mac) => with(&**mac, associated, text, tag),
            Self::Sha256(mac) => with(&**mac, associated, text, tag),
            Self::Sha384(mac) => with(&**mac, associated, text, tag),
        }
    }
}

impl Aes {
    fn memory(&self) -> usize {
        match self {
            Self::Aes128(aes) => size_of_val(&**aes),
            Self::Aes256(aes) => size_of_val(&**aes),
        }
    }

    /// CBC; `text` is blocks.
    fn decrypt(&self, iv: [u8; BLOCK], text: &mut [u8]) {
        fn with<A: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>>(
            aes: &A,
            iv: [u8; BLOCK],
            text: &mut [u8],
        ) {
            let mut before = iv;
            for block in text.as_chunks_mut::<BLOCK>().0 {
                let own = *block;
                aes.decrypt_block(<&mut Array<u8, U16>>::from(&mut *block));
                block.iter_mut().zip(before).for_each(|(byte, other)| *byte ^= other);
                before = own;
            }
        }
        match self {
            Self::Aes128(aes) => with(&**aes, iv, text),
            Self::Aes256(aes) => with(&**aes, iv, text),
        }
    }
}

fn open_cbc(
    aes: &Aes,
    mac: &MacKey,
    encrypt_then_mac: bool,
    sequence: u64,
    header: &[u8; HEADER],
    content: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let content = if encrypt_then_mac {
        let (content, tag) = content.split_at_checked(content.len().checked_sub(mac.length())?)?;
        mac.verify(&associated(sequence, header, content.len()), content, tag)?;
        content
    } else {
        content
    };
    let (iv, text) = content.split_first_chunk::<BLOCK>()?;
    if text.is_empty() || !text.len().is_multiple_of(BLOCK) {
        return None;
    }
    out.extend_from_slice(text);
    aes.decrypt(*iv, out);
    let padding = usize::from(*out.last()?);
    let end = out.len().checked_sub(padding + 1)?;
    if out[end..].iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    out.truncate(end);
    if !encrypt_then_mac {
        let (text, tag) = out.split_at_checked(out.len().checked_sub(mac.length())?)?;
        mac.verify(&associated(sequence, header, text.len()), text, tag)?;
        out.truncate(out.len() - mac.length());
    }
    Some(())
}
