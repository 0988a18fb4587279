//! Any bytes as a connection of memcached: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, memcached};

static REGISTRY: &[Registration] = &[memcached::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 11211, data));
