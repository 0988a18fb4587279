//! What a hello says of the software that made it: JA3 and JA3S (the order of everything), JA4 (what survives a shuffle of
//! the extensions).
//!
//! JA3: <https://github.com/salesforce/ja3>, JA4: <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>.

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hello::{ClientHello, ServerHello};
use super::names::is_grease;
pub(crate) use crate::tree::hex;

/// What carries the handshake, JA4's first letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carrier {
    Tcp,
    Quic,
    Dtls,
}

/// A fingerprint's text, and its MD5 as hexadecimal digits.
pub(super) struct Ja3 {
    pub text: String,
    pub hash: String,
}

impl Ja3 {
    fn of(text: String) -> Self {
        let hash = hex(&Md5::digest(text.as_bytes()));
        Self { text, hash }
    }
}

/// Version, cipher suites, extensions, groups, point formats.
pub(super) fn ja3(hello: &ClientHello<'_>) -> Ja3 {
    let mut text = String::with_capacity(256);
    decimal(&mut text, hello.version);
    text.push(',');
    joined(&mut text, without_grease(hello.ciphers.iter()));
    text.push(',');
    joined(&mut text, without_grease(hello.extensions.numbers()));
    text.push(',');
    joined(&mut text, without_grease(hello.groups.iter()));
    text.push(',');
    joined(&mut text, without_grease(hello.point_formats.iter().copied().map(u16::from)));
    Ja3::of(text)
}

/// Version, cipher suite, extensions.
pub(super) fn ja3s(hello: &ServerHello<'_>) -> Ja3 {
    let mut text = String::with_capacity(32);
    decimal(&mut text, hello.legacy_version);
    text.push(',');
    decimal(&mut text, hello.cipher);
    text.push(',');
    joined(&mut text, hello.extensions.numbers());
    Ja3::of(text)
}

fn without_grease(numbers: impl Iterator<Item = u16>) -> impl Iterator<Item = u16> {
    numbers.filter(|number| !is_grease(*number))
}

fn joined(text: &mut String, numbers: impl Iterator<Item = u16>) {
    for (at, number) in numbers.enumerate() {
        if at != 0 {
            text.push('-');
        }
        decimal(text, number);
    }
}

fn decimal(text: &mut String, number: u16) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> String {
    const SERVER_NAME: u16 = 0;
    const ALPN: u16 = 16;
    let mut ciphers: Vec<u16> = without_grease(hello.ciphers.iter()).collect();
    let mut extensions: Vec<u16> = without_grease(hello.extensions.numbers()).collect();
    let offered = without_grease(hello.versions.iter());
    // DTLS counts its versions down.
    let highest =
        if carrier == Carrier::Dtls { offered.min() } else { offered.max() }.unwrap_or(hello.version);
    let mut text = String::with_capacity(36);
    text.push(match carrier {
        Carrier::Tcp => 't',
        Carrier::Quic => 'q',
        Carrier::Dtls => 'd',
    });
    text.push_str(match highest {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    });
    text.push(if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' });
    for count in [ciphers.len(), extensions.len()] {
        let count = count.min(99);
        text.extend([count / 10, count % 10].map(|digit| char::from(b'0' + digit as u8)));
    }
    text.extend(alpn_ends(hello.alpn().next().unwrap_or_default()));
    text.push('_');
    ciphers.sort_unstable();
    text.push_str(&short_hash(&hexadecimal(&ciphers)));
    text.push('_');
    extensions.retain(|number| !matches!(*number, SERVER_NAME | ALPN));
    extensions.sort_unstable();
    let mut hashed = hexadecimal(&extensions);
    let schemes: Vec<u16> = without_grease(hello.signature_schemes.iter()).collect();
    if !hashed.is_empty() && !schemes.is_empty() {
        hashed.push('_');
        hashed.push_str(&hexadecimal(&schemes));
    }
    text.push_str(&short_hash(&hashed));
    text
}

/// The first and the last character of the first protocol; of its hexadecimal form where either is not alphanumeric.
fn alpn_ends(protocol: &[u8]) -> [char; 2] {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)];
    }
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 15)]
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hexadecimal(numbers: &[u16]) -> String {
    let mut text = String::with_capacity(5 * numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        if at != 0 {
            text.push(',');
        }
        text.extend([12, 8, 4, 0].map(|shift| char::from(HEX_DIGITS[usize::from(number >> shift & 15)])));
    }
    text
}

