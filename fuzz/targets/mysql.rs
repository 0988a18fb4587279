//! Any bytes as a connection of MySQL, in both directions, in any pieces, with gaps and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, mysql};

static REGISTRY: &[Registration] = &[mysql::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 3306, data));
