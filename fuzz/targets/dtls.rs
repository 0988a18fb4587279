//! DTLS records, in both directions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, dtls};

static REGISTRY: &[Registration] = &[dtls::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::datagrams(REGISTRY, Transport::Udp, 4433, data));
