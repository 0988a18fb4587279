//! Any bytes as a connection of MongoDB: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, mongodb};

static REGISTRY: &[Registration] = &[mongodb::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 27_017, data));
