//! Keys out of secrets: HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1) and the PRF of TLS 1.2 (RFC 5246, section 5).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384};

use super::secrets::Secret;

/// The hash of a cipher suite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// HKDF-Expand-Label without context.
pub(super) fn expand_label(hash: Hash, secret: &Secret, label: &str, out: &mut [u8]) -> Option<()> {
    const PREFIX: &str = "tls13 ";
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = u8::try_from(PREFIX.len() + label.len()).ok()?;
    let info = [&length, &[label_length][..], PREFIX.as_bytes(), label.as_bytes(), &[0]];
    match hash {
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret.bytes()).ok()?.expand_multi_info(&info, out).ok(),
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret.bytes()).ok()?.expand_multi_info(&info, out).ok(),
    }
}

/// The secret after a KeyUpdate (RFC 8446, section 7.2).
pub(super) fn updated(hash: Hash, secret: &Secret) -> Option<Secret> {
    let mut next = [0; 48];
    let next = next.get_mut(..hash.length())?;
    expand_label(hash, secret, "traffic upd", next)?;
    Secret::new(next)
}

/// Key material of TLS 1.2 (RFC 5246, section 6.3).
pub(super) fn key_block(
    hash: Hash,
    master: &Secret,
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    out: &mut [u8],
) -> Option<()> {
    let seed = [b"key expansion", &server_random[..], client_random];
    match hash {
        Hash::Sha256 => prf::<Hmac<Sha256>>(master.bytes(), &seed, out),
        Hash::Sha384 => prf::<Hmac<Sha384>>(master.bytes(), &seed, out),
    }
}

fn prf<M: Mac + KeyInit + Clone>(secret: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Option<()> {
    let keyed = <M as KeyInit>::new_from_slice(secret).ok()?;
    let seeded = |mut mac: M| {
        seed.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let mut chain = seeded(keyed.clone());
    for piece in out.chunks_mut(M::output_size()) {
        let mut mac = keyed.clone();
        mac.update(&chain);
        for (byte, derived) in piece.iter_mut().zip(seeded(mac)) {
            *byte = derived;
        }
        let mut mac = keyed.clone();
        mac.update(&chain);
        chain = mac.finalize().into_bytes();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bytes;
    use super::*;

    /// RFC 8448, section 3: the server's handshake traffic secret and what is derived of it.
    #[test]
    fn the_handshake_keys_of_rfc_8448() {
        let secret =
            Secret::new(&bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")).unwrap();
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        expand_label(Hash::Sha256, &secret, "key", &mut key).unwrap();
        expand_label(Hash::Sha256, &secret, "iv", &mut iv).unwrap();
        assert_eq!(key[..], bytes("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(iv[..], bytes("5d313eb2671276ee13000b30"));
    }

    /// The known answer for SHA-256 that implementers share, as the specification has none.
    #[test]
    fn the_prf_of_tls_1_2() {
        let secret = bytes("9bbe436ba940f017b17652849a71db35");
        let seed = bytes("a0ba9f936cda311827a6f796ffd5198c");
        let mut out = [0; 100];
        prf::<Hmac<Sha256>>(&secret, &[b"test label", &seed], &mut out).unwrap();
        let expected = bytes(
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af
             0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
             87347b66",
        );
        assert_eq!(out[..], expected);
    }
}
