//! Records that hold keys, digests and signatures: DNSSEC (RFC 4034, RFC 5155), TSIG (RFC 8945), DANE (RFC 6698),
//! SSHFP (RFC 4255). Times are seconds since 1970.

use super::record::Data;
use super::{codes, name};
use crate::tree::hex;
use crate::{Fields, ParseError, Reader, Tree};

pub(super) fn known(kind: u16, r: &mut Reader<'_>) -> Result<Option<Data>, ParseError> {
    Ok(Some(match kind {
        43 | 59 | 32_768 | 32_769 => {
            let mut fields = Fields::new().with("keyTag", r.u16_be()?);
            algorithm(&mut fields, r)?;
            fields.push("digestType", r.u8()?);
            fields.push("digest", hex(r.take_rest()));
            Data::field(field(kind, "ds"), fields)
        }
        48 | 60 | 25 => {
            let flags = r.u16_be()?;
            let mut fields = Fields::new()
                .with("flags", flags)
                .with("zoneKey", flags & 0x100 != 0)
                .with("secureEntryPoint", flags & 1 != 0)
                .with("protocol", r.u8()?);
            algorithm(&mut fields, r)?;
            fields.push("publicKey", Tree::Bytes(r.take_rest().to_vec()));
            Data::field(field(kind, "dnskey"), fields)
        }
        46 | 24 => {
            let mut fields = Fields::new().with("typeCovered", codes::type_name(r.u16_be()?));
            algorithm(&mut fields, r)?;
            fields.push("labels", r.u8()?);
            for name in ["originalTtl", "expiration", "inception"] {
                fields.push(name, r.u32_be()?);
            }
            fields.push("keyTag", r.u16_be()?);
            fields.push("signer", name::read(r)?);
            fields.push("signature", Tree::Bytes(r.take_rest().to_vec()));
            Data::field(field(kind, "rrsig"), fields)
        }
        47 => {
            let fields = Fields::new().with("next", name::read(r)?).with("types", bitmap(r)?);
            Data::field("nsec", fields)
        }
        50 | 51 => {
            let mut fields = Fields::new().with("hashAlgorithm", r.u8()?);
            fields.push("optOut", r.u8()? & 1 != 0);
            fields.push("iterations", r.u16_be()?);
            let length = r.u8()?;
            fields.push("salt", hex(r.take(length.into())?));
            if kind == 50 {
                let length = r.u8()?;
                fields.push("next", base32(r.take(length.into())?));
                fields.push("types", bitmap(r)?);
            }
            Data::field(field(kind, "nsec3"), fields)
        }
        52 | 53 => {
            let mut fields = Fields::new();
            for name in ["usage", "selector", "matchingType"] {
                fields.push(name, r.u8()?);
            }
            fields.push("certificate", hex(r.take_rest()));
            Data::field(field(kind, "tlsa"), fields)
        }
        44 => {
            let mut fields = Fields::new().with("algorithm", r.u8()?).with("fingerprintType", r.u8()?);
            fields.push("fingerprint", hex(r.take_rest()));
            Data::field("sshfp", fields)
        }
        37 => {
            let mut fields = Fields::new().with("certificateType", r.u16_be()?).with("keyTag", r.u16_be()?);
            algorithm(&mut fields, r)?;
            fields.push("certificate", Tree::Bytes(r.take_rest().to_vec()));
            Data::field("cert", fields)
        }
        62 => {
            let fields = Fields::new().with("serial", r.u32_be()?).with("flags", r.u16_be()?);
            Data::field("csync", fields.with("types", bitmap(r)?))
        }
        63 => {
            let mut fields = Fields::new().with("serial", r.u32_be()?);
            fields.push("scheme", r.u8()?);
            fields.push("hashAlgorithm", r.u8()?);
            fields.push("digest", hex(r.take_rest()));
            Data::field("zonemd", fields)
        }
        250 => signature(r)?,
        _ => return Ok(None),
    }))
}

/// A type's own name in lower case; the usual one costs nothing.
fn field(kind: u16, usual: &'static str) -> std::borrow::Cow<'static, str> {
    match codes::known_type(kind) {
        Some(name) if !name.eq_ignore_ascii_case(usual) => name.to_ascii_lowercase().into(),
        _ => usual.into(),
    }
}

fn algorithm(fields: &mut Fields, r: &mut Reader<'_>) -> Result<(), ParseError> {
    let code = r.u8()?;
    fields.push("algorithm", code);
    fields.push_some("algorithmName", codes::algorithm_name(code));
    Ok(())
}

fn signature(r: &mut Reader<'_>) -> Result<Data, ParseError> {
    let mut fields = Fields::new().with("algorithm", name::read(r)?);
    let (high, low) = (r.u16_be()?, r.u32_be()?);
    fields.push("timeSigned", u64::from(high) << 32 | u64::from(low));
    fields.push("fudge", r.u16_be()?);
    let length = r.u16_be()?;
    fields.push("mac", Tree::Bytes(r.take(length.into())?.to_vec()));
    fields.push("originalId", r.u16_be()?);
    let error = r.u16_be()?;
    fields.push("error", if error == 16 { "Bad Signature".into() } else { codes::response_name(error) });
    let length = r.u16_be()?;
    fields.push("otherData", Tree::Bytes(r.take(length.into())?.to_vec()));
    Ok(Data::field("tsig", fields))
}

/// Types that exist at a name (RFC 4034, section 4.1.2).
fn bitmap(r: &mut Reader<'_>) -> Result<Tree, ParseError> {
    let mut types = Vec::<Tree>::new();
    let mut next = 0;
    while !r.is_empty() {
        let window = u16::from(r.u8()?);
        let length = r.u8()?;
        if window < next || !(1..=32).contains(&length) {
            return Err(r.error("a list of types is not in order"));
        }
        next = window + 1;
        for (place, byte) in r.take(length.into())?.iter().enumerate() {
            for bit in (0..8).filter(|bit| byte & 0x80 >> bit != 0) {
                types.push(codes::type_name(window << 8 | (place as u16) << 3 | bit).into());
            }
        }
    }
    Ok(types.into())
}

/// Without padding, in the alphabet that keeps the order (RFC 4648, section 7).
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .enumerate()
            .fold(0u64, |bits, (place, byte)| bits | u64::from(*byte) << (32 - 8 * place));
        for place in 0..(group.len() * 8).div_ceil(5) {
            text.push(char::from(ALPHABET[(bits >> (35 - 5 * place)) as usize & 31]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_both_bases() {
        assert_eq!(hex(&[0, 0xab]), "00ab");
        // RFC 4648, section 10.
        assert_eq!(base32(b"foobar"), "cpnmuoj1e8");
        assert_eq!(base32(b"fooba"), "cpnmuoj1");
    }

    #[test]
    fn a_list_of_types_is_in_order() {
        // RFC 4034, section 4.3: A MX RRSIG NSEC TYPE1234.
        let mut bytes = b"\x00\x06\x40\x01\x00\x00\x00\x03\x04\x1b".to_vec();
        bytes.extend([0; 26]);
        bytes.push(0x20);
        let types = bitmap(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(types, ["A", "MX", "RRSIG", "NSEC", "TYPE1234"].into_iter().collect());
        assert!(bitmap(&mut Reader::new(b"\x01\x01\x40\x00\x01\x40")).is_err());
        assert!(bitmap(&mut Reader::new(b"\x00\x21")).is_err());
    }
}
