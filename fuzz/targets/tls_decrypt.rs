//! TLS connections whose secrets are known, and key logs.
//!
//! The input: a big-endian length of two bytes and so many of a key log, then a conversation. With an empty key log it is that
//! of the captures from which the seeds are.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use remora_dissect::tls::{self, Secrets};
use remora_dissect::{Limits, Registration, http1, http2};
use remora_fuzz::Input;

static REGISTRY: &[Registration] = &[http1::REGISTRATION, http2::REGISTRATION, tls::REGISTRATION];

const LOGS: [&[u8]; 2] = [
    include_bytes!("../../tests/fixtures/tls/tls12.keys.txt"),
    include_bytes!("../../tests/fixtures/tls/tls_suites.keys.txt"),
];

static KNOWN: LazyLock<Arc<Secrets>> = LazyLock::new(|| {
    let mut secrets = Secrets::default();
    LOGS.iter().for_each(|log| secrets.read(log, usize::MAX, |fault| panic!("{fault}")));
    Arc::new(secrets)
});

/// Sessions of one key log.
const SESSIONS: usize = 16;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let length = input.u16();
    let log = input.take(length.into());
    let secrets = if log.is_empty() {
        Arc::clone(&KNOWN)
    } else {
        let mut secrets = Secrets::default();
        let lines = log.split(|byte| *byte == b'\n').count();
        let mut faults = 0;
        secrets.read(log, SESSIONS, |fault| {
            assert!((1..=lines).contains(&fault.line));
            faults += 1;
        });
        assert!(faults <= lines && secrets.len() <= SESSIONS);
        Arc::new(secrets)
    };
    remora_fuzz::stream_with(REGISTRY, 443, input.rest(), |limits| Limits {
        tls_secrets: Some(Arc::clone(&secrets)),
        ..limits
    });
});
