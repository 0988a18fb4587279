//! One direction of a connection: where it is, and what is known of a hole ahead of it.

use super::Sequence;
use super::reorder::Reorder;
use super::sequence::LARGEST_WINDOW;
use crate::Limits;

const NANOS_PER_MILLISECOND: u64 = 1_000_000;

/// How long, and for how many packets of the connection, an acknowledgment of bytes never seen must stand before they
/// count as lost to the capture. Until then they may still come: the two directions of a connection can reach the
/// capture out of step.
const EVIDENCE_NANOS: u64 = 20 * NANOS_PER_MILLISECOND;
const EVIDENCE_PACKETS: u8 = 12;
/// After so many packets time does not matter any more.
const EVIDENCE_PACKETS_ALONE: u8 = 48;
/// How many packets must say so, that a single damaged one cannot tear a stream apart.
const EVIDENCE_VOICES: u8 = 2;

/// The receiver's word that it has bytes which were not seen.
pub(super) struct Evidence {
    /// It has all before this number.
    pub(super) upto: Sequence,
    pub(super) since: u64,
    pub(super) voices: u8,
    pub(super) packets: u8,
}

impl Evidence {
    pub(super) fn convincing(&self) -> bool {
        self.voices >= EVIDENCE_VOICES
    }

    fn stands(&self, now: u64) -> bool {
        let long_enough = self.packets >= EVIDENCE_PACKETS && now >= self.since + EVIDENCE_NANOS;
        self.convincing() && (long_enough || self.packets >= EVIDENCE_PACKETS_ALONE)
    }
}

/// A place where the stream cannot go on yet.
pub(super) struct Hole {
    /// When the stream last went on.
    pub(super) since: u64,
    pub(super) evidence: Option<Evidence>,
    /// The highest number the receiver acknowledged.
    pub(super) acknowledged: Sequence,
    pub(super) reorder: Reorder,
}

#[derive(Default)]
pub(crate) struct Half {
    /// The next expected number.
    pub(super) next: Sequence,
    /// The number of the first byte.
    pub(super) start: Sequence,
    /// The number after the last byte, once a FIN told.
    pub(super) fin: Option<Sequence>,
    pub(super) started: bool,
    /// The beginning was seen.
    pub(super) syn: bool,
    /// What the receiver had when it was first heard, where that was before anything was seen of this direction.
    pub(super) received: Option<Sequence>,
    /// Started by a packet without data, which may have been a probe from one before the next byte.
    pub(super) tentative: bool,
    pub(super) ended: bool,
    pub(super) hole: Option<Box<Hole>>,
}

impl Half {
    pub(super) fn begin(&mut self, sequence: Sequence, syn: bool, tentative: bool) {
        self.next = sequence;
        self.start = sequence;
        self.started = true;
        self.syn = syn;
        self.tentative = tentative;
    }

    /// Where a direction begins of which a segment without SYN at `sequence` is the first that is seen: where the receiver was
    /// when it was first heard, if that is behind. What lies between is missing, and may be whole messages;
    /// a single number may be a SYN's or a probe's.
    pub(super) fn beginning(&self, sequence: Sequence) -> Sequence {
        let behind = |received: &Sequence| (2..=LARGEST_WINDOW).contains(&sequence.from(*received));
        self.received.filter(behind).unwrap_or(sequence)
    }

    /// The hole ahead, made where there is none.
    pub(super) fn hole(&mut self, now: u64) -> &mut Hole {
        let next = self.next;
        self.hole.get_or_insert_with(|| {
            Box::new(Hole { since: now, evidence: None, acknowledged: next, reorder: Reorder::default() })
        })
    }

    pub(super) fn reorder(&self) -> Option<&Reorder> {
        self.hole.as_ref().map(|hole| &hole.reorder).filter(|reorder| !reorder.is_empty())
    }

    /// The first number that is kept ahead of the hole.
    pub(super) fn front(&self) -> Option<Sequence> {
        Some(self.reorder()?.front()?.sequence)
    }

    pub(super) fn evidence(&self) -> Option<&Evidence> {
        self.hole.as_ref()?.evidence.as_ref()
    }

    /// The receiver acknowledged all before `upto`.
    pub(super) fn acknowledge(&mut self, mut upto: Sequence, now: u64) {
        if !self.started || self.ended {
            return;
        }
        // The FIN takes a number too.
        if self.fin.is_some_and(|fin| upto == fin.plus(1)) {
            upto = upto.plus(-1);
        }
        let ahead = upto.from(self.next);
        // A single number with nothing behind it is the FIN's, which the capture may have lost.
        if ahead <= 0 || ahead > LARGEST_WINDOW || ahead == 1 && self.reorder().is_none() {
            return;
        }
        let hole = self.hole(now);
        if upto.from(hole.acknowledged) > 0 {
            hole.acknowledged = upto;
        }
        match &mut hole.evidence {
            Some(evidence) if upto.from(evidence.upto) >= 0 => {
                evidence.voices = evidence.voices.saturating_add(1);
            }
            Some(_) => {}
            None => hole.evidence = Some(Evidence { upto, since: now, voices: 1, packets: 0 }),
        }
    }

