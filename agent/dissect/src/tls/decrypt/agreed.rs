//! What keys depend on beside secrets: random values, and what the server chose (RFC 8446, section 4.1.3 and 4.3.1;
//! RFC 5246, section 7.4.1).

use super::super::hello::{self, ServerHello};
use super::cipher::Suite;
use crate::read::{ParseError, Reader};

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Extensions by their numbers.
const TRUNCATED_MAC: u16 = 4;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const EARLY_DATA: u16 = 42;

pub(super) type Random = [u8; 32];

/// What the ServerHello chose.
#[derive(Clone, Copy)]
pub(super) struct Server {
    pub(super) random: Random,
    pub(super) is_1_3: bool,
    pub(super) suite: Suite,
    pub(super) encrypt_then_mac: bool,
}

impl Server {
    /// Reads a ServerHello's body. `None` for one that chooses nothing; `Some(None)` for what is not decrypted.
    pub(super) fn chosen(body: &[u8]) -> Option<Option<Self>> {
        let (hello, result) = ServerHello::parse(body);
        if result.is_err() || hello.is_retry {
            return None;
        }
        let random = random(body)?;
        let has = |number| hello.extensions.iter().any(|extension| extension.number == number);
        // Up to TLS 1.2: compression, and a MAC that is cut (RFC 6066, section 7).
        let compression = body.get(2 + 32 + 1 + hello.session_id.len() + 2);
        let is_plain = compression == Some(&0) && !has(TRUNCATED_MAC);
        Some(match hello.version {
            TLS_1_2 | TLS_1_3 if is_plain => Suite::of(hello.cipher).map(|suite| Self {
                random,
                is_1_3: hello.version == TLS_1_3,
                suite,
                encrypt_then_mac: has(ENCRYPT_THEN_MAC),
            }),
            _ => None,
        })
    }
}

/// The random value of a hello.
pub(super) fn random(body: &[u8]) -> Option<Random> {
    body.get(2..34)?.try_into().ok()
}

/// What a server of TLS 1.3 says once it is encrypted.
#[derive(Default)]
pub(super) struct EncryptedExtensions<'a> {
    /// The application protocol.
    pub(super) alpn: Option<&'a [u8]>,
    pub(super) takes_early_data: bool,
}

impl<'a> EncryptedExtensions<'a> {
    /// What comes before an error counts.
    pub(super) fn read(body: &'a [u8]) -> Self {
        let mut extensions = Self::default();
        let _ = extensions.take(&mut Reader::new(body));
        extensions
    }

    fn take(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        reader.skip(2)?;
        while !reader.is_empty() {
            let number = reader.u16_be()?;
            let data = hello::block16(reader)?;
            match (number, data) {
                // A list of one name.
                (ALPN, [_, _, _, name @ ..]) => self.alpn = Some(name),
                (EARLY_DATA, _) => self.takes_early_data = true,
                _ => {}
            }
        }
        Ok(())
    }
}
