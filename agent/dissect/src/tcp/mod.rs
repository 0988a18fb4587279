//! TCP reassembly: the bytes of each direction in order, each once, and the holes named.
//!
//! In-order bytes are handed on as they lie in the packet. Only what comes ahead of a hole is copied. A hole is given up
//! on evidence: the receiver has the bytes, so that they were lost to the capture only; a cap; a deadline in packet
//! time; the end of the stream.
//!
//! The two directions are kept in step. Bytes sent by someone who had already received what is still missing here (its
//! acknowledgment says so) wait for that, so that no answer overtakes its question when a capture delivers the
//! directions out of order.

mod half;
mod reorder;
mod sent;
mod sequence;

use remora_packet::Timestamp;

use crate::decode::{Flags, Segment};
use crate::{Counters, Direction, End, Limits};
use half::Half;
use reorder::Content;
pub(crate) use sent::{Sent, is_older, may_answer};
pub(crate) use sequence::Sequence;

/// How far from its place a RST, or a late segment of a finished connection, may be to belong to it. Far above the
/// windows in use, far below what a guess would need.
const STRAY_DISTANCE: i64 = 16 << 20;

/// Where reassembled bytes go.
pub(crate) trait Sink {
    /// When what follows was captured.
    fn captured(&mut self, timestamp: Timestamp);

    /// Bytes of one direction, in order, and when they were sent, where their segment says it.
    fn data(&mut self, direction: Direction, bytes: &[u8], sent: Option<Sent>);

    /// So many bytes will never come.
    fn gap(&mut self, direction: Direction, bytes: u64);

    /// No more bytes; called once for each direction.
    fn end(&mut self, direction: Direction, end: End);

    /// Whether anyone reads this direction. Where not, nothing is kept for it.
    fn wanted(&self, direction: Direction) -> bool;

    fn counters(&mut self) -> &mut Counters;
}

/// What a packet is handled with.
pub(crate) struct Step<'a, S> {
    /// Nanoseconds on a clock that does not run backwards.
    pub(crate) now: u64,
    /// When the packet was captured, as the capture says it.
    pub(crate) captured: Timestamp,
    pub(crate) limits: &'a Limits,
    pub(crate) sink: &'a mut S,
}

/// Both directions of a TCP connection.
#[derive(Default)]
pub(crate) struct Connection {
    halves: [Half; 2],
    closed: bool,
    /// The first number of the connection that had these ports before, to know its late SYN.
    previous: Option<Sequence>,
}

impl Connection {
    /// A connection that takes over the ports of `self`.
    pub(crate) fn successor(&self) -> Self {
        let opener = self.halves.iter().find(|half| half.started);
        Self { previous: opener.map(|half| half.start), ..Self::default() }
    }

    /// Both directions have ended, or a RST came.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    /// Whether the beginning of a direction was seen.
    pub(crate) fn begun(&self, direction: Direction) -> bool {
        self.halves[direction.index()].syn
    }

    /// Whether a direction announced its end.
    pub(crate) fn closing(&self) -> bool {
        self.halves.iter().any(|half| half.fin.is_some())
    }

    /// Whether the side that was asked answered: it sent something, or the other went on as if it had.
    pub(crate) fn answered(&self) -> bool {
        let [asking, asked] = &self.halves;
        asked.started || asking.next != asking.start || asking.fin.is_some()
    }

    /// Whether all data of a segment, and some, was here before: it is a retransmission.
    pub(crate) fn has_seen(&self, direction: Direction, segment: &Segment<'_>) -> bool {
        let half = &self.halves[direction.index()];
        let length = segment.payload.len() as i64 + i64::from(segment.missing);
        // A keep-alive repeats one byte: RFC 9293 section 3.8.4.
        let end = Sequence(segment.sequence).plus(length);
        let keep_alive = length <= 1 && end == half.next;
        let syn_again = segment.flags.syn() && half.syn;
        half.started && (syn_again || length > 0 && !keep_alive && end.from(half.next) <= 0)
    }

    pub(crate) fn memory(&self) -> usize {
        self.halves.iter().map(Half::memory).sum()
    }

