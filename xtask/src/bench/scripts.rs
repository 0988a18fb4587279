//! `cargo xtask bench scripts`: hooks in the agent beside the same hooks in Node.js, and what else scripts cost.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::agents;
use super::capture::{self, TRANSACTIONS};
use super::measure::{self, median};
use crate::engine::Engine;
use crate::process::{self, say};
use crate::setup::Plan;
use crate::table::Table;
use crate::workspace::Workspace;

/// Calls hooks for the items of an HTTP/1.1 capture, beside Node.js on the same items as JSON lines
#[derive(Args, Debug)]
#[command(
    after_help = "The agent's cost is that of a replay with the script, minus that of one without in the same round: CPU time of all \
                  threads, for handing over the items, calling the hook and freeing them. Node.js reads the items from a file, parses \
                  each line and calls the hook: CPU time of all threads, without its start. Figures are medians over the rounds; \
                  ratios are taken within a round. The figures of the script host by itself are CPU time of the script's thread."
)]
pub(super) struct Arguments {
    /// How often every program runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only this JavaScript engine; without it both, as far as they can be had
    #[arg(long, value_name = "ENGINE")]
    engine: Option<Engine>,
}

/// What is asked of V8: items per second of one core, in multiples of Node.js's.
const NODE_TARGET: f64 = 2.0;

const NODE_PROGRAM: &str = include_str!("items.js");

/// Name, and what the hook does with an item.
const HOOKS: [(&str, &str); 4] = [
    ("empty", ""),
    ("one field", "sum += data.response.status;"),
    (
        "ten fields",
        "sum += data.response.status + data.request.path.length + data.request.method.length + data.elapsedTime\n    \
         + data.src.ip.length + data.dst.port.length + data.protocol.abbr.length + data.timestamp + data.size\n    \
         + data.response.headers[\"Content-Type\"].length;",
    ),
    ("stringify", "sum += JSON.stringify(data).length;"),
];
const DONE: &str = "every transaction seen";

/// Counts its calls and says when it had every transaction, so that a hook that is not called, or throws, can't win.
fn script(body: &str) -> String {
    format!(
        "var calls = 0, sum = 0;\n\
         function onItemCaptured(data) {{\n  {body}\n  if (++calls === {TRANSACTIONS}) console.log('{DONE}');\n}}\n"
    )
}

/// The rounds of one program and one hook, as CPU seconds for all items.
struct Series {
    /// What the call costs.
    call: Vec<f64>,
    /// The whole process, for an agent: reading and dissecting the capture too.
    whole: Vec<f64>,
}

impl Series {
    fn new() -> Self {
        Self { call: Vec::new(), whole: Vec::new() }
    }
}

struct Agent {
    engine: Engine,
    program: PathBuf,
    /// By hook.
    series: Vec<Series>,
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::default();
    plan.program(workspace, "node", "nodejs", "scripts are measured against it");
    plan.install(workspace)?;
    let capture = capture::ensure_capture(workspace)?;
    let folder = agents::folder(workspace)?;
    let mut agents = Vec::new();
    let mut benches = Vec::new();
    for (engine, program) in agents::build(workspace, arguments.engine)? {
        benches.push((engine, agents::host_bench(workspace, engine, "hooks")?));
        agents.push(Agent { engine, program, series: HOOKS.iter().map(|_| Series::new()).collect() });
    }
    let node_program = folder.join("items.js");
    fs::write(&node_program, NODE_PROGRAM)?;
    let hooks: Vec<_> = (0..HOOKS.len()).map(|index| folder.join(format!("hook-{index}.js"))).collect();
    for (path, (_, body)) in hooks.iter().zip(HOOKS) {
        fs::write(path, script(body))?;
    }
    let lines = Lines::write(folder.join("items.jsonl"), &agents[0].program, &capture)?;

