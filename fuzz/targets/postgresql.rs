//! Any bytes as a connection of PostgreSQL, in both directions, in any pieces, with gaps and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, postgresql};

static REGISTRY: &[Registration] = &[postgresql::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 5432, data));
