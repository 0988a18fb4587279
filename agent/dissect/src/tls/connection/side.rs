//! One direction of a connection: where its records are, and how far what is in them is read.

use remora_packet::Timestamp;

use super::messages::Messages;

#[derive(Debug)]
pub(super) struct Side {
    /// Bytes of the current record that are passed over.
    pub(super) skip: usize,
    /// Where records begin is not known.
    pub(super) lost: bool,
    /// What it sends is encrypted, or a piece of the handshake is missing: only a hello is read.
    pub(super) opaque: bool,
    /// It sent a ChangeCipherSpec.
    pub(super) changed: bool,
    /// When the first byte of the record that begins was captured.
    pub(super) since: Option<Timestamp>,
    /// A record was seen.
    pub(super) begun: bool,
    pub(super) ended: bool,
    pub(super) messages: Messages,
}

impl Side {
    pub(super) const fn new() -> Self {
        Self {
            skip: 0,
            lost: false,
            opaque: false,
            changed: false,
            since: None,
            begun: false,
            ended: false,
            messages: Messages::new(),
        }
    }

    /// How much of `bytes` belongs to a record that is passed over.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        let passed = self.skip.min(bytes.len());
        self.skip -= passed;
        passed
    }

    /// The first byte of a record is there, and the record is not.
    pub(super) fn waits(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    /// A record was taken.
    pub(super) const fn took(&mut self) {
        self.begun = true;
        self.since = None;
    }

    /// Where records begin is not known any more.
    pub(super) const fn lose(&mut self) {
        self.skip = 0;
        self.lost = true;
    }

    /// Bytes went missing behind `unparsed` ones, which begin a record of `length` where that is told.
    pub(super) fn gap(&mut self, missing: u64, unparsed: usize, length: Option<usize>) {
        self.since = None;
        self.opaque = true;
        let inside = match length {
            Some(length) => length - unparsed.min(length),
            None if unparsed == 0 => self.skip,
            None => 0,
        };
        match usize::try_from(missing).ok().and_then(|missing| inside.checked_sub(missing)) {
            // The gap ends within the record, or with it.
            Some(left) if inside > 0 => self.skip = left,
            _ => self.lose(),
        }
    }
}
