//! The server's messages.

use std::sync::Arc;

use super::columns::{self, Columns};
use super::connection::Connection;
use super::frontend::{stray, unasked};
use super::operation::{Ask, Described, Expect, Operation};
use super::outcome::Outcome;
use super::{fields, text, types};
use crate::frame::Framed;
use crate::item::Absence;
use crate::{Context, Direction, Fields, Limits, Reader, Tree};

/// The message does not fit what was asked.
struct Misfit;

impl Connection {
    pub(super) fn answered(&mut self, message: &Framed<'_>, context: &mut Context<'_>) {
        let kind = message.bytes.first().copied().unwrap_or_default();
        let body = message.bytes.get(5..).unwrap_or_default();
        if std::mem::take(&mut self.unseen) && !self.is_first(kind, body) {
            self.lose(Direction::ToClient, context);
        }
        if self.wire.negotiation {
            return self.negotiated(kind, message, context);
        }
        if kind == b'A' {
            let notification = notification(body, context.limits);
            return unasked(self, notification, message, context);
        }
        if !self.alignment.is_known() {
            return self.stray_message(kind, body, message, context);
        }
        if kind == b'Z' {
            if self.ready(body, message, context).is_err() {
                self.astray(kind, body, message, context);
            }
            return;
        }
        let losses = self.losses;
        let Some(first) = self.queue.front_mut().filter(|first| !first.is_answered()) else {
            let name = match kind {
                b'N' => "NoticeResponse",
                b'S' => "ParameterStatus",
                b'E' if !self.skipping => "ErrorResponse",
                _ => return self.astray(kind, body, message, context),
            };
            return unasked(self, report(name, kind, body, context.limits), message, context);
        };
        first.outcome.count(message);
        if kind == b'E' {
            let report = fields::parse(body, context.limits.value_bytes).unwrap_or_default();
            let fatal = fields::is_fatal(&report);
            first.outcome.report(report, context.limits);
            if fatal {
                // The connection ends here.
                first.expects.clear();
                first.closed = true;
            } else if first.ask == Ask::Extended {
                first.expects.retain(|expect| *expect == Expect::Ready);
                self.skipping = true;
            }
            return;
        }
        let taken = match first.ask {
            Ask::Extended => extended(first, kind, body, message, losses, context.limits),
            ask => simple(ask, first, kind, body, message, context.limits),
        };
        match taken {
            Ok(()) if kind == b'R' => self.confirm(context),
            Ok(()) => {}
            Err(Misfit) => self.astray(kind, body, message, context),
        }
    }

    /// Takes the rows that follow one: most messages of many a connection are such. Gives how many bytes they have.
    pub(super) fn rows(&mut self, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if !self.alignment.is_known() || self.wire.negotiation {
            return 0;
        }
        let Some(first) = self.queue.front_mut().filter(|first| first.takes_rows()) else { return 0 };
        let mut used = 0;
        while let Some(message) = whole_row(&bytes[used..], context.limits) {
            let portal =
                first.portal.as_ref().map(|(_, portal)| portal).filter(|_| first.ask == Ask::Extended);
            first.outcome.more(message.len());
            first.outcome.row(message.get(5..), portal, context.limits);
            used += message.len();
        }
        context.offset += used as u64;
        self.recount();
        used
    }

    /// Whether a message can be the server's first of a connection.
    fn is_first(&self, kind: u8, body: &[u8]) -> bool {
        let asked = self.queue.front().is_some_and(|first| first.fields.field("authentication").is_some());
        match Reader::new(body).u32_be() {
            _ if self.wire.negotiation => true,
            // Without having been asked the client does not prove anything.
            Ok(0) => kind == b'R' && !asked,
            Ok(method) => kind == b'R' && matches!(method, 2 | 3 | 5 | 7 | 9 | 10),
            Err(_) => false,
        }
    }

