//! The two sides of an item.

use super::kept;
use super::message::{self, Content, Message};
use super::wire::{self, Header, op, op_name};
use crate::frame::Framed;
use crate::item::{self, ErrorKind};
use crate::on_demand::OnDemand;
use crate::{Fields, Half, Limits, ParseError, Tree};

/// Commands whose first value is a collection; that of others is a number, a user, a role, a whole namespace.
pub(super) const OF_COLLECTIONS: [&str; 39] = [
    "aggregate",
    "analyze",
    "cloneCollectionAsCapped",
    "collMod",
    "collStats",
    "collstats",
    "compact",
    "convertToCapped",
    "count",
    "create",
    "createIndexes",
    "createSearchIndexes",
    "dataSize",
    "delete",
    "deleteIndexes",
    "distinct",
    "drop",
    "dropIndexes",
    "dropSearchIndex",
    "filemd5",
    "find",
    "findAndModify",
    "findandmodify",
    "geoNear",
    "geoSearch",
    "group",
    "insert",
    "killCursors",
    "listIndexes",
    "listSearchIndexes",
    "mapReduce",
    "mapreduce",
    "parallelCollectionScan",
    "planCacheClear",
    "planCacheClearFilters",
    "reIndex",
    "update",
    "updateSearchIndex",
    "validate",
];

pub(super) struct Request {
    pub(super) half: Half,
    pub(super) note: Note,
    /// Its sender wants no answer.
    pub(super) one_way: bool,
}

/// What is remembered of a request that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// An `OP_REPLY` to it has documents; else the reply of a command.
    pub(super) finds: bool,
    /// Its sender takes several replies.
    pub(super) exhaust: bool,
}

pub(super) struct Response {
    pub(super) half: Half,
    /// Another reply follows, to this one.
    pub(super) more: bool,
}

/// What an item is about.
#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) command: Option<String>,
    pub(super) database: Option<String>,
    pub(super) collection: Option<String>,
}

impl Subject {
    pub(super) fn push(self, fields: &mut Fields) {
        fields.push_some("command", self.command);
        fields.push_some("database", self.database);
        fields.push_some("collection", self.collection);
    }

    fn of(message: &Message) -> Self {
        let Some(namespace) = &message.namespace else {
            if message.op == op::KILL_CURSORS {
                return Self { command: Some("killCursors".to_owned()), ..Self::default() };
            }
            return message.body.as_ref().map_or_else(Self::default, |body| Self {
                database: text(body, "$db").map(str::to_owned),
                ..Self::of_command(body)
            });
        };
        let (database, collection) = namespace.split_once('.').unwrap_or((namespace, ""));
        let subject = if is_command(message) {
            message.body.as_ref().map_or_else(Self::default, |body| Self::of_command(unwrapped(body)))
        } else {
            let command = match message.op {
                op::UPDATE => "update",
                op::INSERT => "insert",
                op::DELETE => "delete",
                op::GET_MORE => "getMore",
                _ => "find",
            };
            let collection = (!collection.is_empty()).then(|| collection.to_owned());
            Self { command: Some(command.to_owned()), collection, ..Self::default() }
        };
        Self { database: Some(database.to_owned()), ..subject }
    }

    /// The command is the name of the first element.
    fn of_command(body: &Fields) -> Self {
        let Some((command, value)) = body.iter().next() else { return Self::default() };
        let collection = match (command, value) {
            ("getMore", _) => text(body, "collection").map(str::to_owned),
            ("explain", Tree::Fields(explained)) => Self::of_command(explained).collection,
            (_, Tree::Text(collection)) if OF_COLLECTIONS.binary_search(&command).is_ok() => {
                Some(collection.clone().into_owned())
            }
            _ => None,
        };
        Self { command: Some(command.to_owned()), database: None, collection }
    }
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.field(name).and_then(Tree::as_text)
}

/// An `OP_QUERY` on this collection is a command.
fn is_command(message: &Message) -> bool {
    let is_pseudo = |namespace: &String| namespace.split_once('.').is_some_and(|(_, name)| name == "$cmd");
    message.op == op::QUERY && message.namespace.as_ref().is_some_and(is_pseudo)
}

