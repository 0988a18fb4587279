//! Any bytes as a connection of NATS: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, nats};

static REGISTRY: &[Registration] = &[nats::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 4222, data));