    /// The answer to a request for encryption.
    fn negotiated(&mut self, kind: u8, message: &Framed<'_>, context: &mut Context<'_>) {
        self.wire.negotiation = false;
        self.confirm(context);
        let Some(mut operation) = self.pop() else { return };
        operation.expects.clear();
        operation.outcome.count(message);
        if kind == b'E' {
            let body = message.bytes.get(5..).unwrap_or_default();
            let report = fields::parse(body, context.limits.value_bytes).unwrap_or_default();
            operation.outcome.report(report, context.limits);
        } else {
            operation.outcome.fields.push("accepted", kind != b'N');
        }
        self.emit(operation, context);
        self.successor = matches!(kind, b'S' | b'G');
    }

    /// What came does not belong to what waits: both sides are not where they were thought to be.
    fn astray(&mut self, kind: u8, body: &[u8], message: &Framed<'_>, context: &mut Context<'_>) {
        self.misaligned(context);
        self.stray_message(kind, body, message, context);
    }

    /// A message of a response whose request is not known.
    fn stray_message(&mut self, kind: u8, body: &[u8], message: &Framed<'_>, context: &mut Context<'_>) {
        let limits = context.limits;
        let outcome = self.stray.get_or_insert_default();
        outcome.count(message);
        if !message.is_whole() && !matches!(kind, b'D' | b'd') {
            return;
        }
        match kind {
            b'E' => {
                let report = fields::parse(body, limits.value_bytes).unwrap_or_default();
                outcome.report(report, limits);
            }
            b'Z' => {
                outcome.ready(body.first().copied());
                self.alignment.ready(message.time);
                self.confirm(context);
                stray(self, context);
            }
            _ => {
                let _ = result(outcome, kind, body, message, limits);
            }
        }
    }

    /// `ReadyForQuery`: a cycle is over. What the server passed over comes out before.
    fn ready(&mut self, body: &[u8], message: &Framed<'_>, context: &mut Context<'_>) -> Result<(), Misfit> {
        if !self.queue.iter().any(|operation| operation.expects_ready()) {
            return Err(Misfit);
        }
        self.confirm(context);
        while let Some(first) = self.queue.front_mut() {
            let skipped = !(first.is_answered() || first.expects.front() == Some(&Expect::Ready));
            if skipped && !self.skipping {
                return Err(Misfit);
            }
            first.outcome.skipped |= skipped;
            let last = first.expects_ready();
            first.expects.clear();
            if last {
                first.outcome.count(message);
                first.outcome.ready(body.first().copied());
            } else {
                first.outcome.time_or(message.time);
            }
            if let Some(operation) = self.pop() {
                self.emit(operation, context);
            }
            if last {
                break;
            }
        }
        self.skipping = false;
        self.alignment.ready(message.time);
        Ok(())
    }

    fn misaligned(&mut self, context: &mut Context<'_>) {
        self.close_last(context);
        self.give_up(Absence::Lost, context);
        self.alignment.lose();
        self.skipping = false;
        self.losses = self.losses.saturating_add(1);
    }
}

/// The row that all of comes first, head included.
fn whole_row<'b>(bytes: &'b [u8], limits: &Limits) -> Option<&'b [u8]> {
    let (&head, _) = bytes.split_first_chunk()?;
    let [b'D', length @ ..]: [u8; 5] = head else { return None };
    let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|length| *length >= 4)?;
    bytes.get(..=length).filter(|message| message.len() <= limits.message_bytes)
}

