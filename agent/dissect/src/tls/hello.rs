//! ClientHello and ServerHello (RFC 8446, section 4.1; RFC 5246, section 7.4.1; RFC 6101 for what came before).

use crate::read::{ParseError, Reader};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    pub number: u16,
    pub data: &'a [u8],
}

/// Numbers of 16 bits, as they lie in a hello.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    Pairs(&'a [u8]),
    /// Of SSL 2.0, which has a byte more; what is not 0 there is none of ours.
    Triples(&'a [u8]),
}

impl Default for Numbers<'_> {
    fn default() -> Self {
        Self::Pairs(&[])
    }
}

impl<'a> Numbers<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = u16> + use<'a> {
        let (pairs, triples) = match self {
            Self::Pairs(bytes) => (bytes.as_chunks::<2>().0, [].as_slice()),
            Self::Triples(bytes) => ([].as_slice(), bytes.as_chunks::<3>().0),
        };
        let triples = triples.iter().filter(|[first, ..]| *first == 0);
        let triples = triples.map(|[_, high, low]| u16::from_be_bytes([*high, *low]));
        pairs.iter().map(|pair| u16::from_be_bytes(*pair)).chain(triples)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

/// Extensions, as they lie in a hello, up to the first that can't be read.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = Extension<'a>> {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || next_extension(&mut reader).ok().flatten().map(|(extension, _)| extension))
    }

    pub(crate) fn numbers(self) -> impl Iterator<Item = u16> + use<'a> {
        self.iter().map(|extension| extension.number)
    }
}

/// As much of a hello as could be read. Lists are gone through where they lie.
#[derive(Default, Debug)]
pub(crate) struct ClientHello<'a> {
    /// It is in the form of SSL 2.0.
    pub is_v2: bool,
    pub version: u16,
    pub random: &'a [u8],
    pub session_id: &'a [u8],
    /// Of DTLS: what the server wanted to hear again.
    pub cookie: &'a [u8],
    pub ciphers: Numbers<'a>,
    pub extensions: Extensions<'a>,
    pub server_name: Option<&'a [u8]>,
    pub versions: Numbers<'a>,
    pub groups: Numbers<'a>,
    pub point_formats: &'a [u8],
    pub signature_schemes: Numbers<'a>,
}

#[derive(Default, Debug)]
pub(crate) struct ServerHello<'a> {
    /// As the message says in its beginning, where TLS 1.3 claims to be 1.2.
    pub legacy_version: u16,
    pub version: u16,
    /// It asks for another ClientHello.
    pub is_retry: bool,
    pub session_id: &'a [u8],
    pub cipher: u16,
    pub extensions: Extensions<'a>,
    pub alpn: Option<&'a [u8]>,
    pub group: Option<u16>,
    /// A key agreed on before is used.
    pub pre_shared_key: bool,
}

/// The random value by which a ServerHello is a HelloRetryRequest (RFC 8446, section 4.1.3).
pub(crate) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

impl<'a> ClientHello<'a> {
    /// Reads the body of the message; with DTLS it has a cookie more. What was read before an error counts.
    pub(crate) fn parse(body: &'a [u8], has_cookie: bool) -> (Self, Result<(), ParseError>) {
        let mut hello = Self::default();
        let result = hello.read(&mut Reader::new(body), has_cookie);
        (hello, result)
    }

    fn read(&mut self, reader: &mut Reader<'a>, has_cookie: bool) -> Result<(), ParseError> {
        self.version = reader.u16_be()?;
        self.random = reader.take(32)?;
        self.session_id = block8(reader)?;
        if has_cookie {
            self.cookie = block8(reader)?;
        }
        self.ciphers = numbers(reader)?;
        block8(reader)?;
        let Some((mut extensions, length)) = extensions(reader)? else { return Ok(()) };
        while let Some((extension, at)) = next_extension(&mut extensions)? {
            self.extensions = Extensions(&extensions.whole()[..extensions.position()]);
            self.extension(extension).map_err(|error| error_at(error, reader.position() + at))?;
        }
        reader.skip(length)
    }

