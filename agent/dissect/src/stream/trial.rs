//! A dissector on trial: what it was given, to give it to another one, and what it made of it.

use remora_packet::Timestamp;

use super::{Feed, Reader};
use crate::dissector::TRIAL_BYTES;
use crate::tcp::{Sent, Sink};
use crate::{Direction, Draft, End};

pub(super) struct Trial {
    /// Its place in the registry.
    place: usize,
    /// How far each direction was before.
    position: [u64; 2],
    /// How directions had ended before.
    ended: [Option<End>; 2],
    log: Vec<Event>,
    /// Bytes in the log.
    bytes: usize,
    items: Vec<Draft>,
    /// Bytes of heap the items hold.
    item_bytes: usize,
}

enum Event {
    Data(Direction, Timestamp, Option<Sent>, Vec<u8>),
    Gap(Direction, u64),
    End(Direction, End),
}

impl Trial {
    pub(super) fn new(place: usize, position: [u64; 2], ended: [Option<End>; 2]) -> Self {
        Self { place, position, ended, log: Vec::new(), bytes: 0, items: Vec::new(), item_bytes: 0 }
    }

    pub(super) fn data(&mut self, direction: Direction, now: Timestamp, sent: Option<Sent>, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.log.push(Event::Data(direction, now, sent, bytes.to_vec()));
    }

    pub(super) fn gap(&mut self, direction: Direction, bytes: u64) {
        self.log.push(Event::Gap(direction, bytes));
    }

    pub(super) fn end(&mut self, direction: Direction, end: End) {
        self.log.push(Event::End(direction, end));
    }

    /// Whether it has seen as much as a trial takes.
    pub(super) fn is_over(&self) -> bool {
        self.bytes > TRIAL_BYTES || self.log.len() > TRIAL_BYTES / 16
    }

    /// Takes its items, until it is known whether they count.
    pub(super) fn hold(&mut self, items: &mut Vec<Draft>) {
        let side =
            |message: &Option<Box<dyn crate::item::Message>>| message.as_ref().map_or(0, |m| m.memory());
        self.item_bytes +=
            items.iter().map(|draft| side(&draft.request) + side(&draft.response)).sum::<usize>();
        self.items.append(items);
    }

    pub(super) fn release(self, items: &mut Vec<Draft>) {
        items.extend(self.items);
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes
            + self.log.capacity() * size_of::<Event>()
            + self.items.capacity() * size_of::<Draft>()
            + self.item_bytes
    }
}

impl Feed<'_> {
    /// Writes down what a dissector on trial is given.
    pub(super) fn log(&mut self, write: impl FnOnce(&mut Trial, Timestamp)) {
        if let Some(trial) = &mut self.dissection.trial {
            write(trial, self.context.now);
        }
    }

    /// It was another protocol: the stream is read from where the trial began, by others.
    pub(super) fn retry(&mut self, trial: Trial) {
        let dissection = &mut *self.dissection;
        dissection.reader = Reader::None;
        dissection.pending = None;
        dissection.position = trial.position;
        dissection.ended = trial.ended;
        dissection.latest = None;
        dissection.refused |= 1 << trial.place;
        let now = self.context.now;
        for event in trial.log {
            match event {
                Event::Data(direction, captured, sent, bytes) => {
                    self.context.now = captured;
                    self.data(direction, &bytes, sent);
                }
                Event::Gap(direction, bytes) => self.gap(direction, bytes),
                Event::End(direction, end) => self.end(direction, end),
            }
        }
        self.context.now = now;
    }
}
