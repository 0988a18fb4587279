//! A command on its way to become an item.

use remora_packet::Timestamp;

use super::names::{self, capability::QUERY_ATTRIBUTES};
use super::response::{Response, Shape};
use super::statements::{self, Bound};
use super::{SECRET, lenenc, values};
use crate::frame::Framed;
use crate::item::ErrorKind;
use crate::{Fields, Half, Limits, ParseError, Reader, Tree};

#[derive(Debug)]
pub(super) struct Command {
    /// `None` for a login.
    pub(super) number: Option<u8>,
    time: Timestamp,
    size: u64,
    missing: u64,
    fault: Option<&'static str>,
    /// The number of the next packet of either side.
    pub(super) sequence: u8,
    pub(super) fields: Fields,
    /// The statement it is about.
    pub(super) statement: Option<u32>,
    /// What follows the statement's number in an execution: read once the statement is known for sure.
    pub(super) execution: Vec<u8>,
    /// Part of a parameter that is sent ahead: which one, and how many bytes.
    pub(super) long: Option<(u16, u64)>,
    /// Bytes of a file that the client sends.
    pub(super) file: Option<u64>,
    /// What the session's user and database are once it succeeds.
    pub(super) user: Option<Tree>,
    pub(super) schema: Option<Tree>,
    /// Its response can't be told from others.
    pub(super) alone: bool,
    pub(super) response: Response,
    /// What the connection counts it with.
    pub(super) counted: usize,
}

impl Command {
    pub(super) fn new(number: Option<u8>, time: Timestamp) -> Self {
        Self {
            number,
            time,
            size: 0,
            missing: 0,
            fault: None,
            sequence: 0,
            fields: Fields::new(),
            statement: None,
            execution: Vec::new(),
            long: None,
            file: None,
            user: None,
            schema: None,
            alone: false,
            response: Response::new(number.map_or(Shape::Login, shape)),
            counted: 0,
        }
    }

    pub(super) fn count(&mut self, size: u64, missing: u64) {
        self.size += size;
        self.missing += missing;
    }

    pub(super) fn fault(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    pub(super) fn wants_answer(&self) -> bool {
        self.response.shape != Shape::None
    }

    /// Bytes of heap held, with its own place.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.execution.capacity() + self.response.heap()
    }

    /// Reads what the command says. `capabilities` are `None` where the login was not seen.
    pub(super) fn read(
        &mut self,
        payload: &[u8],
        packet: &Framed<'_>,
        capabilities: Option<u64>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        let mut reader = Reader::new(payload);
        let number = reader.u8()?;
        let cut = |text: &[u8]| Tree::lossy(values::shorten(text, limits.value_bytes));
        match number {
            names::QUERY => {
                self.attributes(&mut reader, capabilities, limits)?;
                self.query(reader.rest(), packet, limits);
                if let Some(schema) = used(reader.rest()) {
                    self.schema = Some(cut(schema));
                }
            }
            names::STMT_PREPARE => self.query(reader.rest(), packet, limits),
            names::INIT_DB | 5 | 6 => {
                let name = cut(reader.rest());
                self.fields.push("schema", name.clone());
                self.schema = (number == names::INIT_DB).then_some(name);
            }
            names::FIELD_LIST => {
                self.fields.push("table", cut(reader.until(0)?));
                self.fields.push("wildcard", cut(reader.rest()));
            }
            names::PROCESS_KILL => self.fields.push("connectionId", reader.u32_le()?),
            27 => self.fields.push("option", reader.u16_le()?),
            names::CHANGE_USER => {
                let user = cut(reader.until(0)?);
                let length = usize::from(reader.u8()?);
                reader.skip(length)?;
                let database = cut(reader.until(0)?);
                self.fields.push("newUser", user.clone());
                self.fields.push("schema", database.clone());
                self.fields.push("authData", SECRET);
                (self.user, self.schema) = (Some(user), Some(database));
            }
            names::BINLOG_DUMP => {
                self.fields.push("position", reader.u32_le()?);
                reader.skip(2)?;
                self.fields.push("serverId", reader.u32_le()?);
                self.fields.push("file", cut(reader.rest()));
            }
            names::STMT_EXECUTE | names::STMT_BULK_EXECUTE => {
                self.statement = Some(reader.u32_le()?);
                self.execution = reader.rest().to_vec();
            }
            names::STMT_SEND_LONG_DATA => {
                self.statement = Some(reader.u32_le()?);
                let parameter = reader.u16_le()?;
                let size = (packet.size + packet.missing).saturating_sub(11);
                self.fields.push("parameter", parameter);
                self.fields.push("size", size);
                self.long = Some((parameter, size));
            }
            names::STMT_CLOSE | names::STMT_RESET => self.statement = Some(reader.u32_le()?),
            names::STMT_FETCH => {
                self.statement = Some(reader.u32_le()?);
                self.fields.push("maxRows", reader.u32_le()?);
            }
            _ => {}
        }
        Ok(())
    }

