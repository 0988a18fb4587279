//! What a certificate says (X.509, RFC 5280). Nothing is verified.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::fingerprint::hex;
use super::kept::Caps;
use crate::der::{Element, Elements, tag};
use crate::read::{ParseError, Reader};
use crate::{Fields, Tree};

/// The certificates of a Certificate message before TLS 1.3 (RFC 5246, section 7.4.2), the sender's own first.
///
/// An error in the list itself comes with those before it.
pub(super) fn list(body: &[u8], caps: Caps) -> Tree {
    let mut shown = Vec::new();
    let _ = each(body, |certificate| {
        if shown.len() < caps.entries {
            shown.push(Tree::Fields(describe(certificate, caps)));
        }
    });
    shown.into()
}

/// How many certificates such a message has.
pub(super) fn count(body: &[u8]) -> Result<usize, ParseError> {
    let mut count = 0;
    each(body, |_| count += 1).map(|()| count)
}

fn each(body: &[u8], mut with: impl FnMut(&[u8])) -> Result<(), ParseError> {
    let mut reader = Reader::new(body);
    let length = reader.u24_be()? as usize;
    let mut entries = reader.part(length)?;
    while !entries.is_empty() {
        let length = entries.u24_be()? as usize;
        with(entries.take(length)?);
    }
    Ok(())
}

/// As much as can be read, and why the rest can't.
fn describe(bytes: &[u8], caps: Caps) -> Fields {
    let mut fields = Fields::with_capacity(12);
    if let Err(error) = read(bytes, caps, &mut fields) {
        fields.push("error", error.to_string());
    }
    fields.push("sha256", hex(&Sha256::digest(bytes)));
    fields.push("size", bytes.len());
    fields
}

fn read(bytes: &[u8], caps: Caps, fields: &mut Fields) -> Result<(), ParseError> {
    let mut certificate = Elements::new(bytes).expect(tag::SEQUENCE)?.elements();
    let mut body = certificate.expect(tag::SEQUENCE)?.elements();
    let version = match body.optional(tag::context(0))? {
        Some(version) => version.elements().expect(tag::INTEGER)?.integer()?.saturating_add(1),
        None => 1,
    };
    let serial = body.expect(tag::INTEGER)?.content;
    let signature = algorithm(&body.expect(tag::SEQUENCE)?)?.0;
    let issuer = name(&body.expect(tag::SEQUENCE)?)?;
    let mut validity = body.expect(tag::SEQUENCE)?.elements();
    let (from, to) = (validity.element()?.time()?, validity.element()?.time()?);
    let subject = name(&body.expect(tag::SEQUENCE)?)?;
    fields.push("subject", cut(subject, caps));
    fields.push("issuer", cut(issuer, caps));
    let key = body.expect(tag::SEQUENCE)?;
    body.optional(tag::context_primitive(1))?;
    body.optional(tag::context_primitive(2))?;
    if let Some(extensions) = body.optional(tag::context(3))? {
        let names = alternative_names(&extensions)?;
        if !names.is_empty() {
            let count = names.len();
            let shown = names.into_iter().take(caps.entries).map(|name| cut(name, caps));
            fields.push("subjectAltNames", shown.collect::<Tree>());
            fields.push_some("subjectAltNameCount", (count > caps.entries).then_some(count));
        }
    }
    fields.push("notBefore", from);
    fields.push("notAfter", to);
    // A positive number may need a zero before it.
    let serial = if let [0, rest @ ..] = serial
        && !rest.is_empty()
    {
        rest
    } else {
        serial
    };
    fields.push("serialNumber", hex(&serial[..serial.len().min(64)]));
    fields.push("signatureAlgorithm", signature);
    public_key(&key, fields)?;
    fields.push("version", version);
    Ok(())
}

fn cut(mut text: String, caps: Caps) -> String {
    if text.len() > caps.value_bytes {
        text.truncate(text.floor_char_boundary(caps.value_bytes));
        text.push('…');
    }
    text
}

