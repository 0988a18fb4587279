//! The greeting and the login.

use super::SECRET;
use super::lenenc;
use super::names::capability::{
    CONNECT_ATTRS, CONNECT_WITH_DB, LONG_PASSWORD, PLUGIN_AUTH, PLUGIN_AUTH_LENENC, PROTOCOL_41, SSL,
};
use super::values;
use crate::{Fields, Limits, ParseError, Reader, Tree};

/// A password follows its length in one byte.
const SECURE_CONNECTION: u64 = 1 << 15;

/// What the server says of itself.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    pub(super) capabilities: u64,
    pub(super) fields: Fields,
}

pub(super) fn greeting(payload: &[u8], limits: &Limits) -> Result<Greeting, ParseError> {
    let mut reader = Reader::new(payload);
    reader.skip(1)?;
    let version = reader.until(0)?;
    let connection = reader.u32_le()?;
    // Salt and a zero.
    reader.skip(9)?;
    let mut capabilities = u64::from(reader.u16_le()?);
    let mut fields = Fields::new();
    fields.push("serverVersion", Tree::lossy(values::shorten(version, limits.value_bytes)));
    fields.push("connectionId", connection);
    if !reader.is_empty() {
        reader.skip(3)?;
        capabilities |= u64::from(reader.u16_le()?) << 16;
        let salt = usize::from(reader.u8()?);
        reader.skip(6)?;
        let more = u64::from(reader.u32_le()?);
        if capabilities & LONG_PASSWORD == 0 {
            // MariaDB says so by not being a MySQL.
            capabilities |= more << 32;
        }
        reader.skip(salt.saturating_sub(8).max(13).min(reader.remaining()))?;
        if capabilities & PLUGIN_AUTH != 0 {
            let plugin = reader.until(0).unwrap_or_else(|_| reader.rest());
            fields.push("authPlugin", Tree::lossy(values::shorten(plugin, 64)));
        }
    }
    Ok(Greeting { capabilities, fields })
}

/// What the client answers.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) capabilities: u64,
    /// Encryption begins instead.
    pub(super) encrypts: bool,
    pub(super) user: Option<Tree>,
    pub(super) database: Option<Tree>,
    pub(super) fields: Fields,
}

pub(super) fn login(payload: &[u8], limits: &Limits) -> Result<Login, ParseError> {
    let mut reader = Reader::new(payload);
    let mut login = Login { capabilities: reader.u16_le()?.into(), ..Login::default() };
    if login.capabilities & PROTOCOL_41 == 0 {
        reader.skip(3)?;
        login.encrypts = login.capabilities & SSL != 0 && reader.is_empty();
        if !login.encrypts {
            login.user = Some(Tree::lossy(values::shorten(reader.until(0)?, limits.value_bytes)));
        }
        return Ok(login);
    }
    login.capabilities |= u64::from(reader.u16_le()?) << 16;
    login.fields.push("maxPacketSize", reader.u32_le()?);
    login.fields.push("characterSet", reader.u8()?);
    reader.skip(19)?;
    let more = u64::from(reader.u32_le()?);
    if login.capabilities & LONG_PASSWORD == 0 {
        login.capabilities |= more << 32;
    }
    if reader.is_empty() && login.capabilities & SSL != 0 {
        login.encrypts = true;
        return Ok(login);
    }
    let cut = |text: &[u8]| Tree::lossy(values::shorten(text, limits.value_bytes));
    login.user = Some(cut(reader.until(0)?));
    if login.capabilities & PLUGIN_AUTH_LENENC != 0 {
        lenenc::string(&mut reader)?;
    } else if login.capabilities & SECURE_CONNECTION != 0 {
        let length = usize::from(reader.u8()?);
        reader.skip(length)?;
    } else {
        reader.until(0)?;
    }
    login.fields.push("authData", SECRET);
    if login.capabilities & CONNECT_WITH_DB != 0 {
        let database = reader.until(0).unwrap_or_else(|_| reader.rest());
        login.database = (!database.is_empty()).then(|| cut(database));
    }
    if login.capabilities & PLUGIN_AUTH != 0 && !reader.is_empty() {
        // Some leave the zero at the end away.
        let plugin = reader.until(0).unwrap_or_else(|_| reader.rest());
        login.fields.push("authPlugin", cut(plugin));
    }
    if login.capabilities & CONNECT_ATTRS != 0 && !reader.is_empty() {
        // Broken attributes do not make a login broken.
        login.fields.push_some(
            "attributes",
            lenenc::string(&mut reader).and_then(|list| attributes(list, limits)).ok(),
        );
    }
    Ok(login)
}

fn attributes(list: &[u8], limits: &Limits) -> Result<Fields, ParseError> {
    let mut reader = Reader::new(list);
    let mut fields = Fields::new();
    while !reader.is_empty() {
        let (name, value) = (lenenc::string(&mut reader)?, lenenc::string(&mut reader)?);
        if fields.len() < limits.list_entries {
            let name = crate::text::lossy(values::shorten(name, 256)).into_owned();
            fields.push(name, Tree::lossy(values::shorten(value, limits.value_bytes)));
        }
    }
    Ok(fields)
}
