//! The order in which a BPF toolchain is looked for.

use std::fmt;
use std::path::PathBuf;

/// A way to build the kernel programs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// rustup's nightly builds `core` from its source.
    Nightly,
    /// A compiler that brings `core` for BPF, such as the one of Debian's `rustc-web`.
    Prebuilt { rustc: PathBuf },
}

/// What a complete toolchain lacks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Neither a nightly with its source nor a compiler with a core library for BPF.
    pub(crate) core: bool,
    /// No bpf-linker.
    pub(crate) linker: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.core, self.linker) {
            (true, true) => f.write_str("no core library for BPF and no bpf-linker"),
            (true, false) => f.write_str("no core library for BPF"),
            (false, _) => f.write_str("no bpf-linker"),
        }
    }
}

/// The questions that are put to the machine.
pub(crate) trait Search {
    fn nightly_with_source(&self) -> bool;
    fn rustc_with_core(&self) -> Option<PathBuf>;
    fn linker(&self) -> bool;
}

/// Nightly with its source, else a compiler with a core library for BPF; bpf-linker with either.
pub(crate) fn find(machine: &impl Search) -> Result<Toolchain, Missing> {
    let compiler = if machine.nightly_with_source() {
        Some(Toolchain::Nightly)
    } else {
        machine.rustc_with_core().map(|rustc| Toolchain::Prebuilt { rustc })
    };
    match (compiler, machine.linker()) {
        (Some(toolchain), true) => Ok(toolchain),
        (compiler, linker) => Err(Missing { core: compiler.is_none(), linker: !linker }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Has {
        nightly: bool,
        prebuilt: bool,
        linker: bool,
    }

    impl Search for Has {
        fn nightly_with_source(&self) -> bool {
            self.nightly
        }
        fn rustc_with_core(&self) -> Option<PathBuf> {
            self.prebuilt.then(|| "/usr/bin/rustc".into())
        }
        fn linker(&self) -> bool {
            self.linker
        }
    }

    #[test]
    fn nightly_goes_first_and_both_need_the_linker() {
        let prebuilt = Toolchain::Prebuilt { rustc: "/usr/bin/rustc".into() };
        assert_eq!(find(&Has { nightly: true, prebuilt: true, linker: true }), Ok(Toolchain::Nightly));
        assert_eq!(find(&Has { nightly: false, prebuilt: true, linker: true }), Ok(prebuilt));
        assert_eq!(
            find(&Has { nightly: true, prebuilt: false, linker: false }),
            Err(Missing { core: false, linker: true })
        );
        assert_eq!(
            find(&Has { nightly: false, prebuilt: false, linker: true }),
            Err(Missing { core: true, linker: false })
        );
    }
}
