//! The messages: greeting, credentials, request, and the answers to them. None says its length; each is read to its end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::read::{ParseError, Reader};

/// Longest user name of version 4, and longest name of a host.
const MAX_TEXT: usize = 255;

pub(super) const NO_AUTHENTICATION: u8 = 0;
pub(super) const GSSAPI: u8 = 1;
pub(super) const PASSWORD: u8 = 2;
pub(super) const NO_METHOD: u8 = 0xff;

#[derive(Debug)]
pub(super) enum Host {
    Ip(IpAddr),
    Name(Vec<u8>),
}

/// Where to, or from where.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) host: Host,
    pub(super) port: u16,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) command: u8,
    pub(super) target: Target,
    /// Of version 4.
    pub(super) user: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u8,
    /// Version 4 fills it with zeros where it means nothing.
    pub(super) bound: Target,
}

/// What a client's bytes begin with.
#[derive(Debug)]
pub(super) enum Opening {
    /// The methods offered.
    Greeting(Vec<u8>),
    /// A request of version 5, whose greeting came before.
    Request5(Request),
    Request4(Request),
}

impl Host {
    pub(super) fn memory(&self) -> usize {
        if let Self::Name(name) = self { name.capacity() } else { 0 }
    }
}

impl Request {
    pub(super) fn memory(&self) -> usize {
        self.target.host.memory() + self.user.as_ref().map_or(0, Vec::capacity)
    }
}

/// Reads what opens a conversation, and how long it is. What follows must be what a client that does not wait sends.
pub(super) fn opening(bytes: &[u8]) -> Result<(Opening, usize), ParseError> {
    let mut reader = Reader::new(bytes);
    match reader.peek() {
        Some(4) => {
            let request = request4(&mut reader)?;
            // A client has to wait for the answer.
            if !reader.is_empty() {
                return Err(reader.error("bytes behind a request"));
            }
            Ok((Opening::Request4(request), reader.position()))
        }
        Some(5) => match greeting(&mut reader) {
            Ok(methods) if may_follow(&methods, reader.rest()) => {
                Ok((Opening::Greeting(methods), reader.position()))
            }
            greeted => {
                let mut reader = Reader::new(bytes);
                match request5(&mut reader, true) {
                    Ok(request) if reader.is_empty() => Ok((Opening::Request5(request), bytes.len())),
                    Ok(_) => Err(reader.error("bytes behind a request")),
                    // It may still be either.
                    Err(error) => Err(greeted.err().filter(ParseError::is_early).unwrap_or(error)),
                }
            }
        },
        Some(_) => Err(reader.error("neither version 4 nor 5")),
        None => Err(early(&reader)),
    }
}

/// Whether these may be the next bytes of a client that does not wait to be told which of its methods counts.
fn may_follow(methods: &[u8], bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    match bytes.first() {
        None => true,
        Some(1) if methods.contains(&PASSWORD) => {
            credentials(&mut reader).map_or_else(|error| error.is_early(), |_| true)
        }
        // What is behind it is sent on.
        Some(5) => request5(&mut reader, true).map_or_else(|error| error.is_early(), |_| true),
        Some(_) => false,
    }
}

/// The methods that a client offers: each once, and one of those that all clients have.
fn greeting(reader: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
    reader.skip(1)?;
    let count = reader.u8()?;
    if count == 0 {
        return Err(reader.error("a greeting without methods"));
    }
    let seen = &reader.rest()[..reader.remaining().min(count.into())];
    for (place, method) in seen.iter().enumerate() {
        if !matches!(method, 0..=3 | 5..=9 | 0x80..=0xfe) || seen[..place].contains(method) {
            return Err(reader.error("no list of methods"));
        }
    }
    let methods = reader.take(count.into())?;
    if !methods.iter().any(|method| *method <= PASSWORD) {
        return Err(reader.error("no method that is in use"));
    }
    Ok(methods.to_vec())
}

/// RFC 1929: the name; the password is passed over.
pub(super) fn credentials(reader: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
    if reader.u8()? != 1 {
        return Err(reader.error("no credentials"));
    }
    let length = reader.u8()?;
    let user = reader.take(length.into())?.to_vec();
    let length = reader.u8()?;
    reader.skip(length.into())?;
    Ok(user)
}

/// A request of version 5; `strict` where only its content tells that it is one.
pub(super) fn request5(reader: &mut Reader<'_>, strict: bool) -> Result<Request, ParseError> {
    if reader.u8()? != 5 {
        return Err(reader.error("another version"));
    }
    let command = reader.u8()?;
    if strict && !matches!(command, 1..=3 | 0xf0 | 0xf1) {
        return Err(reader.error("an unknown command"));
    }
    let target = target(reader)?;
    let is_told = match &target.host {
        Host::Name(name) => is_host(name),
        Host::Ip(_) => true,
    };
    if strict && !(is_told && (target.port != 0 || command != 1)) {
        return Err(reader.error("no place to connect to"));
    }
    Ok(Request { command, target, user: None })
}

/// A request of version 4, or 4a where the address is one that can't be and a name follows.
fn request4(reader: &mut Reader<'_>) -> Result<Request, ParseError> {
    reader.skip(1)?;
    let command = reader.u8()?;
    if !matches!(command, 1 | 2) {
        return Err(reader.error("an unknown command"));
    }
    let port = reader.u16_be()?;
    let address: [u8; 4] = reader.array()?;
    if port == 0 || address == [0; 4] {
        return Err(reader.error("no place to connect to"));
    }
    let user = text(reader, |byte| (0x20..0x7f).contains(&byte) || byte >= 0x80)?;
    let host = match address {
        [0, 0, 0, _] => {
            let name = text(reader, is_of_host)?;
            if name.is_empty() {
                return Err(reader.error("an empty name"));
            }
            Host::Name(name)
        }
        address => Host::Ip(IpAddr::V4(Ipv4Addr::from(address))),
    };
    Ok(Request { command, target: Target { host, port }, user: Some(user) })
}

