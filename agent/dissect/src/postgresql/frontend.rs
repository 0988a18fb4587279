//! The client's messages.

use std::sync::{Arc, OnceLock};

use super::connection::Connection;
use super::framing::{CANCEL, GSS, SSL};
use super::made::caps;
use super::operation::{Ask, Described, Expect, Operation};
use super::parameters::{Bind, Portal, Statement, bind_names};
use super::{KIND, text};
use crate::frame::Framed;
use crate::item::Absence;
use crate::{Context, Direction, Fields, Half, Limits, ParseError, Reader, Tree};

/// Bytes shown of a name.
const NAME_BYTES: usize = 256;

/// What is said instead of a secret.
const SECRET: &str = "***";

impl Connection {
    pub(super) fn asked(&mut self, message: &Framed<'_>, context: &mut Context<'_>) {
        if self.wire.startup {
            return self.started(message, context);
        }
        let kind = message.bytes.first().copied().unwrap_or_default();
        let body = message.bytes.get(5..).unwrap_or_default();
        match kind {
            b'Q' => {
                let mut operation = self.operation(Ask::Query, message, context);
                show_query(&mut operation.fields, body, message, context.limits);
                operation.hold(operation.fields.heap());
                operation.expects.push_back(Expect::Ready);
                self.enqueue(operation, context);
                self.alignment.at_start = true;
            }
            b'F' => {
                let mut operation = self.operation(Ask::Function, message, context);
                operation.fields.push_some("functionId", Reader::new(body).u32_be().ok());
                operation.expects.push_back(Expect::Ready);
                self.enqueue(operation, context);
                self.alignment.at_start = true;
            }
            b'P' | b'B' | b'D' | b'C' | b'E' => self.extend(kind, body, message, context),
            b'S' => self.sync(message, context),
            b'H' => match self.queue.back_mut() {
                Some(last) if !last.closed => {
                    last.count(message);
                    self.close_last(context);
                }
                _ => {}
            },
            b'd' | b'c' | b'f' => self.copy(kind, body, message, context.limits),
            b'p' => self.authenticate(body, message),
            b'X' => {
                self.close_last(context);
                let half = Half::new(message.time, message.size, Fields::new().with("command", "Terminate"));
                context.items.push(KIND.message(self.client(), half.missing(message.missing)));
            }
            _ => {}
        }
    }

    /// A packet without a type: a login, or what can come before one.
    fn started(&mut self, message: &Framed<'_>, context: &mut Context<'_>) {
        let mut reader = Reader::new(&message.bytes);
        let code = reader.skip(4).and_then(|()| reader.u32_be()).unwrap_or_default();
        match code {
            SSL | GSS => {
                let mut operation = self.operation(Ask::Negotiation(code), message, context);
                operation.expects.push_back(Expect::Negotiation);
                self.wire.negotiation = true;
                self.enqueue(operation, context);
            }
            CANCEL => {
                let mut fields = Fields::new().with("command", "CancelRequest");
                fields.push_some("processId", reader.u32_be().ok());
                fields.push("secretKey", SECRET);
                let half = Half::new(message.time, message.size, fields).missing(message.missing);
                self.confirm(context);
                context.items.push(KIND.message(self.client(), half));
            }
            _ => {
                self.wire.startup = false;
                let mut operation = self.operation(Ask::Startup, message, context);
                operation.expects.push_back(Expect::Ready);
                if let Err(error) = self.log_in(&mut operation, code, reader, context.limits)
                    && message.is_whole()
                {
                    operation.fault(error.what);
                }
                operation.hold(operation.fields.heap());
                self.enqueue(operation, context);
                self.alignment.at_start = true;
            }
        }
    }

