use remora_packet::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// How far the wall clock must have moved against `CLOCK_BOOTTIME` to be taken for a step, in nanoseconds.
///
/// The two tick at one rate, slewing included; apart from steps, a difference is only the imprecision of measuring.
const STEP: i64 = 1_000_000;

/// From the programs' clock to the wall clock.
pub(crate) struct Clock {
    offset: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { offset: measure().0 }
    }

    /// Follows the wall clock if it was set; cheap enough for every batch. Returns `CLOCK_BOOTTIME` now.
    pub(crate) fn follow(&mut self) -> u64 {
        let (offset, now) = measure();
        if (offset - self.offset).abs() > STEP {
            tracing::info!(milliseconds = (offset - self.offset) / 1_000_000, "the wall clock was set");
            self.offset = offset;
        }
        now
    }

    pub(crate) fn wall(&self, boottime: u64) -> Timestamp {
        Timestamp::from_nanos(i64::try_from(boottime).unwrap_or(i64::MAX).saturating_add(self.offset))
    }
}

/// `CLOCK_BOOTTIME`, which counts on while the machine is suspended; what `bpf_ktime_get_boot_ns` returns.
///
/// <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/helpers.c?h=v6.1.192#n179>
pub(crate) fn boottime() -> u64 {
    u64::try_from(nanos(clock_gettime(ClockId::Boottime))).unwrap_or(0)
}

/// The wall clock's lead over `CLOCK_BOOTTIME`, from the reading least disturbed of three, and `CLOCK_BOOTTIME`.
fn measure() -> (i64, u64) {
    let readings = [(); 3].map(|()| {
        let before = nanos(clock_gettime(ClockId::Boottime));
        let wall = nanos(clock_gettime(ClockId::Realtime));
        let after = nanos(clock_gettime(ClockId::Boottime));
        (after - before, wall - before - (after - before) / 2, after)
    });
    let (_, offset, _) = readings.into_iter().min_by_key(|(span, ..)| *span).unwrap_or(readings[0]);
    (offset, u64::try_from(readings[2].2).unwrap_or(0))
}

fn nanos(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_programs_clock_becomes_the_wall_clock() {
        let clock = Clock::new();
        let wall = clock.wall(boottime());
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let apart = system.as_nanos().abs_diff(wall.nanos() as u128);
        assert!(apart < Duration::from_millis(50).as_nanos(), "{apart} ns apart");
    }

    #[test]
    fn small_differences_are_measuring_error() {
        let mut clock = Clock::new();
        clock.offset += STEP / 2;
        let offset = clock.offset;
        clock.follow();
        assert_eq!(clock.offset, offset);
        clock.offset += 10 * STEP;
        clock.follow();
        assert!((clock.offset - offset).abs() <= STEP);
    }
}
