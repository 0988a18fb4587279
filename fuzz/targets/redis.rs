//! Any bytes as a connection of redis: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, redis};

static REGISTRY: &[Registration] = &[redis::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 6379, data));