/// A message of a simple query's, a function call's or a login's response.
fn simple(
    ask: Ask,
    first: &mut Operation,
    kind: u8,
    body: &[u8],
    message: &Framed<'_>,
    limits: &Limits,
) -> Result<(), Misfit> {
    match (ask, kind) {
        (Ask::Startup, b'R') => {
            if let Some(method) = authentication(body) {
                first.outcome.fields.set("authentication", method);
            }
            Ok(())
        }
        (Ask::Startup, b'K') => {
            first.outcome.fields.push_some("processId", Reader::new(body).u32_be().ok());
            first.outcome.fields.push("secretKey", "***");
            Ok(())
        }
        (Ask::Startup, b'v') => {
            let version = Reader::new(body).u32_be().ok();
            let version = version.map(|version| format!("{}.{}", version >> 16, version & 0xffff));
            first.outcome.fields.push_some("protocolVersion", version);
            Ok(())
        }
        (Ask::Function, b'V') => {
            let mut reader = Reader::new(body);
            let value = reader.i32_be().ok().and_then(|length| usize::try_from(length).ok());
            let value = value.and_then(|length| reader.take(length).ok());
            let value =
                value.map(|value| types::value(0, true, value, super::made::caps(limits.of_values())));
            first.outcome.fields.push("value", value.unwrap_or_default());
            Ok(())
        }
        (Ask::Query, b'G' | b'W') if message.is_whole() => {
            first.copy_format = body.first().map(|format| (*format, kind == b'W'));
            if kind == b'W' { result(&mut first.outcome, kind, body, message, limits) } else { Ok(()) }
        }
        (Ask::Query, b'T' | b'D' | b'C' | b'I' | b'G' | b'H' | b'W' | b'd' | b'c') | (_, b'N' | b'S') => {
            result(&mut first.outcome, kind, body, message, limits)
        }
        _ => Err(Misfit),
    }
}

/// A message of the extended protocol: only what is expected may come.
fn extended(
    first: &mut Operation,
    kind: u8,
    body: &[u8],
    message: &Framed<'_>,
    losses: u32,
    limits: &Limits,
) -> Result<(), Misfit> {
    let expected = first.expects.front().copied();
    let whole = message.is_whole();
    match (expected, kind) {
        (_, b'N' | b'S') => return result(&mut first.outcome, kind, body, message, limits),
        (Some(Expect::Parse), b'1') | (Some(Expect::Bind), b'2') | (Some(Expect::Close), b'3') => {}
        (Some(Expect::Statement), b't') => {
            if let Some(types) = parameter_types(body).filter(|_| whole) {
                let names: Tree =
                    types.iter().take(limits.list_entries).map(|&oid| types::name(oid)).collect();
                first.outcome.fields.push("parameterTypes", names);
                if let Some(Described::Statement(_, Some(statement))) = &first.described {
                    let _ = statement.types.set(types);
                }
            }
            return Ok(());
        }
        (Some(Expect::Statement | Expect::Portal), b'n') => {}
        (Some(Expect::Statement | Expect::Portal), b'T') => {
            let columns =
                columns::parse(body, limits.list_entries, limits.value_bytes).ok().filter(|_| whole);
            if let Some(columns) = columns.map(Arc::new) {
                first.hold(columns.heap());
                describe(first, &columns);
                first.outcome.begin(columns, limits);
            }
        }
        (Some(Expect::Execute), b'D') => {
            if !first.outcome.has_columns() {
                let columns = known_columns(first);
                // Told before, but missing: what the values are can't be said.
                if columns.is_none() && is_torn(first, losses) && !first.is_faulty() {
                    first.outcome.fault("the columns are not known", limits);
                }
                if let Some(columns) = columns {
                    first.outcome.begin(columns, limits);
                }
            }
            let portal = first.portal.as_ref().map(|(_, portal)| portal);
            first.outcome.row(row_of(message), portal, limits);
            return Ok(());
        }
        (Some(Expect::Execute), b'G' | b'W') => {
            first.copy_format = body.first().map(|format| (*format, kind == b'W'));
            return if kind == b'W' {
                result(&mut first.outcome, kind, body, message, limits)
            } else {
                Ok(())
            };
        }
        (Some(Expect::Execute), b'H' | b'd' | b'c') => {
            return result(&mut first.outcome, kind, body, message, limits);
        }
        (Some(Expect::Execute), b'C' | b'I' | b's') => {
            let _ = result(&mut first.outcome, kind, body, message, limits);
        }
        _ => return Err(Misfit),
    }
    first.expects.pop_front();
    Ok(())
}

/// The body of a row that is whole.
fn row_of<'m>(message: &'m Framed<'_>) -> Option<&'m [u8]> {
    message.is_whole().then(|| message.bytes.get(5..).unwrap_or_default())
}

