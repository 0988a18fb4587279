//! Live capture on this machine's kernel: real programs, real traffic, in network namespaces the tests make.
//!
//! They need root, and `REMORA_EBPF_OBJECT` to name the object with the programs.

#![allow(clippy::unwrap_used)]

mod content;
mod interfaces;
mod server;
mod support;
mod traffic;