/// A distinguished name as RFC 4514 writes it: the most specific part first.
fn name(sequence: &Element<'_>) -> Result<String, ParseError> {
    let parts = sequence.elements().collect::<Result<Vec<_>, _>>()?;
    let mut text = String::new();
    for part in parts.iter().rev() {
        for (at, attribute) in part.elements().enumerate() {
            let mut attribute = attribute?.elements();
            let kind = attribute.expect(tag::OID)?;
            let value = attribute.element()?;
            if !text.is_empty() {
                text.push(if at == 0 { ',' } else { '+' });
            }
            match attribute_name(kind.content) {
                Some(name) => text.push_str(name),
                None => text.push_str(&kind.oid()?),
            }
            text.push('=');
            match value.text() {
                Some(value) => escape(&value, &mut text),
                None => {
                    text.push('#');
                    text.push_str(&hex(value.content));
                }
            }
        }
    }
    Ok(text)
}

/// RFC 4514, section 2.4.
fn escape(value: &str, text: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (at, char) in value.chars().enumerate() {
        let special = matches!(char, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || at == 0 && matches!(char, ' ' | '#')
            || at == last && char == ' ';
        if special {
            text.push('\\');
        }
        if char == '\0' { text.push_str("\\00") } else { text.push(char) }
    }
}

const fn attribute_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 4] => "SN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 17] => "postalCode",
        [0x55, 4, 42] => "GN",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        _ => return None,
    })
}

/// The subjectAltName extension (RFC 5280, section 4.2.1.6): names, addresses, URIs as plain text.
fn alternative_names(extensions: &Element<'_>) -> Result<Vec<String>, ParseError> {
    let mut names = Vec::new();
    for extension in extensions.elements().expect(tag::SEQUENCE)?.elements() {
        let mut extension = extension?.elements();
        let kind = extension.expect(tag::OID)?;
        extension.optional(tag::BOOLEAN)?;
        if kind.content != [0x55, 0x1d, 17] {
            continue;
        }
        let value = extension.expect(tag::OCTET_STRING)?;
        for entry in value.elements().expect(tag::SEQUENCE)?.elements() {
            let entry = entry?;
            match (entry.tag, entry.content) {
                // rfc822Name, dNSName, uniformResourceIdentifier
                (0x81 | 0x82 | 0x86, text) => names.push(crate::text::lossy(text).into_owned()),
                (0x87, content) => names.push(address(content)),
                (tag, _) if tag == tag::context(4) => {
                    names.push(name(&entry.elements().expect(tag::SEQUENCE)?)?);
                }
                (0x88, _) => names.push(entry.oid()?),
                _ => {}
            }
        }
    }
    Ok(names)
}

fn address(content: &[u8]) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(content) {
        Ipv4Addr::from(octets).to_string()
    } else if let Ok(octets) = <[u8; 16]>::try_from(content) {
        Ipv6Addr::from(octets).to_string()
    } else {
        hex(content)
    }
}

/// The name of an AlgorithmIdentifier, and what comes with it.
fn algorithm<'a>(sequence: &Element<'a>) -> Result<(Cow<'static, str>, Elements<'a>), ParseError> {
    let mut elements = sequence.elements();
    let oid = elements.expect(tag::OID)?;
    let text = oid.oid()?;
    let name = algorithm_name(&text).map_or(Cow::Owned(text), Cow::Borrowed);
    Ok((name, elements))
}

fn algorithm_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "2.16.840.1.101.3.4.3.2" => "dsa-with-sha256",
        "1.2.840.10045.2.1" => "EC",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => return None,
    })
}

/// The kind of key and how many bits its security rests on.
fn public_key(info: &Element<'_>, fields: &mut Fields) -> Result<(), ParseError> {
    let mut elements = info.elements();
    let (name, mut parameters) = algorithm(&elements.expect(tag::SEQUENCE)?)?;
    let key = elements.expect(tag::BIT_STRING)?;
    let mut curve = None;
    let bits = match &*name {
        "RSA" | "RSASSA-PSS" => {
            let key = key.bits()?;
            Some(magnitude(&Elements::new(key).expect(tag::SEQUENCE)?.elements().expect(tag::INTEGER)?))
        }
        "DSA" => match parameters.optional(tag::SEQUENCE)? {
            Some(parameters) => Some(magnitude(&parameters.elements().expect(tag::INTEGER)?)),
            None => None,
        },
        "EC" => match parameters.optional(tag::OID)? {
            Some(oid) => {
                let (name, bits) = curve_name(oid.content).unzip();
                curve = Some(name.map_or_else(|| oid.oid().map(Cow::Owned), |name| Ok(Cow::Borrowed(name)))?);
                bits
            }
            None => None,
        },
        "Ed25519" => Some(255),
        "Ed448" => Some(448),
        _ => None,
    };
    fields.push("keyType", name);
    fields.push_some("keyBits", bits);
    fields.push_some("curve", curve);
    Ok(())
}