    fn log_in(
        &mut self,
        operation: &mut Operation,
        code: u32,
        mut reader: Reader<'_>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        let (mut user, mut database, mut others) = (None, None, Fields::new());
        operation.fields.push("protocolVersion", format!("{}.{}", code >> 16, code & 0xffff));
        let read = loop {
            match reader.until(0) {
                Ok([]) => break Ok(()),
                Ok(name) => match reader.until(0) {
                    Ok(value) => {
                        let value = text::cut(value, limits.value_bytes).0;
                        match name {
                            b"user" => user = Some(value),
                            b"database" => database = Some(value),
                            name if others.len() < limits.list_entries => {
                                let name = crate::text::lossy(text::shorten(name, NAME_BYTES)).into_owned();
                                others.push(name, value);
                            }
                            _ => {}
                        }
                    }
                    Err(error) => break Err(error),
                },
                Err(error) => break Err(error),
            }
        };
        if read.is_ok() {
            let session = Arc::make_mut(&mut self.session);
            // The user's name is the database's where none is asked for.
            session.push_some("database", database.or_else(|| user.clone()));
            session.push_some("user", user);
            operation.fields.append(session.clone());
        }
        if !others.is_empty() {
            operation.fields.push("parameters", others);
        }
        read
    }

    /// A password or a step of another authentication; never shown.
    fn authenticate(&mut self, body: &[u8], message: &Framed<'_>) {
        let Some(last) = self.queue.back_mut().filter(|last| last.ask == Ask::Startup) else { return };
        last.count(message);
        // SASLInitialResponse: the mechanism, and data that tells its length.
        let mut reader = Reader::new(body);
        let mechanism = match (reader.until(0), reader.i32_be()) {
            (Ok(name), Ok(length)) if name.starts_with(b"SCRAM-") || name == b"OAUTHBEARER" => {
                (i64::from(length) == reader.remaining() as i64 || length == -1).then(|| Tree::lossy(name))
            }
            _ => None,
        };
        let mut fields = match last.fields.field("authentication") {
            Some(Tree::Fields(fields)) => fields.clone(),
            _ => Fields::new(),
        };
        fields.push_some("mechanism", mechanism.filter(|_| fields.field("mechanism").is_none()));
        fields.set("data", SECRET);
        last.fields.set("authentication", fields);
    }

    /// An operation that begins with this message.
    fn operation(&mut self, ask: Ask, message: &Framed<'_>, context: &mut Context<'_>) -> Box<Operation> {
        self.close_last(context);
        if ask != Ask::Extended || self.alignment.at_start {
            let idle = self.is_idle();
            self.alignment.begin(message.time, idle);
        }
        self.alignment.at_start = false;
        let mut operation = Box::new(Operation::new(ask, message.time));
        operation.alone = !self.alignment.is_known();
        operation.count(message);
        operation
    }

    fn enqueue(&mut self, operation: Box<Operation>, context: &mut Context<'_>) {
        let closed = operation.closed;
        self.push(operation, context);
        if closed && !self.alignment.is_known() {
            self.close_last(context);
        }
    }

    /// `Parse`, `Bind`, `Describe`, `Close`, `Execute`: joins the operation that is being asked, or begins one.
    fn extend(&mut self, kind: u8, body: &[u8], message: &Framed<'_>, context: &mut Context<'_>) {
        let joins = self.queue.back().is_some_and(|last| {
            !last.closed
                && !last.executed
                && match kind {
                    b'P' => last.parsed.is_none() && !last.bound && last.described.is_none() && !last.closes,
                    b'B' => !last.bound && !last.closes,
                    b'D' => last.described.is_none() && !last.closes,
                    b'E' => !last.closes,
                    _ => last.expects.is_empty(),
                }
        });
        let mut operation = match self.queue.pop_back() {
            Some(mut last) if joins => {
                last.count(message);
                last
            }
            other => {
                self.queue.extend(other);
                let operation = self.operation(Ask::Extended, message, context);
                self.push(operation, context);
                match self.queue.pop_back() {
                    Some(operation) => operation,
                    None => return,
                }
            }
        };
        let read = match kind {
            b'P' => self.parse_statement(&mut operation, body, message, context.limits),
            b'B' => self.bind(&mut operation, body, context.limits),
            b'D' => self.describe(&mut operation, body),
            b'E' => self.execute(&mut operation, body, message.is_whole()),
            _ => self.close(&mut operation, body),
        };
        if let Err(error) = read
            && message.is_whole()
        {
            operation.fault(error.what);
        }
        operation.expects.push_back(match (kind, body.first()) {
            (b'P', _) => Expect::Parse,
            (b'B', _) => Expect::Bind,
            (b'D', Some(b'S')) => Expect::Statement,
            (b'D', _) => Expect::Portal,
            (b'E', _) => Expect::Execute,
            _ => Expect::Close,
        });
        self.queue.push_back(operation);
    }

