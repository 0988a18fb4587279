//! Which messages both sides have.

use std::collections::BTreeMap;

use super::{Message, Place};

/// How often each was right, of one protocol.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) both: u64,
    pub(super) theirs: u64,
    pub(super) ours: u64,
}

impl Counts {
    /// Messages found by both, of all that were found.
    pub(super) fn agreement(self) -> f64 {
        let all = self.both + self.theirs + self.ours;
        if all == 0 { 1.0 } else { self.both as f64 / all as f64 }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.both += other.both;
        self.theirs += other.theirs;
        self.ours += other.ours;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Tshark,
    Remora,
}

/// What came of comparing one capture.
#[derive(Default, Debug)]
pub(super) struct Outcome {
    both: BTreeMap<&'static str, u64>,
    /// What one side alone has, in the order of time.
    pub(super) alone: Vec<(By, Message)>,
}

type Same = (&'static str, Place, Place, String);

impl Outcome {
    /// Messages are the same when protocol, endpoints and key are. The same message said several times is found as often as the
    /// side says it that says it less; order does not matter, since the two sides time messages differently.
    pub(super) fn of(theirs: Vec<Message>, ours: Vec<Message>) -> Self {
        let mut groups: BTreeMap<Same, (Vec<Message>, Vec<Message>)> = BTreeMap::new();
        let same = |message: &Message| (message.protocol, message.from, message.to, message.key.clone());
        for message in theirs {
            groups.entry(same(&message)).or_default().0.push(message);
        }
        for message in ours {
            groups.entry(same(&message)).or_default().1.push(message);
        }
        let mut outcome = Self::default();
        for ((protocol, ..), (mut theirs, mut ours)) in groups {
            theirs.sort_by_key(|message| message.time);
            ours.sort_by_key(|message| message.time);
            let both = theirs.len().min(ours.len());
            *outcome.both.entry(protocol).or_default() += both as u64;
            outcome.alone.extend(theirs.drain(both..).map(|message| (By::Tshark, message)));
            outcome.alone.extend(ours.drain(both..).map(|message| (By::Remora, message)));
        }
        outcome.alone.sort_by_key(|(_, message)| message.time);
        outcome
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, Counts> {
        let both =
            self.both.iter().map(|(protocol, both)| (*protocol, Counts { both: *both, ..Counts::default() }));
        let mut counts: BTreeMap<_, _> = both.collect();
        for (by, message) in &self.alone {
            let counts = counts.entry(message.protocol).or_default();
            match by {
                By::Tshark => counts.theirs += 1,
                By::Remora => counts.ours += 1,
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn message(time: i64, key: &str) -> Message {
        let host = IpAddr::from([192, 0, 2, 1]);
        Message { protocol: "http1", time, from: (host, 4_000), to: (host, 80), key: key.to_owned() }
    }

    #[test]
    fn the_same_said_several_times_is_counted_as_often() {
        let theirs = vec![message(3, "GET /"), message(1, "GET /"), message(2, "GET /a")];
        let ours = vec![message(0, "GET /"), message(5, "GET /b")];
        let outcome = Outcome::of(theirs, ours);
        assert_eq!(outcome.counts()["http1"], Counts { both: 1, theirs: 2, ours: 1 });
        let alone: Vec<_> = outcome.alone.iter().map(|(by, message)| (*by, message.key.as_str())).collect();
        assert_eq!(alone, [(By::Tshark, "GET /a"), (By::Tshark, "GET /"), (By::Remora, "GET /b")]);
    }

    #[test]
    fn another_endpoint_is_another_message() {
        let mut other = message(1, "GET /");
        std::mem::swap(&mut other.from, &mut other.to);
        let counts = Outcome::of(vec![message(1, "GET /")], vec![other]).counts()["http1"];
        assert_eq!(counts, Counts { both: 0, theirs: 1, ours: 1 });
        assert_eq!(counts.agreement(), 0.0);
        assert_eq!(Counts::default().agreement(), 1.0);
    }
}
