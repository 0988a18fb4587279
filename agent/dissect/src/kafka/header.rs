//! Request headers: the only place where Kafka shows itself, and without a magic number.

use super::apis::{Api, CONTROLLED_SHUTDOWN, PRODUCE};
use super::wire::uvarint;
use crate::Reader;

/// The length field before each message.
pub(super) const SIZE_BYTES: usize = 4;

/// The broker's `socket.request.max.bytes` is 100 MiB unless changed.
pub(super) const MAX_SIZE: u32 = 256 << 20;

/// Requests without records are small: what is larger is not believed at first sight.
const MAX_USUAL_SIZE: u32 = 4 << 20;

/// Keys and versions of the future that are believed on a connection known to be Kafka.
const MAX_KEY: i16 = 511;
const MAX_VERSION: i16 = 63;

/// Longer client names are not believed.
const MAX_CLIENT_BYTES: usize = 512;

/// A request up to its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    /// What the length field says: bytes behind it.
    pub(super) size: u32,
    pub(super) key: i16,
    pub(super) version: i16,
    pub(super) correlation: i32,
    pub(super) client: Option<&'a str>,
    pub(super) api: Option<&'static Api>,
    /// Where the body begins, from the length field on.
    pub(super) body: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Look<'a> {
    Header(Header<'a>),
    /// Nothing speaks against it yet.
    More,
    No(&'static str),
}

/// Reads the header of a request. `strict`: key and version must be known ones, the size usual for them.
pub(super) fn look(bytes: &[u8], strict: bool) -> Look<'_> {
    match read(bytes, strict) {
        Ok(Some(header)) => Look::Header(header),
        Ok(None) => Look::More,
        Err(why) => Look::No(why),
    }
}

fn read(bytes: &[u8], strict: bool) -> Result<Option<Header<'_>>, &'static str> {
    let mut reader = Reader::new(bytes);
    let Ok(size) = reader.u32_be() else {
        return if bytes.first().is_none_or(|byte| *byte <= (MAX_SIZE >> 24) as u8) {
            Ok(None)
        } else {
            Err("the size is not that of a request")
        };
    };
    if !(8..=MAX_SIZE).contains(&size) {
        return Err("the size is not that of a request");
    }
    let (Ok(key), version) = (reader.i16_be(), reader.i16_be()) else { return Ok(None) };
    let api = Api::of(key);
    if api.is_none() && (strict || !(0..=MAX_KEY).contains(&key)) {
        return Err("the API key is not known");
    }
    if strict && key != PRODUCE && size > MAX_USUAL_SIZE {
        return Err("the size is not that of a request");
    }
    let Ok(version) = version else { return Ok(None) };
    let newest = if let (true, Some(api)) = (strict, api) { api.newest } else { MAX_VERSION };
    if !(0..=newest).contains(&version) {
        return Err("the API version is not known");
    }
    let Ok(correlation) = reader.i32_be() else { return Ok(None) };
    if correlation < 0 {
        return Err("the correlation id is negative");
    }
    let header = |client, body| Header { size, key, version, correlation, client, api, body };
    if key == CONTROLLED_SHUTDOWN && version == 0 {
        return Ok(Some(header(None, reader.position())));
    }
    let Ok(length) = reader.i16_be() else { return Ok(None) };
    let left = SIZE_BYTES + size as usize;
    let client = match usize::try_from(length) {
        Err(_) if length == -1 => None,
        Ok(length) if length <= MAX_CLIENT_BYTES && reader.position() + length <= left => {
            let here = length.min(reader.remaining());
            let text = reader.take(here).unwrap_or_default();
            if !is_printable(text) {
                return Err("the client id is not a text");
            }
            if here < length {
                return Ok(None);
            }
            Some(std::str::from_utf8(text).map_err(|_| "the client id is not a text")?)
        }
        _ => return Err("the client id has no plausible length"),
    };
    if api.is_some_and(|api| api.is_flexible(version)) {
        let Some(()) = skip_tags(&mut reader, left)? else { return Ok(None) };
    }
    if reader.position() > left {
        return Err("the header is longer than the message");
    }
    Ok(Some(header(client, reader.position())))
}

/// Passes over the tagged fields at the end of a header. `None` where they are not all here.
pub(super) fn skip_tags(reader: &mut Reader<'_>, end: usize) -> Result<Option<()>, &'static str> {
    const WRONG: &str = "the tagged fields of the header are wrong";
    let mut read = || {
        let fields = uvarint(reader)?;
        // Each takes two bytes or more.
        for _ in 0..fields {
            uvarint(reader)?;
            let length = uvarint(reader)? as usize;
            if reader.position().saturating_add(length) > end {
                return Err(reader.error(WRONG));
            }
            reader.skip(length)?;
        }
        Ok(())
    };
    match read() {
        Ok(()) => Ok(Some(())),
        Err(error) if error.is_early() => Ok(None),
        Err(_) => Err(WRONG),
    }
}

fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| !byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: &[u8] = b"\0\0\0\x16\0\x0c\0\x04\0\0\0\x07\0\x03abc\0\x02g\0\0\0\x01\x02m\0\0";

    #[test]
    fn a_header_is_read_whole_or_not_at_all() {
        let Look::Header(header) = look(HEARTBEAT, true) else { panic!("{:?}", look(HEARTBEAT, true)) };
        assert_eq!((header.key, header.version, header.correlation), (12, 4, 7));
        assert_eq!((header.client, header.body, header.size), (Some("abc"), 18, 22));
        for length in 0..18 {
            assert!(matches!(look(&HEARTBEAT[..length], true), Look::More), "{length}");
        }
    }

    #[test]
    fn what_can_not_be_a_header_is_refused() {
        for (place, byte) in
            [(0, 0x7f), (3, 3), (4, 1), (5, 99), (7, 5), (8, 0x80), (12, 1), (13, 200), (14, 7)]
        {
            let mut bytes = HEARTBEAT.to_vec();
            bytes[place] = byte;
            assert!(matches!(look(&bytes, true), Look::No(_)), "{place}");
        }
        let mut future = HEARTBEAT.to_vec();
        future[7] = 9;
        assert!(matches!(look(&future, false), Look::Header(_)));
    }
}
