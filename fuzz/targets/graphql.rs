//! Any bytes as GraphQL over HTTP/1 and over WebSocket: documents, JSON, query strings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, http1, websocket};

static REGISTRY: &[Registration] = &[http1::REGISTRATION, websocket::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 80, data));
