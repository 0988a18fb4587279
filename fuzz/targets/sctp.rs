//! Any bytes as SCTP, and what it carries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, sctp};

static REGISTRY: &[Registration] = &[sctp::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::datagrams(REGISTRY, Transport::Sctp, 0, data));
