use std::{error::Error as StdError, io, path::PathBuf};

use thiserror::Error;

/// Why live capture could not begin or go on. Each says what is missing in one sentence.
#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("no interface given: name one, or a regular expression that matches some")]
    NoInterface,
    #[error("`{pattern}` is no interface name and no regular expression: {error}")]
    Pattern { pattern: String, error: regex_lite::Error },
    #[error("the snap length is {0} bytes; it must be {min} to {max}", min = crate::MIN_SNAPLEN, max = crate::MAX_SNAPLEN)]
    Snaplen(u32),
    #[error(
        "this binary has no kernel programs: build them with `cargo xtask build-ebpf` and set REMORA_EBPF_OBJECT to their path"
    )]
    NoObject,
    #[error("cannot read the kernel programs at {path}: {error}", path = .path.display())]
    Object { path: PathBuf, error: io::Error },
    #[error("the kernel programs are not the ones this agent was built for: {0}")]
    ForeignObject(String),
    #[error(
        "not permitted to {what}: it needs CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), as root has them"
    )]
    Privilege { what: &'static str },
    #[error("this kernel has no bpf system call: it needs CONFIG_BPF_SYSCALL")]
    NoBpf,
    #[error("this kernel lacks the BPF helper bpf_ringbuf_reserve_dynptr: Linux 5.19 or newer is needed")]
    NoDynptr,
    #[error("cannot attach to {interface}: the kernel lacks {option}")]
    NoHook { interface: String, option: &'static str },
    #[error("cannot attach to {interface}: {error}")]
    Attach { interface: String, error: Box<dyn StdError + Send + Sync> },
    #[error("the kernel refused a program: {0}")]
    Verifier(String),
    #[error("cannot {what}: {error}")]
    Kernel { what: &'static str, error: Box<dyn StdError + Send + Sync> },
    #[error("cannot {what}: {error}")]
    Io { what: &'static str, error: io::Error },
}

impl CaptureError {
    pub(crate) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::from_os(what, error)
    }

    fn from_os(what: &'static str, error: io::Error) -> Self {
        if permission(&error) { Self::Privilege { what } } else { Self::Io { what, error } }
    }

    /// For errors of the BPF library, which carry the kernel's answer somewhere inside.
    pub(crate) fn kernel<E: StdError + Send + Sync + 'static>(what: &'static str) -> impl Fn(E) -> Self {
        move |error| match os_error(&error) {
            Some(os) if permission(os) => Self::Privilege { what },
            Some(os) if os.raw_os_error() == Some(rustix::io::Errno::NOSYS.raw_os_error()) => Self::NoBpf,
            _ => Self::Kernel { what, error: error.into() },
        }
    }
}

fn permission(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// The system call error at the root of a library's error, if there is one.
pub(crate) fn os_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let mut error = Some(error);
    while let Some(current) = error {
        if let Some(os) = current.downcast_ref::<io::Error>()
            && os.raw_os_error().is_some()
        {
            return Some(os);
        }
        error = current.source();
    }
    None
}
