//! `cargo xtask bench replay`: the same capture through the agent and through tcpdump, in turns, and once through tshark.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use super::agents;
use super::capture::{self, TRANSACTIONS};
use super::measure::{self, Cost, median};
use crate::engine::Engine;
use crate::process::say;
use crate::setup::Plan;
use crate::table::Table;
use crate::workspace::Workspace;

/// Replays an HTTP/1.1 keep-alive capture, without and with scripts, beside tcpdump and tshark
#[derive(Args, Debug)]
#[command(
    after_help = "The capture is made by nginx and wrk once, and kept in the cache; it needs no root. CPU seconds are user and system \
                  time of all threads. Figures are medians over the rounds; ratios are taken within a round."
)]
pub(super) struct Arguments {
    /// How often every program runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only this JavaScript engine; without it both, as far as they can be had
    #[arg(long, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// Leave out tshark, which takes half a minute
    #[arg(long)]
    no_tshark: bool,
}

/// What is asked of the agent; the last one of V8 alone, since QuickJS has no compiler.
const TCPDUMP_TARGET: f64 = 3.0;
const TSHARK_TARGET: f64 = 60.0;
const HOOK_TARGET: f64 = 2.0;

/// The scripts: name, and what the hook does with an item. Each counts its calls and says when it had every transaction,
/// so that a hook that is not called can't win.
const HOOKS: [(&str, &str); 3] = [
    ("empty", ""),
    ("status", "status = data.response?.status;"),
    ("stringify", "length += JSON.stringify(data).length;"),
];
const READS_ONE_FIELD: &str = "status";
const DONE: &str = "every transaction seen";

fn script(body: &str) -> String {
    format!(
        "var calls = 0, status, length = 0;\n\
         function onItemCaptured(data) {{\n  {body}\n  if (++calls === {TRANSACTIONS}) console.log('{DONE}');\n}}\n"
    )
}

/// One way to read the capture, measured every round.
struct Contender {
    name: String,
    engine: Option<Engine>,
    hook: Option<&'static str>,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    costs: Vec<Cost>,
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::default();
    plan.program(workspace, "tcpdump", "tcpdump", "the replay is measured against it");
    if !arguments.no_tshark {
        plan.program(workspace, "tshark", "tshark", "the replay is measured against it");
    }
    plan.install(workspace)?;
    let capture = capture::ensure_capture(workspace)?;
    let bytes = capture.metadata()?.len();
    let mut contenders = contenders(workspace, arguments, &capture)?;

    // The first reading brings the file into the page cache, and counts for nothing.
    measure::run(&mut contenders[0].command())?;
    for round in 1..=arguments.rounds {
        say!("round {round} of {}", arguments.rounds);
        for contender in &mut contenders {
            let cost = measure::run(&mut contender.command())?;
            contender.check(&cost)?;
            contender.costs.push(cost);
        }
    }
    let tshark = if arguments.no_tshark { None } else { Some(tshark(&capture)?) };

    println!(
        "{}: {:.0} MB, {TRANSACTIONS} transactions, {} rounds",
        capture.display(),
        bytes as f64 / 1e6,
        arguments.rounds
    );
    print_costs(&contenders, tshark.as_ref(), bytes);
    println!();
    print_targets(&contenders, tshark.as_ref());
    Ok(())
}

/// tcpdump first: the ratios are to it.
fn contenders(workspace: &Workspace, arguments: &Arguments, capture: &Path) -> Result<Vec<Contender>> {
    let mut contenders = vec![Contender {
        name: "tcpdump -w /dev/null".to_owned(),
        engine: None,
        hook: None,
        program: "tcpdump".into(),
        arguments: ["-r".into(), capture.to_path_buf(), "-w".into(), "/dev/null".into()].into(),
        costs: Vec::new(),
    }];
    let folder = agents::folder(workspace)?;
    for (engine, program) in agents::build(workspace, arguments.engine)? {
        let hooks = HOOKS.iter().map(|(name, body)| Some((*name, *body)));
        for hook in [None].into_iter().chain(hooks) {
            let mut arguments: Vec<PathBuf> = ["replay".into(), "--output".into(), "none".into()].into();
            if let Some((name, body)) = hook {
                let path = folder.join(format!("{name}.js"));
                fs::write(&path, script(body))?;
                arguments.extend(["--script".into(), path]);
            }
            arguments.push(capture.to_path_buf());
            let hook = hook.map(|(name, _)| name);
            let name = format!("remora {}, {}", engine.feature(), described(hook));
            contenders.push(Contender {
                name,
                engine: Some(engine),
                hook,
                program: program.clone(),
                arguments,
                costs: Vec::new(),
            });
        }
    }
    Ok(contenders)
}

fn described(hook: Option<&str>) -> &str {
    match hook {
        None => "no script",
        Some("empty") => "empty hook",
        Some("status") => "hook reads data.response.status",
        Some("stringify") => "hook does JSON.stringify(data)",
        Some(other) => other,
    }
}

impl Contender {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// A run that did not do the work is no measurement.
    fn check(&self, cost: &Cost) -> Result<()> {
        if self.engine.is_none() {
            return Ok(());
        }
        let items = items(&cost.messages).unwrap_or(0);
        ensure!(
            items >= TRANSACTIONS,
            "{}: {items} items of {TRANSACTIONS} transactions: {}",
            self.name,
            cost.messages.trim()
        );
        ensure!(
            self.hook.is_none() || cost.messages.contains(DONE),
            "{}: the hook was not called for every item: {}",
            self.name,
            cost.messages.trim()
        );
        Ok(())
    }

