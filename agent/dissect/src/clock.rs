//! Packet time that only goes forwards.

use remora_packet::Timestamp;

/// How far a timestamp may lie behind the latest and still be a packet out of order. Further back, another recording
/// began or the clock was set.
const OUT_OF_ORDER_NANOS: u64 = 60_000_000_000;

/// Nanoseconds of packet time since the first packet. Time that runs backwards stands still here, and goes on from a
/// new place when it was set back, so that every deadline comes.
#[derive(Default)]
pub(crate) struct Clock {
    latest: Option<Timestamp>,
    elapsed: u64,
}

impl Clock {
    pub(crate) fn see(&mut self, timestamp: Timestamp) {
        let latest = *self.latest.get_or_insert(timestamp);
        let ahead = timestamp.since(latest);
        self.elapsed = self.elapsed.saturating_add(ahead);
        if ahead > 0 || latest.since(timestamp) > OUT_OF_ORDER_NANOS {
            self.latest = Some(timestamp);
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.elapsed
    }

    /// The latest timestamp.
    pub(crate) fn timestamp(&self) -> Timestamp {
        self.latest.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forwards_only_and_survives_a_jump_back() {
        let mut clock = Clock::default();
        let second = 1_000_000_000;
        for (seen, elapsed) in
            [(1_000, 0), (1_005, 5), (1_003, 5), (1_006, 6), (100, 6), (101, 7), (1_001, 907)]
        {
            clock.see(Timestamp::from_nanos(seen * second));
            assert_eq!(clock.now(), elapsed * second as u64);
        }
    }
}
