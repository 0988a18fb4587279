//! Any bytes as DNS over UDP, over TCP, and as multicast DNS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, dns};

static DATAGRAMS: &[Registration] = &[dns::MULTICAST, dns::LINK_LOCAL, dns::DATAGRAMS];
static STREAM: &[Registration] = &[dns::STREAM];

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else { return };
    match first % 3 {
        0 => remora_fuzz::datagrams(DATAGRAMS, Transport::Udp, 53, data),
        1 => remora_fuzz::datagrams(DATAGRAMS, Transport::Udp, 5353, data),
        _ => remora_fuzz::stream(STREAM, 53, data),
    }
});
