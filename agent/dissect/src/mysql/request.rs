//! What a command does to the connection once it is answered, and what it shows of prepared statements.

use std::sync::Arc;

use super::command::Command;
use super::connection::Connection;
use super::names::{self, capability::QUERY_ATTRIBUTES};
use super::statements::{self, Bound, Statement};
use crate::remember::Caps;
use crate::{Limits, ParseError, Reader, Tree};

/// The statement that was prepared last (MariaDB).
const LAST: u32 = u32::MAX;

/// `CURSOR_TYPE_...` and whether the number of parameters is told.
const PARAMETER_COUNT_AVAILABLE: u8 = 8;

impl Connection {
    /// The number of a statement, as commands give it.
    pub(super) fn statement_number(&self, number: u32) -> Option<u32> {
        if number == LAST { self.last_prepared } else { Some(number) }
    }

    /// Adds what is known of the command's statement, and remembers what the command tells of it.
    pub(super) fn resolve(&mut self, command: &mut Command, limits: &Limits) {
        let Some(told) = command.statement else { return };
        let number = self.statement_number(told);
        command.fields.push("statementId", number.unwrap_or(told));
        let complete = self.complete;
        let capabilities = self.capabilities;
        let Some(statement) = number.and_then(|number| self.statements.get_mut(&number)) else {
            if !complete {
                command.fault("the prepared statement is not known");
            }
            return;
        };
        command.fields.push("query", statement.query.clone());
        if statement.truncated {
            command.fields.push("truncated", true);
        }
        match command.number {
            Some(names::STMT_EXECUTE) => {
                let execution = std::mem::take(&mut command.execution);
                let long = std::mem::take(&mut statement.long);
                match execute(&execution, statement, &long, capabilities, limits) {
                    Ok(Some(list)) => {
                        if let Some(count) = list.as_list().map(<[Tree]>::len)
                            && count < usize::from(statement.parameters)
                        {
                            command.fields.push("parameterCount", statement.parameters);
                        }
                        command.fields.push("parameters", list);
                    }
                    Ok(None) => {}
                    Err(error) => command.fault(error.what),
                }
            }
            Some(names::STMT_SEND_LONG_DATA) => {
                if let Some((parameter, more)) = command.long {
                    let room = statement.long.len() < usize::from(statement.parameters);
                    match statement.long.iter_mut().find(|(known, _)| *known == parameter) {
                        Some((_, size)) => *size += more,
                        None if room => statement.long.push((parameter, more)),
                        None => {}
                    }
                }
            }
            Some(names::STMT_RESET) => statement.long.clear(),
            _ => {}
        }
        if command.number == Some(names::STMT_CLOSE)
            && let Some(number) = number
        {
            self.statements.remove(&number);
        }
    }

    /// What an answered command changes.
    pub(super) fn apply(&mut self, command: &mut Command, limits: &Limits) {
        if command.response.error.is_some() {
            return;
        }
        match command.number {
            Some(names::STMT_PREPARE) => {
                let Some((number, parameters, columns)) = command.response.prepared else { return };
                let query = command.fields.field("query").cloned().unwrap_or_default();
                let known = &command.response.prepared_columns;
                let statement = Statement {
                    query,
                    truncated: command.fields.field("truncated").is_some(),
                    parameters,
                    types: None,
                    columns: (known.len() == usize::from(columns)).then(|| Arc::new(known.clone())),
                    long: Vec::new(),
                };
                self.last_prepared = Some(number);
                let caps = Caps { entries: limits.list_entries, bytes: limits.message_bytes };
                let memory = statement.heap();
                self.complete &= self.statements.insert(number, statement, memory, caps);
            }
            Some(names::CHANGE_USER | names::RESET_CONNECTION) => {
                self.statements.clear();
                self.last_prepared = None;
            }
            Some(names::STMT_EXECUTE) => {
                let number = command.statement.and_then(|number| self.statement_number(number));
                if let Some(statement) = number.and_then(|number| self.statements.get_mut(&number))
                    && let Some(columns) = command.response.latest_columns.take()
                {
                    statement.columns = Some(columns);
                }
            }
            _ => {}
        }
        if let Some(user) = command.user.take() {
            self.user = Some(user);
        }
        if let Some(schema) = command.response.schema.take().or_else(|| command.schema.take()) {
            self.database = Some(schema);
        }
    }
}

/// The parameters of an execution: flags, a count of iterations, then as [`statements::read`] says.
fn execute(
    body: &[u8],
    statement: &mut Statement,
    long: &[(u16, u64)],
    capabilities: Option<u64>,
    limits: &Limits,
) -> Result<Option<Tree>, ParseError> {
    let mut reader = Reader::new(body);
    let flags = reader.u8()?;
    reader.skip(4)?;
    let attributes = capabilities.is_some_and(|capabilities| capabilities & QUERY_ATTRIBUTES != 0);
    let mut count = usize::from(statement.parameters);
    let named = attributes && (flags & PARAMETER_COUNT_AVAILABLE != 0 || count > 0);
    if attributes && flags & PARAMETER_COUNT_AVAILABLE != 0 {
        // Attributes follow the parameters.
        count = usize::try_from(super::lenenc::number(&mut reader)?).unwrap_or(usize::MAX);
        if count > reader.remaining() {
            return Err(reader.error("more parameters than bytes"));
        }
    }
    if count == 0 {
        return Ok(None);
    }
    let bound = Bound { count, named, types: statement.types.as_deref(), long };
    let (list, types) = statements::read(&mut reader, &bound, limits)?;
    if types.is_some() {
        statement.types = types;
    }
    Ok(Some(Tree::List(list)))
}
