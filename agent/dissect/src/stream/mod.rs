//! What a conversation's bytes are read with: the dissector once its protocol is known, and what either side sent that
//! is not read yet.

pub(crate) mod carried;
mod datagram;
mod probe;
mod trial;

use remora_packet::Timestamp;

use crate::dissector::Verdict;
use crate::item::Transport;
use crate::tcp::{Sent, Sink};
use crate::{Context, Counters, DatagramDissector, Direction, Dissector, End, Successor};
use trial::Trial;

/// How many segments in a row are looked at, each time the conversation turns round, for the beginning of a message,
/// where the beginning of the stream was not seen or bytes are missing. As many packets of other transports.
const PROBE_TRIES: u8 = 4;

/// Changes of protocol within a stream. Above it what follows is not read: no stream has that many, and two dissectors
/// might send it back and forth.
const SWITCHES: u8 = 16;

/// How far a stream is read.
#[derive(Default)]
pub(crate) struct Dissection {
    reader: Reader,
    /// What is not yet used, where there is any.
    pending: Option<Box<Pending>>,
    /// How far each direction has come, in bytes of its stream.
    position: [u64; 2],
    trial: Option<Box<Trial>>,
    /// Bytes thrown away or missing before the protocol was known.
    passed_over: [u32; 2],
    tries: [u8; 2],
    /// Who sent last.
    latest: Option<Direction>,
    /// Something was sent that may be in the middle of a message.
    torn: bool,
    carried_data: bool,
    /// A protocol was recognised, now or before.
    recognised: bool,
    switches: u8,
    /// How a direction ended.
    ended: [Option<End>; 2],
    /// Places in the registry that were tried and withdrew.
    refused: u64,
    /// A conversation of datagrams was ended.
    over: bool,
}

/// Bytes that nobody has used yet, by direction.
#[derive(Default)]
struct Pending {
    bytes: [Vec<u8>; 2],
    /// The segments they came in, as long as it is not known who reads them.
    pieces: [Vec<Piece>; 2],
}

impl Pending {
    fn memory(&self) -> usize {
        let bytes: usize = self.bytes.iter().map(Vec::capacity).sum();
        let pieces: usize = self.pieces.iter().map(Vec::capacity).sum();
        size_of::<Self>() + bytes + pieces * size_of::<Piece>()
    }
}

/// A segment among bytes that are kept until it is known who reads them.
#[derive(Clone, Copy)]
struct Piece {
    /// Where it ends in them.
    end: usize,
    captured: Timestamp,
    sent: Option<Sent>,
}

#[derive(Default)]
enum Reader {
    #[default]
    None,
    Stream(Box<dyn Dissector>),
    Datagrams(Box<dyn DatagramDissector>),
}

impl Dissection {
    pub(crate) fn new(transport: Transport) -> Self {
        let tries = if transport == Transport::Tcp { 1 } else { PROBE_TRIES };
        Self { tries: [tries, tries], ..Self::default() }
    }

    /// Bytes of heap held.
    pub(crate) fn memory(&self) -> usize {
        let reader = match &self.reader {
            Reader::None => 0,
            Reader::Stream(dissector) => dissector.memory(),
            Reader::Datagrams(dissector) => dissector.memory(),
        };
        let pending = self.pending.as_ref().map_or(0, |pending| pending.memory());
        reader + pending + self.trial.as_ref().map_or(0, |trial| trial.memory())
    }

    /// When the dissector wants to be called, on the engine's clock.
    pub(crate) fn due(&self) -> Option<u64> {
        if let Reader::Datagrams(dissector) = &self.reader { dissector.due() } else { None }
    }

    /// Whether a conversation of datagrams was ended.
    pub(crate) fn over(&self) -> bool {
        self.over
    }

    fn take_pending(&mut self, direction: Direction) -> Vec<u8> {
        self.take_kept(direction).0
    }

    /// With the segments it came in, as far as they were kept.
    fn take_kept(&mut self, direction: Direction) -> (Vec<u8>, Vec<Piece>) {
        let Some(pending) = &mut self.pending else { return Default::default() };
        let at = direction.index();
        let taken = (std::mem::take(&mut pending.bytes[at]), std::mem::take(&mut pending.pieces[at]));
        if pending.bytes.iter().all(Vec::is_empty) {
            self.pending = None;
        }
        taken
    }

