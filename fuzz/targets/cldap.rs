//! Any bytes as datagrams of CLDAP: see [`remora_fuzz::datagrams`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::item::Transport;
use remora_dissect::{Registration, ldap};

static REGISTRY: &[Registration] = &[ldap::DATAGRAMS];

fuzz_target!(|data: &[u8]| remora_fuzz::datagrams(REGISTRY, Transport::Udp, 389, data));
