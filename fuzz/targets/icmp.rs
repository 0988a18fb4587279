//! Any bytes as ICMP.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, icmp};

static REGISTRY: &[Registration] = &[icmp::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::datagrams(REGISTRY, Transport::Icmp, 0, data));