    fn keep_pending(&mut self, direction: Direction, bytes: Vec<u8>) {
        match &mut self.pending {
            Some(pending) => {
                pending.bytes[direction.index()] = if bytes.is_empty() { Vec::new() } else { bytes };
                if pending.bytes.iter().all(Vec::is_empty) {
                    self.pending = None;
                }
            }
            None if bytes.is_empty() => {}
            None => self.pending.get_or_insert_default().bytes[direction.index()] = bytes,
        }
    }

    fn keep(&mut self, direction: Direction, bytes: Vec<u8>, pieces: Vec<Piece>) {
        let pending = self.pending.get_or_insert_default();
        (pending.bytes[direction.index()], pending.pieces[direction.index()]) = (bytes, pieces);
    }

    /// Whether payload was seen that no protocol claimed.
    pub(crate) fn unknown(&self) -> bool {
        !self.recognised && self.carried_data
    }

    /// Frees all memory.
    pub(crate) fn release(&mut self) {
        self.reader = Reader::None;
        self.pending = None;
        self.trial = None;
    }
}

/// A stream's reader at work.
pub(crate) struct Feed<'a> {
    pub(crate) dissection: &'a mut Dissection,
    pub(crate) transport: Transport,
    /// Whether the beginning of each direction was seen.
    pub(crate) begun: [bool; 2],
    pub(crate) context: Context<'a>,
}

impl Sink for Feed<'_> {
    fn captured(&mut self, timestamp: Timestamp) {
        self.context.now = timestamp;
    }

    fn data(&mut self, direction: Direction, bytes: &[u8], sent: Option<Sent>) {
        self.context.sent = sent;
        self.dissection.carried_data = true;
        if matches!(self.dissection.reader, Reader::Stream(_)) {
            self.log(|trial, now| trial.data(direction, now, sent, bytes));
            self.parse(direction, bytes);
        } else {
            self.probe(direction, bytes, sent);
        }
    }

    fn gap(&mut self, direction: Direction, bytes: u64) {
        self.decide(direction);
        self.context.sent = None;
        self.log(|trial, _| trial.gap(direction, bytes));
        let unparsed = self.dissection.take_pending(direction);
        let position = &mut self.dissection.position[direction.index()];
        self.context.offset = *position - unparsed.len() as u64;
        *position += bytes;
        if let Reader::Stream(dissector) = &mut self.dissection.reader {
            dissector.gap(direction, bytes, &unparsed, &mut self.context);
            self.judge(direction, Vec::new());
        } else {
            self.pass_over(direction, unparsed.len());
            self.note_missing(direction, bytes);
            self.dissection.torn = true;
            self.dissection.tries[direction.index()] = PROBE_TRIES;
        }
    }

    fn end(&mut self, direction: Direction, end: End) {
        self.decide(direction);
        self.context.sent = None;
        self.log(|trial, _| trial.end(direction, end));
        let unparsed = self.dissection.take_pending(direction);
        self.context.offset = self.dissection.position[direction.index()] - unparsed.len() as u64;
        self.dissection.ended[direction.index()] = Some(end);
        if let Reader::Stream(dissector) = &mut self.dissection.reader {
            dissector.end(direction, end, &unparsed, &mut self.context);
            if self.dissection.ended.iter().all(Option::is_some) {
                // Nobody else will read it.
                self.context.confirm();
            }
            self.judge(direction, Vec::new());
        } else {
            self.pass_over(direction, unparsed.len());
        }
    }

    fn wanted(&self, direction: Direction) -> bool {
        matches!(self.dissection.reader, Reader::Stream(_)) || self.dissection.tries[direction.index()] != 0
    }

    fn counters(&mut self) -> &mut Counters {
        self.context.counters
    }
}

