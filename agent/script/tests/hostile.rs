//! The scripts of `hostile/`: each attacks the agent or its neighbours, and says in its first comment what is to become
//! of it. Each runs beside a sound script, in a process of its own where the tests are run by nextest.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;
mod hostile_support;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use hostile_support::expect::{self, Expected};
use hostile_support::web::Web;
use remora_data::{Files, FilesConfig};
use remora_dissect::Item;
use remora_packet::Timestamp;
use remora_script::{Event, HostConfig, PacketInfo, Script, ScriptStats, Services, Ticket};
use remora_vendor::{Runner, Vendor};

const BATCHES: u32 = 3;
const BATCH: u32 = 8;
/// Everything takes much less; a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the process may take at its peak: two heaps of 32 MiB with their overdrafts of 64 MiB, buffers of the same size
/// again, what helpers may hold, and the engine itself.
const PEAK_BYTES: u64 = 1 << 30;

const SOUND: &str = "
    let items = 0, packets = 0, queries = 0, runs = 0;
    function onItemCaptured(data) {
        items++;
        if (data.response.status !== 200 || Object.prototype.polluted || console.forged) throw new Error('disturbed');
    }
    function onPacketCaptured() { packets++ }
    function onItemQueried() { queries++ }
    function onJobPassed() { runs++ }
    jobs.schedule('sound', '0 0 0 1 1 *', () => {});
    jobs.run('sound');
";

/// The script that takes the culprit's place in the end.
const REFORMED: &str = "function onItemCaptured(data) { console.log('reformed', data.index) }";

macro_rules! attacks {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                attack(stringify!($name));
            }
        )*
        const ATTACKS: &[&str] = &[$(stringify!($name)),*];
    };
}

attacks! {
    arguments_of_many_bytes
    arguments_that_call_back
    arguments_that_loop
    array_join
    array_longer_than_sizes
    array_search
    console_flood
    console_of_a_gigabyte
    deep_arguments
    deep_recursion
    disk_filling
    engine_internals
    forged_items
    heap_of_expressions
    heap_of_formatters
    heap_of_objects
    heap_of_source
    heap_of_strings
    heap_of_symbols
    heap_of_typed_arrays
    hot_loop_arithmetic
    hot_loop_fill
    hot_loop_push
    job_slower_than_its_period
    job_that_schedules_itself
    jobs_in_a_circle
    loop_at_top_level
    loop_in_exception
    loop_in_finalizer
    loop_in_getter_at_load
    loop_in_getter
    loop_in_hook
    loop_in_job_hook
    loop_in_job
    loop_in_microtasks
    loop_in_packet_hook
    loop_in_promise_chain
    loop_in_query
    metrics_flood
    neighbours_jobs
    patched_calls
    path_escapes
    polluted_data
    polluted_prototypes
    regex_backtracking_in_replace
    regex_backtracking
    rejected_promises
    reply_of_500_megabytes
    reply_of_endless_thenables
    reply_of_many_megabytes
    reply_that_never_comes
    reply_with_getters
    server_that_answers_a_gigabyte
    server_that_drips
    server_that_never_answers_often
    server_that_never_answers
    server_that_resets
    server_that_sends_elsewhere
    stack_trace_hooks
    ten_thousand_jobs
    thrown_string
    tree_of_arguments
    tree_of_objects
    webhook_headers
    yaml_of_deep_lists
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

#[test]
fn every_script_of_the_folder_is_run() {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".js").unwrap().replace('-', "_"))
        .collect();
    files.sort();
    let mut attacks = ATTACKS.to_vec();
    attacks.sort_unstable();
    assert_eq!(attacks, files);
}

/// A data directory, and a file beside it that no script may touch.
struct World {
    root: PathBuf,
    services: Services,
    web: Web,
}

const SECRET: &str = "not for scripts";

impl World {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("remora-hostile-{name}-{}", std::process::id()));
        let data = root.join("data");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(root.join("secret.txt"), SECRET).unwrap();
        // A way out that somebody has left there.
        std::os::unix::fs::symlink(&root, data.join("outside")).unwrap();
        std::fs::create_dir(data.join("kept")).unwrap();
        std::os::unix::fs::symlink(data.join("kept"), data.join("link")).unwrap();
        let files = Files::new(&data, FilesConfig { total_bytes: 32 << 20, write_bytes: 4 << 20 }).unwrap();
        let vendor = Vendor::new(remora_vendor::Config::default()).unwrap();
        let services = Services {
            vendor: Some((vendor, Arc::new(Runner::new().unwrap()))),
            files: Some(files),
            ..Services::default()
        };
        Self { root, services, web: Web::start() }
    }

    fn config(&self) -> HostConfig {
        let env =
            [("WEB", self.web.url.clone()), ("SECRET", self.root.join("secret.txt").display().to_string())];
        HostConfig {
            helper_deadline: Duration::from_millis(500),
            helpers_per_call: Duration::from_secs(1),
            jobs_per_script: 16,
            console_line_bytes: 4 << 10,
            console_lines_per_second: NonZeroU32::new(50),
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            ..config()
        }
    }

    /// Nothing outside of the data directory has changed.
    fn assert_untouched(&self) {
        let mut names: Vec<_> = std::fs::read_dir(&self.root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["data", "secret.txt"], "what is beside the data directory");
        assert_eq!(std::fs::read_to_string(self.root.join("secret.txt")).unwrap(), SECRET);
        assert_no_secret(&self.root.join("data"));
        assert!(
            !self.web.requests().iter().any(|line| line.starts_with("GET /smuggled")),
            "{:?}",
            self.web.requests()
        );
    }
}

