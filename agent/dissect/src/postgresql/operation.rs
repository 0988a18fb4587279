//! What the client asks within one cycle, and what it waits for.

use std::collections::VecDeque;
use std::sync::Arc;

use remora_packet::Timestamp;

use super::framing::{GSS, SSL};
use super::outcome::{Copied, Outcome, caps};
use super::parameters::{Portal, Statement};
use super::text;
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::{Fields, Half, Limits, Tree};

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
    pub(super) fn into_halves(mut self, session: &Fields, limits: &Limits, losses: u32) -> (Half, Outcome) {
        let mut fields = Fields::new().with("command", self.command());
        let portal = self.portal.take();
        let statement = match (&portal, &self.parsed, &self.described) {
            (Some((_, portal)), ..) => portal.statement.clone(),
            (None, Some((_, statement)), _) => Some(statement.clone()),
            (None, None, Some(Described::Statement(_, statement))) => statement.clone(),
            _ => None,
        };
        if let Some(statement) = &statement {
            fields.push("query", statement.query.clone());
            if statement.truncated {
                fields.push("querySize", statement.query_size);
                fields.push("truncated", true);
            }
        }
        fields.append(std::mem::take(&mut self.fields));
        if self.ask != Ask::Startup {
            fields.append(session.clone());
        }
        let name = match (&portal, &self.parsed, &self.described) {
            (Some((_, portal)), ..) => Some(&portal.statement_name),
            (None, Some((name, _)), _) | (None, None, Some(Described::Statement(name, _))) => Some(name),
            _ => None,
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            fields.push("statement", Tree::lossy(text::shorten(name, 256)));
        }
        if let Some((name, portal)) = &portal {
            if !name.is_empty() {
                fields.push("portal", Tree::lossy(text::shorten(name, 256)));
            }
            match portal.parameters(caps(limits), losses) {
                None => self.fault("the types of the parameters are not known"),
                Some(parameters) => {
                    let shown = parameters.as_list().map_or(0, <[Tree]>::len);
                    let count = portal.bind.as_ref().map_or(0, |bind| bind.count);
                    if count > shown {
                        fields.push("parameterCount", count);
                    }
                    if count > 0 {
                        fields.push("parameters", parameters);
                    }
                }
            }
        }
        if self.copied.is_some() || self.copy_format.is_some() {
            let mut copied = self.copied.take().unwrap_or_default();
            if let Some((format, both)) = self.copy_format {
                (copied.format, copied.both) = (Some(format), both);
            }
            fields.push("copy", copied.tree());
        }
        let mut half = Half::new(self.time, self.size, fields).missing(self.missing);
        if let Some(fault) = self.fault {
            half = half.error(ErrorKind::Dissection, fault);
        }
        (half, self.outcome)
    }
}