    let mut node: Vec<_> = HOOKS.iter().map(|_| Series::new()).collect();
    let mut version = String::new();
    for round in 1..=arguments.rounds {
        say!("round {round} of {}", arguments.rounds);
        for (hook, series) in hooks.iter().zip(&mut node) {
            let run = NodeRun::measure(&node_program, hook, &lines.0)?;
            series.call.push(run.cpu);
            series.whole.push(run.cpu);
            version = run.version;
        }
        for agent in &mut agents {
            let plain = replay(&agent.program, None, &capture)?;
            for (hook, series) in hooks.iter().zip(&mut agent.series) {
                let whole = replay(&agent.program, Some(hook), &capture)?;
                series.whole.push(whole);
                series.call.push((whole - plain).max(0.0));
            }
        }
    }
    let bytes = lines.0.metadata()?.len();
    drop(lines);

    println!(
        "{TRANSACTIONS} items of {}, {:.1} KB of JSON each on average, {} rounds, Node.js {version}",
        capture.display(),
        bytes as f64 / 1e3 / TRANSACTIONS as f64,
        arguments.rounds
    );
    print_calls(&node, &agents);
    println!();
    print_targets(&node, &agents);
    println!();
    print_figures(&benches, &capture)
}

/// CPU seconds of a replay.
fn replay(program: &Path, hook: Option<&PathBuf>, capture: &Path) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(["replay", "--output", "none"]);
    if let Some(hook) = hook {
        command.arg("--script").arg(hook);
    }
    let cost = measure::run(command.arg(capture))?;
    let done = hook.is_none() || cost.messages.contains(DONE);
    ensure!(done, "the hook did not see every item: {}", cost.messages.trim());
    Ok(cost.cpu.as_secs_f64())
}

/// The items as a file of JSON lines, as long as this lives.
struct Lines(PathBuf);

impl Lines {
    fn write(path: PathBuf, program: &Path, capture: &Path) -> Result<Self> {
        say!("writing the items to {}", path.display());
        let file = File::create(&path).with_context(|| format!("{} can't be written", path.display()))?;
        let lines = Self(path);
        let mut command = Command::new(program);
        command.args(["replay", "--output", "jsonl"]).arg(capture);
        let status = command.stdout(file).stderr(Stdio::null()).status();
        let status = status.with_context(|| format!("`{}` can't be started", process::line(&command)))?;
        ensure!(status.success(), "`{}` failed ({status})", process::line(&command));
        Ok(lines)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // It is in cargo's target folder, where nobody minds it.
        let _ = fs::remove_file(&self.0);
    }
}

struct NodeRun {
    version: String,
    /// CPU seconds.
    cpu: f64,
}

impl NodeRun {
    fn measure(program: &Path, hook: &Path, items: &Path) -> Result<Self> {
        let mut command = Command::new("node");
        let cost = measure::run(command.arg(program).arg(hook).arg(items))?;
        let (items, run) = Self::read(&cost.messages)
            .with_context(|| format!("Node.js said something else: {}", cost.messages.trim()))?;
        ensure!(items >= TRANSACTIONS, "Node.js found {items} items of {TRANSACTIONS} transactions");
        Ok(run)
    }

    /// From the last lines of `items.js`.
    fn read(messages: &str) -> Option<(u64, Self)> {
        let value = |name: &str| messages.lines().rev().find_map(|line| line.strip_prefix(name));
        let cpu = Duration::from_micros(value("cpu ")?.parse().ok()?).as_secs_f64();
        Some((value("items ")?.parse().ok()?, Self { version: value("version ")?.to_owned(), cpu }))
    }
}

/// How often `own` goes into `other`, round by round.
fn times_faster(own: &[f64], other: &[f64]) -> f64 {
    // A call that could not be told from nothing is as fast as the smallest difference the kernel's count shows.
    median(own.iter().zip(other).map(|(own, other)| other / own.max(0.001)))
}

