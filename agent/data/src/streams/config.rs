use std::time::Duration;

/// How the pcaps of streams are kept.
#[derive(Clone, Debug)]
pub struct StreamsConfig {
    /// Whether they are at all.
    pub enabled: bool,
    /// How long after its last packet a stream's pcap is removed, in packet time.
    pub ttl: Duration,
    /// The most bytes all pcaps take on the disk. Each counts as whole blocks of [`BLOCK_BYTES`](crate::BLOCK_BYTES), so
    /// this bounds their number too. Where more is needed, pcaps are removed: those of finished streams first, the longest
    /// finished before others, then of those longest without a packet.
    pub total_bytes: u64,
    /// The most bytes of one stream's pcap; later packets of the stream are left out. Never more than half of
    /// `total_bytes`.
    pub stream_bytes: u64,
    /// The most files open at once; the one longest unused is closed and opened again when it is needed. At least 1.
    pub open_files: usize,
    /// The most bytes of memory for packets that are not written yet. Half of it is for the buffers of streams; those of
    /// streams longest without a packet are written and freed where more is needed. The other half is for what waits for
    /// the disk.
    pub buffer_bytes: usize,
    /// What happens when the disk is slower than the packets: the packet thread waits (a replay loses nothing), or packets
    /// are left out and counted (live capture is not held up).
    pub wait_for_disk: bool,
}

impl Default for StreamsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            ttl: Duration::from_secs(600),
            total_bytes: 1 << 30,
            stream_bytes: 64 << 20,
            open_files: 256,
            buffer_bytes: 64 << 20,
            wait_for_disk: false,
        }
    }
}

/// What became of the packets of streams since the start, and what is kept at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StreamCounters {
    /// Packets taken into a pcap.
    pub packets: u64,
    /// Packets left out because their link type is not that of the stream's first.
    pub packets_other_link: u64,
    /// Packets left out because the stream's pcap is as large as one may be.
    pub packets_over_stream_bytes: u64,
    /// Packets taken that were then left out because the disk is too slow.
    pub packets_shed: u64,
    /// Packets taken that the disk then refused.
    pub packets_lost: u64,
    /// Failed attempts to write: the disk is full, say.
    pub write_errors: u64,
    /// Pcaps begun, again after removal included.
    pub begun: u64,
    /// Pcaps removed a `ttl` after their last packet.
    pub removed_by_age: u64,
    /// Pcaps removed to make room.
    pub removed_by_size: u64,
    /// Pcaps that scripts removed or moved away.
    pub removed_by_scripts: u64,
    /// Pcaps that had to begin anew because their file was gone or shorter than what had been written.
    pub restarted: u64,
    /// Files that could not be removed.
    pub remove_errors: u64,
    /// Pcaps kept now.
    pub streams: u64,
    /// What they take on the disk now, in bytes of whole blocks, with what is not written yet.
    pub disk_bytes: u64,
    /// Memory of buffers now.
    pub buffer_bytes: u64,
    /// Files open now.
    pub open_files: u64,
}
