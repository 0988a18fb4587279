//! The `file.*` helpers: what scripts do with files of the data directory.

mod archive;
mod change;
mod make;
mod transfer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};

use crate::error::{FileError, Reason};
use crate::path::Relative;
use crate::quota::{Quota, charge};
use crate::streams::{self, Streams};
use crate::temporary::is_temporary;
use crate::walk::walk;

pub use archive::GoOn;

/// How often the files are counted anew because room has run out.
const RECOUNT_EVERY: Duration = Duration::from_secs(10);

/// Limits of the files that scripts make.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// The most bytes that files may take in the data directory, besides the streams' pcaps. Each counts as whole blocks
    /// of [`BLOCK_BYTES`](crate::BLOCK_BYTES).
    pub total_bytes: u64,
    /// The most bytes of one `file.write` or `file.append`.
    pub write_bytes: u64,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self { total_bytes: 1 << 30, write_bytes: 64 << 20 }
    }
}

/// What became of the helpers' calls since the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FileCounters {
    /// Calls that did what they were asked.
    pub done: u64,
    /// Calls refused because of a limit: of bytes, of depth, of a name's length.
    pub limited: u64,
    /// Calls that failed otherwise: the path does not exist or leads outside, the disk is full.
    pub failed: u64,
    /// What files take at the moment, in bytes of whole blocks.
    pub used_bytes: u64,
}

/// The files of the data directory. Cheap to clone; for any thread.
///
/// Paths are relative to the directory, with `/`, and so are returned paths. The directory is held as a capability: no
/// path, whatever links are in it, leads out. Changes take turns; copying and archiving large files does not hold them up.
#[derive(Clone)]
pub struct Files {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) dir: Arc<Dir>,
    pub(crate) quota: Arc<Quota>,
    config: FilesConfig,
    /// Held while sizes are compared and names change.
    changes: Mutex<()>,
    recounted: Mutex<Option<Instant>>,
    /// Who owns [`streams::FOLDER`], where somebody does.
    pub(crate) streams: OnceLock<Streams>,
    done: AtomicU64,
    limited: AtomicU64,
    failed: AtomicU64,
}

impl Files {
    /// Opens the data directory, makes it if it is missing, removes files that an earlier run left unfinished, and counts
    /// what is there. A directory belongs to one agent.
    pub fn new(path: &Path, config: FilesConfig) -> std::io::Result<Self> {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(is_temporary) && entry.file_type()?.is_file() {
                dir.remove_file(&name)?;
            }
        }
        let shared = Shared {
            dir: Arc::new(dir),
            quota: Arc::new(Quota::new(config.total_bytes)),
            config,
            changes: Mutex::new(()),
            recounted: Mutex::new(None),
            streams: OnceLock::new(),
            done: AtomicU64::new(0),
            limited: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        let files = Self { shared: Arc::new(shared) };
        files.count()?;
        Ok(files)
    }

    /// The data directory.
    pub fn dir(&self) -> &Dir {
        &self.shared.dir
    }

    pub fn counters(&self) -> FileCounters {
        FileCounters {
            done: self.shared.done.load(Ordering::Relaxed),
            limited: self.shared.limited.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
            used_bytes: self.shared.quota.used(),
        }
    }

    /// Opens a file for reading, for `helper` (`vendor.s3.put`) to name in its errors, and says how many bytes of it to
    /// read: more may be written meanwhile. The pcap of a stream is whole up to there and has all packets up to now.
    pub fn read(&self, helper: &'static str, path: &str) -> Result<(File, u64), FileError> {
        self.outcome(helper, path, || self.open(&Relative::below(path)?))
    }

    fn open(&self, place: &Relative) -> Result<(File, u64), Reason> {
        let kept = self.managed_file(place).map(|(streams, name)| streams.kept(name)).transpose()?;
        let metadata = self.dir().metadata(place.as_str())?;
        if metadata.is_dir() {
            return Err(Reason::IsFolder);
        }
        // Opening a pipe would wait for its other end.
        if !metadata.is_file() {
            return Err(Reason::Special);
        }
        let file = self.dir().open(place.as_str())?;
        let bytes = match kept {
            Some(kept) => kept.bytes,
            None => file.metadata()?.len(),
        };
        Ok((file, bytes))
    }

    /// Runs what a helper does, tells what it was about in its error, and counts.
    fn outcome<T>(
        &self,
        helper: &'static str,
        path: &str,
        mut run: impl FnMut() -> Result<T, Reason>,
    ) -> Result<T, FileError> {
        let mut result = run();
        if matches!(result, Err(Reason::Quota { .. })) && self.recount() {
            result = run();
        }
        let counter = match &result {
            Ok(_) => &self.shared.done,
            Err(
                Reason::Quota { .. }
                | Reason::WriteSize { .. }
                | Reason::PathLength { .. }
                | Reason::NameLength { .. }
                | Reason::Depth { .. },
            ) => &self.shared.limited,
            Err(_) => &self.shared.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        result.map_err(|reason| FileError::new(helper, path, reason))
    }

    /// Counts anew if that was not done lately: somebody may have deleted files by hand. Whether it was done.
    pub(crate) fn recount(&self) -> bool {
        let mut recounted = self.shared.recounted.lock().unwrap_or_else(PoisonError::into_inner);
        if recounted.is_some_and(|at| at.elapsed() < RECOUNT_EVERY) {
            return false;
        }
        let counted = self.count().is_ok();
        *recounted = Some(Instant::now());
        counted
    }

    pub(crate) fn count(&self) -> std::io::Result<()> {
        let _turn = self.turn();
        let mut used = 0u64;
        let managed = self.shared.streams.get().is_some();
        walk::<std::io::Error>(self.dir(), &mut |found| {
            if managed && found.path == streams::FOLDER {
                return Ok(false);
            }
            used = used.saturating_add(charge(if found.is_folder { 0 } else { found.bytes }));
            Ok(true)
        })?;
        self.shared.quota.set(used);
        Ok(())
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: u64) -> Result<(), Reason> {
        let quota = &self.shared.quota;
        if quota.take(bytes) {
            return Ok(());
        }
        Err(Reason::Quota { used: quota.used(), limit: quota.limit() })
    }

    /// Who writes a place in the streams' folder, and its name there.
    fn managed_file<'a>(&self, place: &'a Relative) -> Option<(&Streams, &'a str)> {
        let streams = self.shared.streams.get()?;
        (place.top() == (streams::FOLDER, true)).then(|| (streams, place.name()))
    }

    fn is_managed(&self, place: &Relative) -> bool {
        self.shared.streams.get().is_some() && place.top().0 == streams::FOLDER
    }

    /// A place where a script may make or change something.
    fn changeable(&self, path: &str) -> Result<Relative, Reason> {
        let place = Relative::below(path)?;
        if self.is_managed(&place) { Err(Reason::Managed) } else { Ok(place) }
    }

    /// What is at a place where a file is to be: its size, or nothing.
    fn file_at(&self, place: &Relative) -> Result<Option<u64>, Reason> {
        match self.dir().metadata(place.as_str()) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(metadata) if metadata.is_dir() => Err(Reason::IsFolder),
            Ok(_) => Err(Reason::Special),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.folder_at(&place.parent())?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a place that is no folder.
    fn folder_at(&self, place: &Relative) -> Result<(), Reason> {
        match self.dir().metadata(place.open_name()) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(Reason::ParentIsFile),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Reason::NoParent),
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("config", &self.shared.config).finish_non_exhaustive()
    }
}