fn print_calls(node: &[Series], agents: &[Agent]) {
    let mut table = Table::default();
    table.row([
        "the hook, handing it the items included",
        "µs per call",
        "items/s per core",
        "× Node.js",
        "with capture and dissection: µs per item",
        "× Node.js",
    ]);
    let per_item = |seconds: &[f64]| median(seconds.iter().copied()) / TRANSACTIONS as f64;
    for (index, (hook, _)) in HOOKS.iter().enumerate() {
        let base = &node[index];
        let seconds = per_item(&base.call);
        table.row([
            format!("{hook}, Node.js on JSON lines"),
            format!("{:.2}", seconds * 1e6),
            format!("{:.0}", 1.0 / seconds),
            "1".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
        ]);
        for agent in agents {
            let series = &agent.series[index];
            let seconds = per_item(&series.call);
            table.row([
                format!("{hook}, remora {}", agent.engine.feature()),
                format!("{:.2}", seconds * 1e6),
                format!("{:.0}", 1.0 / seconds),
                format!("{:.1}", times_faster(&series.call, &base.call)),
                format!("{:.2}", per_item(&series.whole) * 1e6),
                format!("{:.1}", times_faster(&series.whole, &base.whole)),
            ]);
        }
    }
    table.print();
}

fn print_targets(node: &[Series], agents: &[Agent]) {
    let mut table = Table::default();
    table.row(["target", "measured", ""]);
    for agent in agents.iter().filter(|agent| agent.engine == Engine::V8) {
        for ((hook, _), (series, base)) in HOOKS.iter().zip(agent.series.iter().zip(node)) {
            let times = times_faster(&series.call, &base.call);
            table.row([
                format!("{hook}, remora v8: at least {NODE_TARGET} × Node.js's items/s per core"),
                format!("{times:.1} ×"),
                if times >= NODE_TARGET { "met" } else { "missed" }.to_owned(),
            ]);
        }
    }
    table.print();
}

/// A line of the script host's own benchmark.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Figure {
    fn read(line: &str) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Some(Self { name: text("name")?, value: line["value"].as_f64()?, unit: text("unit")? })
    }
}

fn print_figures(benches: &[(Engine, PathBuf)], capture: &Path) -> Result<()> {
    let mut columns = Vec::new();
    for (engine, bench) in benches {
        say!("the script host by itself, {}", engine.feature());
        let mut command = Command::new(bench);
        let text = process::output(command.arg("--json").arg("--capture").arg(capture))?;
        let figures: Vec<_> = text.lines().filter_map(Figure::read).collect();
        ensure!(!figures.is_empty(), "`{}` printed no figures", process::line(&command));
        columns.push(figures);
    }
    let mut table = Table::default();
    let heads = benches.iter().map(|(engine, _)| engine.feature().to_owned());
    table.row(["the script host by itself".to_owned()].into_iter().chain(heads).chain([String::new()]));
    for figure in &columns[0] {
        let value = |column: &Vec<Figure>| {
            let same = column.iter().find(|other| other.name == figure.name);
            same.map_or_else(|| "-".to_owned(), |figure| format!("{:.2}", figure.value))
        };
        let values = columns.iter().map(value);
        table.row([figure.name.clone()].into_iter().chain(values).chain([figure.unit.clone()]));
    }
    table.print();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_figures_are_read_from_its_last_lines() {
        let (items, run) =
            NodeRun::read("every transaction seen\nversion v20.1.0\nitems 84016\ncpu 1500000\n").unwrap();
        assert_eq!((items, run.version.as_str(), run.cpu), (84_016, "v20.1.0", 1.5));
        assert!(NodeRun::read("node: bad option").is_none());
    }

    #[test]
    fn figures_of_the_host_are_json_lines() {
        let figure = Figure::read(r#"{"name":"item, empty","value":0.8,"unit":"us"}"#).unwrap();
        assert_eq!(figure, Figure { name: "item, empty".into(), value: 0.8, unit: "us".into() });
        assert_eq!(Figure::read("V8"), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        assert_eq!(times_faster(&[1.0, 2.0, 4.0], &[3.0, 6.0, 12.0]), 3.0);
        assert!(times_faster(&[0.0], &[1.0]).is_finite());
    }

    #[test]
    fn every_hook_counts_its_calls() {
        for (name, body) in HOOKS {
            let script = script(body);
            assert!(script.contains(body) && script.contains("++calls"), "{name}");
        }
    }
}
