//! `cargo xtask bench dissect`: each protocol's dissector beside tshark on the same packets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use remora_variants::{OwnedPacket, multiply};

use super::agents;
use super::measure::{self, median};
use crate::process::{self, say};
use crate::setup::Plan;
use crate::table::Table;
use crate::vary;
use crate::workspace::Workspace;

/// Dissects captures of each protocol, beside tshark on the same packets
#[derive(Args, Debug)]
#[command(
    after_help = "Of each protocol's fixtures the largest is written many times over, with other addresses and times for each copy. The \
                  engine has the packets in memory and decodes, reassembles and dissects them into items, whose summary is read; with \
                  JSON, each item is printed into a buffer instead. Its time is that of its thread on the processor. tshark reads the \
                  file with `-Y PROTOCOL`, which prints a line for each packet: user and system time, without what it takes for a file without \
                  packets. In the first round it reads it with `-T ek` too, which prints all fields, beside the engine's items as JSON. \
                  Figures are medians over the rounds; ratios are taken within a round."
)]
pub(super) struct Arguments {
    /// Only these protocols, by the name of their folder in tests/fixtures
    protocols: Vec<String>,
    /// How often every program runs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How large the captures are made
    #[arg(long, value_name = "MB", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    megabytes: u32,
}

/// What is asked of each dissector, in multiples of tshark's speed.
const TSHARK_TARGET: f64 = 50.0;

/// Copies at least and at most, whatever the size: tshark's start must not count, nor may the addresses run out.
const COPIES: (u64, u64) = (20, 60_000);

/// What tshark calls a protocol, where that is not the name of its folder, and what it has to be told about the fixtures' ports.
const TSHARK: [(&str, &str, &[&str]); 16] = [
    ("cassandra", "cql", &[]),
    ("graphql", "http or websocket", &["tcp.port==8090,http"]),
    ("grpc", "grpc", &["tcp.port==50051,http2"]),
    ("http1", "http", &[]),
    ("http2", "http2", &["tcp.port==8082-8083,http2"]),
    ("icmp", "icmp or icmpv6", &[]),
    ("kafka", "kafka", &["tcp.port==33275,kafka", "tcp.port==40495,kafka", "tcp.port==40559,kafka"]),
    ("diameter", "diameter", &["tcp.port==3869,diameter"]),
    ("memcached", "memcache", &[]),
    ("mongodb", "mongo", &["tcp.port==27017,mongo"]),
    ("mqtt", "mqtt", &["tcp.port==1884,mqtt"]),
    ("postgresql", "pgsql", &[]),
    ("radius", "radius", &["udp.port==18121,radius"]),
    ("redis", "resp", &[]),
    ("tls", "tls", &["tcp.port==8443-8444,tls"]),
    ("quic", "quic", &["udp.port==4433,quic"]),
];

/// A protocol and what was measured.
struct Subject {
    protocol: String,
    capture: PathBuf,
    copies: u32,
    filter: &'static str,
    decode_as: &'static [&'static str],
    ours: Vec<Run>,
    /// CPU seconds of tshark, round by round; none where it does not know the protocol.
    tshark: Vec<f64>,
    /// The same with all fields printed as JSON, in the first round.
    tshark_json: Option<f64>,
}

/// A line of the benchmark in `agent/dissect/benches`.
#[derive(Clone, PartialEq, Debug)]
struct Run {
    bytes: f64,
    items: f64,
    /// CPU seconds.
    seconds: f64,
    json_seconds: f64,
    allocated: f64,
}

impl Run {
    fn read(line: &str) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| line[name].as_f64();
        Some(Self {
            bytes: number("bytes")?,
            items: number("items")?,
            seconds: number("nanos")? / 1e9,
            json_seconds: number("jsonNanos")? / 1e9,
            allocated: number("allocatedBytes")?,
        })
    }
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::default();
    plan.program(workspace, "tshark", "tshark", "dissectors are measured against it");
    plan.install(workspace)?;
    let mut subjects = subjects(&workspace.root.join("tests/fixtures"), &arguments.protocols)?;
    let bench = agents::bench(workspace, "remora-dissect", "dissect", |_| Ok(()))?;
    let folder = agents::folder(workspace)?;
    let known = process::output(Command::new("tshark").args(["-G", "protocols"]))?;
    let empty = folder.join("empty.pcap");
    vary::write_all(&empty, remora_packet::LinkType::ETHERNET, &[])?;

    for subject in &mut subjects {
        let large = Scratch(folder.join(format!("{}.pcap", subject.protocol)));
        let packets = subject.write(&large.0, arguments.megabytes)?;
        say!(
            "{}: {} copies of {}, {packets} packets",
            subject.protocol,
            subject.copies,
            subject.capture.display()
        );
        for _ in 0..arguments.rounds {
            if is_known(subject.filter, &known) {
                let start = subject.tshark(&empty, &[])?;
                let whole = subject.tshark(&large.0, &[])?;
                subject.tshark.push((whole - start).max(0.0));
                if subject.tshark_json.is_none() {
                    let whole = subject.tshark(&large.0, &["-T", "ek"])?;
                    subject.tshark_json = Some((whole - start).max(0.0));
                }
            }
            let text = process::output(Command::new(&bench).arg(&large.0))?;
            let run = text.lines().find_map(Run::read);
            subject.ours.push(run.with_context(|| format!("the benchmark said something else: {text}"))?);
        }
    }
    println!("{} rounds of at least {} MB or {} copies", arguments.rounds, arguments.megabytes, COPIES.0);
    table(&subjects).print();
    println!();
    targets(&subjects).print();
    Ok(())
}

