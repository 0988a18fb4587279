use std::{path::PathBuf, time::Duration};

use capture_common::MAX_SNAPLEN;

/// Fewest bytes of a packet worth copying: the headers up to TCP's, mostly.
pub const MIN_SNAPLEN: u32 = 64;

/// What to capture and how much to keep on the way; [`Default`] is what suits a node.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// Interfaces, by name or by a regular expression that must match the whole name.
    pub interfaces: Vec<String>,
    /// Most bytes copied of a packet, [`MIN_SNAPLEN`] to [`MAX_SNAPLEN`]; the packet's true length is always told.
    pub snaplen: u32,
    /// Bytes of each CPU's ring buffer, rounded up to a power of two pages. `None`: 16 MiB, less where that would come
    /// to more than [`RING_BUDGET`] on all CPUs together.
    pub ring_bytes: Option<u32>,
    /// Whether a packet seen on several interfaces of the node is delivered only the first time.
    pub dedup: bool,
    /// How long after the first sight of a packet another interface may show it again.
    pub dedup_window: Duration,
    /// How long a packet waits in its ring for others, so that the reader wakes for many at once.
    pub batch_delay: Duration,
    /// How long a packet of one CPU waits at least for earlier ones that another CPU has not finished copying.
    pub reorder_window: Duration,
    pub attach: AttachMode,
    /// The object file with the kernel programs; see [`crate::LiveSource::start`] for what `None` means.
    pub object: Option<PathBuf>,
}

/// Default bytes of one ring.
pub const RING_BYTES: u32 = 16 << 20;
/// What the rings of all CPUs together take at most by default.
pub const RING_BUDGET: u64 = 512 << 20;
/// Smallest ring: room for some GSO packets.
pub const MIN_RING_BYTES: u32 = 1 << 20;

/// How programs are attached to an interface.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AttachMode {
    /// tcx links where the kernel has them (Linux 6.6), clsact filters else.
    #[default]
    Auto,
    Tcx,
    Clsact,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            snaplen: MAX_SNAPLEN,
            ring_bytes: None,
            dedup: true,
            dedup_window: Duration::from_millis(50),
            batch_delay: Duration::from_millis(5),
            reorder_window: Duration::from_millis(1),
            attach: AttachMode::Auto,
            object: None,
        }
    }
}

impl LiveConfig {
    /// Bytes of each ring on a machine with so many CPUs online: a power of two, as the kernel wants it.
    pub(crate) fn ring_size(&self, cpus: usize, page: usize) -> usize {
        let wanted = match self.ring_bytes {
            Some(bytes) => bytes,
            None => {
                let share = RING_BUDGET / cpus.max(1) as u64;
                let share = u32::try_from(share).unwrap_or(RING_BYTES).clamp(MIN_RING_BYTES, RING_BYTES);
                1 << share.ilog2()
            }
        };
        (wanted.clamp(MIN_RING_BYTES, 1 << 30) as usize).next_power_of_two().max(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_share_a_budget() {
        let config = LiveConfig::default();
        assert_eq!(config.ring_size(2, 4096), 16 << 20);
        assert_eq!(config.ring_size(32, 4096), 16 << 20);
        assert_eq!(config.ring_size(33, 4096), 8 << 20);
        assert_eq!(config.ring_size(128, 4096), 4 << 20);
        assert_eq!(config.ring_size(4096, 4096), 1 << 20);
    }

    #[test]
    fn a_ring_is_a_power_of_two() {
        let sized =
            |bytes| LiveConfig { ring_bytes: Some(bytes), ..LiveConfig::default() }.ring_size(1, 65_536);
        assert_eq!(sized(5_000_000), 8 << 20);
        assert_eq!(sized(1), 1 << 20);
    }
}
