//! Packet time that only goes forwards.

use remora_packet::Timestamp;

/// How far a timestamp may lie from the latest and be taken at its word. A packet further off is damaged, or the first
/// after a long silence, of another recording, or since the clock was set: which of them, the next packet tells.
const PLAUSIBLE_NANOS: u64 = 60_000_000_000;

/// Nanoseconds of packet time since the first packet. Time that runs backwards stands still here, and goes on from a
/// new place when it was set back, so that every deadline comes.
#[derive(Default)]
pub(crate) struct Clock {
    latest: Option<Timestamp>,
    /// The packet before was this far off.
    doubted: Option<Timestamp>,
    elapsed: u64,
}

impl Clock {
    /// A packet says what time it is. Gives the nanoseconds that passed before the packet before already, where that was
    /// doubted and is believed now.
    pub(crate) fn see(&mut self, timestamp: Timestamp) -> u64 {
        let near = |other: Timestamp| timestamp.nanos().abs_diff(other.nanos()) <= PLAUSIBLE_NANOS;
        let latest = *self.latest.get_or_insert(timestamp);
        if near(latest) {
            self.doubted = None;
            self.go_on(latest, latest.max(timestamp));
            return 0;
        }
        match self.doubted.replace(timestamp) {
            Some(before) if near(before) => {
                self.doubted = None;
                self.go_on(latest, timestamp);
                before.min(timestamp).since(latest)
            }
            // Each far behind the one before, as where little is said; only the latest is in doubt.
            Some(before) if latest < before && before < timestamp => {
                self.go_on(latest, before);
                before.since(latest)
            }
            _ => 0,
        }
    }

    /// Whether the latest packet is not taken at its word.
    pub(crate) fn doubts(&self) -> bool {
        self.doubted.is_some()
    }

    /// A clock says what time it is.
    pub(crate) fn set(&mut self, timestamp: Timestamp) {
        let latest = *self.latest.get_or_insert(timestamp);
        self.go_on(latest, latest.max(timestamp));
    }

    fn go_on(&mut self, from: Timestamp, to: Timestamp) {
        self.elapsed = self.elapsed.saturating_add(to.since(from));
        self.latest = Some(to);
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

    /// Sees seconds, and how many should have passed at each.
    fn check(seen: &[(i64, u64)]) {
        let mut clock = Clock::default();
        for (at, (second, elapsed)) in seen.iter().enumerate() {
            clock.see(Timestamp::from_parts(*second, 0));
            assert_eq!(clock.now(), elapsed * 1_000_000_000, "step {at} of {seen:?}");
        }
    }

    #[test]
    fn time_goes_forwards_only() {
        check(&[(1_000, 0), (1_005, 5), (1_003, 5), (1_006, 6), (1_060, 60)]);
    }

    #[test]
    fn a_single_wild_timestamp_changes_nothing() {
        check(&[
            (1_000, 0),
            (0, 0),
            (1_001, 1),
            (900_000, 1),
            (1_002, 2),
            (900_000, 2),
            (1_003, 3),
            (0, 3),
            (1_004, 4),
        ]);
    }

    #[test]
    fn a_second_packet_there_confirms_a_jump() {
        check(&[(1_000, 0), (5_000, 0), (5_001, 4_001), (5_002, 4_002)]);
        check(&[(1_000, 0), (100, 0), (101, 0), (103, 2)]);
    }

    #[test]
    fn packets_far_apart_let_time_pass() {
        check(&[(1_000, 0), (1_100, 0), (1_200, 100), (1_300, 200), (1_301, 301)]);
        // One of them is wild.
        check(&[(1_000, 0), (1_100, 0), (900_000, 100), (1_200, 100), (1_300, 200), (1_301, 301)]);
    }

    #[test]
    fn what_passed_before_the_doubted_packet_is_told() {
        let mut clock = Clock::default();
        let mut see = |second| {
            let late = clock.see(Timestamp::from_parts(second, 0)) / 1_000_000_000;
            (late, clock.doubts())
        };
        assert_eq!(see(1_000), (0, false));
        assert_eq!(see(5_000), (0, true));
        assert_eq!(see(5_002), (4_000, false));
        assert_eq!(see(5_003), (0, false));
        assert_eq!(see(100), (0, true));
        assert_eq!(see(101), (0, false));
        assert_eq!(see(9_000), (0, true));
        assert_eq!(see(102), (0, false));
    }

    #[test]
    fn a_clock_is_believed_at_once() {
        let mut clock = Clock::default();
        clock.see(Timestamp::from_parts(1_000, 0));
        clock.set(Timestamp::from_parts(9_000, 0));
        clock.set(Timestamp::from_parts(8_000, 0));
        assert_eq!(clock.now(), 8_000 * 1_000_000_000);
    }
}
