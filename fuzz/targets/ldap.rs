//! Any bytes as a connection of LDAP: see [`remora_fuzz::stream`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::{Registration, ldap};

static REGISTRY: &[Registration] = &[ldap::REGISTRATION];

fuzz_target!(|data: &[u8]| remora_fuzz::stream(REGISTRY, 389, data));
