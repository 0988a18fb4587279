//! HTTP between a real server and real clients: every request becomes an item, or its loss is told.

use std::{
    collections::HashSet,
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use remora_capture::LiveStats;
use remora_dissect::{Counters, Engine, Item, Limits, Origin, item::Node};
use remora_packet::Packet;

use crate::{
    server::Nginx,
    support::{Capture, Namespace, Pair, config, say},
};

/// The items of a capture, by path, and how many were whole: answered with status 200 and no byte missing.
struct Items {
    engine: Engine,
    fresh: Vec<Item>,
    paths: Vec<String>,
    whole: usize,
}

impl Items {
    fn new() -> Self {
        let node = Node { ip: "10.99.0.1".to_owned(), name: "test".to_owned() };
        let origin = Origin { worker: String::new(), node, backend: "ebpf", source: "test" };
        let engine = Engine::new(Limits::default(), Arc::new(origin));
        Self { engine, fresh: Vec::new(), paths: Vec::new(), whole: 0 }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        self.engine.packet(packet, &mut self.fresh);
        self.take();
    }

    fn take(&mut self) {
        for item in self.fresh.drain(..) {
            let summary = item.summary();
            self.paths.push(summary.summary.into_owned());
            self.whole +=
                usize::from(summary.status == 200 && item.draft.gap.is_none() && item.draft.error.is_none());
        }
    }

    fn finish(mut self) -> (Vec<String>, usize, Counters) {
        self.engine.finish(&mut self.fresh);
        self.take();
        self.paths.sort();
        (self.paths, self.whole, *self.engine.counters())
    }
}

/// Packets an interface says it received and sent.
fn interface_packets(namespace: &Namespace) -> u64 {
    let count = |which: &str| -> u64 {
        let output = namespace.run(&format!("cat /sys/class/net/veth0/statistics/{which}_packets"));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    count("rx") + count("tx")
}

/// Sends `requests` requests on one connection, `every` so often, and reads each response. When the last was answered.
fn request_steadily(namespace: &Namespace, connection: u32, requests: u32, every: Duration) -> Instant {
    namespace.inside(|| {
        let mut stream = TcpStream::connect("10.99.0.1:80").unwrap();
        stream.set_nodelay(true).unwrap();
        let mut answer = vec![0; 1 << 16];
        let mut due = Instant::now() + every * connection / 20;
        for number in 0..requests {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            due += every;
            let request = format!("GET /{connection}/{number} HTTP/1.1\r\nHost: server\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut filled = 0;
            while !answer[..filled].ends_with(&[b'x'; 1024]) {
                let read = stream.read(&mut answer[filled..]).unwrap();
                assert_ne!(read, 0, "the server closed the connection");
                filled += read;
            }
        }
        Instant::now()
    })
}

fn report(stats: &LiveStats, counters: &Counters) {
    let total = stats.total();
    say(&format!(
        "    packets: {} seen, {} delivered, {} lost in the ring ({} bytes); dissection: {} gaps, {} bytes missing",
        total.packets,
        stats.delivered_packets,
        total.lost_packets,
        total.lost_bytes,
        counters.gaps,
        counters.missing_bytes
    ));
}

#[test]
fn five_thousand_requests_a_second_all_become_items() {
    const CONNECTIONS: u32 = 20;
    const SECONDS: u32 = 10;
    // A little more, for what starting and ending take.
    const RATE: u32 = 5100;
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let pair = Pair::new();
    let nginx = Nginx::start(&pair.server);
    let capture = Capture::start(&pair.server, config, Items::new(), Items::packet);
    let started = Instant::now();
    let every = Duration::from_secs(1) * CONNECTIONS / RATE;
    let client = &pair.client;
    let ended = thread::scope(|scope| {
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                scope.spawn(move || request_steadily(client, connection, RATE * SECONDS / CONNECTIONS, every))
            })
            .collect();
        connections.into_iter().map(|connection| connection.join().unwrap()).max().unwrap()
    });
    let seconds = ended.duration_since(started).as_secs_f64();
    let reader_seconds = capture.cpu_seconds();
    let (items, stats) = capture.finish();
    let (paths, whole, counters) = items.finish();
    let mut answered = nginx.finish();
    answered.sort();
    let requests = (RATE * SECONDS) as usize;
    let rate = requests as f64 / seconds;
    say(&format!(
        "{requests} requests in {seconds:.1} s, {rate:.0}/s; capture and dissection took {reader_seconds:.2} s of CPU"
    ));
    report(&stats, &counters);
    assert_eq!(answered.len(), requests);
    assert_eq!((stats.total().lost_packets, stats.total().truncated_packets, counters.gaps), (0, 0, 0));
    assert_eq!(whole, requests);
    assert!(paths == answered, "each request is an item, once");
}

#[test]
fn curl_small_large_and_posted() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let pair = Pair::new();
    let nginx = Nginx::start(&pair.server);
    let capture = Capture::start(&pair.server, config, Items::new(), Items::packet);
    let mut expected = Vec::new();
    for number in 0..20 {
        pair.client.run(&format!("curl -sf -o /dev/null http://10.99.0.1/curl/{number}"));
        pair.client.run("curl -sf -o /dev/null http://10.99.0.1/large");
        pair.client.run(&format!("curl -sf -o /dev/null -d key=value http://10.99.0.1/post/{number}"));
        expected.extend([format!("/curl/{number}"), "/large".to_owned(), format!("/post/{number}")]);
    }
    expected.sort();
    let (items, stats) = capture.finish();
    let (paths, whole, counters) = items.finish();
    nginx.finish();
    report(&stats, &counters);
    assert_eq!(paths, expected);
    assert_eq!(whole, expected.len());
}

