//! What a session has beside its packets: what was agreed at the login, user and default database, and the prepared
//! statements with what was told of them.

use std::sync::Arc;

use super::super::command::Command;
use super::super::lenenc;
use super::super::names::{self, capability};
use super::super::response::Reading;
use super::super::statements::{self, Bound, Statement};
use crate::remember::{Caps, Remembered};
use crate::{Direction, Fields, Limits, ParseError, Reader, Tree};

/// The statement that was prepared last (MariaDB).
const LAST: u32 = u32::MAX;

/// `CURSOR_TYPE_...` and whether the number of parameters is told.
const PARAMETER_COUNT_AVAILABLE: u8 = 8;

#[derive(Debug)]
pub(super) struct Session {
    /// As agreed; `None` where the login was not seen.
    pub(super) capabilities: Option<u64>,
    user: Option<Tree>,
    database: Option<Tree>,
    statements: Remembered<u32, Statement>,
    last_prepared: Option<u32>,
    /// All of the client's packets were seen, and remembered.
    complete: bool,
}

impl Session {
    pub(super) fn new() -> Self {
        Self {
            capabilities: None,
            user: None,
            database: None,
            statements: Remembered::new(),
            last_prepared: None,
            complete: true,
        }
    }

    /// User and default database.
    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::with_capacity(2);
        let some = |tree: &Option<Tree>| tree.clone().filter(|tree| tree.as_text() != Some(""));
        fields.push_some("database", some(&self.database));
        fields.push_some("user", some(&self.user));
        fields
    }

    /// Whether both sides agreed on compression.
    pub(super) fn compresses(&self) -> bool {
        let compression = capability::COMPRESS | capability::ZSTD;
        self.capabilities.is_some_and(|capabilities| capabilities & compression != 0)
    }

    /// What the response to a command is read with.
    pub(super) fn reading<'a>(&'a self, statement: Option<u32>, limits: &'a Limits) -> Reading<'a> {
        let number = statement.and_then(|told| self.statement_number(told));
        let statement = number.and_then(|number| self.statements.get(&number));
        let columns = statement.and_then(|statement| statement.columns.as_ref());
        Reading { capabilities: self.capabilities, limits, columns }
    }

    /// Packets of a side may be missing.
    pub(super) fn lose(&mut self, side: Direction) {
        // A command that was lost may have changed it.
        self.database = None;
        // So may a statement have been prepared by what was lost of either side.
        self.complete = false;
        if side == Direction::ToServer {
            self.user = None;
            self.statements.clear();
            self.last_prepared = None;
        }
    }

    /// The number of a statement, as commands give it.
    fn statement_number(&self, number: u32) -> Option<u32> {
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
                let Some(prepared) = &command.response.prepared else { return };
                let query = command.fields.field("query").cloned().unwrap_or_default();
                let statement = Statement {
                    query,
                    truncated: command.fields.field("truncated").is_some(),
                    parameters: prepared.parameters,
                    types: None,
                    columns: prepared.columns().map(|columns| Arc::new(columns.to_vec())),
                    long: Vec::new(),
                };
                self.last_prepared = Some(prepared.number);
                let caps = Caps { entries: limits.list_entries, bytes: limits.message_bytes };
                let memory = statement.heap();
                self.complete &= self.statements.insert(prepared.number, statement, memory, caps);
            }
            Some(names::CHANGE_USER | names::RESET_CONNECTION) => {
                self.statements.clear();
                self.last_prepared = None;
            }
            Some(names::STMT_EXECUTE) => {
                let number = command.statement.and_then(|number| self.statement_number(number));
                if let Some(statement) = number.and_then(|number| self.statements.get_mut(&number))
                    && let Some(columns) = command.response.take_columns()
                {
                    statement.columns = Some(columns);
                }
            }
            _ => {}
        }
        if let Some(user) = command.user.take() {
            self.user = Some(user);
        }
        if let Some(schema) = command.response.take_schema().or_else(|| command.schema.take()) {
            self.database = Some(schema);
        }
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        self.statements.memory()
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
    let attributes =
        capabilities.is_some_and(|capabilities| capabilities & capability::QUERY_ATTRIBUTES != 0);
    let mut count = usize::from(statement.parameters);
    let named = attributes && (flags & PARAMETER_COUNT_AVAILABLE != 0 || count > 0);
    if attributes && flags & PARAMETER_COUNT_AVAILABLE != 0 {
        // Attributes follow the parameters.
        count = usize::try_from(lenenc::number(&mut reader)?).unwrap_or(usize::MAX);
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
