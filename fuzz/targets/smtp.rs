//! Any bytes as a connection of SMTP: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, smtp};

static REGISTRY: &[Registration] = &[smtp::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 25, data));
