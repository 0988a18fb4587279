//! A network of its own: one loopback interface that behaves like a wire.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

use crate::process;
use crate::setup::machine;

/// A network namespace that lives as long as this value; nothing is left of it even when xtask is killed, because the
/// process that holds it ends when its standard input closes.
pub(super) struct Namespace {
    holder: Child,
    input: Option<ChildStdin>,
}

impl Namespace {
    /// Whoever is not root gets a user namespace around it, in which they are.
    pub(super) fn create() -> Result<Self> {
        let mut command = Command::new("unshare");
        if !machine::is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        // `echo` says that the namespace is there, `cat` waits for the end of input.
        command.args(["--net", "sh", "-c", "echo; exec cat"]);
        let mut holder = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`unshare` can't be started")?;
        let namespace = Self { input: holder.stdin.take(), holder };
        let (mut namespace, mut first) = (namespace, String::new());
        let output = namespace.holder.stdout.take().context("`unshare` has no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut first)?;
        anyhow::ensure!(
            !first.is_empty(),
            "`unshare` could not make a network namespace: run this as root, or allow user namespaces"
        );
        // Frames of the size that a network card sees, not the 64 KiB that loopback passes around.
        let mut link = namespace.command("ip");
        process::output(link.args(["link", "set", "lo", "mtu", "1500", "gso_max_segs", "1", "up"]))?;
        Ok(namespace)
    }

    /// A command that runs in the namespace. The process it starts is the program itself.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string()]);
        if !machine::is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--net", "--", program]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.input = None;
        // Nothing is to be done about a holder that can't be waited for; it ends all the same.
        let _ = self.holder.wait();
    }
}

/// A program in the background that ends with this value.
pub(super) struct Running {
    pub(super) child: Child,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let child =
            command.spawn().with_context(|| format!("`{}` can't be started", process::line(command)))?;
        Ok(Self { child })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for what lives as long as a capture is made.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&path).with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            process::say!("{} could not be removed: {error}", self.0.display());
        }
    }
}