    fn parse_statement(
        &mut self,
        operation: &mut Operation,
        body: &[u8],
        message: &Framed<'_>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        let mut reader = Reader::new(body);
        let name: Box<[u8]> = reader.until(0)?.into();
        // Without its whole text nobody should execute it under this name.
        self.statements.remove(&name);
        let query = reader.until(0)?;
        let mut said = Vec::new();
        for _ in 0..reader.u16_be()? {
            said.push(reader.u32_be()?);
        }
        let (shown, truncated) = text::cut(query, limits.value_bytes);
        let statement = Arc::new(Statement {
            query: shown,
            query_size: query.len(),
            truncated,
            said,
            types: OnceLock::new(),
            columns: OnceLock::new(),
            // While the sides are not known to be at the same cycle, what the server says of it passes by unread.
            losses: if operation.alone { u32::MAX } else { self.losses },
        });
        operation.hold(statement.heap());
        if message.is_whole() {
            let memory = statement.heap() + name.len();
            self.complete &=
                self.statements.insert(name.clone(), statement.clone(), memory, Self::caps(limits));
        }
        operation.parsed = Some((name, statement));
        Ok(())
    }

    fn bind(&mut self, operation: &mut Operation, body: &[u8], limits: &Limits) -> Result<(), ParseError> {
        operation.bound = true;
        let (portal_name, statement_name, mut reader) = bind_names(body)?;
        let (portal_name, statement_name): (Box<[u8]>, Box<[u8]>) =
            (portal_name.into(), statement_name.into());
        self.portals.remove(&portal_name);
        let statement = self.statements.get(&statement_name).cloned();
        if statement.is_none() && !self.complete {
            operation.fault("the prepared statement is not known");
        }
        let portal = Arc::new(Portal {
            statement,
            statement_name,
            bind: Some(Bind::read(&mut reader, caps(limits.of_values()))?),
            columns: OnceLock::new(),
        });
        operation.hold(portal.heap());
        let memory = portal.heap() + portal_name.len();
        self.complete &= self.portals.insert(portal_name.clone(), portal.clone(), memory, Self::caps(limits));
        operation.portal = Some((portal_name, portal));
        Ok(())
    }

    fn describe(&mut self, operation: &mut Operation, body: &[u8]) -> Result<(), ParseError> {
        let mut reader = Reader::new(body);
        let of_statement = reader.u8()? == b'S';
        let name: Box<[u8]> = reader.until(0)?.into();
        operation.described = Some(if of_statement {
            let statement = self.statements.get(&name).cloned();
            if statement.is_none() && !self.complete {
                operation.fault("the prepared statement is not known");
            }
            Described::Statement(name, statement)
        } else {
            self.take_portal(operation, name);
            Described::Portal
        });
        Ok(())
    }

    fn execute(&mut self, operation: &mut Operation, body: &[u8], whole: bool) -> Result<(), ParseError> {
        operation.executed = true;
        let mut reader = Reader::new(body);
        let name: Box<[u8]> = reader.until(0)?.into();
        let rows = reader.u32_be()?;
        if rows > 0 {
            operation.fields.push("maxRows", rows);
        }
        if whole {
            self.take_portal(operation, name);
        }
        Ok(())
    }

