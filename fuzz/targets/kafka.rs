//! Any bytes as a connection of Kafka.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, kafka};

static REGISTRY: &[Registration] = &[kafka::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 9092, data));
