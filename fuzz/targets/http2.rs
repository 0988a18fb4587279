//! Any bytes as a connection of HTTP/2 or gRPC, from its beginning, after an upgrade, or joined in the middle.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, http1, http2};

static REGISTRY: &[Registration] = &[http1::REGISTRATION, http2::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 80, data));
