//! Files to upload: opened inside a directory, streamed.

use std::io;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::Error;

/// What is read at once for a stream.
const CHUNK: usize = 64 << 10;

/// A regular file and its length when it was opened. What is appended later is not read; what is cut off fails the upload.
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) len: u64,
    path: String,
}

impl Opened {
    /// # Errors
    ///
    /// [`Error::File`] where `path` leads out of `dir`, or to what is not a regular file.
    pub(crate) async fn open(dir: &Dir, path: &str) -> Result<Self, Error> {
        let fail = |reason: String| Error::File { path: path.to_owned(), reason };
        let dir = dir.try_clone().map_err(|error| fail(error.to_string()))?;
        let relative = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || open(&dir, &relative)).await;
        let (file, len) = opened
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| fail(error.to_string()))?;
        Ok(Self { file: File::from_std(file), len, path: path.to_owned() })
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn into_body(self) -> reqwest::Body {
        reqwest::Body::wrap_stream(ReaderStream::with_capacity(self.file.take(self.len), CHUNK))
    }

    /// The next `len` bytes.
    pub(crate) async fn read(&mut self, len: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(len);
        (&mut self.file)
            .take(len as u64)
            .read_to_end(&mut bytes)
            .await
            .map_err(|error| self.error(&error))?;
        if bytes.len() < len {
            return Err(self.error(&"the file became shorter while it was read"));
        }
        Ok(bytes)
    }

    /// The first bytes, at most `len`; reading goes on at the beginning.
    pub(crate) async fn peek(&mut self, len: usize) -> Result<Vec<u8>, Error> {
        let start = self.read(len.min(usize::try_from(self.len).unwrap_or(len))).await?;
        self.file.rewind().await.map_err(|error| self.error(&error))?;
        Ok(start)
    }

    fn error(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::File { path: self.path.clone(), reason: reason.to_string() }
    }
}

fn open(dir: &Dir, path: &str) -> io::Result<(std::fs::File, u64)> {
    let mut options = OpenOptions::new();
    // Without it, opening a named pipe waits for somebody to write into it.
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let file = dir.open_with(path, &options)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((file.into_std(), metadata.len()))
}