/// Options of the old protocol are put around a command.
fn unwrapped(body: &Fields) -> &Fields {
    match body.iter().next() {
        Some(("$query" | "query", Tree::Fields(command))) => command,
        _ => body,
    }
}

/// What both sides begin with.
fn head(request_id: i32, message: &Message) -> Fields {
    let mut fields = Fields::with_capacity(12);
    fields.push_some("opCode", op_name(message.op));
    fields.push("requestId", request_id);
    fields.push_some("compressor", message.compressor);
    fields
}

/// What both sides end with.
fn tail(message: Message, fields: &mut Fields) {
    message.details.into_iter().for_each(|(name, value)| fields.push(name, value));
    for (bit, name) in [
        (wire::CHECKSUM_PRESENT, "checksumPresent"),
        (wire::MORE_TO_COME, "moreToCome"),
        (wire::EXHAUST_ALLOWED, "exhaustAllowed"),
    ] {
        if message.flags & bit != 0 {
            fields.push(name, true);
        }
    }
    fields.push_some("body", message.body);
    fields.push_some("documents", message.documents);
    if message.truncated {
        fields.push("truncated", true);
    }
}

/// A message that is decoded already.
fn decoded(side: &str, fields: Fields, error: Option<ParseError>, framed: &Framed<'_>) -> Half {
    let half = bare(framed, fields);
    match error {
        Some(error) => half.error(ErrorKind::Dissection, format!("{side}: {error}")),
        None => half,
    }
}

/// A message of which only this is known.
pub(super) fn bare(framed: &Framed<'_>, fields: impl item::Message + 'static) -> Half {
    Half::new(framed.time, framed.size, fields).missing(framed.missing)
}

pub(super) fn request(header: &Header, framed: &Framed<'_>, limits: &Limits) -> Request {
    let content = Content::of(header, framed, limits);
    if let Some(kept) = kept::Request::of(header, &content, limits) {
        let note = Note { finds: false, exhaust: kept.flags & wire::EXHAUST_ALLOWED != 0 };
        let one_way = kept.flags & wire::MORE_TO_COME != 0;
        return Request { half: bare(framed, OnDemand::new(kept)), note, one_way };
    }
    let message = message::decode(&content, !framed.is_whole(), limits.of_values());
    let finds = matches!(message.op, op::QUERY | op::GET_MORE) && !is_command(&message);
    let exhaust = message.flags & wire::EXHAUST_ALLOWED != 0 || message.details.field("exhaust").is_some();
    let one_way = match message.op {
        op::MSG => message.flags & wire::MORE_TO_COME != 0,
        op => !matches!(op, op::QUERY | op::GET_MORE | op::COMPRESSED),
    };
    let error = message.error;
    let fields = request_fields(header.request_id, message);
    Request { half: decoded("request", fields, error, framed), note: Note { finds, exhaust }, one_way }
}

pub(super) fn request_fields(request_id: i32, message: Message) -> Fields {
    let mut fields = head(request_id, &message);
    Subject::of(&message).push(&mut fields);
    // Of what is cut it is not known how many would follow.
    fields.push_some("documentCount", written(&message).filter(|_| !message.cut));
    tail(message, &mut fields);
    fields
}

/// Documents of a request that has them in its body.
fn written(message: &Message) -> Option<usize> {
    let in_body = || {
        let body = message.body.as_ref().filter(|_| !message.truncated)?;
        let list = ["documents", "updates", "deletes"].into_iter().find_map(|name| body.field(name))?;
        list.as_list().map(<[Tree]>::len)
    };
    message.count.or_else(in_body)
}

