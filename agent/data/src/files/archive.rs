//! `file.tar`.

use std::io::{self, Read, Write};
use std::time::UNIX_EPOCH;

use cap_std::fs::Dir;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::Files;
use crate::error::{FileError, Reason, Stopped};
use crate::path::Relative;
use crate::temporary::{Temporary, is_temporary, names_of_time};
use crate::walk::{Found, walk};

/// Asked again and again in the course of long work: whether to go on.
pub type GoOn<'a> = &'a mut dyn FnMut() -> bool;

impl Files {
    /// `file.tar`: packs the files and folders below the folder `dir` into a new `kubeshark_<unix seconds>.tar.gz` in the
    /// data directory; its path. Entries are relative to `dir` and in order of their names; links are left out. The archive
    /// gets its name when it is complete, so it is never in itself.
    pub fn tar(&self, dir: &str, go_on: GoOn<'_>) -> Result<String, FileError> {
        self.outcome("file.tar", dir, || {
            let place = Relative::place(dir)?;
            let metadata = self.dir().metadata(place.open_name())?;
            if !metadata.is_dir() {
                return Err(Reason::NotAFolder);
            }
            let folder = self.dir().open_dir(place.open_name())?;
            let output = Temporary::new(&self.shared.dir, &self.shared.quota)?;
            let encoder = GzEncoder::new(output, Compression::default());
            let mut builder = Builder::new(Guarded { output: encoder, go_on: &mut *go_on });
            walk::<io::Error>(&folder, &mut |found| {
                if !(place.is_root() && is_temporary(&found.path)) {
                    add(&mut builder, &folder, &found, self.whole_bytes(&place, &found))?;
                }
                Ok(true)
            })?;
            let output = builder.into_inner()?.output.finish()?;
            output.keep_as_new(names_of_time("kubeshark_", ".tar.gz"))?.ok_or(Reason::NoFreeName)
        })
    }

    /// How much of a file is whole that is the pcap of a stream; it has all packets up to now.
    fn whole_bytes(&self, within: &Relative, found: &Found) -> Option<u64> {
        let place = within.join(&found.path).ok()?;
        let (streams, name) = self.managed_file(&place).filter(|_| !found.is_folder)?;
        streams.kept(name).ok().map(|kept| kept.bytes)
    }
}

/// Adds a folder, or the first `bytes` of a file, all of it where that is not said.
fn add<W: Write>(
    builder: &mut Builder<W>,
    folder: &Dir,
    found: &Found,
    bytes: Option<u64>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mtime(0);
    if found.is_folder {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        return builder.append_data(&mut header, format!("{}/", found.path), io::empty());
    }
    let file = match folder.open(&found.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let modified = metadata.modified().ok().map(cap_std::time::SystemTime::into_std);
    let seconds = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(seconds.unwrap_or_default().as_secs());
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    let bytes = bytes.unwrap_or(metadata.len());
    header.set_size(bytes);
    builder.append_data(&mut header, &found.path, Exactly { input: file, left: bytes })
}

/// As many bytes as the entry's header says, whatever happens to the file meanwhile: zeros where it became shorter.
struct Exactly<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let out = &mut out[..most];
        let mut read = self.input.read(out)?;
        if read == 0 {
            out.fill(0);
            read = most;
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Asks before each write whether to go on.
struct Guarded<'a, W> {
    output: W,
    go_on: GoOn<'a>,
}

impl<W: Write> Write for Guarded<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !(self.go_on)() {
            return Err(io::Error::other(Stopped));
        }
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