/// Bits of a positive INTEGER.
fn magnitude(integer: &Element<'_>) -> u64 {
    let zeros = integer.content.iter().take_while(|byte| **byte == 0).count();
    let significant = &integer.content[zeros..];
    significant.first().map_or(0, |first| significant.len() as u64 * 8 - u64::from(first.leading_zeros()))
}

const fn curve_name(oid: &[u8]) -> Option<(&'static str, u64)> {
    Some(match oid {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1] => ("secp192r1", 192),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => ("secp256r1", 256),
        [0x2b, 0x81, 4, 0, 10] => ("secp256k1", 256),
        [0x2b, 0x81, 4, 0, 33] => ("secp224r1", 224),
        [0x2b, 0x81, 4, 0, 34] => ("secp384r1", 384),
        [0x2b, 0x81, 4, 0, 35] => ("secp521r1", 521),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps { entries: 10, value_bytes: 100 };

    #[test]
    fn names_are_written_as_rfc_4514_has_them() {
        let mut text = String::new();
        escape(" a,b+c\\ ", &mut text);
        assert_eq!(text, "\\ a\\,b\\+c\\\\\\ ");
        // C=DE, then CN=x and O=y in one set.
        let bytes = [
            0x30, 0x1e, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 4, 6, 0x13, 2, b'D', b'E', 0x31, 0x0f,
            0x30, 0x08, 0x06, 0x03, 0x55, 4, 3, 0x0c, 1, b'x', 0x30, 0x03, 0x06, 0x01, 0x2a,
        ];
        let sequence = Elements::new(&bytes).element().unwrap();
        assert!(name(&sequence).is_err(), "an attribute without value");
        let bytes = [
            0x30, 0x23, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 4, 6, 0x13, 2, b'D', b'E', 0x31, 0x14,
            0x30, 0x08, 0x06, 0x03, 0x55, 4, 3, 0x0c, 1, b'x', 0x30, 0x08, 0x06, 0x03, 0x2a, 4, 10, 0x0c, 1,
            b'y',
        ];
        let sequence = Elements::new(&bytes).element().unwrap();
        assert_eq!(name(&sequence).unwrap(), "CN=x+1.2.4.10=y,C=DE");
    }

    #[test]
    fn what_is_not_a_certificate_is_still_named_by_its_hash() {
        let fields = describe(&[0x30, 0x80], CAPS);
        assert_eq!(fields.field("error").unwrap().as_text().unwrap(), "an indefinite length at offset 2");
        assert_eq!(fields.field("sha256").unwrap().as_text().unwrap().len(), 64);
    }

    #[test]
    fn the_list_is_cut_and_counted() {
        let body = [0, 0, 8, 0, 0, 1, 1, 0, 0, 1, 2];
        let shown = list(&body, Caps { entries: 1, ..CAPS });
        assert_eq!((shown.as_list().unwrap().len(), count(&body)), (1, Ok(2)));
        assert!(count(&body[..10]).is_err());
    }

    #[test]
    fn key_sizes_count_from_the_first_bit_set() {
        let integer = |content: &'static [u8]| Element { tag: tag::INTEGER, content, offset: 0 };
        assert_eq!(magnitude(&integer(&[0, 0x80, 0])), 16);
        assert_eq!(magnitude(&integer(&[1])), 1);
        assert_eq!(magnitude(&integer(&[])), 0);
        assert_eq!(address(&[192, 0, 2, 1]), "192.0.2.1");
    }
}
