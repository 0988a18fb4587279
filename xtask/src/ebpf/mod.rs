//! `cargo xtask build-ebpf`: the kernel programs, built for the BPF target with whichever toolchain the machine has.

mod toolchain;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, say};
use crate::setup::{CargoTool, Plan};
use crate::workspace::Workspace;
use toolchain::{Search, Toolchain};

/// The target of the kernel programs: little-endian BPF, as on every machine the agent runs on.
pub(crate) const TARGET: &str = "bpfel-unknown-none";
/// Names the object file to the build script of the capture crate.
pub(crate) const OBJECT_VARIABLE: &str = "REMORA_EBPF_OBJECT";

const TOOLCHAINS: &str = "the eBPF programs need a BPF toolchain: a nightly toolchain with rust-src (`rustup toolchain \
                          install nightly --component rust-src`) and bpf-linker (`cargo install bpf-linker`), or \
                          Debian's packages";

/// Links LLVM 22, which is what Debian's rustc for BPF is built with.
const BPF_LINKER: CargoTool = CargoTool {
    name: "bpf-linker",
    version: "0.13.0",
    arguments: &["--no-default-features", "--features", "llvm-22"],
    environment: &[("LLVM_PREFIX", "/usr/lib/llvm-22")],
    purpose: "links the eBPF programs",
};

/// Adds what is missing for the kernel programs: nothing where a toolchain is there, else Debian's.
pub(crate) fn requirements(workspace: &Workspace, plan: &mut Plan) {
    let Err(missing) = toolchain::find(&Machine { workspace }) else { return };
    if missing.core {
        plan.debian(&["rustc-web", "libstd-rust-web-dev-bpf"], "a Rust compiler with a core library for BPF");
    }
    if missing.linker {
        plan.debian(
            &["llvm-22-dev", "zlib1g-dev", "libzstd-dev", "libxml2-dev"],
            "bpf-linker is built with it",
        );
        plan.cargo_tool(workspace, &BPF_LINKER);
    }
}

/// Installs what is missing, builds the programs and returns the path of the object file.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut plan = Plan::default();
    requirements(workspace, &mut plan);
    plan.install(workspace).context(TOOLCHAINS)?;
    match toolchain::find(&Machine { workspace }) {
        Ok(toolchain) => compile(workspace, &toolchain),
        Err(missing) => bail!("the BPF toolchain is still not complete after its installation: {missing}"),
    }
}

/// Like [`build`], but where a toolchain can't be had, says so and returns `None`.
pub(crate) fn build_if_possible(workspace: &Workspace, without: &str) -> Result<Option<PathBuf>> {
    let mut plan = Plan::default();
    requirements(workspace, &mut plan);
    match plan.obstacle(workspace) {
        None => build(workspace).map(Some),
        Some(obstacle) => {
            say!("no eBPF programs, so {without}: {TOOLCHAINS}: {obstacle}");
            Ok(None)
        }
    }
}

/// The object file of an earlier build. A build that has no need of it takes it all the same: with the variable now
/// set and now unset, every change between `run` and `replay` would build the agent again.
pub(crate) fn built(workspace: &Workspace) -> Option<PathBuf> {
    Some(object(workspace)).filter(|object| object.is_file())
}

fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("ebpf")
}

fn object(workspace: &Workspace) -> PathBuf {
    target_folder(workspace).join(TARGET).join("release").join("capture-ebpf")
}

fn compile(workspace: &Workspace, toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = workspace.root.join("capture-ebpf");
    let mut command = match toolchain {
        Toolchain::Nightly => {
            let mut command = Command::new("rustup");
            command.args(["run", "nightly", "cargo", "build", "-Z", "build-std=core"]).env_remove("RUSTC");
            command.env("PATH", workspace.path_variable());
            command
        }
        Toolchain::Prebuilt { rustc } => {
            let mut command = workspace.cargo();
            // aya-ebpf turns on `asm_experimental_arch`, which a stable compiler has behind this variable.
            command.arg("build").env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
            command
        }
    };
    // `cargo run` names the libraries of its own toolchain, which are not those of this compiler.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER").current_dir(&folder);
    // BTF gives the verifier and bpftool the types and the source lines.
    command.env("RUSTFLAGS", "-C debuginfo=2 -C link-arg=--btf");
    command.args(["--locked", "--release", "--target", TARGET, "--target-dir"]).arg(target_folder(workspace));
    process::run(&mut command)?;
    let object = object(workspace);
    if !object.is_file() {
        bail!("the build left no {}", object.display());
    }
    Ok(object)
}

struct Machine<'a> {
    workspace: &'a Workspace,
}

impl Search for Machine<'_> {
    fn nightly_with_source(&self) -> bool {
        let mut rustc = Command::new("rustup");
        rustc.args(["run", "nightly", "rustc", "--print", "sysroot"]).env_remove("LD_LIBRARY_PATH");
        process::output(&mut rustc).is_ok_and(|sysroot| {
            PathBuf::from(sysroot.trim()).join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file()
        })
    }

    fn rustc_with_core(&self) -> Option<PathBuf> {
        // Debian's compiler first: one of that name earlier in PATH is usually rustup's, which asks for more work.
        let candidates = [Some(PathBuf::from("/usr/bin/rustc")), self.workspace.program("rustc")];
        candidates.into_iter().flatten().find(|rustc| has_core(rustc))
    }

    fn linker(&self) -> bool {
        self.workspace.program("bpf-linker").is_some()
    }
}

/// Whether the compiler comes with a built core library for the target.
fn has_core(rustc: &std::path::Path) -> bool {
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]).env_remove("LD_LIBRARY_PATH");
    let Ok(folder) = process::output(&mut command) else { return false };
    std::fs::read_dir(folder.trim()).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}