    fn cpu(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.cpu.as_secs_f64()))
    }

    /// CPU time in multiples of another's, round by round.
    fn ratio(&self, other: &Self) -> f64 {
        let rounds = self.costs.iter().zip(&other.costs);
        median(rounds.map(|(own, other)| own.cpu.as_secs_f64() / other.cpu.as_secs_f64()))
    }
}

/// The number before ` items` in the agent's last line.
fn items(messages: &str) -> Option<u64> {
    let line = messages.lines().rev().find(|line| line.contains(" items"))?;
    let (before, _) = line.split_once(" items")?;
    before.rsplit([' ', ',']).next()?.parse().ok()
}

/// tshark on the same task: a line with the fields of every HTTP message.
fn tshark(capture: &Path) -> Result<Cost> {
    say!("tshark, once");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-Y", "http", "-T", "fields"]);
    for field in ["http.request.method", "http.request.uri", "http.response.code", "http.time"] {
        command.args(["-e", field]);
    }
    measure::run(&mut command)
}

fn print_costs(contenders: &[Contender], tshark: Option<&Cost>, bytes: u64) {
    let mut table = Table::default();
    table.row(["", "CPU s", "wall s", "MB/s", "items/s", "× tcpdump CPU", "× tshark CPU", "peak RSS MB"]);
    let tshark_cpu = tshark.map(|cost| cost.cpu.as_secs_f64());
    for contender in contenders {
        let wall = median(contender.costs.iter().map(|cost| cost.wall.as_secs_f64()));
        let peak = median(contender.costs.iter().map(|cost| cost.peak_bytes as f64));
        let items = contender.costs.iter().rev().find_map(|cost| items(&cost.messages));
        table.row([
            contender.name.clone(),
            format!("{:.3}", contender.cpu()),
            format!("{wall:.3}"),
            format!("{:.0}", bytes as f64 / 1e6 / wall),
            items.map_or_else(|| "-".to_owned(), |items| format!("{:.0}", items as f64 / wall)),
            format!("{:.2}", contender.ratio(&contenders[0])),
            tshark_cpu.map_or_else(|| "-".to_owned(), |cpu| format!("1/{:.0}", cpu / contender.cpu())),
            format!("{:.0}", peak / 1e6),
        ]);
    }
    if let Some(cost) = tshark {
        let (cpu, wall) = (cost.cpu.as_secs_f64(), cost.wall.as_secs_f64());
        table.row([
            "tshark -Y http, once".to_owned(),
            format!("{cpu:.3}"),
            format!("{wall:.3}"),
            format!("{:.0}", bytes as f64 / 1e6 / wall),
            format!("{:.0}", TRANSACTIONS as f64 / wall),
            format!("{:.0}", cpu / contenders[0].cpu()),
            "1".to_owned(),
            format!("{:.0}", cost.peak_bytes as f64 / 1e6),
        ]);
    }
    table.print();
}

fn print_targets(contenders: &[Contender], tshark: Option<&Cost>) {
    let mut table = Table::default();
    table.row(["target", "measured", ""]);
    let verdict = |met: bool| if met { "met" } else { "missed" }.to_owned();
    let plain = |engine| contenders.iter().find(|one| one.engine == engine && one.hook.is_none());
    for contender in contenders.iter().filter(|one| one.engine.is_some()) {
        let name = &contender.name;
        if contender.hook.is_none() {
            let ratio = contender.ratio(&contenders[0]);
            table.row([
                format!("{name}: at most {TCPDUMP_TARGET} × tcpdump's CPU"),
                format!("{ratio:.2} ×"),
                verdict(ratio <= TCPDUMP_TARGET),
            ]);
            if let Some(tshark) = tshark {
                let ratio = tshark.cpu.as_secs_f64() / contender.cpu();
                table.row([
                    format!("{name}: at least {TSHARK_TARGET} × faster than tshark"),
                    format!("{ratio:.0} ×"),
                    verdict(ratio >= TSHARK_TARGET),
                ]);
            }
        } else if let (Some(Engine::V8), Some(READS_ONE_FIELD), Some(plain)) =
            (contender.engine, contender.hook, plain(contender.engine))
        {
            let ratio = contender.ratio(plain);
            table.row([
                format!("{name}: at most {HOOK_TARGET} × the CPU without a script"),
                format!("{ratio:.2} ×"),
                verdict(ratio <= HOOK_TARGET),
            ]);
        }
    }
    table.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_from_the_last_line() {
        let messages = "[status] every transaction seen\n\
                        replay: 379803 packets, 219377744 bytes, 16 streams, 84016 items in 0.61 s; nothing lost\n";
        assert_eq!(items(messages), Some(84_016));
        assert_eq!(items("remora: no such file"), None);
    }

    #[test]
    fn the_scripts_name_what_they_do() {
        assert!(script(HOOKS[1].1).contains("data.response?.status"));
        for (name, _) in HOOKS {
            assert_ne!(described(Some(name)), name);
        }
        assert!(HOOKS.iter().any(|(name, _)| *name == READS_ONE_FIELD));
    }
}
