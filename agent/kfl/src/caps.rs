//! What a query, a payload and an evaluation may take at most.

/// Bytes of a query's text. A longer one is an error.
pub const MAX_QUERY_BYTES: usize = 16 << 10;
/// Levels of parentheses, negations, chained comparisons and macros inside each other. A deeper query is an error.
pub const MAX_DEPTH: usize = 100;
/// Parts (operators, paths, literals, helpers) of a query with its macros expanded. A larger query is an error.
pub const MAX_NODES: usize = 10_000;
/// Steps of one path. A longer one is an error.
pub const MAX_STEPS: usize = 64;
/// Regular expressions in the text of one query or macro. More are an error.
pub const MAX_REGEXES: usize = 16;
/// Bytes of one compiled regular expression. A larger one is an error.
pub const MAX_REGEX_BYTES: usize = 512 << 10;
/// Bytes a regular expression may keep for its search, per thread. Beyond them it searches more slowly.
pub const MAX_REGEX_CACHE_BYTES: usize = 256 << 10;
/// Custom macros. More are an error.
pub const MAX_CUSTOM_MACROS: usize = 256;
/// Custom macros that use each other in a chain. A longer chain is an error.
pub const MAX_MACRO_CHAIN: usize = 16;

/// Bytes of a text that `json()` and `xml()` read. A longer one counts as no JSON, no XML; `redact` replaces it whole.
pub const MAX_PAYLOAD_BYTES: usize = 8 << 20;
/// Elements of one XML text. One with more counts as no XML; `redact` replaces it whole.
pub const MAX_XML_ELEMENTS: usize = 50_000;
/// Elements of an XML text inside each other, likewise.
pub const MAX_XML_DEPTH: usize = 128;
/// Attributes of an XML text, likewise.
pub const MAX_XML_ATTRIBUTES: usize = 50_000;

/// Levels of lists and objects below the value at which `..` or a comparison of lists starts. What lies deeper counts
/// as missing; `redact` replaces it whole.
pub const MAX_VALUE_DEPTH: u32 = 128;
/// Values that one evaluation looks at where it searches (`..`, wildcards, lists, payloads by [`PAYLOAD_BYTES_PER_VISIT`]).
/// What lies beyond counts as missing; `redact` replaces it whole.
pub const MAX_VISITS: u32 = 1_000_000;
/// Bytes of a payload that cost as much as looking at one value.
pub const PAYLOAD_BYTES_PER_VISIT: usize = 64;
