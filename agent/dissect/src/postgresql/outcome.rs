//! What the server answers within one cycle.

use std::sync::Arc;

use remora_packet::Timestamp;

use super::columns::Columns;
use super::log::{Log, Response};
use super::made::{Head, Made};
use super::parameters::Portal;
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::on_demand::OnDemand;
use crate::{Fields, Half, Limits, ParseError};

#[derive(Debug, Default)]
pub(super) struct Outcome {
    time: Option<Timestamp>,
    size: u64,
    missing: u64,
    log: Log,
    /// Once the messages can't be kept as they came.
    made: Option<Box<Made>>,
    /// What belongs to one kind of cycle: authentication, settings, a function's value.
    pub(super) fields: Fields,
    status: Option<u8>,
    /// The server passed it over because of an error before.
    pub(super) skipped: bool,
}

impl Outcome {
    pub(super) fn has_begun(&self) -> bool {
        self.time.is_some()
    }

    pub(super) fn heap(&self) -> usize {
        self.log.heap() + self.made.as_ref().map_or(0, |made| size_of::<Made>() + made.heap())
    }

    /// Counts a message in.
    pub(super) fn count(&mut self, message: &Framed<'_>) {
        self.time.get_or_insert(message.time);
        self.size += message.size;
        self.missing += message.missing;
    }

    /// Counts in what follows one at once.
    pub(super) fn more(&mut self, size: usize) {
        self.size += size as u64;
    }

    pub(super) fn time_or(&mut self, time: Timestamp) {
        self.time.get_or_insert(time);
    }

    /// What was kept is made into what is shown, and all that follows.
    fn made(&mut self, limits: &Limits) -> &mut Made {
        let log = &mut self.log;
        self.made.get_or_insert_with(|| Box::new(std::mem::take(log).replay(limits.of_values())))
    }

    /// Takes a message as it came, where `take` does.
    fn keeps(&mut self, take: impl FnOnce(&mut Log) -> bool) -> bool {
        self.made.is_none() && take(&mut self.log)
    }

    pub(super) fn fault(&mut self, what: impl Into<String>, limits: &Limits) {
        self.made(limits).fault(what);
    }

    /// A result with these columns begins.
    pub(super) fn begin(&mut self, columns: Arc<Columns>, limits: &Limits) {
        if !self.keeps(|log| log.begin(&columns, limits)) {
            self.made(limits).begin(Some(columns));
        }
    }

    /// The same by the server's message.
    pub(super) fn describe(&mut self, body: &[u8], whole: bool, limits: &Limits) {
        if !self.keeps(|log| log.describe(body, limits)) {
            self.made(limits).describe(body, whole, limits.of_values());
        }
    }

    pub(super) fn has_columns(&self) -> bool {
        self.made.as_ref().map_or_else(|| self.log.has_columns(), |made| made.has_columns())
    }

    /// `body` is none of a row that is not whole.
    pub(super) fn row(&mut self, body: Option<&[u8]>, portal: Option<&Arc<Portal>>, limits: &Limits) {
        if !self.keeps(|log| body.is_some_and(|body| log.row(body, portal, limits))) {
            self.made(limits).row(body, portal.map(|portal| &**portal), limits.of_values());
        }
    }

    /// A result is complete; `None` where its tag is not known.
    pub(super) fn complete(&mut self, tag: Option<&[u8]>, limits: &Limits) {
        if !self.keeps(|log| tag.is_some_and(|tag| log.complete(tag, limits))) {
            self.made(limits).complete(tag, limits.of_values());
        }
    }

    pub(super) fn empty(&mut self, limits: &Limits) {
        if !self.keeps(|log| log.empty(limits)) {
            self.made(limits).empty(limits.of_values());
        }
    }

    pub(super) fn suspend(&mut self, limits: &Limits) {
        if !self.keeps(|log| log.suspend(limits)) {
            self.made(limits).suspend(limits.of_values());
        }
    }

    /// COPY begins: format and number of columns.
    pub(super) fn copy(&mut self, body: &[u8], both: bool, limits: &Limits) {
        self.made(limits).copy(body, both);
    }

    pub(super) fn copied(&mut self, message: &Framed<'_>, limits: &Limits) {
        self.made(limits).copied(message);
    }

    pub(super) fn report(&mut self, report: Fields, limits: &Limits) {
        self.made(limits).report(report);
    }

    pub(super) fn notice(&mut self, body: &[u8], limits: &Limits) {
        if !self.keeps(|log| log.notice(body, limits)) {
            self.made(limits).notice(body, limits.of_values());
        }
    }

    /// `ParameterStatus`.
    pub(super) fn setting(&mut self, body: &[u8], limits: &Limits) -> Result<(), ParseError> {
        if self.keeps(|log| log.setting(body, limits)) {
            return Ok(());
        }
        self.made(limits).setting(body, limits.of_values())
    }

    /// `ReadyForQuery`.
    pub(super) fn ready(&mut self, status: Option<u8>) {
        self.status = status;
    }

    pub(super) fn into_half(mut self, limits: &Limits) -> Half {
        let (time, size, missing) = (self.time.unwrap_or_default(), self.size, self.missing);
        if self.skipped || missing > 0 {
            self.made(limits);
        }
        let Some(made) = self.made else {
            let response = Response::new(self.log, self.fields, self.status, limits.of_values());
            return Half::new(time, size, OnDemand::new(response));
        };
        let (fields, skipped, status) = (self.fields, self.skipped, self.status);
        let head = Head { fields, skipped, missing: missing > 0, status };
        let (fields, fault) = made.into_fields(head, limits.of_values());
        let half = Half::new(time, size, fields).missing(missing);
        match fault {
            Some(fault) => half.error(ErrorKind::Dissection, fault),
            None => half,
        }
    }
}
