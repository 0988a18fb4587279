//! What live capture costs, beside `tcpdump -w`: the same server and clients, one capture after the other.
//!
//! `REMORA_EBPF_OBJECT=... cargo bench -p remora-capture` as root. Each round prints the requests served, the CPU time the
//! reader took, and what was lost; the kernel's share (copying into a ring) shows in the requests served.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "shared with the live tests, which use more of it")]
#[path = "../tests/live/server.rs"]
mod server;
#[allow(dead_code, reason = "shared with the live tests, which use more of it")]
#[path = "../tests/live/support.rs"]
mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
    sync::Arc,
};

use remora_capture::LiveConfig;
use remora_dissect::{Engine, Item, Limits, Origin, item::Node};

use server::Nginx;
use support::{Capture, Pair, config, cpu_seconds};

const SECONDS: u32 = 10;

struct Round {
    requests: f64,
    reader_seconds: f64,
    lost: u64,
}

fn main() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    type Run = fn(&Pair, LiveConfig) -> Round;
    let rounds: [(&str, Run); 4] = [
        ("no capture", |pair, _| Round { requests: load(pair), reader_seconds: 0.0, lost: 0 }),
        ("remora, packets only", |pair, config| remora(pair, config, None)),
        ("remora, items built", |pair, config| remora(pair, config, Some(engine()))),
        ("tcpdump -w", |pair, _| tcpdump(pair)),
    ];
    println!("{:24}{:>12}{:>16}{:>20}{:>10}", "", "requests/s", "reader CPU s", "CPU us/request", "lost");
    let mut per_request = Vec::new();
    for (name, round) in rounds {
        let pair = Pair::new();
        let nginx = Nginx::start(&pair.server);
        let Round { requests, reader_seconds, lost } = round(&pair, config.clone());
        drop(nginx);
        let micros = reader_seconds * 1e6 / requests;
        let rate = requests / f64::from(SECONDS);
        println!("{name:24}{rate:>12.0}{reader_seconds:>16.2}{micros:>20.2}{lost:>10}");
        per_request.push(micros);
    }
    let [_, packets, items, tcpdump] = per_request[..] else { return };
    println!(
        "CPU per request against tcpdump -w: packets {:.2}, items {:.2}",
        packets / tcpdump,
        items / tcpdump
    );
}

/// Runs wrk for [`SECONDS`]; the requests it completed.
fn load(pair: &Pair) -> f64 {
    let output = pair
        .client
        .command("wrk")
        .args(["-t1", "-c16", &format!("-d{SECONDS}s"), "http://10.99.0.1/bench"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains(" requests in ")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn engine() -> Engine {
    let node = Node { ip: String::new(), name: String::new() };
    let origin = Origin { worker: String::new(), node, backend: "ebpf", source: "bench" };
    Engine::new(Limits::default(), Arc::new(origin))
}

fn remora(pair: &Pair, config: LiveConfig, engine: Option<Engine>) -> Round {
    let on_packet = |(engine, items): &mut (Option<Engine>, Vec<Item>),
                     packet: &remora_packet::Packet<'_>| {
        if let Some(engine) = engine {
            engine.packet(packet, items);
            items.clear();
        }
    };
    let capture = Capture::start(&pair.server, config, (engine, Vec::new()), on_packet);
    let before = capture.cpu_seconds();
    let requests = load(pair);
    let reader_seconds = capture.cpu_seconds() - before;
    let (_, stats) = capture.finish();
    Round { requests, reader_seconds, lost: stats.total().lost_packets }
}

fn tcpdump(pair: &Pair) -> Round {
    let folder = std::env::temp_dir().join(format!("remora-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut process = pair
        .server
        .command("tcpdump")
        .args(["-i", "veth0", "-Z", "root", "-w", &folder.join("capture.pcap").display().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut messages = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on") {
        line.clear();
        assert_ne!(messages.read_line(&mut line).unwrap(), 0, "tcpdump did not start");
    }
    let folder_of_process = format!("/proc/{}", process.id());
    let before = cpu_seconds(&folder_of_process);
    let requests = load(pair);
    let reader_seconds = cpu_seconds(&folder_of_process) - before;
    rustix::process::kill_process(rustix::process::Pid::from_child(&process), rustix::process::Signal::INT)
        .unwrap();
    let mut rest = String::new();
    messages.read_to_string(&mut rest).unwrap();
    process.wait().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let dropped =
        rest.lines().find(|line| line.contains("dropped by kernel")).unwrap_or_else(|| panic!("{rest}"));
    let lost = dropped.split_whitespace().next().unwrap().parse().unwrap();
    Round { requests, reader_seconds, lost }
}
