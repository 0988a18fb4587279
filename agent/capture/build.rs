//! Puts the kernel programs into the crate where `REMORA_EBPF_OBJECT` names their object at compile time.

use std::{env, path::Path, process::exit};

fn main() {
    println!("cargo::rerun-if-env-changed=REMORA_EBPF_OBJECT");
    println!("cargo::rustc-check-cfg=cfg(ebpf_embedded)");
    let Some(path) = env::var_os("REMORA_EBPF_OBJECT").filter(|path| !path.is_empty()) else { return };
    let path = Path::new(&path);
    if !path.is_absolute() || !path.is_file() {
        println!(
            "cargo::error=REMORA_EBPF_OBJECT must be the absolute path of a file, and {} is not; `cargo xtask build-ebpf` \
             builds it",
            path.display()
        );
        exit(1);
    }
    println!("cargo::rerun-if-changed={}", path.display());
    println!("cargo::rustc-cfg=ebpf_embedded");
    println!("cargo::rustc-env=REMORA_EBPF_OBJECT={}", path.display());
}
