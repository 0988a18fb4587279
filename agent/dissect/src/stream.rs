//! What a conversation's bytes are read with: the dissector once its protocol is known, and what either side sent that
//! is not read yet.

use remora_packet::Timestamp;

use crate::tcp::Sink;
use crate::{Context, Counters, Direction, Dissector, End, Probe, Registration};

/// Bytes of a direction that are kept while its protocol is not certain. More than any protocol needs to be told.
const PROBE_BYTES: usize = 1024;

/// How many segments in a row are looked at, each time the conversation turns round, for the beginning of a message,
/// where the beginning of the stream was not seen or bytes are missing.
const PROBE_TRIES: u8 = 4;

/// How far a stream is read.
#[derive(Default)]
pub(crate) struct Dissection {
    dissector: Option<Box<dyn Dissector>>,
    /// Bytes not yet used, per direction, where there are any.
    pending: Option<Box<[Vec<u8>; 2]>>,
    /// Bytes thrown away or missing before the protocol was known.
    passed_over: [u32; 2],
    tries: [u8; 2],
    /// Who sent last.
    latest: Option<Direction>,
    /// Something was sent that may be in the middle of a message.
    torn: bool,
    carried_data: bool,
    /// How a direction ended before the protocol was known.
    ended: [Option<End>; 2],
}

impl Dissection {
    pub(crate) fn new() -> Self {
        Self { tries: [1, 1], ..Self::default() }
    }

    /// Bytes of heap held.
    pub(crate) fn memory(&self) -> usize {
        let dissector = self.dissector.as_ref().map_or(0, |dissector| dissector.memory());
        let pending = self
            .pending
            .as_ref()
            .map_or(0, |pending| size_of_val(&**pending) + pending.iter().map(Vec::capacity).sum::<usize>());
        dissector + pending
    }

    fn take_pending(&mut self, direction: Direction) -> Vec<u8> {
        let Some(pending) = &mut self.pending else { return Vec::new() };
        let taken = std::mem::take(&mut pending[direction.index()]);
        if pending.iter().all(Vec::is_empty) {
            self.pending = None;
        }
        taken
    }

    fn keep_pending(&mut self, direction: Direction, bytes: Vec<u8>) {
        self.pending.get_or_insert_default()[direction.index()] = bytes;
    }

    /// Whether payload was seen that no protocol claimed.
    pub(crate) fn unknown(&self) -> bool {
        self.dissector.is_none() && self.carried_data
    }

    pub(crate) fn note_payload(&mut self) {
        self.carried_data = true;
    }

    /// Frees all memory.
    pub(crate) fn release(&mut self) {
        self.dissector = None;
        self.pending = None;
    }
}

/// A stream's reader at work.
pub(crate) struct Feed<'a> {
    pub(crate) dissection: &'a mut Dissection,
    pub(crate) registry: &'static [Registration],
    pub(crate) server_port: u16,
    /// Whether the beginning of each direction was seen.
    pub(crate) begun: [bool; 2],
    pub(crate) context: Context<'a>,
}

impl Sink for Feed<'_> {
    fn captured(&mut self, timestamp: Timestamp) {
        self.context.now = timestamp;
    }

    fn data(&mut self, direction: Direction, bytes: &[u8]) {
        self.dissection.carried_data = true;
        if self.dissection.dissector.is_some() {
            self.parse(direction, bytes);
        } else {
            self.probe(direction, bytes);
        }
    }

    fn gap(&mut self, direction: Direction, bytes: u64) {
        let unparsed = self.dissection.take_pending(direction);
        if let Some(dissector) = &mut self.dissection.dissector {
            dissector.gap(direction, bytes, &unparsed, &mut self.context);
        } else {
            self.pass_over(direction, unparsed.len());
            self.note_missing(direction, bytes);
            self.dissection.torn = true;
            self.dissection.tries[direction.index()] = PROBE_TRIES;
        }
    }

    fn end(&mut self, direction: Direction, end: End) {
        let unparsed = self.dissection.take_pending(direction);
        if let Some(dissector) = &mut self.dissection.dissector {
            dissector.end(direction, end, &unparsed, &mut self.context);
        } else {
            self.dissection.ended[direction.index()] = Some(end);
            self.pass_over(direction, unparsed.len());
        }
    }

    fn wanted(&self, direction: Direction) -> bool {
        self.dissection.dissector.is_some() || self.dissection.tries[direction.index()] != 0
    }

    fn counters(&mut self) -> &mut Counters {
        self.context.counters
    }
}

impl Feed<'_> {
    fn parse(&mut self, direction: Direction, bytes: &[u8]) {
        let mut pending = self.dissection.take_pending(direction);
        let Some(dissector) = &mut self.dissection.dissector else { return };
        if pending.is_empty() {
            let used = dissector.parse(direction, bytes, &mut self.context);
            match bytes.get(used..) {
                None | Some([]) => return,
                Some(rest) => pending = rest.to_vec(),
            }
        } else {
            pending.extend_from_slice(bytes);
            let used = dissector.parse(direction, &pending, &mut self.context);
            if used >= pending.len() {
                return;
            }
            pending.drain(..used);
        }
        if pending.len() > self.context.limits.pending_bytes {
            self.context.counters.pending_overflows += 1;
            dissector.overflow(direction, &pending, &mut self.context);
        } else {
            self.dissection.keep_pending(direction, pending);
        }
    }

    /// Asks the protocols whose bytes these are.
    fn probe(&mut self, direction: Direction, bytes: &[u8]) {
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
            self.pass_over(direction, bytes.len());
            return;
        }

        let mut kept = dissection.take_pending(direction);
        let head = if kept.is_empty() {
            bytes
        } else {
            kept.extend_from_slice(bytes);
            kept.as_slice()
        };
        let mut unsure = false;
        for registration in self.registry {
            match (registration.probe)(direction, self.server_port, head) {
                Probe::Certain => return self.begin(registration, direction, head),
                Probe::Unsure => unsure = true,
                Probe::No => {}
            }
        }
        if unsure && head.len() <= PROBE_BYTES {
            dissection.keep_pending(direction, if kept.is_empty() { bytes.to_vec() } else { kept });
        } else {
            dissection.tries[at] -= 1;
            self.pass_over(direction, head.len());
        }
    }

    /// The protocol is known: from here on its dissector reads, first what was kept.
    fn begin(&mut self, registration: &Registration, direction: Direction, head: &[u8]) {
        let mut dissector = (registration.create)(self.context.limits);
        let other = direction.reverse();
        for at in Direction::BOTH {
            let passed_over = self.dissection.passed_over[at.index()];
            if passed_over != 0 || at == other && !self.begun[at.index()] {
                dissector.gap(at, passed_over.into(), &[], &mut self.context);
            }
            if let Some(end) = self.dissection.ended[at.index()] {
                dissector.end(at, end, &[], &mut self.context);
            }
        }
        self.dissection.dissector = Some(dissector);
        let kept = self.dissection.take_pending(other);
        self.parse(direction, head);
        if !kept.is_empty() {
            self.parse(other, &kept);
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