impl Feed<'_> {
    fn parse(&mut self, direction: Direction, bytes: &[u8]) {
        let Reader::Stream(dissector) = &mut self.dissection.reader else { return };
        // The place it was taken from stays: what is left of it goes back there.
        let mut pending = match &mut self.dissection.pending {
            Some(pending) => std::mem::take(&mut pending.bytes[direction.index()]),
            None => Vec::new(),
        };
        let position = &mut self.dissection.position[direction.index()];
        self.context.offset = *position - pending.len() as u64;
        *position += bytes.len() as u64;
        if pending.is_empty() {
            let used = dissector.parse(direction, bytes, &mut self.context);
            if let Some(rest @ [_, ..]) = bytes.get(used..) {
                pending = rest.to_vec();
            }
        } else {
            pending.extend_from_slice(bytes);
            let used = dissector.parse(direction, &pending, &mut self.context).min(pending.len());
            pending.drain(..used);
        }
        if pending.len() > self.context.limits.pending_bytes && matches!(self.context.verdict, Verdict::None)
        {
            self.context.counters.pending_overflows += 1;
            self.context.offset = self.dissection.position[direction.index()] - pending.len() as u64;
            dissector.overflow(direction, &pending, &mut self.context);
            pending.clear();
        }
        self.judge(direction, pending);
    }

    /// Does what the dissector said of itself; `rest` was not used by it.
    fn judge(&mut self, direction: Direction, rest: Vec<u8>) {
        if let Some(trial) = &mut self.dissection.trial {
            trial.hold(self.context.items);
        }
        let verdict = match std::mem::take(&mut self.context.verdict) {
            Verdict::None if self.dissection.trial.as_ref().is_some_and(|trial| trial.is_over()) => {
                Verdict::Confirmed
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::None => self.dissection.keep_pending(direction, rest),
            Verdict::Confirmed => {
                self.believe();
                self.dissection.keep_pending(direction, rest);
            }
            Verdict::Withdrawn => match self.dissection.trial.take() {
                Some(trial) => self.retry(*trial),
                None => {
                    self.dissection.reader = Reader::None;
                    self.dissection.tries = [0, 0];
                    self.pass_over(direction, rest.len());
                    let other = direction.reverse();
                    let kept = self.dissection.take_pending(other);
                    self.pass_over(other, kept.len());
                }
            },
            Verdict::HandedOver(successor) => self.switch(direction, rest, successor),
        }
    }

    /// Ends a trial well.
    fn believe(&mut self) {
        self.dissection.recognised = true;
        if let Some(trial) = self.dissection.trial.take() {
            trial.release(self.context.items);
        }
    }

    /// Another protocol reads on. What lies here unread is read again, the other direction's first: it was sent before.
    fn switch(&mut self, direction: Direction, rest: Vec<u8>, successor: Successor) {
        self.believe();
        let dissection = &mut *self.dissection;
        dissection.refused = 0;
        dissection.switches += 1;
        let (number, known) = (dissection.switches, matches!(successor, Successor::Known(_)));
        dissection.torn = false;
        dissection.passed_over = [0, 0];
        let other = direction.reverse();
        let kept = dissection.take_pending(other);
        dissection.position[direction.index()] -= rest.len() as u64;
        dissection.position[other.index()] -= kept.len() as u64;
        if dissection.switches > SWITCHES {
            dissection.reader = Reader::None;
            dissection.tries = [0, 0];
        } else {
            dissection.tries = [1, 1];
            self.begun = [true, true];
            dissection.reader = match successor {
                Successor::Probed => Reader::None,
                Successor::Known(dissector) => Reader::Stream(dissector),
            };
        }
        for (direction, bytes, sent) in [(other, kept, None), (direction, rest, self.context.sent)] {
            if !bytes.is_empty() {
                self.data(direction, &bytes, sent);
            }
        }
        if known && self.dissection.switches == number {
            for direction in Direction::BOTH {
                if let (Some(end), Reader::Stream(dissector)) =
                    (self.dissection.ended[direction.index()], &mut self.dissection.reader)
                {
                    dissector.end(direction, end, &[], &mut self.context);
                }
            }
        }
    }

    fn pass_over(&mut self, direction: Direction, bytes: usize) {
        self.context.counters.undissected_bytes += bytes as u64;
        self.note_missing(direction, bytes as u64);
    }

    fn note_missing(&mut self, direction: Direction, bytes: u64) {
        let passed_over = &mut self.dissection.passed_over[direction.index()];
        *passed_over = u32::try_from(u64::from(*passed_over) + bytes).unwrap_or(u32::MAX);
    }
}
