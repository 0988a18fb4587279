//! Any bytes as a connection of socks: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, socks};

static REGISTRY: &[Registration] = &[socks::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 1080, data));
