//! Any bytes as a connection of MQTT.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, mqtt};

static REGISTRY: &[Registration] = &[mqtt::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 1883, data));
