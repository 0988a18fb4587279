use std::io;

/// Why a helper did not do what a script asked for: which helper, the path as the script gave it, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{helper}: {path:?}: {reason}")]
pub struct FileError {
    /// As scripts call it: `file.write`.
    pub helper: &'static str,
    pub path: String,
    pub reason: Reason,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    #[error("the path is empty")]
    Empty,
    #[error("the path has a NUL character in it")]
    Nul,
    #[error("paths are relative to the data directory; leave out the leading \"/\"")]
    Absolute,
    #[error("the path leads out of the data directory")]
    Outside,
    #[error("this is the data directory itself")]
    Root,
    #[error("the path has {bytes} bytes; at most {limit} are allowed")]
    PathLength { bytes: usize, limit: usize },
    #[error("a name in the path has {bytes} bytes; at most {limit} are allowed")]
    NameLength { bytes: usize, limit: usize },
    #[error("folders would be nested more than {limit} deep")]
    Depth { limit: usize },
    #[error("a name cannot have \"/\" in it")]
    NameWithSlash,
    #[error("there is no such file or folder")]
    NotFound,
    #[error("its folder does not exist; make it first with file.mkdir")]
    NoParent,
    #[error("a part of the path is a file, not a folder")]
    ParentIsFile,
    #[error("this is a folder, not a file")]
    IsFolder,
    #[error("this is not a folder")]
    NotAFolder,
    #[error("this is neither a file nor a folder")]
    Special,
    #[error("something else is there under that name")]
    Exists,
    #[error("a folder cannot be moved into itself")]
    IntoItself,
    #[error("the folder of the streams' pcaps is the agent's own; copy a pcap out of it before changing it")]
    Managed,
    #[error("{bytes} bytes at once; at most {limit} are allowed")]
    WriteSize { bytes: u64, limit: u64 },
    #[error(
        "no room: files of scripts may take {limit} bytes in the data directory and take {used}; delete some of them, \
         or raise the limit"
    )]
    Quota { used: u64, limit: u64 },
    #[error("the disk is full")]
    DiskFull,
    #[error("the packets of streams are not kept: the agent runs without it")]
    NotKept,
    #[error("none of the {count} selected captures is there: {names}")]
    NoneSelected { count: u64, names: String },
    #[error("no name is free: every one that was tried is taken")]
    NoFreeName,
    #[error("stopped before it was complete: it took too long, or the script is ending")]
    Cancelled,
    #[error("{0}")]
    Io(io::Error),
}

impl FileError {
    pub(crate) fn new(helper: &'static str, path: &str, reason: impl Into<Reason>) -> Self {
        Self { helper, path: path.to_owned(), reason: reason.into() }
    }
}

/// What [`crate::quota::Quota`] refuses, on its way through [`io::Write`].
#[derive(Debug, thiserror::Error)]
#[error("no room: {used} of {limit} bytes are taken")]
pub(crate) struct NoRoom {
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

/// A [`Reason::Cancelled`] on its way through [`io::Write`].
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub(crate) struct Stopped;

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        if let Some(inner) = error.get_ref() {
            if let Some(NoRoom { used, limit }) = inner.downcast_ref::<NoRoom>() {
                return Self::Quota { used: *used, limit: *limit };
            }
            if inner.is::<Stopped>() {
                return Self::Cancelled;
            }
        }
        match error.kind() {
            // cap-std's own refusal; the system's has a number.
            Kind::PermissionDenied if error.raw_os_error().is_none() => Self::Outside,
            Kind::NotFound => Self::NotFound,
            Kind::NotADirectory => Self::ParentIsFile,
            Kind::IsADirectory => Self::IsFolder,
            Kind::AlreadyExists => Self::Exists,
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}