    /// The operation is about a portal that may have been made before.
    fn take_portal(&self, operation: &mut Operation, name: Box<[u8]>) {
        if operation.portal.as_ref().is_some_and(|(known, _)| *known == name) {
            return;
        }
        match self.portals.get(&name) {
            Some(portal) => operation.portal = Some((name, portal.clone())),
            None => {
                if !self.complete {
                    operation.fault("the portal is not known");
                }
                let portal = Portal {
                    statement: None,
                    statement_name: Box::default(),
                    bind: None,
                    columns: OnceLock::new(),
                };
                operation.portal = Some((name, Arc::new(portal)));
            }
        }
    }

    fn close(&mut self, operation: &mut Operation, body: &[u8]) -> Result<(), ParseError> {
        operation.closes = true;
        let mut reader = Reader::new(body);
        let of_statement = reader.u8()? == b'S';
        let name: Box<[u8]> = reader.until(0)?.into();
        let shown = Tree::lossy(text::shorten(&name, NAME_BYTES));
        if of_statement {
            if let Some(statement) = self.statements.remove(&name) {
                operation.fields.push("query", statement.query.clone());
            } else if !self.complete {
                operation.fault("the prepared statement is not known");
            }
            operation.fields.push("statement", shown);
        } else {
            let portal = self.portals.remove(&name);
            if let Some(statement) = portal.as_ref().and_then(|portal| portal.statement.as_ref()) {
                operation.fields.push("query", statement.query.clone());
            } else if !self.complete {
                operation.fault("the portal is not known");
            }
            operation.fields.push("portal", shown);
        }
        operation.hold(operation.fields.heap());
        Ok(())
    }

    fn sync(&mut self, message: &Framed<'_>, context: &mut Context<'_>) {
        if let Some(last) = self.queue.back_mut() {
            if last.synced && last.copy_ended {
                // The server ignored the one before the data.
                last.count(message);
                return;
            }
            if !last.closed && last.ask == Ask::Extended {
                last.count(message);
                last.synced = true;
                last.closed = true;
                last.expects.push_back(Expect::Ready);
                self.alignment.at_start = true;
                if last.alone {
                    self.close_last(context);
                }
                return;
            }
        }
        let mut operation = self.operation(Ask::Extended, message, context);
        operation.synced = true;
        operation.closed = true;
        operation.expects.push_back(Expect::Ready);
        self.alignment.at_start = true;
        self.enqueue(operation, context);
    }

    /// Data that the client copies, its end, or that it gives up.
    fn copy(&mut self, kind: u8, body: &[u8], message: &Framed<'_>, limits: &Limits) {
        let Some(last) = self.queue.back_mut() else { return };
        if last.ask != Ask::Query && !last.executed {
            return;
        }
        last.count(message);
        let copied = last.copied.get_or_insert_default();
        match kind {
            b'd' => copied.add(message),
            b'f' => {
                copied.failed =
                    Some(text::cut(body.strip_suffix(b"\0").unwrap_or(body), limits.value_bytes).0)
            }
            _ => {}
        }
        last.copy_ended |= kind != b'd';
    }
}

fn show_query(fields: &mut Fields, body: &[u8], message: &Framed<'_>, limits: &Limits) {
    let query = body.strip_suffix(b"\0").unwrap_or(body);
    let (shown, cut) = text::cut(query, limits.value_bytes);
    fields.push("query", shown);
    if cut || !message.is_whole() {
        fields.push("querySize", (message.size + message.missing).saturating_sub(6));
        fields.push("truncated", true);
    }
}

/// For a message that nobody asked for.
pub(super) fn unasked(
    connection: &Connection,
    fields: Fields,
    message: &Framed<'_>,
    context: &mut Context<'_>,
) {
    let half = Half::new(message.time, message.size, fields).missing(message.missing);
    let direction: Direction = connection.client().reverse();
    context.items.push(KIND.message(direction, half));
}

/// A response without its request.
pub(super) fn stray(connection: &mut Connection, context: &mut Context<'_>) {
    if let Some(stray) = connection.stray.take() {
        let half = stray.into_half(context.limits);
        context.items.push(KIND.response(connection.client(), half, Absence::Lost));
    }
}
