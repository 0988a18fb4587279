//! Any bytes as a connection of AMQP 1.0.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, amqp1};

static REGISTRY: &[Registration] = &[amqp1::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 5672, data));
