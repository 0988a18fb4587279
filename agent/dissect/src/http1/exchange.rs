//! One request with its response, from the first byte of either to the item.

use std::borrow::Cow;

use remora_packet::Timestamp;

use super::message::{Request, Response};
use super::{HTTP_1_0, HTTP_1_1};
use crate::exchange::gap_error;
use crate::graphql::{GRAPHQL_1_0, GRAPHQL_1_1};
use crate::grpc::{self, GRPC_WEB};
use crate::http::application::{self, Family};
use crate::http::stored::Stored;
use crate::item::{Absence, ErrorKind, Filter, Message, Summary};
use crate::tcp::Sent;
use crate::value::Value;
use crate::{Direction, Draft, Gap, Item, ItemError, Limits};

/// Progress of one half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// Not begun; the next message of its direction is this one.
    Awaited,
    /// Its body is arriving.
    Filling,
    Done,
    Absent(Absence),
}

impl Progress {
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Absent(_))
    }
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request: Option<Box<Request>>,
    pub(super) response: Option<Box<Response>>,
    pub(super) request_progress: Progress,
    pub(super) response_progress: Progress,
    /// Capture times of first bytes.
    pub(super) request_time: Timestamp,
    pub(super) response_time: Timestamp,
    /// Captured bytes, heads and framing included.
    pub(super) request_size: u64,
    pub(super) response_size: u64,
    pub(super) gap: Gap,
    /// The first thing that went wrong.
    pub(super) fault: Option<Box<ItemError>>,
    /// No item is to be made of it.
    pub(super) ignore: bool,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            request: None,
            response: None,
            request_progress: Progress::Awaited,
            response_progress: Progress::Awaited,
            request_time: Timestamp::default(),
            response_time: Timestamp::default(),
            request_size: 0,
            response_size: 0,
            gap: Gap::default(),
            fault: None,
            ignore: false,
        }
    }
}

impl Exchange {
    pub(super) fn is_finished(&self) -> bool {
        self.request_progress.is_final() && self.response_progress.is_final()
    }

    /// A request that came whole and has nothing of its response yet.
    pub(super) fn awaits_response(&self) -> bool {
        self.request.is_some() && self.response_progress == Progress::Awaited
    }

    pub(super) fn fail(&mut self, kind: ErrorKind, message: String) {
        self.fault.get_or_insert_with(|| Box::new(ItemError { kind, message }));
    }

    /// When the head of the request was sent.
    pub(super) fn request_sent(&self) -> Option<Sent> {
        self.request.as_ref()?.sent
    }

    /// When the head of the response was sent.
    pub(super) fn response_sent(&self) -> Option<Sent> {
        self.response.as_ref()?.sent
    }

    /// The stored bytes of one half.
    pub(super) fn stored(&mut self, is_request: bool) -> Option<&mut Stored> {
        if is_request {
            self.request.as_mut().map(|request| &mut request.stored)
        } else {
            self.response.as_mut().map(|response| &mut response.stored)
        }
    }

    /// The captured bytes of one half.
    pub(super) fn size(&mut self, is_request: bool) -> &mut u64 {
        if is_request { &mut self.request_size } else { &mut self.response_size }
    }

    /// Counts bytes of one half that never came.
    pub(super) fn miss(&mut self, is_request: bool, bytes: u64) {
        let gap = if is_request { &mut self.gap.request } else { &mut self.gap.response };
        *gap = gap.saturating_add(bytes);
    }

    /// Heap bytes of its messages.
    pub(super) fn memory(&self) -> usize {
        self.request.as_ref().map_or(0, |request| size_of::<Request>() + request.stored.memory())
            + self.response.as_ref().map_or(0, |response| size_of::<Response>() + response.stored.memory())
    }

    pub(super) fn into_draft(mut self, request_direction: Direction, limits: &Limits) -> Draft {
        let old = match (&self.request, &self.response) {
            (Some(request), _) => request.is_http_1_0(),
            (None, Some(response)) => response.is_http_1_0(),
            (None, None) => false,
        };
        let family = self.recognise(limits);
        let has_request = self.request.is_some();
        let paired = has_request && self.response.is_some();
        let error = self.error();
        Draft {
            protocol: match (family, old) {
                (Family::Http, true) => &HTTP_1_0,
                (Family::Http, false) => &HTTP_1_1,
                (Family::GraphQl, true) => &GRAPHQL_1_0,
                (Family::GraphQl, false) => &GRAPHQL_1_1,
                (Family::Grpc, _) => &GRPC_WEB,
            },
            request_direction,
            timestamp: if has_request { self.request_time } else { self.response_time },
            elapsed: paired.then(|| self.response_time.since(self.request_time)),
            request_size: self.request_size,
            response_size: self.response_size,
            request: self.request.map(|request| request as _),
            response: self.response.map(|response| response as _),
            error,
            gap: self.gap,
            tls: false,
            summarize: if family == Family::Grpc { grpc::summarize } else { summarize },
        }
    }

    /// Finds out what speaks over HTTP here, and marks the sides so.
    fn recognise(&mut self, limits: &Limits) -> Family {
        let request = self.request.as_ref().map(|request| request.asked());
        let response = self.response.as_ref().map(|response| (&response.stored, response.status));
        let (family, [of_request, of_response]) = application::recognise(request, response, limits);
        if let Some(request) = &mut self.request {
            request.application = of_request;
        }
        if let Some(response) = &mut self.response {
            response.application = of_response;
        }
        family
    }

    fn error(&self) -> Option<Box<ItemError>> {
        let missing = gap_error(self.gap).map(|error| error.message);
        let (kind, what) = match (self.request_progress, self.response_progress, &self.fault) {
            (Progress::Absent(why), _, _) => {
                (ErrorKind::PairNotFound, format!("no request: {}", why.as_str()))
            }
            (_, Progress::Absent(why), _) => {
                (ErrorKind::PairNotFound, format!("no response: {}", why.as_str()))
            }
            (_, _, Some(fault)) => (fault.kind, fault.message.clone()),
            _ => {
                return missing.map(|message| Box::new(ItemError { kind: ErrorKind::Dissection, message }));
            }
        };
        let message = match missing {
            Some(missing) => format!("{what}; {missing}"),
            None => what,
        };
        Some(Box::new(ItemError { kind, message }))
    }
}

/// The list row: method, path and status.
fn summarize(item: &Item) -> Summary<'_> {
    let request = item.draft.request.as_deref();
    let status = match item.draft.response.as_deref().and_then(|response| response.get("status")) {
        Some(Value::Int(status)) => status,
        _ => 0,
    };
    Summary {
        method: text(request, "method"),
        method_filter: Filter::Field("request.method"),
        summary: text(request, "path"),
        summary_filter: Filter::Field("request.path"),
        status,
        status_filter: Filter::Field("response.status"),
    }
}

fn text<'a>(message: Option<&'a dyn Message>, name: &str) -> Cow<'a, str> {
    match message.and_then(|message| message.get(name)) {
        Some(Value::Str(text)) => text,
        _ => Cow::Borrowed(""),
    }
}
