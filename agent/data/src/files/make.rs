//! `file.mkdir`, `file.mkdirTemp`, `file.temp`.

use std::io::{self, ErrorKind};

use cap_std::fs::OpenOptions;

use super::Files;
use crate::error::{FileError, Reason};
use crate::path::Relative;
use crate::quota::charge;
use crate::temporary::random_digits;

/// How many random names are tried; one is taken only by chance.
const ATTEMPTS: usize = 100;

impl Files {
    /// `file.mkdir`: makes a folder and those it is in, as far as they are missing.
    pub fn mkdir(&self, path: &str) -> Result<(), FileError> {
        self.outcome("file.mkdir", path, || {
            let place = self.changeable(path)?;
            let _turn = self.turn();
            let ends = place.as_str().match_indices('/').map(|(at, _)| at).chain([place.as_str().len()]);
            for end in ends {
                self.make_folder(&place.as_str()[..end])?;
            }
            Ok(())
        })
    }

    /// One folder, if it is missing.
    fn make_folder(&self, path: &str) -> Result<(), Reason> {
        match self.dir().metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Ok(()),
            Ok(_) => return Err(Reason::Exists),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        self.charged(|| self.dir().create_dir(path))
    }

    /// `file.mkdirTemp`: makes a new folder, named `name` with random digits behind, in the folder `dir` (the data
    /// directory where it is empty). Its path.
    pub fn mkdir_temp(&self, name: &str, dir: &str) -> Result<String, FileError> {
        self.outcome("file.mkdirTemp", &shown(dir, name), || {
            self.make_new(name, dir, "", |path| self.dir().create_dir(path))
        })
    }

    /// `file.temp`: makes a new empty file, named `name` with random digits and then `extension` behind (`txt` where it is
    /// empty; a dot before it is understood), in the folder `dir` (the data directory where it is empty). Its path.
    pub fn temp(&self, name: &str, dir: &str, extension: &str) -> Result<String, FileError> {
        self.outcome("file.temp", &shown(dir, name), || {
            let extension = match extension.strip_prefix('.').unwrap_or(extension) {
                "" => "txt",
                extension => extension,
            };
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            self.make_new(name, dir, &format!(".{extension}"), |path| {
                self.dir().open_with(path, &options).map(drop)
            })
        })
    }

    fn make_new(
        &self,
        name: &str,
        dir: &str,
        suffix: &str,
        make: impl Fn(&str) -> io::Result<()>,
    ) -> Result<String, Reason> {
        if name.contains('/') || suffix.contains('/') {
            return Err(Reason::NameWithSlash);
        }
        let dir = Relative::place(if dir.is_empty() { "." } else { dir })?;
        if self.is_managed(&dir) {
            return Err(Reason::Managed);
        }
        self.folder_at(&dir)?;
        for _ in 0..ATTEMPTS {
            let place = dir.join(&format!("{name}{}{suffix}", random_digits()))?;
            match self.charged(|| make(place.as_str())) {
                Ok(()) => return Ok(place.as_str().to_owned()),
                Err(Reason::Exists) => {}
                Err(reason) => return Err(reason),
            }
        }
        Err(Reason::NoFreeName)
    }

    /// Makes something that counts as one block.
    fn charged(&self, make: impl FnOnce() -> io::Result<()>) -> Result<(), Reason> {
        self.take(charge(0))?;
        make().map_err(|error| {
            self.shared.quota.give_back(charge(0));
            error.into()
        })
    }
}

/// What an error names.
fn shown(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{}/{name}", dir.trim_end_matches('/')) }
}
