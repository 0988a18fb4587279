//! `remora run` from end to end: programs attached to loopback, a request made, the item printed, all detached again.
//!
//! Needs root, and the kernel programs as `cargo xtask build-ebpf` leaves them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Says why a test cannot run here; the test runner counts that as skipped.
fn skipped() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        eprintln!("skipped: live capture needs root");
        return true;
    }
    if std::env::var_os("REMORA_EBPF_OBJECT").is_none() {
        eprintln!(
            "skipped: REMORA_EBPF_OBJECT does not name the kernel programs; `cargo xtask build-ebpf` builds them"
        );
        return true;
    }
    false
}

/// Answers one request per connection, `count` times.
fn serve(listener: &TcpListener, count: usize) {
    for _ in 0..count {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let read = stream.read(&mut head).unwrap();
        assert!(head[..read].ends_with(b"\r\n\r\n"));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    }
}

fn request(port: u16, path: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok"));
}

#[test]
fn a_request_on_loopback_is_printed_and_the_interrupt_detaches() {
    if skipped() {
        return;
    }
    const REQUESTS: usize = 20;
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/log-items.js");
    let mut child = Command::new(env!("CARGO_BIN_EXE_remora"))
        .args(["run", "--interface", "lo", "--output", "jsonl", "--script"])
        .arg(script)
        .env("HOME", "/nonexistent")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // The agent says when it is attached; before that a request could be missed.
    while !line.contains("capturing on") {
        line.clear();
        assert_ne!(messages.read_line(&mut line).unwrap(), 0, "the agent ended before it was attached");
    }
    let messages = std::thread::spawn(move || {
        let mut text = String::new();
        messages.read_to_string(&mut text).map(|_| text)
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let items = std::thread::spawn(move || {
        let mut seen = 0;
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() != 0 {
            seen += usize::from(line.contains("\"path\":\"/remora-e2e/"));
            line.clear();
        }
        seen
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || serve(&listener, REQUESTS));
    for number in 0..REQUESTS {
        request(port, &format!("/remora-e2e/{number}"));
    }
    server.join().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    let messages = messages.join().unwrap().unwrap();
    assert_eq!(status.code(), Some(0), "{messages}");
    assert_eq!(items.join().unwrap(), REQUESTS, "{messages}");
    let logged =
        messages.lines().filter(|line| line.starts_with("[log-items.js] ") && line.contains("/remora-e2e/"));
    assert_eq!(logged.count(), REQUESTS, "{messages}");
    let summary = messages.lines().last().unwrap();
    assert!(summary.starts_with("run: ") && summary.ends_with("nothing lost"), "{summary}");
    let links = Command::new("bpftool").arg("net").output();
    if let Ok(links) = links {
        let links = String::from_utf8_lossy(&links.stdout);
        assert!(!links.contains("remora_"), "{links}");
    }
}

#[test]
fn an_interface_that_is_not_there_yet_is_waited_for_and_a_bad_pattern_is_refused() {
    if skipped() {
        return;
    }
    let output =
        Command::new(env!("CARGO_BIN_EXE_remora")).args(["run", "--interface", "eth["]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("eth["), "{stderr}");
}

/// The agent's messages, line by line, until one has `text`.
fn read_until(messages: &mut impl std::io::BufRead, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let read = messages.read_line(&mut line).unwrap();
        assert_ne!(read, 0, "the agent ended before it said {text:?}: {lines:?}");
        lines.push(line.trim_end().to_owned());
        if line.contains(text) {
            return lines;
        }
    }
}

#[test]
fn scripts_of_a_folder_are_loaded_as_they_change_and_metrics_are_served() {
    if skipped() {
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("watched");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_remora"))
        .args(["run", "--interface", "lo", "--output", "none", "--set", "tap.metrics.port=0", "--script"])
        .arg(&folder)
        .env("HOME", "/nonexistent")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let lines = read_until(&mut messages, "capturing on");
    let endpoint = lines.iter().find_map(|line| line.split_once("http://")).unwrap().1;
    let (address, path) = endpoint.split_at(endpoint.find('/').unwrap());

    let script = folder.join("a.js");
    let counts = "function onItemCaptured(data) { prometheus.vector('seen_total', 'Items.', 1, 1, {}); console.log('one', data.request.path) }
        jobs.schedule('tick', '* * * * * *', () => console.log('tick'));";
    std::fs::write(&script, counts).unwrap();
    read_until(&mut messages, "remora: loaded ");
    read_until(&mut messages, "[a.js] tick");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || serve(&listener, 2));
    request(port, "/first");
    read_until(&mut messages, "[a.js] one /first");

    std::fs::write(&script, "function onItemCaptured(data { console.log('two') }").unwrap();
    let lines = read_until(&mut messages, "did not load; what ran before goes on");
    assert!(
        lines.iter().any(|line| line.contains("[a.js] error: SyntaxError") && line.contains("a.js:1:")),
        "{lines:?}"
    );
    read_until(&mut messages, "[a.js] tick");

    std::fs::write(&script, "function onItemCaptured(data) { console.log('three', data.request.path) }")
        .unwrap();
    read_until(&mut messages, "remora: loaded ");
    request(port, "/second");
    let lines = read_until(&mut messages, "[a.js] three /second");
    assert!(!lines.iter().any(|line| line.contains("tick")), "its jobs are gone: {lines:?}");
    server.join().unwrap();

    let mut scrape = TcpStream::connect(address).unwrap();
    write!(scrape, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    scrape.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\nseen_total 1\n"), "{answer}");
    assert!(answer.contains("\nremora_script_calls_total{script=\"a.js\"} "), "{answer}");
    assert!(answer.contains("\nremora_items_total "), "{answer}");

    std::fs::remove_file(&script).unwrap();
    read_until(&mut messages, "remora: stopped a.js");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let lines = read_until(&mut messages, "run: ");
    assert!(lines.last().unwrap().ends_with("nothing lost"), "{lines:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
