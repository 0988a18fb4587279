//! What the client asked within one cycle, made into what is shown when somebody looks at it.

use std::sync::Arc;

use super::made::caps;
use super::parameters::{Portal, Statement, Types};
use super::text;
use crate::limits::ValueLimits;
use crate::on_demand::{Kept, Known};
use crate::{Fields, Tree, Value};

/// Bytes shown of a name.
const NAME_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Request {
    pub(super) command: &'static str,
    pub(super) statement: Option<Arc<Statement>>,
    pub(super) fields: Fields,
    /// User and database, where it does not tell them itself.
    pub(super) session: Option<Arc<Fields>>,
    /// The statement's, where it is not that of the portal.
    pub(super) name: Option<Box<[u8]>>,
    pub(super) portal: Option<(Box<[u8]>, Arc<Portal>)>,
    /// Of the parameters, when the request was answered: the server may tell them later.
    pub(super) types: Types,
    pub(super) copied: Option<Tree>,
    pub(super) limits: ValueLimits,
}

impl Request {
    fn name(&self) -> Option<&[u8]> {
        let of_portal = || self.portal.as_ref().map(|(_, portal)| &portal.statement_name);
        let name = self.name.as_ref().or_else(of_portal)?;
        (!name.is_empty()).then_some(text::shorten(name, NAME_BYTES))
    }
}

/// What a field holds, if there is one.
fn told(field: Option<&Tree>) -> Known<'_> {
    field.map_or(Known::Absent, |field| Known::Is(field.value()))
}

impl Kept for Request {
    fn known(&self, name: &str) -> Known<'_> {
        let own = self.fields.field(name);
        match name {
            "command" => Known::Is(Value::str(self.command)),
            "query" => told(self.statement.as_ref().map(|statement| &statement.query).or(own)),
            "statement" if own.is_none() => match self.name() {
                Some(name) => Known::Is(Value::Str(crate::text::lossy(name))),
                None => Known::Absent,
            },
            "database" => told(own.or_else(|| self.session.as_ref()?.field(name))),
            "statement" | "channel" => told(own),
            _ => Known::Unknown,
        }
    }

    fn decode(&self) -> Fields {
        let mut fields = Fields::new().with("command", self.command);
        if let Some(statement) = &self.statement {
            fields.push("query", statement.query.clone());
            if statement.truncated {
                fields.push("querySize", statement.query_size);
                fields.push("truncated", true);
            }
        }
        fields.append(self.fields.clone());
        if let Some(session) = &self.session {
            fields.append(Fields::clone(session));
        }
        if let Some(name) = self.name() {
            fields.push("statement", Tree::lossy(name));
        }
        if let Some((name, portal)) = &self.portal {
            if !name.is_empty() {
                fields.push("portal", Tree::lossy(text::shorten(name, NAME_BYTES)));
            }
            if self.types != Types::Lost {
                let parameters = portal.parameters(caps(self.limits), self.types);
                let count = portal.count();
                if count > parameters.len() {
                    fields.push("parameterCount", count);
                }
                if count > 0 {
                    fields.push("parameters", parameters);
                }
            }
        }
        fields.push_some("copy", self.copied.clone());
        fields
    }

    fn heap(&self) -> usize {
        let statement = self.statement.as_ref().map_or(0, |statement| statement.heap());
        let portal = self.portal.as_ref().map_or(0, |(name, portal)| name.len() + portal.heap());
        self.fields.heap()
            + statement
            + portal
            + self.name.as_ref().map_or(0, |name| name.len())
            + self.session.as_ref().map_or(0, |session| session.heap())
            + self.copied.as_ref().map_or(0, Tree::heap)
    }
}
