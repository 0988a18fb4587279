//! `file.move`, `file.copy`.

use std::io::{self, BufReader, ErrorKind, Read};

use super::Files;
use crate::error::{FileError, Reason};
use crate::path::{MAX_DEPTH, Relative};
use crate::quota::charge;
use crate::temporary::Temporary;
use crate::walk::walk;

const COPY_BUFFER_BYTES: usize = 64 << 10;

impl Files {
    /// `file.move`: gives a file or folder another place. Into a folder that is there, and to a path that ends in `/`, it
    /// goes under the name it has. A file that is there is replaced. The pcap of a stream that is moved is the script's own
    /// from then on; what more comes of the stream begins a new one.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.outcome("file.move", &format!("{from} -> {to}"), || {
            let source = Relative::below(from)?;
            let target = self.target(&source, to)?;
            if let Some((streams, name)) = self.managed_file(&source) {
                streams.path(name)?;
            } else if self.is_managed(&source) {
                return Err(Reason::Managed);
            }
            let _turn = self.turn();
            let metadata = self.dir().metadata(source.as_str())?;
            if source == target {
                return Ok(());
            }
            let mut freed = 0;
            if metadata.is_dir() {
                self.check_folder_move(&source, &target)?;
            } else {
                freed = self.file_at(&target)?.map_or(0, charge);
            }
            if let Some((streams, name)) = self.managed_file(&source) {
                let bytes = charge(metadata.len());
                self.take(bytes)?;
                if let Err(error) = streams.detach(name, &self.shared.dir, target.as_str()) {
                    self.shared.quota.give_back(bytes);
                    return Err(error.into());
                }
            } else {
                self.dir().rename(source.as_str(), self.dir(), target.as_str())?;
            }
            self.shared.quota.give_back(freed);
            Ok(())
        })
    }

    /// `file.copy`: copies a file as it is at this moment, with the same rules for the target as [`Self::rename`]. The
    /// target is complete or not there.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.outcome("file.copy", &format!("{from} -> {to}"), || {
            let source = Relative::below(from)?;
            let (file, bytes) = self.open(&source)?;
            let target = self.target(&source, to)?;
            if source == target {
                return Ok(());
            }
            self.file_at(&target)?;
            let mut copy = Temporary::new(&self.shared.dir, &self.shared.quota)?;
            io::copy(&mut BufReader::with_capacity(COPY_BUFFER_BYTES, file.take(bytes)), &mut copy)?;
            self.put(copy, &target)
        })
    }

    fn target(&self, source: &Relative, to: &str) -> Result<Relative, Reason> {
        let place = Relative::place(to)?;
        let is_folder = match self.dir().metadata(place.open_name()) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        let target = if is_folder || to.ends_with('/') { place.join(source.name())? } else { place };
        if self.is_managed(&target) { Err(Reason::Managed) } else { Ok(target) }
    }

    fn check_folder_move(&self, source: &Relative, target: &Relative) -> Result<(), Reason> {
        if target.is_within(source) {
            return Err(Reason::IntoItself);
        }
        match self.dir().symlink_metadata(target.as_str()) {
            Ok(_) => return Err(Reason::Exists),
            Err(error) if error.kind() == ErrorKind::NotFound => self.folder_at(&target.parent())?,
            Err(error) => return Err(error.into()),
        }
        // By moves alone a tree could become too deep for anything to be done with it.
        walk(&self.dir().open_dir(source.as_str())?, &mut |found| {
            if target.depth() + found.depth > MAX_DEPTH {
                return Err(Reason::Depth { limit: MAX_DEPTH });
            }
            Ok(true)
        })
    }
}
