//! The bytes of the capture, decompressed where the file is compressed.

use std::io::{self, Chain, Cursor, ErrorKind, Read, Take};

use flate2::read::MultiGzDecoder;

/// RFC 1952 section 2.3.1.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes decompressed at a time. Where the stream is damaged, what one step had already made is lost.
const STEP_BYTES: usize = 4 << 10;

/// The input with the bytes put back that were looked at.
type Whole<R> = Chain<Take<Cursor<[u8; 2]>>, R>;

pub(crate) enum Input<R> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
}

impl<R: Read> Input<R> {
    pub(crate) fn detect(mut input: R) -> io::Result<Self> {
        let mut magic = [0; 2];
        let mut have = 0;
        while have < magic.len() {
            match input.read(&mut magic[have..]) {
                Ok(0) => break,
                Ok(read) => have += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let whole = Cursor::new(magic).take(have as u64).chain(input);
        Ok(if have == magic.len() && magic == GZIP_MAGIC {
            Self::Gzip(Box::new(MultiGzDecoder::new(whole)))
        } else {
            Self::Plain(whole)
        })
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(out),
            Self::Gzip(decoder) => {
                let step = out.len().min(STEP_BYTES);
                decoder.read(&mut out[..step]).map_err(mark_decoding_error)
            }
        }
    }
}

/// What is wrong with the compressed stream itself, rather than with reading it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GzipError {
    #[error("the gzip stream ends early")]
    Cut,
    #[error("the gzip stream is damaged ({0})")]
    Damaged(io::Error),
}

/// The decoder reports its own findings under the kinds that readers use too, but never with an error number of the
/// operating system.
fn mark_decoding_error(error: io::Error) -> io::Error {
    match error.kind() {
        _ if error.raw_os_error().is_some() => error,
        ErrorKind::UnexpectedEof => io::Error::other(GzipError::Cut),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => io::Error::other(GzipError::Damaged(error)),
        _ => error,
    }
}
