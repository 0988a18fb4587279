//! Names of numbers.

/// Commands; the last of each kind of server.
pub(super) const fn command(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "COM_SLEEP",
        1 => "COM_QUIT",
        2 => "COM_INIT_DB",
        3 => "COM_QUERY",
        4 => "COM_FIELD_LIST",
        5 => "COM_CREATE_DB",
        6 => "COM_DROP_DB",
        7 => "COM_REFRESH",
        8 => "COM_SHUTDOWN",
        9 => "COM_STATISTICS",
        10 => "COM_PROCESS_INFO",
        11 => "COM_CONNECT",
        12 => "COM_PROCESS_KILL",
        13 => "COM_DEBUG",
        14 => "COM_PING",
        15 => "COM_TIME",
        16 => "COM_DELAYED_INSERT",
        17 => "COM_CHANGE_USER",
        18 => "COM_BINLOG_DUMP",
        19 => "COM_TABLE_DUMP",
        20 => "COM_CONNECT_OUT",
        21 => "COM_REGISTER_SLAVE",
        22 => "COM_STMT_PREPARE",
        23 => "COM_STMT_EXECUTE",
        24 => "COM_STMT_SEND_LONG_DATA",
        25 => "COM_STMT_CLOSE",
        26 => "COM_STMT_RESET",
        27 => "COM_SET_OPTION",
        28 => "COM_STMT_FETCH",
        29 => "COM_DAEMON",
        30 => "COM_BINLOG_DUMP_GTID",
        31 => "COM_RESET_CONNECTION",
        32 => "COM_CLONE",
        33 => "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
        250 => "COM_STMT_BULK_EXECUTE",
        _ => return None,
    })
}

pub(super) const QUIT: u8 = 1;
pub(super) const INIT_DB: u8 = 2;
pub(super) const QUERY: u8 = 3;
pub(super) const FIELD_LIST: u8 = 4;
pub(super) const STATISTICS: u8 = 9;
pub(super) const PROCESS_KILL: u8 = 12;
pub(super) const CHANGE_USER: u8 = 17;
pub(super) const BINLOG_DUMP: u8 = 18;
pub(super) const TABLE_DUMP: u8 = 19;
pub(super) const STMT_PREPARE: u8 = 22;
pub(super) const STMT_EXECUTE: u8 = 23;
pub(super) const STMT_SEND_LONG_DATA: u8 = 24;
pub(super) const STMT_CLOSE: u8 = 25;
pub(super) const STMT_RESET: u8 = 26;
pub(super) const STMT_FETCH: u8 = 28;
pub(super) const BINLOG_DUMP_GTID: u8 = 30;
pub(super) const RESET_CONNECTION: u8 = 31;
pub(super) const STMT_BULK_EXECUTE: u8 = 250;

/// Capability flags. Those above bit 31 are MariaDB's own.
pub(super) mod capability {
    pub(in super::super) const LONG_PASSWORD: u64 = 1;
    pub(in super::super) const CONNECT_WITH_DB: u64 = 1 << 3;
    pub(in super::super) const COMPRESS: u64 = 1 << 5;
    pub(in super::super) const PROTOCOL_41: u64 = 1 << 9;
    pub(in super::super) const SSL: u64 = 1 << 11;
    pub(in super::super) const PLUGIN_AUTH: u64 = 1 << 19;
    pub(in super::super) const CONNECT_ATTRS: u64 = 1 << 20;
    pub(in super::super) const PLUGIN_AUTH_LENENC: u64 = 1 << 21;
    pub(in super::super) const DEPRECATE_EOF: u64 = 1 << 24;
    pub(in super::super) const OPTIONAL_METADATA: u64 = 1 << 25;
    pub(in super::super) const ZSTD: u64 = 1 << 26;
    pub(in super::super) const QUERY_ATTRIBUTES: u64 = 1 << 27;
    pub(in super::super) const CACHE_METADATA: u64 = 1 << 36;
}

/// Capabilities that change what a connection's packets look like.
const CAPABILITIES: [(u64, &str); 11] = [
    (capability::COMPRESS, "compress"),
    (1 << 7, "localFiles"),
    (capability::SSL, "ssl"),
    (1 << 16, "multiStatements"),
    (1 << 17, "multiResults"),
    (1 << 23, "sessionTrack"),
    (capability::DEPRECATE_EOF, "deprecateEof"),
    (capability::OPTIONAL_METADATA, "optionalResultsetMetadata"),
    (capability::ZSTD, "zstdCompression"),
    (capability::QUERY_ATTRIBUTES, "queryAttributes"),
    (capability::CACHE_METADATA, "cacheMetadata"),
];

pub(super) fn capabilities(flags: u64) -> impl Iterator<Item = &'static str> {
    CAPABILITIES.into_iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, name)| name)
}

/// `SERVER_STATUS_...`, by bit.
const STATUS: [&str; 16] = [
    "inTransaction",
    "autocommit",
    "",
    "moreResults",
    "noGoodIndex",
    "noIndex",
    "cursorExists",
    "lastRowSent",
    "databaseDropped",
    "noBackslashEscapes",
    "metadataChanged",
    "slowQuery",
    "outParameters",
    "inReadOnlyTransaction",
    "sessionStateChanged",
    "",
];

pub(super) const MORE_RESULTS: u16 = 1 << 3;
pub(super) const CURSOR_EXISTS: u16 = 1 << 6;
pub(super) const SESSION_STATE: u16 = 1 << 14;

pub(super) fn status(flags: u16) -> impl Iterator<Item = &'static str> {
    STATUS
        .into_iter()
        .enumerate()
        .filter(move |(bit, name)| flags >> bit & 1 == 1 && !name.is_empty())
        .map(|(_, name)| name)
}

/// Column types.
pub(super) const fn column_type(number: u8) -> &'static str {
    match number {
        0 | 246 => "decimal",
        1 => "tiny",
        2 => "short",
        3 => "long",
        4 => "float",
        5 => "double",
        6 => "null",
        7 | 17 => "timestamp",
        8 => "longlong",
        9 => "int24",
        10 | 14 => "date",
        11 | 19 => "time",
        12 | 18 => "datetime",
        13 => "year",
        15 => "varchar",
        16 => "bit",
        242 => "vector",
        245 => "json",
        247 => "enum",
        248 => "set",
        249 => "tinyblob",
        250 => "mediumblob",
        251 => "longblob",
        252 => "blob",
        253 => "var_string",
        254 => "string",
        255 => "geometry",
        _ => "unknown",
    }
}
