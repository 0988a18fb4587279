//! Zone transfers: one query, any number of responses (RFC 5936, RFC 1995).

use super::key::Key;
use super::message::{Caps, Dns};
use crate::Half;
use remora_packet::Timestamp;

pub(super) const AXFR: u16 = 252;
pub(super) const IXFR: u16 = 251;

/// A transfer that goes on.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) key: Key,
    pub(super) request: Half,
    response: Dns,
    time: Timestamp,
    size: u64,
    missing: u64,
    incremental: bool,
    /// The zone's serial as the first record says it.
    serial: Option<String>,
    /// SOA records with that serial.
    marks: u8,
    /// Records so far.
    records: u64,
    /// The second record tells a list of differences from a whole zone.
    differences: bool,
}

impl Transfer {
    /// Begins with the first response's time. Its content is added by [`Self::add`].
    pub(super) fn new(key: Key, request: Half, kind: u16, first: &Dns, time: Timestamp) -> Self {
        let response = first.empty_copy();
        Self {
            key,
            request,
            response,
            time,
            size: 0,
            missing: 0,
            incremental: kind == IXFR,
            serial: None,
            marks: 0,
            records: 0,
            differences: false,
        }
    }

    /// Adds a response; whether it was the last. `dns` has all its records.
    pub(super) fn add(&mut self, dns: Dns, size: u64, missing: u64, caps: Caps) -> bool {
        self.size += size;
        self.missing += missing;
        let failed = dns.code() != 0;
        for record in &dns.content().sections[0] {
            self.records += 1;
            let serial = record.serial();
            if self.records == 1 {
                self.serial.clone_from(&serial);
            }
            if self.records == 2 && serial.is_some() && serial != self.serial {
                self.differences = true;
            }
            if serial.is_some() && serial == self.serial {
                self.marks = self.marks.saturating_add(1);
            }
        }
        let up_to_date = self.incremental && self.records == 1;
        self.response.append(dns, caps);
        // The zone's SOA is its first record and its last; in differences it is also where the last of them begins.
        failed || self.serial.is_none() || up_to_date || self.marks >= if self.differences { 3 } else { 2 }
    }

    /// Messages of it may be missing.
    pub(super) fn lose(&mut self, bytes: u64) {
        self.missing += bytes;
    }

    pub(super) fn into_halves(self) -> (Half, Half) {
        let response = Half::new(self.time, self.size, self.response).missing(self.missing);
        (self.request, response)
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.request.memory() + crate::item::Message::memory(&self.response)
    }
}

/// Whether a response to such a query may be one of several.
pub(super) const fn is_transfer(kind: u16) -> bool {
    matches!(kind, AXFR | IXFR)
}

/// Limits under which a transfer's message is read: its end must be seen, however many records lie before it.
pub(super) const fn unlimited(caps: Caps) -> Caps {
    Caps { entries: usize::MAX, ..caps }
}