    /// Whether something is waited for.
    pub(crate) fn waiting(&self) -> bool {
        self.halves.iter().any(|half| half.hole.is_some())
    }

    /// When to call [`Self::elapse`] if no packet comes before.
    pub(crate) fn due(&self, limits: &Limits) -> Option<u64> {
        let own = Direction::BOTH.into_iter().filter(|direction| !self.waits(*direction));
        own.filter_map(|direction| self.halves[direction.index()].due(limits)).min()
    }

    /// Whether a direction has its next bytes and only waits for a hole in the other one. It then has no say in when
    /// that is given up.
    fn waits(&self, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        let other = &self.halves[direction.reverse().index()];
        half.front() == Some(half.next) && other.hole.is_some() && other.front() != Some(other.next)
    }

    /// Whether this segment belongs to a new connection on the same ports.
    pub(crate) fn superseded_by(&self, direction: Direction, segment: &Segment<'_>) -> bool {
        let half = &self.halves[direction.index()];
        let other = &self.halves[direction.reverse().index()];
        let sequence = Sequence(segment.sequence);
        if segment.flags.rst() {
            return false;
        }
        if segment.flags.syn() {
            let start = sequence.plus(1);
            return if half.started {
                half.start != start && self.previous != Some(start)
            } else {
                self.closed || !segment.flags.ack() && other.started && !other.syn
            };
        }
        self.closed
            && !segment.payload.is_empty()
            && half.started
            && sequence.from(half.next).abs() > STRAY_DISTANCE
    }

