//! What live tests need: a namespace of their own, a source that runs in it, and the right to say why not.

use std::{
    fs,
    io::{self, Write},
    os::fd::AsFd,
    path::PathBuf,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use remora_capture::{LiveConfig, LiveSource, LiveStats, Polled};
use remora_packet::Packet;
use rustix::thread::{LinkNameSpaceType, Pid, gettid, move_into_link_name_space};

/// Past the test harness, which keeps what passing tests print to itself.
pub(crate) fn say(text: &str) {
    // At once, so that lines of several tests stay lines.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Held by a test while it runs: two at once would take each other's CPU and lose packets by it. A file, since a test
/// runner may give each test a process of its own.
pub(crate) struct Turn(#[allow(dead_code, reason = "held, not read")] fs::File);

impl Turn {
    fn take() -> Self {
        let file = fs::File::create(std::env::temp_dir().join("remora-live-tests.lock")).unwrap();
        file.lock().unwrap();
        Self(file)
    }
}

/// The configuration every test begins with and its turn, or a word about what is missing.
pub(crate) fn config(interfaces: &[&str]) -> Option<(LiveConfig, Turn)> {
    let skip = |reason: &str| {
        let test = thread::current().name().unwrap_or("test").to_owned();
        say(&format!("skipped: {test}: {reason}"));
        None
    };
    if !rustix::process::geteuid().is_root() {
        return skip("it needs root");
    }
    let Some(object) =
        std::env::var_os("REMORA_EBPF_OBJECT").map(PathBuf::from).filter(|path| path.is_file())
    else {
        return skip("REMORA_EBPF_OBJECT names no file; `cargo xtask build-ebpf` builds it");
    };
    for tool in ["ip", "tc", "nginx", "wrk", "curl", "python3", "setpriv"] {
        if !found(tool) {
            return skip(&format!("{tool} is not installed"));
        }
    }
    let interfaces = interfaces.iter().map(|name| (*name).to_owned()).collect();
    let config = LiveConfig { interfaces, object: Some(object), ..LiveConfig::default() };
    Some((config, Turn::take()))
}

fn found(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

pub(crate) fn run(command: &str) -> Output {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A network namespace, removed when dropped, with everything in it.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);
const PREFIX: &str = "remora-test-";

impl Namespace {
    pub(crate) fn new() -> Self {
        remove_left_over();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        run(&format!("ip netns add {name}"));
        let namespace = Self { name };
        // So that only the test's own packets pass.
        namespace.inside(|| {
            for interfaces in ["all", "default"] {
                // Fails where the kernel has no IPv6, which is as good.
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{interfaces}/disable_ipv6"), "1");
            }
        });
        namespace.run("ip link set lo up");
        namespace
    }

    /// Runs a command in the namespace.
    pub(crate) fn run(&self, command: &str) -> Output {
        run(&format!("ip netns exec {} {command}", self.name))
    }

    /// A command to be started in the namespace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a function in a thread of its own that is in the namespace.
    pub(crate) fn inside<R: Send>(&self, function: impl FnOnce() -> R + Send) -> R {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    let file = fs::File::open(format!("/run/netns/{}", self.name)).unwrap();
                    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                    function()
                })
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
    }
}

/// Namespaces of test runs that were killed.
fn remove_left_over() {
    for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !PathBuf::from(format!("/proc/{pid}")).exists()) {
            let _ = Command::new("ip").args(["netns", "delete", &name]).output();
        }
    }
}

/// Two namespaces, `server` (10.99.0.1) and `client` (10.99.0.2), with a veth pair between them, `veth0` in both.
pub(crate) struct Pair {
    pub(crate) server: Namespace,
    pub(crate) client: Namespace,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (server, client) = (Namespace::new(), Namespace::new());
        run(&format!(
            "ip link add veth0 netns {} type veth peer name veth0 netns {}",
            server.name, client.name
        ));
        for (namespace, address) in [(&server, "10.99.0.1"), (&client, "10.99.0.2")] {
            namespace.run(&format!("ip address add {address}/24 dev veth0"));
            namespace.run("ip link set veth0 up");
        }
        Self { server, client }
    }
}

/// A source that runs in a thread and namespace of its own until told to stop.
pub(crate) struct Capture<T> {
    stop: Arc<AtomicBool>,
    /// `None` once joined.
    thread: Option<thread::JoinHandle<(T, LiveStats)>>,
    id: Pid,
}

impl<T: Send + 'static> Capture<T> {
    /// Begins to capture; returns once the programs are attached.
    pub(crate) fn start(
        namespace: &Namespace,
        config: LiveConfig,
        mut state: T,
        mut on_packet: impl FnMut(&mut T, &Packet<'_>) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (ready, wait) = std::sync::mpsc::channel();
        let file = fs::File::open(format!("/run/netns/{}", namespace.name)).unwrap();
        let thread = thread::spawn(move || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let mut source = LiveSource::start(&config).unwrap_or_else(|error| panic!("{error}"));
            ready.send(gettid()).unwrap();
            while !stopped.load(Ordering::Relaxed) {
                let polled =
                    source.poll(Duration::from_millis(20), |packet| on_packet(&mut state, packet)).unwrap();
                assert!(matches!(polled, Polled::Packets(_)));
            }
            let stats = source.stop(|packet| on_packet(&mut state, packet)).unwrap();
            (state, stats)
        });
        match wait.recv() {
            Ok(id) => Self { stop, thread: Some(thread), id },
            Err(_) => std::panic::resume_unwind(thread.join().err().unwrap()),
        }
    }

    /// Seconds its thread has been on a CPU.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&format!("/proc/self/task/{}", self.id.as_raw_nonzero()))
    }

    /// Detaches and drains. Whatever became of the packets, the sum is right.
    pub(crate) fn finish(mut self) -> (T, LiveStats) {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().unwrap();
        let (state, stats) = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let total = stats.total();
        let accounted =
            stats.delivered_packets + stats.copies + total.lost_packets + total.unreadable_packets;
        assert_eq!(total.packets, accounted, "{stats:?}");
        assert_eq!((stats.foreign_records, total.unreadable_packets), (0, 0), "{stats:?}");
        (state, stats)
    }
}

impl<T> Drop for Capture<T> {
    /// A test that failed must not leave programs attached.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Seconds on a CPU, by a process' or thread's folder in `/proc`.
///
/// Nanoseconds come first: <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>
pub(crate) fn cpu_seconds(folder: &str) -> f64 {
    let schedule = fs::read_to_string(format!("{folder}/schedstat")).unwrap();
    let nanos: f64 = schedule.split_whitespace().next().unwrap().parse().unwrap();
    nanos / 1e9
}

/// Waits until something is so, at most five seconds.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !so() {
        assert!(Instant::now() < deadline, "not within five seconds: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
