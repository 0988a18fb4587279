//! What the kernel programs say of themselves, through aya-log, into the agent's log.

use aya::Ebpf;
use aya_log::EbpfLogger;
use log::{Level, Log, Metadata, Record};

pub(crate) type Diagnostics = EbpfLogger<IntoTracing>;

/// `None` where the programs were built without messages.
pub(crate) fn open(ebpf: &mut Ebpf) -> Option<Diagnostics> {
    EbpfLogger::init_with_logger(ebpf, IntoTracing)
        .inspect_err(|error| tracing::debug!(%error, "the kernel programs have no log"))
        .ok()
}

pub(crate) struct IntoTracing;

impl Log for IntoTracing {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (program, message) = (record.target(), record.args());
        match record.level() {
            Level::Error => tracing::error!(program, "{message}"),
            Level::Warn => tracing::warn!(program, "{message}"),
            Level::Info => tracing::info!(program, "{message}"),
            Level::Debug => tracing::debug!(program, "{message}"),
            Level::Trace => tracing::trace!(program, "{message}"),
        }
    }

    fn flush(&self) {}
}
