//! One stream: a request and its response on their way to an item.

use std::borrow::Cow;
use std::sync::OnceLock;

use remora_packet::Timestamp;

use super::HTTP_2;
use super::fields::FieldList;
use super::message::{Request, Response};
use crate::exchange::gap_error;
use crate::graphql::GRAPHQL_2;
use crate::grpc::{self, GRPC};
use crate::http::application::{self, Application, Family};
use crate::http::fields::Form;
use crate::http::stored::Stored;
use crate::item::{Absence, ErrorKind, Filter, Message, Summary};
use crate::value::Value;
use crate::{Direction, Draft, Gap, Item, ItemError, Limits};

/// Which side of the exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Request,
    Response,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    halves: [Half; 2],
    pub(super) pushed: bool,
    /// The first thing that went wrong.
    fault: Option<Box<ItemError>>,
    /// Why a half is not there.
    absence: Option<Absence>,
    /// It was finished by its response alone, and waits for the request that the capture has yet to deliver.
    pub(super) orphan: bool,
}

/// One message.
#[derive(Debug, Default)]
pub(super) struct Half {
    head: Option<Box<Head>>,
    pub(super) done: bool,
    /// When its first byte was captured.
    time: Timestamp,
    /// Captured bytes, frame heads and padding included.
    pub(super) size: u64,
    missing: u64,
    /// Header fields that were not captured, and that were not kept.
    unknown: u32,
    cut: u32,
}

/// A message whose header fields came.
#[derive(Debug)]
struct Head {
    stored: Stored,
    list: FieldList,
}

impl Half {
    pub(super) const fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// Begun, and not at its end.
    pub(super) const fn is_open(&self) -> bool {
        self.head.is_some() && !self.done
    }

    pub(super) fn begin(&mut self, mut list: FieldList, time: Timestamp, size: u64, limits: &Limits) {
        let pairs = std::mem::take(&mut list.pairs);
        self.unknown += list.unknown;
        self.cut += list.cut;
        self.time = time;
        self.size += size;
        let stored = Stored::new(Form::Pairs, &pairs, 0, limits);
        self.head = Some(Box::new(Head { stored, list }));
    }

    pub(super) fn trailers(&mut self, list: &FieldList, size: u64) {
        self.unknown += list.unknown;
        self.cut += list.cut;
        self.size += size;
        if let Some(head) = &mut self.head {
            head.stored.set_trailers(&list.pairs);
        }
    }

    /// Takes body bytes in; true when this is where the body outgrew its cap.
    pub(super) fn append(&mut self, bytes: &[u8]) -> bool {
        self.head.as_mut().is_some_and(|head| head.stored.append(bytes))
    }

    /// So many bytes of a frame are missing, `body` of them of the body.
    pub(super) fn skip(&mut self, bytes: u64, body: u64) {
        self.missing = self.missing.saturating_add(bytes);
        if let Some(head) = &mut self.head {
            head.stored.skip(body);
        }
    }

    fn memory(&self) -> usize {
        self.head.as_ref().map_or(0, |head| size_of::<Head>() + head.stored.memory())
    }
}

impl Stream {
    pub(super) const fn half(&mut self, role: Role) -> &mut Half {
        &mut self.halves[role as usize]
    }

    /// Nothing more is expected. A response whose request was not seen is finished by itself.
    pub(super) fn is_finished(&self) -> bool {
        let [request, response] = &self.halves;
        response.done && (request.done || request.head.is_none())
    }

    pub(super) fn lacks_request(&self) -> bool {
        self.halves[0].head.is_none()
    }

    pub(super) fn fail(&mut self, kind: ErrorKind, message: impl Into<String>) {
        self.fault.get_or_insert_with(|| Box::new(ItemError { kind, message: message.into() }));
    }

    pub(super) fn lack(&mut self, absence: Absence) {
        self.absence.get_or_insert(absence);
    }

