use capture_common::CpuCounters;

use crate::Interface;

/// What became of the packets so far.
///
/// `cpus` counts in the kernel; the rest counts what was read. Once capture has stopped and all is drained,
/// `total().packets == delivered_packets + copies + foreign_records + total().lost_packets + total().unreadable_packets`.
#[derive(Clone, Default, Debug)]
pub struct LiveStats {
    /// By the number of the CPU.
    pub cpus: Vec<CpuCounters>,
    /// Packets handed on.
    pub delivered_packets: u64,
    /// Their bytes, as captured.
    pub delivered_bytes: u64,
    /// Packets dropped because another interface had shown them already.
    pub copies: u64,
    /// Packets forgotten before the de-duplication window was over, the table being full; copies of these count as
    /// packets of their own.
    pub copies_forgotten: u64,
    /// Records that no attached interface can have written.
    pub foreign_records: u64,
    /// Interfaces that matched but could not be attached to.
    pub attach_failures: u64,
    /// Interfaces attached to now.
    pub interfaces: Vec<Interface>,
}

impl LiveStats {
    /// All CPUs together.
    pub fn total(&self) -> CpuCounters {
        self.cpus.iter().fold(CpuCounters::default(), |sum, cpu| CpuCounters {
            packets: sum.packets + cpu.packets,
            bytes: sum.bytes + cpu.bytes,
            lost_packets: sum.lost_packets + cpu.lost_packets,
            lost_bytes: sum.lost_bytes + cpu.lost_bytes,
            truncated_packets: sum.truncated_packets + cpu.truncated_packets,
            unreadable_packets: sum.unreadable_packets + cpu.unreadable_packets,
            unannounced_bytes: sum.unannounced_bytes + cpu.unannounced_bytes,
        })
    }
}