/// `note`: what is known of the request. `subject`: what this is about, where it is an item of its own.
pub(super) fn response(
    header: &Header,
    framed: &Framed<'_>,
    note: Option<Note>,
    subject: Option<Subject>,
    limits: &Limits,
) -> Response {
    let content = Content::of(header, framed, limits);
    if subject.is_none()
        && let Some(kept) = kept::Response::of(header, &content, limits)
    {
        let more = kept.flags & wire::MORE_TO_COME != 0;
        return Response { half: bare(framed, OnDemand::new(kept)), more };
    }
    let mut message = message::decode(&content, !framed.is_whole(), limits.of_values());
    let is_reply = message.op == op::REPLY;
    if is_reply {
        let has_ok = message.body.as_ref().is_some_and(|body| body.field("ok").is_some());
        let failed = message.reply_flags & message::QUERY_FAILURE != 0;
        if note.map_or(has_ok, |note| !note.finds) || failed {
            message.documents = None;
        } else {
            message.body = None;
        }
    }
    let streams = message.flags & wire::MORE_TO_COME != 0;
    let goes_on = message.details.field("cursorId").and_then(Tree::as_int).is_some_and(|id| id != 0);
    let more = streams || is_reply && goes_on && note.is_some_and(|note| note.exhaust);
    let error = message.error;
    let fields = response_fields(header.request_id, header.response_to, subject, message);
    Response { half: decoded("response", fields, error, framed), more }
}

pub(super) fn response_fields(
    request_id: i32,
    response_to: i32,
    subject: Option<Subject>,
    message: Message,
) -> Fields {
    let mut fields = head(request_id, &message);
    fields.push("responseTo", response_to);
    if let Some(subject) = subject {
        subject.push(&mut fields);
    }
    let outcome = Outcome::of(&message);
    fields.push_some("success", outcome.success);
    fields.push_some("ok", outcome.ok);
    fields.push_some("error", outcome.error);
    let is_count = message.op != op::REPLY || message.documents.is_some();
    fields.push_some("documentCount", message.count.filter(|_| is_count));
    let cursor = message.body.as_ref().and_then(|body| body.field("cursor")).and_then(Tree::as_fields);
    if let Some(cursor) = cursor {
        fields.push_some("cursorId", cursor.field("id").and_then(Tree::as_int));
        fields.push_some("namespace", text(cursor, "ns").map(str::to_owned));
    }
    tail(message, &mut fields);
    fields
}

/// How a command went.
#[derive(Default)]
struct Outcome {
    success: Option<bool>,
    ok: Option<Tree>,
    error: Option<Fields>,
}

impl Outcome {
    fn of(message: &Message) -> Self {
        if message.op == op::REPLY && message.body.is_none() {
            let lost = message.reply_flags & message::CURSOR_NOT_FOUND != 0;
            // As servers name it since.
            let error = lost.then(|| Fields::new().with("code", 43).with("codeName", "CursorNotFound"));
            return Self { success: Some(!lost), ok: None, error };
        }
        let Some(body) = &message.body else { return Self::default() };
        if message.reply_flags & message::QUERY_FAILURE != 0 {
            return Self { success: Some(false), ok: None, error: Some(error(body, "$err")) };
        }
        let ok = body.field("ok").cloned();
        let is_ok = match &ok {
            Some(Tree::Float(ok)) => Some(*ok != 0.0),
            Some(Tree::Int(ok)) => Some(*ok != 0),
            Some(Tree::Bool(ok)) => Some(*ok),
            _ => None,
        };
        let first = |name| body.field(name).and_then(Tree::as_list)?.first()?.as_fields();
        let failure = if is_ok == Some(false) {
            Some(error(body, "errmsg"))
        } else {
            first("writeErrors")
                .or_else(|| body.field("writeConcernError").and_then(Tree::as_fields))
                .map(|failure| error(failure, "errmsg"))
        };
        Self { success: is_ok.map(|ok| ok && failure.is_none()), ok, error: failure }
    }
}

fn error(body: &Fields, message: &str) -> Fields {
    let mut error = Fields::new();
    for (name, field) in [("code", "code"), ("codeName", "codeName"), ("message", message)] {
        error.push_some(name, body.field(field).cloned());
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_can_be_searched() {
        assert!(OF_COLLECTIONS.is_sorted());
    }
}