/// Runs wrk, every request with a path of its own, and accounts for each packet and each request.
fn at_full_speed(slow: Duration, ring_bytes: Option<u32>) -> Option<LiveStats> {
    let (mut config, _turn) = config(&["veth0"])?;
    config.ring_bytes = ring_bytes;
    let pair = Pair::new();
    let nginx = Nginx::start(&pair.server);
    let script = nginx.folder.join("paths.lua");
    fs::write(
        &script,
        "local threads = 0
         function setup(thread) thread:set('id', threads); threads = threads + 1 end
         local number = 0
         function request() number = number + 1; return wrk.format('GET', '/' .. id .. '/' .. number) end",
    )
    .unwrap();
    let capture = Capture::start(&pair.server, config, Items::new(), move |items, packet| {
        items.packet(packet);
        thread::sleep(slow);
    });
    let before = interface_packets(&pair.server);
    let wrk = pair
        .client
        .command("wrk")
        .args(["-t1", "-c16", "-d5s", "-s", &script.display().to_string(), "http://10.99.0.1"])
        .output()
        .unwrap();
    assert!(wrk.status.success(), "{}", String::from_utf8_lossy(&wrk.stderr));
    // Whatever still closes its connection.
    thread::sleep(Duration::from_millis(200));
    let passed = interface_packets(&pair.server) - before;
    let (items, stats) = capture.finish();
    let (paths, whole, counters) = items.finish();
    let answered: HashSet<String> = nginx.finish().into_iter().collect();
    let paths: HashSet<String> = paths.into_iter().collect();
    let missing = answered.difference(&paths).count();

    let total = stats.total();
    say(&format!(
        "wrk: {} requests answered in 5 s, {} of them no item, {whole} items whole",
        answered.len(),
        missing
    ));
    report(&stats, &counters);
    assert!(answered.len() > 1000, "wrk made only {} requests", answered.len());
    assert_eq!(total.packets, passed, "packets the interface counted");
    assert_eq!(
        stats.delivered_packets,
        passed - total.lost_packets,
        "what is reported lost is what is missing"
    );
    assert!(
        missing as u64 <= total.lost_packets,
        "{missing} requests are missing, {} packets lost",
        total.lost_packets
    );
    Some(stats)
}

#[test]
fn at_full_speed_what_is_lost_is_reported() {
    at_full_speed(Duration::ZERO, None);
}

#[test]
fn a_reader_too_slow_loses_and_says_so() {
    let Some(stats) = at_full_speed(Duration::from_millis(1), Some(1 << 20)) else { return };
    assert!(stats.total().lost_packets > 0, "{stats:?}");
}
