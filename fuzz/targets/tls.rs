//! TLS records and handshakes, in both directions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, tls};

static REGISTRY: &[Registration] = &[tls::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 443, data));
