//! Files in the making: under a name of their own until they are complete.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, OpenOptions};

use crate::error::NoRoom;
use crate::quota::{Quota, charge};

const PREFIX: &str = ".remora-";
const SUFFIX: &str = ".part";

/// Whether a name in the data directory is that of a file in the making, or left over from one.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Digits that are not used twice by one process, and hardly by two.
pub(crate) fn random_digits() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let number = RandomState::new().hash_one(CALLS.fetch_add(1, Ordering::Relaxed));
    format!("{:010}", number % 10_000_000_000)
}

/// A file in the data directory that is removed again unless it is [kept](Self::keep). Its bytes count in the quota as
/// they are written.
pub(crate) struct Temporary {
    dir: Arc<Dir>,
    quota: Arc<Quota>,
    name: String,
    /// None once it is closed.
    file: Option<std::fs::File>,
    written: u64,
    charged: u64,
    kept: bool,
}

impl Temporary {
    pub(crate) fn new(dir: &Arc<Dir>, quota: &Arc<Quota>) -> io::Result<Self> {
        let charged = charge(0);
        if !quota.take(charged) {
            return Err(no_room(quota));
        }
        let name = format!("{PREFIX}{}{SUFFIX}", random_digits());
        let mut options = OpenOptions::new();
        let file =
            dir.open_with(&name, options.read(true).write(true).create_new(true)).inspect_err(|_| {
                quota.give_back(charged);
            })?;
        let (dir, quota) = (dir.clone(), quota.clone());
        Ok(Self { dir, quota, name, file: Some(file.into_std()), written: 0, charged, kept: false })
    }

    /// Nothing more will be written.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    pub(crate) fn reopen(&self) -> io::Result<std::fs::File> {
        self.dir.open(&self.name).map(cap_std::fs::File::into_std)
    }

    /// Gives the complete file its name, in place of whatever file has it.
    pub(crate) fn keep(mut self, path: &str) -> io::Result<()> {
        self.dir.rename(&self.name, &self.dir, path)?;
        self.kept = true;
        Ok(())
    }

    /// Gives the complete file the first of the names in the data directory's root that is free.
    pub(crate) fn keep_as_new(self, names: impl Iterator<Item = String>) -> io::Result<Option<String>> {
        for name in names {
            match self.dir.open_with(&name, OpenOptions::new().write(true).create_new(true)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let dir = self.dir.clone();
            return match self.keep(&name) {
                Ok(()) => Ok(Some(name)),
                Err(error) => {
                    let _ = dir.remove_file(&name);
                    Err(error)
                }
            };
        }
        Ok(None)
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = charge(self.written.saturating_add(bytes.len() as u64)).saturating_sub(self.charged);
        if more > 0 {
            if !self.quota.take(more) {
                return Err(no_room(&self.quota));
            }
            self.charged += more;
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let written = file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.dir.remove_file(&self.name);
            self.quota.give_back(self.charged);
        }
    }
}

pub(crate) fn no_room(quota: &Quota) -> io::Error {
    io::Error::other(NoRoom { used: quota.used(), limit: quota.limit() })
}

/// Names for something made now: `<prefix><seconds><suffix>`, then with `-2`, `-3` and so on behind the seconds.
pub(crate) fn names_of_time(prefix: &str, suffix: &str) -> impl Iterator<Item = String> {
    /// Attempts before giving up; no script makes as many files in one second.
    const MAX_NAMES: u32 = 10_000;
    let seconds =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    std::iter::once(format!("{prefix}{seconds}{suffix}"))
        .chain((2..=MAX_NAMES).map(move |number| format!("{prefix}{seconds}-{number}{suffix}")))
}