/// No file of the folder has what the secret has.
fn assert_no_secret(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_no_secret(&entry.path());
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let leaked = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!leaked, "{} has the secret", entry.path().display());
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.root));
    }
}

fn batch(items: &[Arc<Item>]) -> Vec<Event> {
    let packet = PacketInfo {
        timestamp: Timestamp::from_nanos(0),
        capture_length: 60,
        length: 60,
        truncated: false,
        fragmented: false,
    };
    items.iter().flat_map(|item| [Event::Item(Arc::clone(item)), Event::Packet(packet)]).collect()
}

/// Most bytes of memory that the process has had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn stats_of(running: &Running, name: &str) -> ScriptStats {
    running.host.stats().into_iter().find(|stats| stats.script == name).unwrap()
}

/// Looks until `done`; fails with what `tell` says when that takes too long.
fn wait_until(mut done: impl FnMut() -> bool, tell: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{}", tell());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The calls that the sound script gets in the attack.
const SOUND_CALLS: u64 = 2 * (BATCHES * BATCH) as u64;

/// Delivers everything while the culprit does what it does. Neither it nor the sound script is waited for by the other.
fn deliver(running: &Running, items: &[Arc<Item>]) {
    let start = Instant::now();
    let tickets: Vec<Ticket> =
        items.chunks(BATCH as usize).map(|items| running.host.deliver(batch(items))).collect();
    let tell = || format!("{:?} {:?}", running.host.stats(), running.recorder.lines());
    wait_until(|| stats_of(running, "sound.js").calls >= SOUND_CALLS, tell);
    let sound = start.elapsed();
    wait_until(|| tickets.iter().all(|ticket| ticket.wait_timeout(Duration::ZERO)), tell);
    let all = start.elapsed();
    eprintln!("{:6} ms for the sound script, {} ms for both", sound.as_millis(), all.as_millis());
    if all > CALL_LIMIT * 4 {
        assert!(sound < all / 2, "the sound script was held up: {sound:?} of {all:?}");
    }
}

fn attack(name: &str) {
    let file = format!("{}.js", name.replace('_', "-"));
    let code = std::fs::read_to_string(folder().join(&file)).unwrap();
    let expected = expect::read(&code);
    let world = World::new(name);
    let running = try_start_in(world.config(), world.services.clone(), &[("sound.js", SOUND)]).ok().unwrap();
    let loaded = running.host.replace(Script::new(&file, code));
    if let Some(Expected::Load(text)) = expected.first() {
        let message = loaded.unwrap_err().message;
        assert!(message.contains(text.as_str()), "{message}");
    } else {
        loaded.unwrap();
    }

    let items: Vec<_> = (0..BATCHES * BATCH).map(|index| items::http(index, "/", 200)).collect();
    deliver(&running, &items);
    let replies = running.host.query(&items[..BATCH as usize], &"".into());
    for reply in replies.iter().filter_map(|reply| reply.text.as_ref()) {
        assert!(!reply.contains("REACHED"), "{reply}");
    }
    let of = |script: &str| {
        let prefix = format!("[{script}] ");
        let lines = running.recorder.lines();
        lines.iter().filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).collect::<Vec<_>>()
    };
    for expected in &expected {
        if matches!(expected, Expected::Load(_)) {
            continue;
        }
        wait_until(
            || expected.holds(&stats_of(&running, &file), &of(&file)),
            || format!("{expected:?} did not come: {:?} {:?}", stats_of(&running, &file), of(&file)),
        );
    }
    let lines = of(&file);
    for line in lines.iter().take(4) {
        eprintln!("{}", line.chars().take(160).collect::<String>());
    }
    assert!(!lines.iter().any(|line| line.contains("REACHED")), "{lines:?}");
    assert!(!items.iter().any(|item| item.failed()), "an item bears a mark that nobody could give it");
    eprintln!("{:?}", running.host.stats());

    // The next version works, whatever has become of the one before it.
    running.host.replace(Script::new(&file, REFORMED)).unwrap();
    assert!(running.host.deliver(batch(&[items::http(99, "/", 200)])).wait_timeout(PATIENCE));
    // The console may still be full of the culprit's lines.
    let reformed = stats_of(&running, &file);
    assert!(!reformed.abandoned, "{reformed:?}");
    let before = reformed.calls;
    running.host.deliver(batch(&[items::http(100, "/", 200)])).wait();
    assert_eq!(stats_of(&running, &file).calls, before + 1);

    let start = Instant::now();
    let stats = running.host.finish(Duration::from_secs(2));
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?} to end", start.elapsed());
    let sound = stats.iter().find(|stats| stats.script == "sound.js").unwrap();
    assert_eq!((sound.errors, sound.timeouts, sound.heap_overflows, sound.shed), (0, 0, 0, 0), "{sound:?}");
    assert_eq!((sound.calls, sound.abandoned), (SOUND_CALLS + u64::from(BATCH) + 4, false), "{sound:?}");
    assert!(sound.jobs >= 1, "{sound:?}");
    let said = of("sound.js");
    assert!(!said.iter().any(|line| line.starts_with("error: ")), "{said:?}");
    world.assert_untouched();
    let peak = peak();
    eprintln!("{} MiB at the peak", peak >> 20);
    assert!(peak < PEAK_BYTES, "the process took {} MiB", peak >> 20);
}
