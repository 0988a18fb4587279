//! The capture that the replay is measured on: HTTP/1.1 keep-alive between a real nginx and a real wrk.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::namespace::{Namespace, Running, Scratch};
use crate::process::{self, say};
use crate::setup::Plan;
use crate::workspace::Workspace;

/// Requests that wrk sends; about 2.6 KB each on the wire.
pub(super) const TRANSACTIONS: u64 = 84_000;
const CONNECTIONS: u32 = 16;
/// Longer than any machine takes; wrk's script ends it when the transactions are done.
const TIME_LIMIT: &str = "600s";
/// MiB of kernel buffer, so that nothing is lost while the disk is waited for.
const CAPTURE_BUFFER: &str = "128";
const START_TIMEOUT: Duration = Duration::from_secs(20);

const REQUESTS: &str = include_str!("requests.lua");
const SERVER: &str = include_str!("nginx.conf");

/// The capture's path; makes it when this machine has none made from the same recipe.
pub(super) fn ensure_capture(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.cache.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let path = folder.join(format!("http1-keepalive-{:016x}.pcap", recipe()));
    if path.is_file() {
        return Ok(path);
    }
    let mut plan = Plan::default();
    plan.program(workspace, "nginx", "nginx", "server of the benchmark's capture");
    plan.program(workspace, "wrk", "wrk", "client of the benchmark's capture");
    // Unlike tcpdump, it works for the root of a user namespace.
    plan.program(workspace, "dumpcap", "wireshark-common", "takes the benchmark's capture");
    plan.program(workspace, "ip", "iproute2", "network of the benchmark's capture");
    plan.program(workspace, "nsenter", "util-linux", "network of the benchmark's capture");
    plan.install(workspace)?;

    say!("making {}: {TRANSACTIONS} requests of wrk to nginx, in a network namespace", path.display());
    let unfinished = path.with_extension("part");
    record(workspace, &unfinished)?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

/// Changes when a new capture would differ.
fn recipe() -> u64 {
    let mut hasher = DefaultHasher::new();
    (TRANSACTIONS, CONNECTIONS, REQUESTS, SERVER, content()).hash(&mut hasher);
    hasher.finish()
}

fn record(workspace: &Workspace, output: &Path) -> Result<()> {
    let scratch = Scratch::create(workspace.target.join(format!("bench-nginx-{}", std::process::id())))?;
    let script = prepare(&scratch.0)?;
    let namespace = Namespace::create()?;

    let mut command = namespace.command("nginx");
    command.arg("-p").arg(&scratch.0).arg("-c").arg(scratch.0.join("nginx.conf"));
    let mut nginx = Running::start(&mut command)?;
    // nginx writes the file after it listens.
    await_file(&mut nginx, &scratch.0.join("nginx.pid"))?;

    let mut command = namespace.command("dumpcap");
    command.args(["-q", "-P", "-i", "lo", "-B", CAPTURE_BUFFER, "-f", "tcp port 80", "-w"]).arg(output);
    let mut dumpcap = Running::start(command.stderr(Stdio::piped()))?;
    let mut messages = BufReader::new(dumpcap.child.stderr.take().context("dumpcap has no stderr")?);
    let mut line = String::new();
    while !line.starts_with("File:") {
        line.clear();
        ensure!(messages.read_line(&mut line)? > 0, "dumpcap ended before it captured");
    }

    let mut wrk = namespace.command("wrk");
    wrk.args(["-t1", "-c", &CONNECTIONS.to_string(), "-d", TIME_LIMIT, "-s"]).arg(&script);
    wrk.arg("http://127.0.0.1/").env("REMORA_BENCH_TRANSACTIONS", TRANSACTIONS.to_string());
    process::run(&mut wrk)?;

    await_quiet(output)?;
    kill_process(Pid::from_child(&dumpcap.child), Signal::INT)?;
    let mut rest = String::new();
    messages.read_to_string(&mut rest)?;
    ensure!(
        dropped(&rest) == Some(0),
        "dumpcap lost packets, so the capture is of no use; run this again on a quieter machine: {}",
        rest.trim()
    );
    Ok(())
}

/// The second number of `Packets received/dropped on interface 'Loopback: lo': 378000/0 (...)`.
fn dropped(messages: &str) -> Option<u64> {
    let (_, counts) = messages.split_once("received/dropped on interface")?.1.rsplit_once("': ")?;
    let (_, dropped) = counts.split_once('/')?;
    dropped.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Writes the server's configuration and content; returns the path of wrk's script.
fn prepare(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder.join("content"))?;
    for (name, bytes) in content() {
        fs::write(folder.join("content").join(name), bytes)?;
    }
    fs::write(folder.join("nginx.conf"), SERVER)?;
    let script = folder.join("requests.lua");
    fs::write(&script, REQUESTS)?;
    Ok(script)
}

fn await_file(process: &mut Running, path: &Path) -> Result<()> {
    let started = Instant::now();
    while !path.is_file() {
        if let Some(status) = process.child.try_wait()? {
            bail!("nginx ended before it listened ({status})");
        }
        ensure!(started.elapsed() < START_TIMEOUT, "nginx did not listen within {START_TIMEOUT:?}");
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Waits until the file has not grown for a second: dumpcap leaves unread what the kernel still holds when it is told to
/// stop.
fn await_quiet(path: &Path) -> Result<()> {
    let mut size = 0;
    loop {
        sleep(Duration::from_secs(1));
        let now = path.metadata().with_context(|| format!("dumpcap wrote no {}", path.display()))?.len();
        if now == size {
            return Ok(());
        }
        size = now;
    }
}

/// What the server has to offer: a small page, a list, a text that compresses, an image that does not.
fn content() -> [(&'static str, Vec<u8>); 4] {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let page = format!("<!doctype html><title>page</title><p>{}", random.words(90));
    let items: Vec<_> = (0..25)
        .map(|id| {
            format!(
                r#"{{"id":{id},"sku":"SKU-{id:05}","name":"{}","price":{}}}"#,
                random.words(4),
                id * 7 + 99
            )
        })
        .collect();
    let list = format!(r#"{{"items":[{}]}}"#, items.join(","));
    let text = random.words(4_000);
    let image = (0..65_536).map(|_| random.next() as u8).collect();
    [("small.html", page.into()), ("list.json", list.into()), ("text.txt", text.into()), ("image.bin", image)]
}

/// xorshift64*: the same content on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn words(&mut self, count: usize) -> String {
        const WORDS: [&str; 12] = [
            "lorem",
            "ipsum",
            "dolor",
            "sit",
            "amet",
            "consectetur",
            "adipiscing",
            "elit",
            "sed",
            "do",
            "eiusmod",
            "tempor",
        ];
        let words: Vec<_> = (0..count).map(|_| WORDS[self.next() as usize % WORDS.len()]).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_read_from_dumpcaps_last_line() {
        let line = |counts| {
            format!("Packets received/dropped on interface 'Loopback: lo': {counts} (pcap:0/dumpcap:0)")
        };
        assert_eq!(dropped(&line("378000/0")), Some(0));
        assert_eq!(dropped(&line("378000/12")), Some(12));
        assert_eq!(dropped("Packets captured: 3"), None);
    }
}
