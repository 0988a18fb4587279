//! `Parse` and `Bind`: prepared statements, portals and their parameters.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::columns::Columns;
use super::types::{self, Caps};
use crate::{Fields, ParseError, Reader, Tree};

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// Up to the cap.
    pub(super) query: Tree,
    pub(super) query_size: usize,
    pub(super) truncated: bool,
    /// What the client said of the parameters' types; 0 is "guess".
    pub(super) said: Vec<u32>,
    /// What the server says of them.
    pub(super) types: OnceLock<Vec<u32>>,
    pub(super) columns: OnceLock<Arc<Columns>>,
    /// How often bytes of the server had gone missing when it was prepared.
    pub(super) losses: u32,
}

impl Statement {
    pub(super) fn heap(&self) -> usize {
        size_of::<Self>() + self.query.heap() + self.said.capacity() * 4
    }

    fn said(&self, at: usize) -> Option<u32> {
        self.said.get(at).copied().filter(|&oid| oid != 0)
    }

    fn oid(&self, at: usize, types: Types) -> u32 {
        let told = || self.types.get().filter(|_| types == Types::Told)?.get(at).copied();
        self.said(at).or_else(told).unwrap_or(0)
    }
}

/// Where the types of a portal's parameters are from. They may be told after the parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Types {
    /// The client alone.
    Said,
    /// The client, and where it left them open the server.
    Told,
    /// The server told them, and they are not known because bytes are missing.
    Lost,
}

/// A statement with parameters.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) statement: Option<Arc<Statement>>,
    pub(super) statement_name: Box<[u8]>,
    pub(super) bind: Option<Bind>,
    pub(super) columns: OnceLock<Arc<Columns>>,
}

impl Portal {
    pub(super) fn heap(&self) -> usize {
        size_of::<Self>() + self.statement_name.len() + self.bind.as_ref().map_or(0, Bind::heap)
    }

    /// What is known of the parameters' types by now.
    pub(super) fn types(&self, losses: u32) -> Types {
        let (Some(bind), Some(statement)) = (&self.bind, &self.statement) else { return Types::Said };
        if statement.types.get().is_some() {
            return Types::Told;
        }
        let lacks = || (0..bind.values.len()).any(|at| statement.said(at).is_none());
        if statement.losses != losses && lacks() { Types::Lost } else { Types::Said }
    }

    /// How many parameters there are, shown or not.
    pub(super) fn count(&self) -> usize {
        self.bind.as_ref().map_or(0, |bind| bind.count)
    }

    /// The parameters with their types.
    pub(super) fn parameters(&self, caps: Caps, types: Types) -> Vec<Tree> {
        let Some(bind) = &self.bind else { return Vec::new() };
        let statement = self.statement.as_deref();
        let mut list = Vec::new();
        for (at, place) in bind.values.iter().enumerate() {
            let oid = statement.map_or(0, |statement| statement.oid(at, types));
            let value = match place.as_ref().and_then(|place| bind.bytes.get(place.clone())) {
                None => Tree::Null,
                Some(bytes) => types::value(oid, bind.is_binary(at), bytes, caps),
            };
            let mut fields = Fields::with_capacity(2);
            fields.push_some("type", types::type_field(oid));
            list.push(Tree::from(fields.with("value", value)));
        }
        list
    }
}

/// Parameters' and results' formats and values of a `Bind`.
#[derive(Debug)]
pub(super) struct Bind {
    /// Those of the first parameters, up to the cap, one behind the other.
    bytes: Vec<u8>,
    /// `None` is null.
    values: Vec<Option<Range<usize>>>,
    count: usize,
    formats: Vec<i16>,
    result_formats: Vec<i16>,
}

/// The names in a `Bind`, and what follows them.
pub(super) fn bind_names(body: &[u8]) -> Result<(&[u8], &[u8], Reader<'_>), ParseError> {
    let mut reader = Reader::new(body);
    let (portal, statement) = (reader.until(0)?, reader.until(0)?);
    Ok((portal, statement, reader))
}

impl Bind {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (_, _, mut reader) = bind_names(body)?;
        let bind = Self::read(&mut reader, Caps { bytes: 0, entries: 0, nesting: 0 })?;
        if reader.is_empty() { Ok(bind) } else { Err(reader.error("more bytes than formats")) }
    }

    /// Keeps the first `caps.entries` parameters.
    pub(super) fn read(reader: &mut Reader<'_>, caps: Caps) -> Result<Self, ParseError> {
        let formats = read_formats(reader)?;
        let count = usize::from(reader.u16_be()?);
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for at in 0..count {
            let length = reader.i32_be()?;
            let value = match usize::try_from(length) {
                Ok(length) => Some(reader.take(length)?),
                Err(_) if length == -1 => None,
                Err(_) => return Err(reader.error("an impossible length")),
            };
            if at < caps.entries {
                values.push(value.map(|value| {
                    let from = bytes.len();
                    bytes.extend_from_slice(value);
                    from..bytes.len()
                }));
            }
        }
        let result_formats = read_formats(reader)?;
        Ok(Self { bytes, values, count, formats, result_formats })
    }

    fn heap(&self) -> usize {
        self.bytes.capacity()
            + self.values.capacity() * size_of::<Option<Range<usize>>>()
            + (self.formats.capacity() + self.result_formats.capacity()) * 2
    }

    fn is_binary(&self, at: usize) -> bool {
        format(&self.formats, at) == 1
    }

    pub(super) fn result_format(&self, at: usize) -> i16 {
        format(&self.result_formats, at)
    }
}

fn read_formats(reader: &mut Reader<'_>) -> Result<Vec<i16>, ParseError> {
    let mut formats = Vec::new();
    for _ in 0..reader.u16_be()? {
        match reader.i16_be()? {
            format @ (0 | 1) => formats.push(format),
            _ => return Err(reader.error("an unknown format")),
        }
    }
    Ok(formats)
}

/// None means text, one is for all.
fn format(formats: &[i16], at: usize) -> i16 {
    match formats {
        [] => 0,
        [all] => *all,
        formats => formats.get(at).copied().unwrap_or(0),
    }
}
