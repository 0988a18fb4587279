//! Frames made by hand, and fixtures as JSON.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;

use remora_dissect::Limits;
use serde_json::Value;

use crate::golden_support::replay;
use crate::talk::{Talk, as_json};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

pub(crate) fn headers(flags: u8, stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags, stream, block)
}

pub(crate) fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])
}

/// A field that is added to the table. Lengths are up to 16,000.
pub(crate) fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = text.len();
        let mut coded = match length {
            ..127 => vec![length as u8],
            _ => {
                let more = length - 127;
                vec![127, (more & 0x7f) as u8 | 0x80, (more >> 7) as u8]
            }
        };
        coded.extend_from_slice(text.as_bytes());
        coded
    };
    [vec![0x40], text(name), text(value)].concat()
}

/// The fields of a request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    [&[0x82, 0x86][..], &literal(":path", path), &literal(":authority", "a.test")].concat()
}

/// A connection after both sides' settings; 15 bytes have come from the server.
pub(crate) fn connected() -> Talk {
    connected_with(Limits::default())
}

pub(crate) fn connected_with(limits: Limits) -> Talk {
    let mut talk = Talk::with_limits(8_080, limits).handshake();
    talk.client(&[PREFACE, &settings()].concat());
    talk.server(&settings());
    talk
}

pub(crate) fn items(capture: &Path) -> Vec<Value> {
    replay(capture, Limits::default()).items.iter().map(as_json).collect()
}

pub(crate) fn truth(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the ground truth is there");
    text.lines().map(|line| serde_json::from_str(line).expect("ground truth is JSON")).collect()
}
