//! `file.write`, `file.append`, `file.delete`.

use std::io::{ErrorKind, Write};

use cap_std::fs::OpenOptions;

use super::Files;
use crate::error::{FileError, Reason};
use crate::path::Relative;
use crate::quota::charge;
use crate::temporary::Temporary;
use crate::walk::walk;

impl Files {
    /// `file.write`: makes the file or replaces what is in it. Its folder must be there. Where that fails half-way, because
    /// the disk is full say, the file is as before.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.outcome("file.write", path, || {
            let place = self.file_to_write(path, content)?;
            self.file_at(&place)?;
            let mut file = Temporary::new(&self.shared.dir, &self.shared.quota)?;
            file.write_all(content)?;
            self.put(file, &place)
        })
    }

    /// `file.append`: writes behind what is in the file; makes it if it is missing.
    pub fn append(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.outcome("file.append", path, || {
            let place = self.file_to_write(path, content)?;
            let _turn = self.turn();
            let there = self.file_at(&place)?;
            let (size, charged) = there.map_or((0, 0), |size| (size, charge(size)));
            let more = charge(size.saturating_add(content.len() as u64)) - charged;
            self.take(more)?;
            let result = self.append_at(&place, content, there);
            if result.is_err() {
                self.shared.quota.give_back(more);
            }
            result
        })
    }

    fn append_at(&self, place: &Relative, content: &[u8], there: Option<u64>) -> Result<(), Reason> {
        let mut file = self.dir().open_with(place.as_str(), OpenOptions::new().append(true).create(true))?;
        file.write_all(content).map_err(|error| {
            // Without half of the content rather than with it.
            let _ = match there {
                Some(size) => file.set_len(size),
                None => self.dir().remove_file(place.as_str()),
            };
            error.into()
        })
    }

    /// `file.delete`: removes a file, or a folder with all that is in it; whether anything was there. The pcap of a stream
    /// is forgotten with its file, and begins anew with the stream's next packet.
    pub fn delete(&self, path: &str) -> Result<bool, FileError> {
        self.outcome("file.delete", path, || {
            let place = Relative::below(path)?;
            if let Some((streams, name)) = self.managed_file(&place) {
                return Ok(streams.remove(name)?);
            }
            if self.is_managed(&place) {
                return Err(Reason::Managed);
            }
            let _turn = self.turn();
            let metadata = match self.dir().symlink_metadata(place.as_str()) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let mut freed = charge(0);
            if metadata.is_dir() {
                walk::<std::io::Error>(&self.dir().open_dir(place.as_str())?, &mut |found| {
                    freed += charge(if found.is_folder { 0 } else { found.bytes });
                    Ok(true)
                })?;
                self.dir().remove_dir_all(place.as_str())?;
            } else {
                freed = charge(metadata.len());
                self.dir().remove_file(place.as_str())?;
            }
            self.shared.quota.give_back(freed);
            Ok(true)
        })
    }

    fn file_to_write(&self, path: &str, content: &[u8]) -> Result<Relative, Reason> {
        let (bytes, limit) = (content.len() as u64, self.shared.config.write_bytes);
        if bytes > limit {
            return Err(Reason::WriteSize { bytes, limit });
        }
        let place = self.changeable(path)?;
        if path.ends_with('/') { Err(Reason::IsFolder) } else { Ok(place) }
    }

    /// Gives a complete file its place, and the room back of the one that was there.
    pub(super) fn put(&self, file: Temporary, place: &Relative) -> Result<(), Reason> {
        let _turn = self.turn();
        let replaced = self.file_at(place)?;
        file.keep(place.as_str())?;
        self.shared.quota.give_back(replaced.map_or(0, charge));
        Ok(())
    }
}