/// A file that is there as long as this.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is in cargo's target folder, where nobody minds it.
        let _ = fs::remove_file(&self.0);
    }
}

/// The folders below `fixtures` with their largest captures, in the order of their names.
fn subjects(fixtures: &Path, wanted: &[String]) -> Result<Vec<Subject>> {
    let entries = fs::read_dir(fixtures).with_context(|| format!("{} can't be read", fixtures.display()))?;
    let mut subjects = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        let Some(protocol) = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            continue;
        };
        if !folder.is_dir() || !(wanted.is_empty() || wanted.contains(&protocol)) {
            continue;
        }
        if let Some(capture) = largest(&folder)? {
            let known = TSHARK.iter().find(|(folder, ..)| *folder == protocol);
            let (filter, decode_as) = match known {
                Some((_, filter, decode_as)) => (*filter, *decode_as),
                None => (String::leak(protocol.clone()) as &str, &[][..]),
            };
            let (ours, tshark) = (Vec::new(), Vec::new());
            subjects.push(Subject {
                protocol,
                capture,
                copies: 0,
                filter,
                decode_as,
                ours,
                tshark,
                tshark_json: None,
            });
        }
    }
    subjects.sort_by(|one, other| one.protocol.cmp(&other.protocol));
    if let Some(missing) =
        wanted.iter().find(|name| !subjects.iter().any(|subject| subject.protocol == **name))
    {
        bail!("{} has no captures of {missing}", fixtures.display());
    }
    Ok(subjects)
}

/// The capture in a folder that is largest when unpacked.
fn largest(folder: &Path) -> Result<Option<PathBuf>> {
    let mut largest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(name);
        if path.is_file() && (name.ends_with(".pcap") || name.ends_with(".pcapng")) {
            let size = vary::read(&path)?.iter().map(|packet| packet.data.len() as u64).sum();
            if largest.as_ref().is_none_or(|(most, _)| size > *most) {
                largest = Some((size, path));
            }
        }
    }
    Ok(largest.map(|(_, path)| path))
}

impl Subject {
    /// Writes the capture many times over; returns how many packets that are.
    fn write(&mut self, to: &Path, megabytes: u32) -> Result<usize> {
        let packets = vary::read(&self.capture)?;
        self.copies = copies(&packets, megabytes);
        let many = multiply(&packets, self.copies);
        vary::write(to, &many)?;
        Ok(many.len())
    }

    /// CPU seconds for looking at a file.
    fn tshark(&self, file: &Path, how: &[&str]) -> Result<f64> {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(file).args(["-n", "-Y", self.filter]).args(how);
        for rule in self.decode_as {
            command.args(["-d", rule]);
        }
        Ok(measure::run(&mut command)?.cpu.as_secs_f64())
    }

    fn figure(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        median(self.ours.iter().map(figure))
    }

    /// How many times as fast as tshark, round by round.
    fn times_faster(&self) -> f64 {
        median(self.tshark.iter().zip(&self.ours).map(|(tshark, ours)| tshark / ours.seconds.max(1e-9)))
    }

    /// The same with everything printed by both.
    fn times_faster_with_json(&self) -> Option<f64> {
        Some(self.tshark_json? / self.ours.first()?.json_seconds.max(1e-9))
    }
}

/// Whether `protocols`, the list of `tshark -G protocols`, has the first protocol of a filter: the dissectors of a version are
/// built in, and the oldest that is in use lacks some.
fn is_known(filter: &str, protocols: &str) -> bool {
    let wanted = filter.split(' ').next();
    protocols.lines().any(|line| line.split('\t').nth(2) == wanted)
}

/// As many as make the capture that large.
fn copies(packets: &[OwnedPacket], megabytes: u32) -> u32 {
    let size: u64 = packets.iter().map(|packet| packet.data.len() as u64).sum();
    let copies = (u64::from(megabytes) * 1_000_000).div_ceil(size.max(1));
    copies.clamp(COPIES.0, COPIES.1) as u32
}

