//! Any bytes as Diameter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, diameter};

static REGISTRY: &[Registration] = &[diameter::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 3868, data));
