//! Any bytes as CQL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, cassandra};

static REGISTRY: &[Registration] = &[cassandra::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 9042, data));
