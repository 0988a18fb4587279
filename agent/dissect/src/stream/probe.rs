//! Finding out what a stream speaks.

use super::trial::Trial;
use super::{Feed, PROBE_TRIES, Piece, Reader};
use crate::tcp::{Sent, Sink};
use crate::{Direction, Over, Probe};

/// Bytes of a direction that are kept while its protocol is not certain. More than any protocol needs to be told.
const PROBE_BYTES: usize = 1024;

/// From so many bytes on a protocol that looks likely is not made to wait for one that is still unsure.
const LIKELY_BYTES: usize = 64;

/// What the registry says of some bytes.
struct Opinion {
    /// The first that is certain, else the first that finds it likely.
    place: Option<usize>,
    certain: bool,
    /// One before that place would like more bytes.
    unsure: bool,
}

impl Feed<'_> {
    fn ask(&self, direction: Direction, bytes: &[u8]) -> Opinion {
        let mut opinion = Opinion { place: None, certain: false, unsure: false };
        for (place, registration) in self.context.registry.iter().enumerate() {
            let Over::Stream { probe, .. } = registration.over else { continue };
            if self.dissection.refused & 1 << place != 0 {
                continue;
            }
            match probe(direction, self.context.server_port, bytes) {
                Probe::Certain => return Opinion { place: Some(place), certain: true, ..opinion },
                Probe::Likely if opinion.place.is_none() => opinion.place = Some(place),
                Probe::Unsure => opinion.unsure = true,
                Probe::Likely | Probe::No => {}
            }
        }
        opinion
    }

    /// Asks the protocols whose bytes these are.
    pub(super) fn probe(&mut self, direction: Direction, bytes: &[u8], sent: Option<Sent>) {
        let dissection = &mut *self.dissection;
        let at = direction.index();
        if !self.begun[at] {
            dissection.torn = true;
        }
        let turned = dissection.latest.replace(direction) != Some(direction);
        if turned && dissection.torn {
            dissection.tries[at] = PROBE_TRIES;
        }
        if dissection.tries[at] == 0 {
            dissection.position[at] += bytes.len() as u64;
            self.pass_over(direction, bytes.len());
            return;
        }
        if turned {
            // An answer: what it answers to will not grow any more.
            self.decide(direction.reverse());
            self.context.sent = sent;
            if matches!(self.dissection.reader, Reader::Stream(_)) {
                self.log(|trial, now| trial.data(direction, now, sent, bytes));
                self.parse(direction, bytes);
                return;
            }
        }

        let dissection = &mut *self.dissection;
        dissection.position[at] += bytes.len() as u64;
        let (mut head, mut pieces) = dissection.take_kept(direction);
        let joined = if head.is_empty() {
            bytes
        } else {
            head.extend_from_slice(bytes);
            head.as_slice()
        };
        let opinion = self.ask(direction, joined);
        let patient = opinion.unsure && joined.len() <= PROBE_BYTES;
        let piece = Piece { end: joined.len(), captured: self.context.now, sent };
        match opinion.place {
            Some(place) if opinion.certain || !patient || joined.len() >= LIKELY_BYTES => {
                pieces.push(piece);
                self.begin(place, opinion.certain, direction, joined, pieces);
            }
            _ if patient => {
                pieces.push(piece);
                let kept = if head.is_empty() { bytes.to_vec() } else { head };
                self.dissection.keep(direction, kept, pieces);
            }
            _ => {
                self.dissection.tries[at] -= 1;
                self.pass_over(direction, joined.len());
            }
        }
    }

    /// No more bytes will be added to what a direction sent: whoever finds that likely gets it.
    pub(super) fn decide(&mut self, direction: Direction) {
        if !matches!(self.dissection.reader, Reader::None) {
            return;
        }
        let (head, pieces) = self.dissection.take_kept(direction);
        if head.is_empty() {
            return;
        }
        match self.ask(direction, &head).place {
            Some(place) => self.begin(place, false, direction, &head, pieces),
            None => self.dissection.keep(direction, head, pieces),
        }
    }

    /// The protocol is known, or thought so: from here on its dissector reads, first what was kept.
    fn begin(&mut self, place: usize, certain: bool, direction: Direction, head: &[u8], pieces: Vec<Piece>) {
        let Over::Stream { create, .. } = self.context.registry[place].over else { return };
        let mut dissector = create(self.context.limits);
        let other = direction.reverse();
        let (kept, kept_pieces) = self.dissection.take_kept(other);
        self.dissection.position[direction.index()] -= head.len() as u64;
        self.dissection.position[other.index()] -= kept.len() as u64;
        for at in Direction::BOTH {
            let passed_over = self.dissection.passed_over[at.index()];
            self.context.offset = self.dissection.position[at.index()];
            if passed_over != 0 || at == other && !self.begun[at.index()] {
                dissector.gap(at, passed_over.into(), &[], &mut self.context);
            }
            if let Some(end) = self.dissection.ended[at.index()] {
                dissector.end(at, end, &[], &mut self.context);
            }
        }
        self.dissection.reader = Reader::Stream(dissector);
        if certain {
            self.dissection.recognised = true;
        } else {
            self.dissection.trial =
                Some(Box::new(Trial::new(place, self.dissection.position, self.dissection.ended)));
        }
        // What the other direction sent came before.
        self.hand_out(other, &kept, &kept_pieces);
        self.hand_out(direction, head, &pieces);
    }

    /// Reads what was kept as it came, segment by segment.
    fn hand_out(&mut self, direction: Direction, kept: &[u8], pieces: &[Piece]) {
        let now = self.context.now;
        let mut from = 0;
        for piece in pieces {
            if let Some(bytes @ [_, ..]) = kept.get(from..piece.end) {
                self.context.now = piece.captured;
                self.data(direction, bytes, piece.sent);
            }
            from = piece.end;
        }
        self.context.now = now;
    }
}
