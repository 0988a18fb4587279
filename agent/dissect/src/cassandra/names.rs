//! What numbers of the protocol are called.

pub(super) mod opcode {
    pub(in crate::cassandra) const ERROR: u8 = 0x00;
    pub(in crate::cassandra) const STARTUP: u8 = 0x01;
    pub(in crate::cassandra) const READY: u8 = 0x02;
    pub(in crate::cassandra) const AUTHENTICATE: u8 = 0x03;
    pub(in crate::cassandra) const OPTIONS: u8 = 0x05;
    pub(in crate::cassandra) const SUPPORTED: u8 = 0x06;
    pub(in crate::cassandra) const QUERY: u8 = 0x07;
    pub(in crate::cassandra) const RESULT: u8 = 0x08;
    pub(in crate::cassandra) const PREPARE: u8 = 0x09;
    pub(in crate::cassandra) const EXECUTE: u8 = 0x0a;
    pub(in crate::cassandra) const REGISTER: u8 = 0x0b;
    pub(in crate::cassandra) const EVENT: u8 = 0x0c;
    pub(in crate::cassandra) const BATCH: u8 = 0x0d;
    pub(in crate::cassandra) const AUTH_CHALLENGE: u8 = 0x0e;
    pub(in crate::cassandra) const AUTH_RESPONSE: u8 = 0x0f;
    pub(in crate::cassandra) const AUTH_SUCCESS: u8 = 0x10;
}

/// An opcode's name, and whether the server sends it.
pub(super) fn opcode_name(code: u8) -> Option<(&'static str, bool)> {
    Some(match code {
        opcode::ERROR => ("ERROR", true),
        opcode::STARTUP => ("STARTUP", false),
        opcode::READY => ("READY", true),
        opcode::AUTHENTICATE => ("AUTHENTICATE", true),
        opcode::OPTIONS => ("OPTIONS", false),
        opcode::SUPPORTED => ("SUPPORTED", true),
        opcode::QUERY => ("QUERY", false),
        opcode::RESULT => ("RESULT", true),
        opcode::PREPARE => ("PREPARE", false),
        opcode::EXECUTE => ("EXECUTE", false),
        opcode::REGISTER => ("REGISTER", false),
        opcode::EVENT => ("EVENT", true),
        opcode::BATCH => ("BATCH", false),
        opcode::AUTH_CHALLENGE => ("AUTH_CHALLENGE", true),
        opcode::AUTH_RESPONSE => ("AUTH_RESPONSE", false),
        opcode::AUTH_SUCCESS => ("AUTH_SUCCESS", true),
        _ => return None,
    })
}

pub(super) fn consistency(level: u16) -> Option<&'static str> {
    const NAMES: [&str; 11] = [
        "ANY",
        "ONE",
        "TWO",
        "THREE",
        "QUORUM",
        "ALL",
        "LOCAL_QUORUM",
        "EACH_QUORUM",
        "SERIAL",
        "LOCAL_SERIAL",
        "LOCAL_ONE",
    ];
    NAMES.get(usize::from(level)).copied()
}

pub(super) fn error(code: u32) -> Option<&'static str> {
    Some(match code {
        0x0000 => "SERVER_ERROR",
        0x000a => "PROTOCOL_ERROR",
        0x0100 => "AUTH_ERROR",
        0x1000 => "UNAVAILABLE",
        0x1001 => "OVERLOADED",
        0x1002 => "IS_BOOTSTRAPPING",
        0x1003 => "TRUNCATE_ERROR",
        0x1100 => "WRITE_TIMEOUT",
        0x1200 => "READ_TIMEOUT",
        0x1300 => "READ_FAILURE",
        0x1400 => "FUNCTION_FAILURE",
        0x1500 => "WRITE_FAILURE",
        0x1600 => "CDC_WRITE_FAILURE",
        0x1700 => "CAS_WRITE_UNKNOWN",
        0x2000 => "SYNTAX_ERROR",
        0x2100 => "UNAUTHORIZED",
        0x2200 => "INVALID",
        0x2300 => "CONFIG_ERROR",
        0x2400 => "ALREADY_EXISTS",
        0x2500 => "UNPREPARED",
        _ => return None,
    })
}

pub(super) fn batch_type(code: u8) -> Option<&'static str> {
    ["LOGGED", "UNLOGGED", "COUNTER"].get(usize::from(code)).copied()
}