    /// Nothing more comes that a single packet's word could tear apart: it is believed.
    pub(super) fn convince(&mut self) {
        if let Some(evidence) = self.hole.as_mut().and_then(|hole| hole.evidence.as_mut()) {
            evidence.voices = evidence.voices.max(EVIDENCE_VOICES);
        }
    }

    /// The sender itself is past `sequence`.
    pub(super) fn corroborate(&mut self, sequence: Sequence) {
        if let Some(evidence) = self.hole.as_mut().and_then(|hole| hole.evidence.as_mut())
            && sequence.from(evidence.upto) >= 0
        {
            evidence.voices = evidence.voices.saturating_add(1);
        }
    }

    pub(super) fn count_packet(&mut self) {
        if let Some(evidence) = self.hole.as_mut().and_then(|hole| hole.evidence.as_mut()) {
            evidence.packets = evidence.packets.saturating_add(1);
        }
    }

    /// Whether what was sent by someone who had received all before `acknowledges` must wait for this direction.
    pub(super) fn holds_back(&self, acknowledges: Option<Sequence>) -> bool {
        let Some(acknowledges) = acknowledges else { return false };
        let ahead = acknowledges.from(self.next);
        self.evidence().is_some() && ahead > 0 && ahead <= LARGEST_WINDOW
    }

    /// Brings the hole up to date after the stream went on to `self.next`.
    pub(super) fn went_on(&mut self, now: u64) {
        let Some(hole) = &mut self.hole else { return };
        hole.since = now;
        self.review(now);
    }

    /// Forgets evidence that has been met, takes up what was acknowledged since, and the hole itself when nothing is
    /// left to wait for.
    pub(super) fn review(&mut self, now: u64) {
        let Some(hole) = &mut self.hole else { return };
        // What was acknowledged was within the window once, and the stream only goes forward: what is not is behind, however
        // far the stream went on over a hole.
        let next = self.next;
        let ahead = |acknowledged: Sequence| (0..=LARGEST_WINDOW).contains(&acknowledged.from(next));
        if !ahead(hole.acknowledged) {
            hole.acknowledged = next;
        }
        if hole.evidence.as_ref().is_some_and(|evidence| evidence.upto == next || !ahead(evidence.upto)) {
            hole.evidence = None;
        }
        let unseen = hole.acknowledged.from(self.next);
        if hole.evidence.is_none() && unseen > i64::from(hole.reorder.is_empty()) {
            hole.evidence = Some(Evidence { upto: hole.acknowledged, since: now, voices: 1, packets: 0 });
        }
        let unfinished = !self.ended && self.fin.is_some_and(|fin| fin != self.next);
        if hole.reorder.is_empty() && hole.evidence.is_none() && !unfinished {
            self.hole = None;
        }
    }

    /// Whether the hole has been open for as long as anything may wait.
    pub(super) fn overdue(&self, now: u64, limits: &Limits) -> bool {
        self.hole.as_ref().is_some_and(|hole| now >= deadline(hole, limits))
    }

    pub(super) fn evidence_stands(&self, now: u64) -> bool {
        self.evidence().is_some_and(|evidence| evidence.stands(now))
    }

    pub(super) fn over_cap(&self, limits: &Limits) -> bool {
        self.reorder().is_some_and(|reorder| {
            reorder.memory() > limits.reorder_bytes || reorder.len() > limits.reorder_segments
        })
    }

    /// When to look again if no packet comes.
    pub(crate) fn due(&self, limits: &Limits) -> Option<u64> {
        let hole = self.hole.as_ref()?;
        let deadline = deadline(hole, limits);
        Some(match &hole.evidence {
            Some(evidence) if evidence.convincing() && evidence.packets >= EVIDENCE_PACKETS => {
                deadline.min(evidence.since + EVIDENCE_NANOS)
            }
            _ => deadline,
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.hole.as_ref().map_or(0, |hole| size_of::<Hole>() + hole.reorder.memory())
    }
}

fn deadline(hole: &Hole, limits: &Limits) -> u64 {
    hole.since + u64::from(limits.hole_wait_millis) * NANOS_PER_MILLISECOND
}
