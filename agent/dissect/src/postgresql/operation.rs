//! What the client asks within one cycle, and what it waits for.

use std::collections::VecDeque;
use std::sync::Arc;

use remora_packet::Timestamp;

use super::framing::{GSS, SSL};
use super::made::Copied;
use super::outcome::Outcome;
use super::parameters::{Portal, Statement, Types};
use super::request::Request;
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::on_demand::OnDemand;
use crate::{Fields, Half, Limits};

/// What the server still has to send for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expect {
    Negotiation,
    Parse,
    Bind,
    /// The description of a statement.
    Statement,
    /// The description of a portal.
    Portal,
    Execute,
    Close,
    /// `ReadyForQuery`.
    Ready,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    Startup,
    Negotiation(u32),
    Query,
    Function,
    Extended,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) ask: Ask,
    time: Timestamp,
    size: u64,
    missing: u64,
    fault: Option<&'static str>,
    pub(super) expects: VecDeque<Expect>,
    /// No more of the client's messages join it but data it copies.
    pub(super) closed: bool,
    pub(super) synced: bool,
    /// Its response can't be told from others.
    pub(super) alone: bool,
    pub(super) parsed: Option<(Box<[u8]>, Arc<Statement>)>,
    pub(super) bound: bool,
    pub(super) portal: Option<(Box<[u8]>, Arc<Portal>)>,
    pub(super) described: Option<Described>,
    pub(super) executed: bool,
    pub(super) closes: bool,
    /// `Some` once the client has copied something.
    pub(super) copied: Option<Copied>,
    pub(super) copy_ended: bool,
    /// What the server says it takes: the format, and whether it sends data too.
    pub(super) copy_format: Option<(u8, bool)>,
    pub(super) fields: Fields,
    pub(super) outcome: Outcome,
    heap: usize,
    /// What the connection counts it with.
    pub(super) counted: usize,
}

/// What a `Describe` is about.
#[derive(Debug)]
pub(super) enum Described {
    Statement(Box<[u8]>, Option<Arc<Statement>>),
    Portal,
}

impl Operation {
    pub(super) fn new(ask: Ask, time: Timestamp) -> Self {
        Self {
            ask,
            time,
            size: 0,
            missing: 0,
            fault: None,
            expects: VecDeque::new(),
            closed: ask != Ask::Extended,
            synced: false,
            alone: false,
            parsed: None,
            bound: false,
            portal: None,
            described: None,
            executed: false,
            closes: false,
            copied: None,
            copy_ended: false,
            copy_format: None,
            fields: Fields::new(),
            outcome: Outcome::default(),
            heap: 0,
            counted: 0,
        }
    }

    pub(super) fn count(&mut self, message: &Framed<'_>) {
        self.size += message.size;
        self.missing += message.missing;
    }

    pub(super) fn fault(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    pub(super) fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    pub(super) fn hold(&mut self, heap: usize) {
        self.heap += heap;
    }

    /// Bytes of heap held, with its own place.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.heap
            + self.expects.capacity()
            + self.outcome.heap()
            + self.copied.as_ref().map_or(0, Copied::heap)
    }

    pub(super) fn is_answered(&self) -> bool {
        self.expects.is_empty()
    }

    /// Whether a row belongs to what it has got already.
    pub(super) fn takes_rows(&self) -> bool {
        let asks_for_rows = match self.ask {
            Ask::Query => true,
            Ask::Extended => self.expects.front() == Some(&Expect::Execute) && self.outcome.has_columns(),
            _ => false,
        };
        asks_for_rows && !self.is_answered() && self.outcome.has_begun()
    }

    pub(super) fn expects_ready(&self) -> bool {
        self.expects.back() == Some(&Expect::Ready)
    }

    fn command(&self) -> &'static str {
        match self.ask {
            Ask::Startup => "Startup",
            Ask::Negotiation(SSL) => "SSLRequest",
            Ask::Negotiation(GSS) => "GSSENCRequest",
            Ask::Negotiation(_) => "CancelRequest",
            Ask::Query => "Query",
            Ask::Function => "FunctionCall",
            Ask::Extended if self.executed => "Execute",
            Ask::Extended if self.bound => "Bind",
            Ask::Extended if self.parsed.is_some() => "Parse",
            Ask::Extended if self.described.is_some() => "Describe",
            Ask::Extended if self.closes => "Close",
            Ask::Extended => "Sync",
        }
    }

    /// The request, and the operation's outcome.
    pub(super) fn into_halves(
        mut self,
        session: &Arc<Fields>,
        limits: &Limits,
        losses: u32,
    ) -> (Half, Outcome) {
        let command = self.command();
        let portal = self.portal.take();
        let (statement, name) = match (&portal, self.parsed, self.described) {
            (Some((_, portal)), ..) => (portal.statement.clone(), None),
            (None, Some((name, statement)), _) => (Some(statement), Some(name)),
            (None, None, Some(Described::Statement(name, statement))) => (statement, Some(name)),
            _ => (None, None),
        };
        let types = portal.as_ref().map_or(Types::Said, |(_, portal)| portal.types(losses));
        if types == Types::Lost {
            self.fault.get_or_insert("the types of the parameters are not known");
        }
        let copied = (self.copied.is_some() || self.copy_format.is_some()).then(|| {
            let mut copied = self.copied.unwrap_or_default();
            if let Some((format, both)) = self.copy_format {
                (copied.format, copied.both) = (Some(format), both);
            }
            copied.tree()
        });
        let request = Request {
            command,
            statement,
            fields: self.fields,
            session: (self.ask != Ask::Startup).then(|| session.clone()),
            name,
            types,
            portal,
            copied,
            limits: limits.of_values(),
        };
        let mut half = Half::new(self.time, self.size, OnDemand::new(request)).missing(self.missing);
        if let Some(fault) = self.fault {
            half = half.error(ErrorKind::Dissection, fault);
        }
        (half, self.outcome)
    }
}