fn short_hash(text: &str) -> String {
    if text.is_empty() { "0".repeat(12) } else { hex(&Sha256::digest(text.as_bytes())[..6]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENSIONS: [u16; 18] = [
        0x1b, 0x00, 0x33, 0x10, 0x4469, 0x17, 0x2d, 0x0d, 0x05, 0x23, 0x12, 0x2b, 0xff01, 0x0b, 0x0a, 0x15,
        0x0a0a, 0xdada,
    ];
    const CIPHERS: [u16; 16] = [
        0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
        0x009c, 0x009d, 0x002f, 0x0035,
    ];
    const SCHEMES: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

    /// With the length before it.
    fn list(numbers: &[u16]) -> Vec<u8> {
        let length = 2 * numbers.len() as u16;
        std::iter::once(&length).chain(numbers).flat_map(|number| number.to_be_bytes()).collect()
    }

    /// The body of a ClientHello whose extensions have no more in them than the fingerprints need.
    fn hello(version: u16, ciphers: &[u16], extensions: &[u16], schemes: &[u16]) -> Vec<u8> {
        let mut said = Vec::new();
        for number in extensions {
            let data = match number {
                10 => list(&[23, 24, 25]),
                11 => vec![1, 0],
                13 => list(schemes),
                16 => b"\0\x0c\x02h2\x08http/1.1".to_vec(),
                43 => vec![6, 0x5a, 0x5a, 3, 4, 3, 3],
                51 => list(&[]),
                _ => Vec::new(),
            };
            said.extend([*number, data.len() as u16].map(u16::to_be_bytes).concat());
            said.extend(data);
        }
        let head = [&version.to_be_bytes()[..], &[0; 33], &list(ciphers), &[0]].concat();
        [head, (said.len() as u16).to_be_bytes().to_vec(), said].concat()
    }

    fn read(body: &[u8]) -> ClientHello<'_> {
        let (hello, result) = ClientHello::parse(body, false);
        assert_eq!(result, Ok(()));
        hello
    }

    #[test]
    fn ja4_is_that_of_its_specification() {
        let ja4 = |extensions: &[u16], schemes: &[u16], carrier| {
            ja4(&read(&hello(0x0303, &CIPHERS, extensions, schemes)), carrier)
        };
        assert_eq!(ja4(&EXTENSIONS, &SCHEMES, Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        // Shuffled extensions make no difference to it.
        let mut shuffled = EXTENSIONS;
        shuffled.reverse();
        assert_eq!(ja4(&shuffled, &SCHEMES, Carrier::Quic), "q13d1516h2_8daaf6152771_e5627efa2ab1");
        // The example without signature algorithms.
        let bare = ja4(&EXTENSIONS, &[], Carrier::Tcp);
        assert!(bare.ends_with("_6d807ffa2a79"), "{bare}");
        let empty = ClientHello { version: 0x0300, ..ClientHello::default() };
        assert_eq!(super::ja4(&empty, Carrier::Tcp), "ts3i000000_000000000000_000000000000");
    }

    #[test]
    fn alpn_ends_that_are_no_letters_are_hexadecimal() {
        assert_eq!(alpn_ends(b"h2"), ['h', '2']);
        assert_eq!(alpn_ends(b"x"), ['x', 'x']);
        assert_eq!(alpn_ends(&[0xab]), ['a', 'b']);
        assert_eq!(alpn_ends(&[0x30, 0xab]), ['3', 'b']);
        assert_eq!(alpn_ends(b""), ['0', '0']);
    }

    #[test]
    fn ja3_is_that_of_its_readme() {
        let ciphers = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
        let found = ja3(&read(&hello(769, &ciphers, &[0, 10, 11], &[])));
        assert_eq!(found.text, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
        assert_eq!(found.hash, "ada70206e40642a3e4461f35503241d5");
        let bare = hello(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[], &[]);
        assert_eq!(ja3(&read(&bare)).hash, "de350869b8c85de67a350c8d186f11e6");
    }
}