fn table(subjects: &[Subject]) -> Table {
    let mut table = Table::default();
    table.row([
        "protocol",
        "MB",
        "items",
        "MB/s",
        "items/s",
        "ns per item",
        "bytes allocated per item",
        "ns per item with JSON",
        "tshark MB/s",
        "× tshark",
        "× tshark, JSON",
    ]);
    for subject in subjects {
        let bytes = subject.figure(|run| run.bytes);
        let per_item = |run: &Run, figure: f64| figure / run.items.max(1.0);
        table.row([
            subject.protocol.clone(),
            format!("{:.0}", bytes / 1e6),
            format!("{:.0}", subject.figure(|run| run.items)),
            format!("{:.0}", subject.figure(|run| run.bytes / 1e6 / run.seconds)),
            format!("{:.0}", subject.figure(|run| run.items / run.seconds)),
            format!("{:.0}", subject.figure(|run| per_item(run, run.seconds * 1e9))),
            format!("{:.0}", subject.figure(|run| per_item(run, run.allocated))),
            format!("{:.0}", subject.figure(|run| per_item(run, run.json_seconds * 1e9))),
            match subject.tshark.as_slice() {
                [] => "none".to_owned(),
                rounds => {
                    format!("{:.1}", median(rounds.iter().map(|seconds| bytes / 1e6 / seconds.max(1e-9))))
                }
            },
            if subject.tshark.is_empty() { "-".to_owned() } else { times(subject.times_faster()) },
            subject.times_faster_with_json().map_or_else(|| "-".to_owned(), times),
        ]);
    }
    table
}

/// Rounded down, so that what is missed is not printed as the target.
fn times(times: f64) -> String {
    format!("{:.0}", times.floor())
}

/// Whether the target is met: by the list row of each item, as tshark prints a line for each packet, and by all fields.
fn targets(subjects: &[Subject]) -> Table {
    let verdict = |times: f64| if times >= TSHARK_TARGET { "met" } else { "missed" }.to_owned();
    let mut table = Table::default();
    table.row([&format!("at least {TSHARK_TARGET} × tshark"), "list rows", "", "all fields", ""]);
    for subject in subjects.iter().filter(|subject| !subject.tshark.is_empty()) {
        let (rows, fields) = (subject.times_faster(), subject.times_faster_with_json());
        table.row([
            subject.protocol.clone(),
            format!("{} ×", times(rows)),
            verdict(rows),
            fields.map_or_else(String::new, |fields| format!("{} ×", times(fields))),
            fields.map_or_else(String::new, verdict),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
    }

    #[test]
    fn each_protocol_has_a_capture() {
        let all = subjects(&fixtures(), &[]).unwrap();
        let http1 = all.iter().find(|subject| subject.protocol == "http1").unwrap();
        assert_eq!(http1.filter, "http");
        assert!(http1.capture.ends_with("http1/http1_large.pcap"), "{}", http1.capture.display());
        let error = subjects(&fixtures(), &["gopher".to_owned()]).err().unwrap();
        assert!(error.to_string().contains("gopher"), "{error}");
    }

    #[test]
    fn a_protocol_is_known_by_its_filter_name() {
        let protocols = "Domain Name System\tDNS\tdns\tT\tT\tT\nInternet Control\tICMP\ticmp\tT\tT\tT\n";
        assert!(is_known("dns", protocols) && is_known("icmp or icmpv6", protocols));
        assert!(!is_known("nats", protocols) && !is_known("DNS", protocols));
    }

    #[test]
    fn small_captures_are_copied_more_often() {
        let packets = vary::read(&fixtures().join("http1.pcap")).unwrap();
        let size: usize = packets.iter().map(|packet| packet.data.len()).sum();
        assert!(u64::from(copies(&packets, 20)) * size as u64 >= 20_000_000);
        assert_eq!(copies(&packets, 1), 20);
        assert_eq!(copies(&[], 1), 60_000);
    }

    #[test]
    fn figures_are_per_item_and_ratios_within_a_round() {
        let line = r#"{"file":"a","packets":1,"bytes":2000000,"items":1000,"nanos":1000000,"jsonNanos":3000000,"allocations":5,"allocatedBytes":64000}"#;
        let run = Run::read(line).unwrap();
        let subject = |tshark: f64| Subject {
            protocol: "dns".to_owned(),
            capture: PathBuf::new(),
            copies: 1,
            filter: "dns",
            decode_as: &[],
            ours: vec![run.clone()],
            tshark: vec![tshark],
            tshark_json: Some(1.5 * tshark),
        };
        let text = table(&[subject(0.1)]).render();
        let cells: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(cells, ["dns", "2", "1000", "2000", "1000000", "1000", "64", "3000", "20.0", "100", "50"]);
        let verdict = |tshark| {
            let text = targets(&[subject(tshark)]).render();
            text.lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(verdict(0.1), "dns 100 × met 50 × met");
        assert_eq!(verdict(0.049), "dns 49 × missed 24 × missed");
        assert_eq!(targets(&[Subject { tshark: Vec::new(), ..subject(0.1) }]).render().lines().count(), 1);
        assert_eq!(Run::read("running 0 tests"), None);
    }
}
