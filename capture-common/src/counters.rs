/// What the programs counted on one CPU; only ever grows, written by that CPU alone.
///
/// `packets` is every packet seen: those delivered (`packets - lost_packets - unreadable_packets`) and the others.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CpuCounters {
    /// Packets the programs saw.
    pub packets: u64,
    /// Their bytes, as long as they really were.
    pub bytes: u64,
    /// Packets the ring had no room for.
    pub lost_packets: u64,
    /// Their bytes.
    pub lost_bytes: u64,
    /// Packets delivered without their tail, being longer than the snap length.
    pub truncated_packets: u64,
    /// Packets the kernel let nobody read (memory of a device, say), or for which there was no ring.
    pub unreadable_packets: u64,
    /// Bytes written since the reader was last woken on purpose; the programs' own, no counter.
    pub unannounced_bytes: u64,
}

impl CpuCounters {
    pub const WORDS: usize = size_of::<Self>() / size_of::<u64>();

    /// As read from the map, whose value the agent sees as plain numbers.
    pub const fn from_words(words: [u64; Self::WORDS]) -> Self {
        let [
            packets,
            bytes,
            lost_packets,
            lost_bytes,
            truncated_packets,
            unreadable_packets,
            unannounced_bytes,
        ] = words;
        Self {
            packets,
            bytes,
            lost_packets,
            lost_bytes,
            truncated_packets,
            unreadable_packets,
            unannounced_bytes,
        }
    }
}