    /// Bytes of heap held, itself included.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.halves.iter().map(Half::memory).sum::<usize>()
    }

    /// `None` where neither side has a head: there is nothing to show.
    pub(super) fn into_draft(self, request_direction: Direction, limits: &Limits) -> Option<Draft> {
        let error = self.error();
        let [request, response] = self.halves;
        let gap = Gap { request: request.missing, response: response.missing };
        let (request_size, response_size) = (request.size, response.size);
        let (request_time, response_time) = (request.time, response.time);
        let request = request.head.map(|head| Box::new(Request::new(*head, self.pushed)));
        let response = response.head.map(|head| Box::new(Response::new(*head)));
        let (mut request, mut response) = match (request, response) {
            (None, None) => return None,
            halves => halves,
        };
        let (family, [of_request, of_response]) = application::recognise(
            request.as_ref().map(|request| request.asked()),
            response.as_ref().map(|response| (&response.stored, response.status)),
            limits,
        );
        if let Some(request) = &mut request {
            request.application = of_request;
        }
        if let Some(response) = &mut response {
            response.application = of_response;
        }
        let paired = request.is_some() && response.is_some();
        Some(Draft {
            protocol: match family {
                Family::Http => &HTTP_2,
                Family::Grpc => &GRPC,
                Family::GraphQl => &GRAPHQL_2,
            },
            request_direction,
            timestamp: if request.is_some() { request_time } else { response_time },
            elapsed: paired.then(|| response_time.since(request_time)),
            request_size,
            response_size,
            request: request.map(|request| request as Box<dyn Message>),
            response: response.map(|response| response as Box<dyn Message>),
            error,
            gap,
            tls: false,
            summarize: if family == Family::Grpc { grpc::summarize } else { summarize },
        })
    }

    fn error(&self) -> Option<Box<ItemError>> {
        let [request, response] = &self.halves;
        let mut parts: Vec<String> = Vec::new();
        let mut kind = ErrorKind::Dissection;
        let lacks = if request.head.is_none() {
            Some("no request")
        } else if response.head.is_none() {
            Some("no response")
        } else {
            None
        };
        if let Some(fault) = &self.fault {
            kind = fault.kind;
            parts.push(fault.message.clone());
        } else if let Some(what) = lacks {
            kind = ErrorKind::PairNotFound;
            parts.push(format!("{what}: {}", self.absence.unwrap_or(Absence::BeforeCapture).as_str()));
        }
        let unknown = request.unknown + response.unknown;
        if unknown != 0 {
            parts.push(format!("{unknown} header fields refer to bytes that are missing"));
        }
        let cut = request.cut + response.cut;
        if cut != 0 {
            parts.push(format!("{cut} header fields were not kept"));
        }
        let gap = Gap { request: request.missing, response: response.missing };
        parts.extend(gap_error(gap).map(|error| error.message));
        (!parts.is_empty()).then(|| Box::new(ItemError { kind, message: parts.join("; ") }))
    }
}

impl Request {
    fn new(head: Head, pushed: bool) -> Self {
        let Head { stored, list } = head;
        Self {
            stored,
            method: list.method,
            path: list.path,
            authority: list.authority,
            pushed,
            application: Application::None,
            path_segments: OnceLock::new(),
        }
    }
}

impl Response {
    fn new(head: Head) -> Self {
        let Head { stored, list } = head;
        Self { stored, status: list.status.unwrap_or(0), application: Application::None }
    }
}

/// The list row: method, path and status.
pub(super) fn summarize(item: &Item) -> Summary<'_> {
    let text = |name| match item.draft.request.as_deref().and_then(|request| request.get(name)) {
        Some(Value::Str(text)) => text,
        _ => Cow::Borrowed(""),
    };
    let status = match item.draft.response.as_deref().and_then(|response| response.get("status")) {
        Some(Value::Int(status)) => status,
        _ => 0,
    };
    Summary {
        method: text("method"),
        method_filter: Filter::Field("request.method"),
        summary: text("path"),
        summary_filter: Filter::Field("request.path"),
        status,
        status_filter: Filter::Field("response.status"),
    }
}
