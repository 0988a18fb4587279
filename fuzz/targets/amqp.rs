//! Any bytes as a connection of AMQP 0-9-1.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, amqp};

static REGISTRY: &[Registration] = &[amqp::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 5672, data));