    fn query(&mut self, text: &[u8], packet: &Framed<'_>, limits: &Limits) {
        let shown = values::shorten(text, limits.value_bytes);
        self.fields.push("query", Tree::lossy(shown));
        if shown.len() < text.len() || !packet.is_whole() {
            let size = text.len() as u64 + packet.missing + packet.cut;
            self.fields.push("querySize", size);
            self.fields.push("truncated", true);
        }
    }

    /// Query attributes come before the text, where both sides agreed on that.
    fn attributes(
        &mut self,
        reader: &mut Reader<'_>,
        capabilities: Option<u64>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        let expected = match capabilities {
            Some(capabilities) => capabilities & QUERY_ATTRIBUTES != 0,
            // No statement begins with a control character that is not white space.
            None => reader.peek().is_some_and(|byte| byte < 0x20 && !byte.is_ascii_whitespace()),
        };
        if !expected {
            return Ok(());
        }
        let count = lenenc::number(reader)?;
        if lenenc::number(reader)? != 1 {
            return Err(reader.error("not one set of attributes"));
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > reader.remaining() {
            return Err(reader.error("more attributes than bytes"));
        }
        if count > 0 {
            let bound = Bound { count, named: true, types: None, long: &[] };
            let (list, _) = statements::read(reader, &bound, limits)?;
            self.fields.push("attributes", Tree::List(list));
            if count > limits.list_entries {
                self.fields.push("attributeCount", count);
            }
        }
        Ok(())
    }

    pub(super) fn into_halves(mut self, session: &Fields) -> (Half, Response) {
        let name = self.number.map_or("Login", |number| names::command(number).unwrap_or("COM_UNKNOWN"));
        let mut fields = Fields::new().with("command", name);
        fields.append(self.fields);
        if self.number.is_some() {
            fields.append(session.clone());
        }
        if let Some(bytes) = self.file {
            fields.push("fileSize", bytes);
        }
        self.fields = Fields::new();
        let mut half = Half::new(self.time, self.size, fields).missing(self.missing);
        if let Some(fault) = self.fault {
            half = half.error(ErrorKind::Dissection, fault);
        }
        (half, self.response)
    }
}

/// The database that a `USE` statement makes the default.
fn used(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii();
    let (word, rest) = text.split_at_checked(3)?;
    let name = rest.trim_ascii().trim_suffix_semicolon();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    let name = name.strip_prefix(b"`").and_then(|name| name.strip_suffix(b"`")).unwrap_or(name);
    let fits = word.eq_ignore_ascii_case(b"use") && rest.first().is_some_and(u8::is_ascii_whitespace);
    (fits && !name.is_empty() && name.iter().all(plain)).then_some(name)
}

trait Semicolon {
    fn trim_suffix_semicolon(&self) -> &Self;
}

impl Semicolon for [u8] {
    fn trim_suffix_semicolon(&self) -> &Self {
        self.strip_suffix(b";").unwrap_or(self).trim_ascii_end()
    }
}

/// How the response to a command is built.
const fn shape(number: u8) -> Shape {
    match number {
        names::QUIT | names::STMT_SEND_LONG_DATA | names::STMT_CLOSE => Shape::None,
        names::QUERY | 10 => Shape::Text,
        names::FIELD_LIST => Shape::FieldList,
        names::STATISTICS => Shape::Statistics,
        names::CHANGE_USER => Shape::Login,
        names::STMT_PREPARE => Shape::Prepare,
        names::STMT_EXECUTE | names::STMT_BULK_EXECUTE => Shape::Binary,
        names::STMT_FETCH => Shape::Fetch,
        names::BINLOG_DUMP | names::BINLOG_DUMP_GTID | names::TABLE_DUMP | 32 | 33 => Shape::Stream,
        _ => Shape::Plain,
    }
}