/// Bytes up to a zero byte, all of which must be allowed.
fn text(reader: &mut Reader<'_>, is_allowed: fn(u8) -> bool) -> Result<Vec<u8>, ParseError> {
    let seen = &reader.rest()[..reader.remaining().min(MAX_TEXT + 1)];
    let end = memchr::memchr(0, seen);
    let text = &seen[..end.unwrap_or(seen.len())];
    if text.len() > MAX_TEXT || !text.iter().all(|byte| is_allowed(*byte)) {
        return Err(reader.error("not a text"));
    }
    reader.until(0).map(<[u8]>::to_vec).map_err(|_| early(reader))
}

/// Bytes 2 and on of a request or reply of version 5.
fn target(reader: &mut Reader<'_>) -> Result<Target, ParseError> {
    if reader.u8()? != 0 {
        return Err(reader.error("the reserved byte is not zero"));
    }
    let host = match reader.u8()? {
        1 => Host::Ip(IpAddr::V4(Ipv4Addr::from(reader.array::<4>()?))),
        3 => {
            let length = reader.u8()?;
            Host::Name(reader.take(length.into())?.to_vec())
        }
        4 => Host::Ip(IpAddr::V6(Ipv6Addr::from(reader.array::<16>()?))),
        _ => return Err(reader.error("an unknown type of address")),
    };
    Ok(Target { host, port: reader.u16_be()? })
}

pub(super) fn reply5(reader: &mut Reader<'_>) -> Result<Reply, ParseError> {
    if reader.u8()? != 5 {
        return Err(reader.error("another version"));
    }
    let status = reader.u8()?;
    Ok(Reply { status, bound: target(reader)? })
}

pub(super) fn reply4(reader: &mut Reader<'_>) -> Result<Reply, ParseError> {
    if reader.u8()? != 0 {
        return Err(reader.error("another version"));
    }
    let status = reader.u8()?;
    if !matches!(status, 90..=93) {
        return Err(reader.error("an unknown status"));
    }
    let port = reader.u16_be()?;
    let host = Host::Ip(IpAddr::V4(Ipv4Addr::from(reader.array::<4>()?)));
    Ok(Reply { status, bound: Target { host, port } })
}

impl Reply {
    pub(super) const fn is_granted(&self) -> bool {
        matches!(self.status, 0 | 90)
    }
}

fn is_host(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| is_of_host(*byte))
}

const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
}

/// The error of a message that is not there to its end.
fn early(reader: &Reader<'_>) -> ParseError {
    let mut rest = *reader;
    match rest.skip(reader.remaining() + 1) {
        Err(error) => error,
        Ok(()) => reader.error("the message ends early"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_unsure(bytes: &[u8]) -> bool {
        opening(bytes).is_err_and(|error| error.is_early())
    }

    #[test]
    fn only_what_a_client_sends_opens_a_conversation() {
        assert!(matches!(opening(&[5, 1, 0]), Ok((Opening::Greeting(_), 3))));
        assert!(matches!(opening(&[5, 2, 0, 2, 1, 1, b'u', 1, b'p']), Ok((Opening::Greeting(_), 4))));
        assert!(matches!(opening(&[5, 1, 0, 5, 1, 0, 1]), Ok((Opening::Greeting(_), 3))));
        assert!(matches!(opening(&[5, 1, 0, 1, 192, 0, 2, 1, 0, 80]), Ok((Opening::Request5(_), 10))));
        assert!(matches!(opening(&[5, 3, 0, 1, 0, 0, 0, 0, 0, 0]), Ok((Opening::Request5(_), 10))));
        assert!(matches!(opening(b"\x04\x01\0\x50\xc0\0\x02\x01me\0"), Ok((Opening::Request4(_), 11))));
        assert!(matches!(opening(b"\x04\x01\0\x50\0\0\0\x01\0a.test\0"), Ok((Opening::Request4(_), 16))));
        for partial in
            [&[5][..], &[5, 2, 0], &[5, 1, 0, 1, 192], &[4, 1, 0], b"\x04\x01\0\x50\xc0\0\x02\x01me"]
        {
            assert!(is_unsure(partial), "{partial:?}");
        }
        for other in [
            // DCE/RPC: bind.
            &[5, 0, 11, 3, 16, 0, 0, 0][..],
            // CQL 4: OPTIONS, a compressed QUERY.
            &[4, 0, 0, 0, 5, 0, 0, 0, 0],
            &[4, 1, 0, 0, 7, 0, 0, 0, 4, 1, 2, 3, 4],
            // Packets of MySQL.
            &[5, 0, 0, 0, 3, b'a', b'b', b'c', b'd'],
            &[5, 1, 0, 0, 3, b's'],
            &[5, 2, 0, 0],
            &[5, 1, 0, 9],
            &[5, 1, 4],
            &[5, 1, 0x80],
            &[5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 0, 7],
            &[4, 3, 0, 80, 192, 0, 2, 1, 0],
            &[4, 1, 0, 80, 192, 0, 2, 1, 0, 0],
            &[4, 1, 0, 80, 0, 0, 0, 1, 0, 0],
            &[4, 1, 0, 80, 192, 0, 2, 1, 7, 0],
        ] {
            assert!(opening(other).is_err_and(|error| !error.is_early()), "{other:?}");
        }
    }
}
