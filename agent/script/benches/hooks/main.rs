//! What scripts cost: a hook call by what it reads, an op, a query, a start, the memory of a script, jobs by the thousand.
//!
//! `cargo bench -p remora-script`, with `--no-default-features --features quickjs` for the other engine. A part of a name
//! runs only the figures that have it, `--capture FILE` takes the items of a capture instead of made ones, `--json`
//! prints a JSON object for each figure. `cargo xtask bench scripts` does all of it for both engines.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[path = "../../tests/common/mod.rs"]
mod common;

mod calls;
mod jobs;
mod source;
mod starts;

use std::path::PathBuf;
use std::time::Duration;

/// What was asked for on the command line.
#[derive(Default)]
struct Options {
    filter: String,
    capture: Option<PathBuf>,
    json: bool,
}

impl Options {
    fn read() -> Self {
        let mut options = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--capture" => options.capture = arguments.next().map(PathBuf::from),
                // Cargo's `--bench`.
                flag if flag.starts_with('-') => {}
                _ => options.filter = argument,
            }
        }
        options
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    fn print(&self, name: &str, value: f64, unit: &str) {
        if self.json {
            println!(r#"{{"name":"{name}","value":{value:.4},"unit":"{unit}"}}"#);
        } else {
            println!("{name:36} {value:10.3} {unit}");
        }
    }
}

fn main() {
    let options = Options::read();
    let engine = if cfg!(feature = "v8") { "V8" } else { "QuickJS" };
    if !options.json {
        println!("{engine}");
    }
    // First, as long as nothing else has grown the process.
    starts::measure(&options);
    let items = source::items(options.capture.as_deref());
    if !options.json {
        println!("{} items, {} bytes of JSON each", items.len(), source::mean_text(&items));
    }
    calls::measure(&options, &items);
    jobs::measure(&options);
}

/// CPU time of this process's threads of that name, from the scheduler's own count.
fn thread_time(name: &str) -> Duration {
    // The kernel keeps 15 bytes of a name.
    let name = &name[..name.len().min(15)];
    let mut time = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim() == name {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            time += Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    time
}