    fn extension(&mut self, extension: Extension<'a>) -> Result<(), ParseError> {
        let mut reader = Reader::new(extension.data);
        match extension.number {
            0 if !reader.is_empty() => {
                let length = reader.u16_be()?;
                let mut names = reader.part(length.into())?;
                while !names.is_empty() {
                    let kind = names.u8()?;
                    let name = block16(&mut names)?;
                    if kind == 0 && self.server_name.is_none() {
                        self.server_name = Some(name);
                    }
                }
            }
            10 => self.groups = numbers(&mut reader)?,
            11 => self.point_formats = block8(&mut reader)?,
            13 => self.signature_schemes = numbers(&mut reader)?,
            16 => {
                let mut protocols = Reader::new(block16(&mut reader)?);
                while !protocols.is_empty() {
                    block8(&mut protocols)?;
                }
            }
            43 => self.versions = Numbers::Pairs(block8(&mut reader)?),
            51 => {
                let mut shares = Reader::new(block16(&mut reader)?);
                while !shares.is_empty() {
                    shares.skip(2)?;
                    block16(&mut shares)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn extension_data(&self, number: u16) -> Option<&'a [u8]> {
        self.extensions.iter().find(|extension| extension.number == number).map(|extension| extension.data)
    }

    /// What the extensions of a number hold behind their length.
    fn lists(&self, number: u16) -> impl Iterator<Item = Reader<'a>> {
        let those = self.extensions.iter().filter(move |extension| extension.number == number);
        those.map_while(|extension| block16(&mut Reader::new(extension.data)).ok().map(Reader::new))
    }

    pub(crate) fn alpn(&self) -> impl Iterator<Item = &'a [u8]> {
        self.lists(16).flat_map(|mut list| std::iter::from_fn(move || block8(&mut list).ok()))
    }

    /// Groups it sends a key for.
    pub(crate) fn key_shares(&self) -> impl Iterator<Item = u16> {
        self.lists(51).flat_map(|mut list| {
            std::iter::from_fn(move || {
                let group = list.u16_be().ok()?;
                // Of one that is cut the group is known.
                if block16(&mut list).is_err() {
                    list.take_rest();
                }
                Some(group)
            })
        })
    }

    /// The CLIENT-HELLO of SSL 2.0, which clients of SSL 3.0 and TLS 1.0 sent too (RFC 5246, appendix E.2); `body` is what
    /// follows the message type. Cipher suites that SSL 2.0 alone has are left out.
    pub(crate) fn parse_v2(body: &'a [u8]) -> (Self, Result<(), ParseError>) {
        let mut hello = Self { is_v2: true, ..Self::default() };
        let result = hello.read_v2(&mut Reader::new(body));
        (hello, result)
    }

    fn read_v2(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        self.version = reader.u16_be()?;
        let [ciphers, session_id, challenge] = [reader.u16_be()?, reader.u16_be()?, reader.u16_be()?];
        self.ciphers = Numbers::Triples(reader.take(ciphers.into())?);
        self.session_id = reader.take(session_id.into())?;
        reader.skip(challenge.into())
    }
}

impl<'a> ServerHello<'a> {
    /// Reads the body of the message. What was read before an error counts.
    pub(crate) fn parse(body: &'a [u8]) -> (Self, Result<(), ParseError>) {
        let mut hello = Self::default();
        let result = hello.read(&mut Reader::new(body));
        (hello, result)
    }

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        self.legacy_version = reader.u16_be()?;
        self.version = self.legacy_version;
        self.is_retry = reader.array()? == RETRY;
        // Drafts of TLS 1.3 before 22 left out what 1.3 has no use for.
        let is_draft = self.legacy_version >> 8 == 0x7f;
        if !is_draft {
            self.session_id = block8(reader)?;
        }
        self.cipher = reader.u16_be()?;
        if !is_draft {
            reader.u8()?;
        }
        let Some((mut extensions, length)) = extensions(reader)? else { return Ok(()) };
        while let Some((extension, at)) = next_extension(&mut extensions)? {
            self.extensions = Extensions(&extensions.whole()[..extensions.position()]);
            self.extension(extension).map_err(|error| error_at(error, reader.position() + at))?;
        }
        reader.skip(length)
    }

    fn extension(&mut self, extension: Extension<'a>) -> Result<(), ParseError> {
        let mut reader = Reader::new(extension.data);
        match extension.number {
            16 => {
                reader.skip(2)?;
                self.alpn = Some(block8(&mut reader)?);
            }
            41 => self.pre_shared_key = true,
            43 => self.version = reader.u16_be()?,
            51 => self.group = Some(reader.u16_be()?),
            _ => {}
        }
        Ok(())
    }
}

/// The extensions there are, which may be none, and the length they claim; does not read past them.
fn extensions<'a>(reader: &mut Reader<'a>) -> Result<Option<(Reader<'a>, usize)>, ParseError> {
    if reader.is_empty() {
        return Ok(None);
    }
    let length = usize::from(reader.u16_be()?);
    let rest = reader.rest();
    Ok(Some((Reader::new(rest.get(..length).unwrap_or(rest)), length)))
}

/// The next extension and where its data begins.
fn next_extension<'a>(reader: &mut Reader<'a>) -> Result<Option<(Extension<'a>, usize)>, ParseError> {
    if reader.is_empty() {
        return Ok(None);
    }
    let number = reader.u16_be()?;
    let data = block16(reader)?;
    Ok(Some((Extension { number, data }, reader.position() - data.len())))
}

const fn error_at(error: ParseError, base: usize) -> ParseError {
    ParseError { offset: error.offset + base, what: error.what }
}

fn block8<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u8()?;
    reader.take(length.into())
}

pub(crate) fn block16<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u16_be()?;
    reader.take(length.into())
}

/// A list of 16-bit numbers with its length in bytes before it.
fn numbers<'a>(reader: &mut Reader<'a>) -> Result<Numbers<'a>, ParseError> {
    block16(reader).map(Numbers::Pairs)
}