    pub(crate) fn segment<S: Sink>(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        step: &mut Step<'_, S>,
    ) {
        let half = &self.halves[direction.index()];
        let other = &self.halves[direction.reverse().index()];
        let plain = segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST) == 0;
        let in_order = half.started && !half.ended && half.next == Sequence(segment.sequence);
        let in_step =
            !segment.flags.ack() || !other.started || Sequence(segment.acknowledgment).from(other.next) <= 0;
        let heard = other.started || other.received.is_some();
        if plain
            && in_order
            && in_step
            && heard
            && half.hole.is_none()
            && other.hole.is_none()
            && !self.closed
        {
            self.deliver(direction, segment.payload, segment.missing, acknowledged(segment), step);
        } else if !self.closed {
            self.irregular(direction, segment, step);
        }
    }

    /// Time went on without a packet.
    pub(crate) fn elapse<S: Sink>(&mut self, step: &mut Step<'_, S>) {
        if !self.closed {
            self.settle(step);
        }
    }

    /// No more packets: hands out what is there and ends both directions.
    pub(crate) fn finish<S: Sink>(&mut self, end: End, step: &mut Step<'_, S>) {
        loop {
            if self.drain(Direction::ToServer, step) || self.drain(Direction::ToClient, step) {
                continue;
            }
            let open =
                Direction::BOTH.into_iter().filter(|direction| self.halves[direction.index()].hole.is_some());
            match open.min_by_key(|direction| self.waits(*direction)) {
                Some(direction) => {
                    self.halves[direction.index()].convince();
                    self.give_up(direction, step);
                }
                None => break,
            }
        }
        for direction in Direction::BOTH {
            if !std::mem::replace(&mut self.halves[direction.index()].ended, true) {
                step.sink.end(direction, end);
            }
        }
        self.closed = true;
    }

    fn irregular<S: Sink>(&mut self, direction: Direction, segment: &Segment<'_>, step: &mut Step<'_, S>) {
        let flags = segment.flags;
        let sequence = Sequence(segment.sequence).plus(flags.syn().into());
        let length = segment.payload.len() as i64 + i64::from(segment.missing);
        let half = &mut self.halves[direction.index()];
        if flags.rst() {
            let plausible =
                !half.started || Sequence(segment.sequence).from(half.next).abs() <= STRAY_DISTANCE;
            if plausible {
                self.finish(End::Reset, step);
            }
            return;
        }
        if !half.started {
            let beginning = if flags.syn() { sequence } else { half.beginning(sequence) };
            half.begin(beginning, flags.syn(), length == 0 && !flags.syn());
        } else if flags.syn() {
            if half.start != sequence {
                return;
            }
            half.syn = true;
        }

        half.corroborate(sequence.plus(length));
        let other = &mut self.halves[direction.reverse().index()];
        if flags.ack() && !other.started {
            other.received.get_or_insert(Sequence(segment.acknowledgment));
        }
        if flags.ack() && step.sink.wanted(direction.reverse()) {
            other.acknowledge(Sequence(segment.acknowledgment), step.now);
        }
        self.halves.iter_mut().for_each(Half::count_packet);

        let half = &mut self.halves[direction.index()];
        let fin = sequence.plus(length);
        if flags.fin() && half.fin.is_none() && fin.from(half.next) >= 0 {
            half.fin = Some(fin);
        }
        self.accept(direction, sequence, segment, step);
        let half = &mut self.halves[direction.index()];
        if !half.ended && half.fin.is_some_and(|fin| fin != half.next) {
            half.hole(step.now);
        }
        self.settle(step);
    }

    /// Takes the payload of a segment: hands it on, or keeps it.
    fn accept<S: Sink>(
        &mut self,
        direction: Direction,
        mut sequence: Sequence,
        segment: &Segment<'_>,
        step: &mut Step<'_, S>,
    ) {
        let other = &self.halves[direction.reverse().index()];
        let acknowledges = acknowledged(segment);
        let held_back = other.holds_back(acknowledges);
        let half = &mut self.halves[direction.index()];
        let (mut bytes, mut missing) = (segment.payload, segment.missing);
        if bytes.is_empty() && missing == 0 || half.ended {
            return;
        }
        if std::mem::take(&mut half.tentative) && sequence == half.next.plus(1) {
            half.begin(sequence, false, false);
        }

        let behind = -sequence.from(half.next);
        if behind > 0 {
            let old = bytes.len().min(behind as usize);
            // A keep-alive repeats one byte, which may be garbage: RFC 9293 section 3.8.4.
            let keep_alive = behind == 1 && segment.payload.len() <= 1;
            step.sink.counters().duplicate_bytes += if keep_alive { 0 } else { old as u64 };
            bytes = &bytes[old..];
            missing = (i64::from(missing) - (behind - old as i64)).max(0) as u32;
            sequence = half.next;
        }
        if let Some(fin) = half.fin {
            let room = fin.from(sequence).max(0);
            bytes = &bytes[..bytes.len().min(room as usize)];
            missing = i64::from(missing).min(room - bytes.len() as i64) as u32;
        }
        if bytes.is_empty() && missing == 0 {
            return;
        }

        let end = sequence.plus(bytes.len() as i64 + i64::from(missing));
        let fits = half.front().is_none_or(|front| end.from(half.next) <= front.from(half.next));
        if sequence == half.next && fits && !held_back {
            self.deliver(direction, bytes, missing, acknowledges, step);
            return;
        }
        if !step.sink.wanted(direction) {
            let skipped = sequence.from(half.next);
            half.next = sequence;
            if skipped > 0 {
                step.sink.gap(direction, skipped as u64);
            }
            self.deliver(direction, bytes, missing, acknowledges, step);
            return;
        }
        let (next, counters) = (half.next, step.sink.counters());
        counters.reordered_segments += u64::from(sequence != next);
        let reorder = &mut half.hole(step.now).reorder;
        reorder.insert(next, sequence, acknowledges, step.captured, Content::Bytes(bytes), counters);
        let tail = sequence.plus(bytes.len() as i64);
        reorder.insert(next, tail, acknowledges, step.captured, Content::Missing(missing), counters);
    }

    /// Hands on bytes that are next, and what the capture cut off behind them.
    fn deliver<S: Sink>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        missing: u32,
        acknowledges: Option<Sequence>,
        step: &mut Step<'_, S>,
    ) {
        let half = &mut self.halves[direction.index()];
        if !bytes.is_empty() {
            half.tentative = false;
            let from = half.next;
            half.next = from.plus(bytes.len() as i64);
            let sent = acknowledges.map(|received| Sent { from, upto: half.next, received });
            half.went_on(step.now);
            step.sink.data(direction, bytes, sent);
        }
        if missing != 0 {
            self.lose(direction, missing.into(), step);
        }
    }

    fn lose<S: Sink>(&mut self, direction: Direction, bytes: i64, step: &mut Step<'_, S>) {
        let half = &mut self.halves[direction.index()];
        half.next = half.next.plus(bytes);
        half.went_on(step.now);
        if step.sink.wanted(direction) {
            let counters = step.sink.counters();
            counters.gaps += 1;
            counters.missing_bytes += bytes as u64;
        }
        step.sink.gap(direction, bytes as u64);
    }

    /// Hands on all that is ready, and gives up on the holes for which it is time.
    fn settle<S: Sink>(&mut self, step: &mut Step<'_, S>) {
        'again: loop {
            if self.drain(Direction::ToServer, step) || self.drain(Direction::ToClient, step) {
                continue;
            }
            for direction in Direction::BOTH {
                let half = &self.halves[direction.index()];
                let waits = self.waits(direction);
                let due = half.evidence_stands(step.now) || half.overdue(step.now, step.limits);
                if due && !waits || half.hole.is_some() && !step.sink.wanted(direction) {
                    self.give_up(direction, step);
                    continue 'again;
                }
                if half.over_cap(step.limits) {
                    step.sink.counters().reorder_overflows += 1;
                    self.give_up(if waits { direction.reverse() } else { direction }, step);
                    continue 'again;
                }
            }
            break;
        }
        self.closed = self.halves.iter().all(|half| half.ended);
    }

    /// Hands on what is next and waits for nothing any more; whether there was any.
    fn drain<S: Sink>(&mut self, direction: Direction, step: &mut Step<'_, S>) -> bool {
        let mut moved = false;
        loop {
            let half = &self.halves[direction.index()];
            let other = &self.halves[direction.reverse().index()];
            let front = half.reorder().and_then(|reorder| reorder.front());
            let ready =
                front.is_some_and(|held| held.sequence == half.next && !other.holds_back(held.acknowledges));
            if !ready {
                break;
            }
            self.deliver_front(direction, step);
            moved = true;
        }
        let caught_up = self.halves[direction.reverse().index()].evidence().is_none();
        let half = &mut self.halves[direction.index()];
        if !half.ended && half.fin == Some(half.next) && caught_up {
            half.ended = true;
            half.hole = None;
            step.sink.end(direction, End::Fin);
            moved = true;
        }
        moved
    }

    fn deliver_front<S: Sink>(&mut self, direction: Direction, step: &mut Step<'_, S>) {
        let hole = self.halves[direction.index()].hole.as_mut();
        let Some(held) = hole.and_then(|hole| hole.reorder.pop()) else { return };
        let missing = if held.data.is_empty() { held.length } else { 0 };
        step.sink.captured(held.captured);
        self.deliver(direction, &held.data, missing, held.acknowledges, step);
        step.sink.captured(step.captured);
    }

    /// Goes on without what a direction waits for.
    fn give_up<S: Sink>(&mut self, direction: Direction, step: &mut Step<'_, S>) {
        let half = &self.halves[direction.index()];
        let next = half.next;
        let front = half.front();
        if front == Some(next) {
            self.deliver_front(direction, step);
            return;
        }
        let received = half.evidence().filter(|evidence| evidence.convincing()).map(|evidence| evidence.upto);
        let ends = [front, received, half.fin].into_iter().flatten().map(|upto| upto.from(next));
        let ends = ends.filter(|ahead| *ahead > 0).min();
        // What the other side sent having got a part of it comes behind that part, not behind all of it.
        let other = self.halves[direction.reverse().index()].reorder().and_then(|reorder| reorder.front());
        let part = other
            .and_then(|held| held.acknowledges)
            .map(|received| received.from(next))
            .filter(|ahead| *ahead > 0);
        match ends.map(|ahead| part.map_or(ahead, |part| part.min(ahead))) {
            Some(ahead) => self.lose(direction, ahead, step),
            // A single packet's word and nothing behind it.
            None => self.halves[direction.index()].hole = None,
        }
    }
}

/// What the sender of a segment had received from the other side.
fn acknowledged(segment: &Segment<'_>) -> Option<Sequence> {
    segment.flags.ack().then_some(Sequence(segment.acknowledgment))
}