/// What a statement or portal returns is remembered for executions that do not ask again.
fn describe(first: &Operation, columns: &Arc<Columns>) {
    match (&first.described, &first.portal) {
        (Some(Described::Statement(_, Some(statement))), _) => {
            let _ = statement.columns.set(columns.clone());
        }
        (Some(Described::Portal), Some((_, portal))) => {
            let _ = portal.columns.set(columns.clone());
        }
        _ => {}
    }
}

fn known_columns(first: &Operation) -> Option<Arc<Columns>> {
    let (_, portal) = first.portal.as_ref()?;
    let of_statement = || portal.statement.as_ref().and_then(|statement| statement.columns.get());
    portal.columns.get().or_else(of_statement).cloned()
}

fn is_torn(first: &Operation, losses: u32) -> bool {
    let statement = first.portal.as_ref().and_then(|(_, portal)| portal.statement.as_ref());
    statement.is_none_or(|statement| statement.losses != losses)
}

/// What any response may contain.
fn result(
    outcome: &mut Outcome,
    kind: u8,
    body: &[u8],
    message: &Framed<'_>,
    limits: &Limits,
) -> Result<(), Misfit> {
    let whole = message.is_whole();
    match kind {
        b'T' => outcome.describe(body, whole, limits),
        b'D' => outcome.row(row_of(message), None, limits),
        b'C' => outcome.complete(body.strip_suffix(b"\0").filter(|_| whole), limits),
        b'I' => outcome.empty(limits),
        b's' => outcome.suspend(limits),
        b'G' | b'H' | b'W' => outcome.copy(body, kind == b'W', limits),
        b'd' => outcome.copied(message, limits),
        b'c' => {}
        b'N' if whole => outcome.notice(body, limits),
        b'S' if whole => {
            if outcome.setting(body, limits).is_err() {
                outcome.fault("a parameter's status is not valid", limits);
            }
        }
        b'N' | b'S' | b'1' | b'2' | b'3' | b't' | b'n' | b'R' | b'K' | b'v' | b'V' => {}
        _ => return Err(Misfit),
    }
    Ok(())
}

fn parameter_types(body: &[u8]) -> Option<Vec<u32>> {
    let mut reader = Reader::new(body);
    let count = usize::from(reader.u16_be().ok()?);
    let mut types = Vec::with_capacity(count.min(reader.remaining() / 4));
    for _ in 0..count {
        types.push(reader.u32_be().ok()?);
    }
    Some(types)
}

/// How the server wants the client to prove who it is; `None` for the steps after that.
fn authentication(body: &[u8]) -> Option<Tree> {
    let mut reader = Reader::new(body);
    Some(match reader.u32_be().ok()? {
        2 => "Kerberos V5".into(),
        3 => "cleartext password".into(),
        5 => "md5".into(),
        7 => "GSSAPI".into(),
        9 => "SSPI".into(),
        10 => {
            let mut mechanisms = Vec::new();
            while let Ok(mechanism @ [_, ..]) = reader.until(0) {
                mechanisms.push(crate::text::lossy(text::shorten(mechanism, 64)).into_owned());
            }
            format!("SASL {}", mechanisms.join(", ")).into()
        }
        _ => return None,
    })
}

fn notification(body: &[u8], limits: &Limits) -> Fields {
    let mut fields = Fields::new().with("command", "NotificationResponse");
    let mut reader = Reader::new(body);
    fields.push_some("processId", reader.u32_be().ok());
    let (channel, payload) = (reader.until(0).ok(), reader.until(0).ok());
    let cut = |text| text::cut(text, limits.value_bytes).0;
    fields.push_some("channel", channel.map(cut));
    fields.push_some("payload", payload.map(cut));
    fields
}

/// A message of the server's own accord.
fn report(name: &'static str, kind: u8, body: &[u8], limits: &Limits) -> Fields {
    let mut all = Fields::new().with("command", name);
    if kind == b'S' {
        let mut reader = Reader::new(body);
        let (name, value) = (reader.until(0).ok(), reader.until(0).ok());
        let cut = |text| text::cut(text, limits.value_bytes).0;
        all.push_some("name", name.map(cut));
        all.push_some("value", value.map(cut));
    } else {
        all.push("report", fields::parse(body, limits.value_bytes).unwrap_or_default());
    }
    all
}
