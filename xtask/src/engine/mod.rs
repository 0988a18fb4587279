//! The JavaScript engine of a build: which one, where V8's archive comes from, and what cargo must be told.

mod choice;
mod quickjs;

use std::env;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::process::{self, say};
use crate::workspace::Workspace;
pub(crate) use choice::{Choice, V8Archive};
pub(crate) use quickjs::SIMDE_HEADERS;

/// Host and folder of the release download of the `v8` crate, as its build script spells them.
const RELEASES: (&str, &str) = ("github.com", "denoland/rusty_v8/releases/download");
/// How long a machine may take to show that it reaches the release downloads.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The engines `deno_core` runs on.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Google's V8, from a prebuilt archive
    V8,
    /// QuickJS-ng, built from source
    #[value(name = "quickjs")]
    QuickJs,
}

impl Engine {
    /// The cargo feature of the crates that contain the script host; also the engine's name for people.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::V8 => "v8",
            Self::QuickJs => "quickjs",
        }
    }
}

/// Chooses the engine; says so in one line when V8 could not be had.
pub(crate) fn choose(workspace: &Workspace, asked: Option<Engine>) -> Result<Choice> {
    let choice = choice::choose(asked, &Machine { workspace })?;
    if choice == Choice::QuickJsForLackOfV8 {
        say!(
            "no V8 archive here and its release download can't be reached, so scripts run on QuickJS; \
             `cargo xtask v8` builds V8 from source, and RUSTY_V8_ARCHIVE names an archive you have"
        );
    }
    Ok(choice)
}

/// Tells a cargo command about the engine: the features, and the variables that the build scripts read.
pub(crate) fn apply(workspace: &Workspace, choice: &Choice, command: &mut Command) -> Result<()> {
    command.args(["--no-default-features", "--features", choice.engine().feature()]);
    match choice {
        Choice::V8(V8Archive::Given(archive) | V8Archive::Cached(archive)) => {
            command.env("RUSTY_V8_ARCHIVE", archive);
        }
        Choice::V8(V8Archive::Mirror | V8Archive::Release) => {}
        Choice::QuickJs | Choice::QuickJsForLackOfV8 => quickjs::apply(workspace, command)?,
    }
    Ok(())
}

/// Where `cargo xtask v8` puts the archive of that version, and where every build looks for it.
pub(crate) fn cached_archive(workspace: &Workspace, version: &str) -> PathBuf {
    workspace.cache.join("v8").join(version).join(archive_name(&workspace.host))
}

/// The file name of the release download with the features that `deno_core` turns on.
fn archive_name(target: &str) -> String {
    format!("librusty_v8_simdutf_release_{target}.a.gz")
}

/// The `v8` version of `Cargo.lock`: an archive of any other does not link.
pub(crate) fn v8_version(workspace: &Workspace) -> Result<String> {
    workspace.locked_version("v8")?.context("Cargo.lock has no package `v8`, so no archive of it is needed")
}

struct Machine<'a> {
    workspace: &'a Workspace,
}

impl choice::Surroundings for Machine<'_> {
    fn given_archive(&self) -> Result<Option<String>> {
        let Some(archive) = variable("RUSTY_V8_ARCHIVE")? else { return Ok(None) };
        if archive.contains("://") {
            return Ok(Some(archive));
        }
        // The crate's build script runs in another folder, and would panic on a missing file.
        let path = Path::new(&archive).canonicalize();
        let path = path.with_context(|| format!("RUSTY_V8_ARCHIVE is {archive}, which can't be read"))?;
        Ok(path.to_str().map(str::to_owned))
    }

    fn mirror(&self) -> Result<Option<String>> {
        variable("RUSTY_V8_MIRROR")
    }

    fn cached_archive(&self) -> Result<Option<String>> {
        let path = cached_archive(self.workspace, &v8_version(self.workspace)?);
        Ok(path.is_file().then(|| path.display().to_string()))
    }

    fn release_reachable(&self) -> Result<bool> {
        let version = v8_version(self.workspace)?;
        let (host, folder) = RELEASES;
        let path = format!("{folder}/v{version}/{}", archive_name(&self.workspace.host));
        Ok(reachable(self.workspace, host, &path))
    }
}

fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}

/// Asks for the head of a download: by curl, because it knows the user's proxies, as cargo does; where there is no curl,
/// at least whether the host takes a connection.
fn reachable(workspace: &Workspace, host: &str, path: &str) -> bool {
    let Some(curl) = workspace.program("curl") else { return connects(host, 443) };
    let limit = PROBE_TIMEOUT.as_secs().to_string();
    let mut curl = Command::new(curl);
    curl.args(["--silent", "--fail", "--location", "--head", "--max-time", &limit]);
    process::succeeds(curl.arg(format!("https://{host}/{path}")))
}

/// Whether the host takes a connection in time. In a thread, since looking up a name has no time limit of its own.
fn connects(host: &str, port: u16) -> bool {
    let host = host.to_owned();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
        let connected = addresses.any(|address| TcpStream::connect_timeout(&address, PROBE_TIMEOUT).is_ok());
        // Nobody listens any more when the time was up.
        let _ = sender.send(connected);
    });
    receiver.recv_timeout(PROBE_TIMEOUT).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;

    #[test]
    fn a_host_that_takes_connections_is_told_from_one_that_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(connects("127.0.0.1", port));
        drop(listener);
        let started = Instant::now();
        assert!(!connects("127.0.0.1", port));
        assert!(started.elapsed() < PROBE_TIMEOUT + Duration::from_secs(1));
    }
}
