//! Any bytes as RADIUS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, radius};

static REGISTRY: &[Registration] = &[radius::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::datagrams(REGISTRY, Transport::Udp, 1812, data));
