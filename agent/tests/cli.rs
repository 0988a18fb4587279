//! The command line as its users and their scripts see it: streams, exit codes, reports.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Transactions in `tests/fixtures/http1.pcap`, by the client that made them.
const TRANSACTIONS: usize = 48;

fn remora() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remora"));
    // A config file or node name of the machine must not decide a test.
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).env("HOME", "/nonexistent").env("REMORA_LOG", "warn");
    command.env_remove("NODE_NAME").env_remove("NODE_IP");
    command
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(name)
}

/// A folder of this test's own, empty at its start.
fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn script(test: &str, code: &str) -> PathBuf {
    let path = folder(test).join("script.js");
    fs::write(&path, code).unwrap();
    path
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn pretty_prints_one_aligned_line_per_item_and_a_summary() {
    let (code, stdout, stderr) = run(remora().arg("replay").arg(fixture("http1.pcap")));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout.lines().count(), TRANSACTIONS);
    for line in stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0].len(), "12:34:56.789".len(), "{line}");
        assert_eq!(words[1], "HTTP", "{line}");
        assert!(words[2].chars().all(|c| c.is_ascii_uppercase()), "{line}");
        assert_eq!(words[3].parse::<u16>().unwrap() / 600, 0, "{line}");
        assert!(words[4].starts_with('/'), "{line}");
        assert!(line.contains(" -> ") && line.contains(" ms"), "{line}");
    }
    let summary = last_line(&stderr);
    assert!(summary.starts_with("replay: 436 packets, "), "{summary}");
    assert!(summary.contains(&format!(" {TRANSACTIONS} items")), "{summary}");
    assert!(summary.ends_with("nothing lost"), "{summary}");
}

#[test]
fn jsonl_prints_one_whole_item_per_line() {
    let (code, stdout, _) = run(remora().args(["replay", "--output", "jsonl"]).arg(fixture("http1.pcap")));
    assert_eq!(code, 0);
    let items: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(items.len(), TRANSACTIONS);
    let item = &items[0];
    assert_eq!(item["id"], "127.0.0.1:48999/000000000001.pcap-0");
    assert_eq!(item["protocol"]["abbr"], "HTTP");
    assert_eq!(item["request"]["method"], "GET");
    assert_eq!(item["response"]["status"], 200);
    assert_eq!(item["src"]["ip"], "198.51.100.2");
    assert!(item["dst"]["port"].is_string());
    assert_eq!(item["passed"], false);
    assert!(item["error"].is_null());
}

#[test]
fn no_output_still_runs_scripts() {
    let mut command = remora();
    command
        .args(["replay", "--output", "none", "--script"])
        .arg(example("log-items.js"))
        .arg(fixture("http1.pcap"));
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stdout.as_str()), (0, ""));
    let lines = stderr.lines().filter(|line| line.starts_with("[log-items.js] ")).count();
    assert!(lines >= TRANSACTIONS, "{stderr}");
}

#[test]
fn a_failed_item_fails_the_run_and_is_in_the_report() {
    let report = folder("failed_item").join("report.xml");
    let mut command = remora();
    command.args(["replay", "--output", "jsonl", "--script"]).arg(example("rules.js"));
    command.arg("--junit").arg(&report).arg(fixture("http1.pcap"));
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!(code, 1, "{stderr}");
    let items: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failing = |item: &&Value| item["response"]["status"].as_u64().unwrap() >= 500;
    let failed = items.iter().filter(failing).count();
    assert!(failed > 0);
    for item in &items {
        assert_eq!(item["failed"], failing(&item), "{item}");
        assert_eq!(item["passed"], !failing(&item), "{item}");
    }
    let xml = fs::read_to_string(&report).unwrap();
    assert!(xml.contains(&format!("failures=\"{failed}\"")), "{xml}");
    assert_eq!(xml.matches("<failure ").count(), failed);
    assert!(xml.contains("rules.js") && xml.contains("/be/err/500"), "{xml}");
    assert!(last_line(&stderr).contains(&format!("{failed} failed")), "{stderr}");
}

#[test]
fn a_script_that_does_not_load_fails_the_run_before_it_begins() {
    let broken = script("does_not_load", "// title\nfunction onItemCaptured(data) {\n  let x = ;\n}\n");
    let report = broken.with_file_name("report.xml");
    let mut command = remora();
    command.arg("replay").arg("--script").arg(&broken).arg("--junit").arg(&report).arg(fixture("http1.pcap"));
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("[script.js] error: ") && stderr.contains("script.js:3"), "{stderr}");
    let xml = fs::read_to_string(report).unwrap();
    assert!(xml.contains("errors=\"1\"") && xml.contains("the script loads"), "{xml}");
}

#[test]
fn a_hook_that_throws_is_reported_and_goes_on() {
    let path = script(
        "throws",
        "var n = 0;\nfunction onItemCaptured(data) {\n  n++;\n  if (n === 2) throw new Error('boom');\n  if (n === 48) console.log('seen', n);\n}\n",
    );
    let mut command = remora();
    let (code, _, stderr) =
        run(command.args(["replay", "-o", "none", "-s"]).arg(path).arg(fixture("http1.pcap")));
    assert_eq!(code, 0);
    let error = stderr.lines().find(|line| line.contains("boom")).unwrap();
    assert!(error.starts_with("[script.js] error: (hook=onItemCaptured) "), "{error}");
    assert!(stderr.contains("script.js:4"), "{stderr}");
    assert!(stderr.contains("[script.js] seen 48"), "{stderr}");
    assert!(last_line(&stderr).contains("script.js: 1 hook errors"), "{stderr}");
}

#[test]
fn packets_reach_the_packet_hook() {
    let path = script(
        "packets",
        "var n = 0, bytes = 0;\nfunction onPacketCaptured(info) {\n  n++; bytes += info.captureLength;\n  if (n === 436) console.log(n, bytes, info.truncated, info.fragmented, info.timestamp.length > 20);\n}\n",
    );
    let mut command = remora();
    let (code, _, stderr) =
        run(command.args(["replay", "-o", "none", "-s"]).arg(path).arg(fixture("http1.pcap")));
    assert_eq!(code, 0);
    let size = fs::metadata(fixture("http1.pcap")).unwrap().len();
    let bytes = size - 24 - 436 * 16;
    assert!(stderr.contains(&format!("[script.js] 436 {bytes} false false true")), "{stderr}");
}

#[test]
fn variables_come_from_config_and_command_line() {
    let folder = folder("variables");
    fs::write(folder.join("script.js"), "console.log(env.A, B, env.C, typeof D);").unwrap();
    fs::write(folder.join("remora.yaml"), "scripting:\n  env: {A: file, B: file}\n  source: script.js\n")
        .unwrap();
    let mut command = remora();
    command.current_dir(&folder).args(["replay", "-o", "none", "--env", "B=argument", "--env", "C=x=y"]);
    let (code, _, stderr) = run(command.arg(fixture("http1.pcap")));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("[script.js] file argument x=y undefined"), "{stderr}");
}

#[test]
fn wrong_usage_exits_2_and_says_what_is_wrong() {
    let cases: [(&[&str], &str); 7] = [
        (&["replay"], "<PCAP>"),
        (&["replay", "--output", "xml", "a.pcap"], "possible values"),
        (&["replay", "--env", "novalue", "a.pcap"], "KEY=VALUE"),
        (
            &["replay", "--set", "scripting.limits.callMilis=5", "a.pcap"],
            "did you mean scripting.limits.callMillis",
        ),
        (&["replay", "--set", "dissect.streams=many", "a.pcap"], "whole number"),
        (&["replay", "--config", "/nonexistent/c.yaml", "a.pcap"], "/nonexistent/c.yaml"),
        (&["run"], "--interface"),
    ];
    for (arguments, expected) in cases {
        let (code, stdout, stderr) = run(remora().args(arguments));
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn protobuf_fields_have_the_names_of_configured_descriptors() {
    let replay = |descriptors: &Path| {
        let setting = format!("dissect.protobufDescriptors=[{descriptors:?}]");
        run(remora().args(["replay", "--output", "jsonl", "--set", &setting]).arg(fixture("grpc/grpc.pcap")))
    };
    let (code, stdout, stderr) = replay(&fixture("grpc/shop.desc"));
    assert_eq!(code, 0, "{stderr}");
    let items: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = items.iter().find(|item| item["request"]["path"] == "/shop.v1.Shop/GetItem").unwrap();
    let message = &call["response"]["grpc"]["messages"][0]["protobuf"];
    assert_eq!(message["name"], "item 1", "{message}");

    let (code, stdout, stderr) = replay(&fixture("grpc/shop.proto"));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("dissect.protobufDescriptors") && stderr.contains("shop.proto"), "{stderr}");
    let (code, _, stderr) = replay(Path::new("missing.desc"));
    assert_eq!(code, 2);
    assert!(stderr.contains("missing.desc") && stderr.contains("No such file"), "{stderr}");
}

/// The protocols of what is inside TLS.
fn inside_tls(stdout: &str) -> Vec<String> {
    let items = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let inside = items.filter(|item| item["tls"] == true);
    inside.map(|item| item["protocol"]["abbr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tls_is_decrypted_by_key_logs_and_by_secrets_in_the_capture() {
    let replay = |more: &[&str], capture: &str| {
        run(remora().args(["replay", "--output", "jsonl"]).args(more).arg(fixture(capture)))
    };
    let keys = fixture("tls/tls13_http2.keys.txt");
    let keys = keys.to_str().unwrap();
    let other = fixture("tls/tls12.keys.txt");
    let setting = format!("dissect.tlsKeyLogs=[{keys:?}]");
    for more in [
        &["--tls-keylog", keys][..],
        &["--tls-keylog", other.to_str().unwrap(), "--tls-keylog", keys],
        &["--set", &setting],
    ] {
        let (code, stdout, stderr) = replay(more, "tls/tls13_http2.pcap");
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(inside_tls(&stdout), ["HTTP/2"; 10], "{more:?}");
    }
    let (code, stdout, _) = replay(&[], "tls/tls13_http2.pcap");
    assert_eq!((code, inside_tls(&stdout).len()), (0, 0));
    let (code, stdout, _) = replay(&[], "tls/tls13_http2_dsb.pcapng");
    assert_eq!((code, inside_tls(&stdout).len()), (0, 10));
}

#[test]
fn a_bad_key_log_is_named_with_its_line_and_not_shown() {
    let path = folder("keylog").join("keys.txt");
    let secret = "5ec4e7".repeat(10);
    fs::write(&path, format!("# fine\nCLIENT_RANDOM {} {secret}\n", "00".repeat(32))).unwrap();
    let replay =
        |keys: &Path| run(remora().args(["replay", "--tls-keylog"]).arg(keys).arg(fixture("http1.pcap")));
    let (code, stdout, stderr) = replay(&path);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("keys.txt") && stderr.contains("line 2"), "{stderr}");
    assert!(!stderr.contains("5ec4e7"), "{stderr}");
    let (code, _, stderr) = replay(Path::new("missing.keys"));
    assert_eq!(code, 2);
    assert!(stderr.contains("missing.keys") && stderr.contains("No such file"), "{stderr}");
}

#[test]
fn unreadable_input_exits_2_and_the_other_files_are_still_read() {
    let mut command = remora();
    command.args(["replay", "/nonexistent.pcap"]).arg(fixture("http1.pcap"));
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!(code, 2);
    assert!(stderr.contains("/nonexistent.pcap"), "{stderr}");
    assert_eq!(stdout.lines().count(), TRANSACTIONS);
    let (code, _, stderr) = run(remora().args(["replay", "/"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("folder"), "{stderr}");
}

#[test]
fn a_cut_capture_gives_what_was_readable_and_names_the_offset() {
    let whole = fs::read(fixture("http1.pcap")).unwrap();
    let path = folder("cut").join("cut.pcap");
    let cut = whole.len() / 2;
    fs::write(&path, &whole[..cut]).unwrap();
    let (code, stdout, stderr) = run(remora().args(["replay"]).arg(&path));
    assert_eq!(code, 2);
    let items = stdout.lines().count();
    assert!(items > 5 && items < TRANSACTIONS, "{items}");
    assert!(stderr.contains("cut.pcap") && stderr.contains(&format!("at byte {cut}")), "{stderr}");
    let text = path.with_file_name("text.pcap");
    fs::write(&text, "this is no capture\n").unwrap();
    let (code, stdout, stderr) = run(remora().args(["replay"]).arg(&text));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("text.pcap"), "{stderr}");
}

#[test]
fn a_capture_may_come_from_standard_input() {
    let bytes = fs::read(fixture("http1.pcap")).unwrap();
    let mut child = remora()
        .args(["replay", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), TRANSACTIONS);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let mut child = remora()
        .args(["replay", "--output", "jsonl"])
        .args(std::iter::repeat_n(fixture("http1.pcap"), 200))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0_u8; 100];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("roken pipe") && !stderr.contains("panick"), "{stderr}");
}

#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = remora().arg("replay").arg(fixture("http1.pcap")).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
}

#[test]
fn ids_stay_unique_over_several_captures() {
    let mut command = remora();
    command.args(["replay", "--output", "jsonl"]).arg(fixture("http1.pcap")).arg(fixture("http1.pcap"));
    let (code, stdout, _) = run(&mut command);
    assert_eq!(code, 0);
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let ids: std::collections::HashSet<String> = stdout.lines().map(id).collect();
    assert_eq!(ids.len(), 2 * TRANSACTIONS);
}

#[test]
fn two_runs_print_the_same() {
    let once = || run(remora().args(["replay", "--output", "jsonl"]).arg(fixture("http1.pcap"))).1;
    assert_eq!(once(), once());
}

#[test]
fn an_interrupt_ends_a_waiting_replay_with_its_summary() {
    let bytes = fs::read(fixture("http1.pcap")).unwrap();
    let mut child = remora()
        .args(["replay", "--output", "jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    // The read that waits is interrupted by more input at the latest.
    std::thread::sleep(Duration::from_millis(200));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(last_line(&stderr).starts_with("replay: 436 packets"), "{stderr}");
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), TRANSACTIONS);
}

#[test]
fn a_folder_of_scripts_runs_each() {
    let folder = folder("folder");
    fs::write(folder.join("a.js"), "console.log('a');").unwrap();
    fs::write(folder.join("b.js"), "console.log('b');").unwrap();
    fs::write(folder.join("c.txt"), "not a script").unwrap();
    let mut command = remora();
    let (code, _, stderr) =
        run(command.args(["replay", "-o", "none", "-s"]).arg(&folder).arg(fixture("http1.pcap")));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("[a.js] a\n") && stderr.contains("[b.js] b\n"), "{stderr}");
    let empty = folder.join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, _, stderr) = run(remora().args(["replay", "-s"]).arg(&empty).arg(fixture("http1.pcap")));
    assert_eq!(code, 2);
    assert!(stderr.contains("no file that ends in .js"), "{stderr}");
}

#[test]
fn help_is_complete_and_has_examples() {
    for command in ["replay", "run"] {
        let (code, stdout, _) = run(remora().args([command, "--help"]));
        assert_eq!(code, 0);
        for part in
            ["Examples:", "Exit codes:", "--script", "--env", "--config", "--output", "--junit", "--set"]
        {
            assert!(stdout.contains(part), "{command}: {part}");
        }
    }
    let (code, stdout, _) = run(remora().arg("--version"));
    assert_eq!(code, 0);
    assert!(stdout.starts_with("remora ") && stdout.contains("engine: "), "{stdout}");
    let (code, stdout, _) = run(remora().args(["completions", "bash"]));
    assert_eq!(code, 0);
    assert!(stdout.contains("_remora"), "{stdout}");
    let (code, stdout, _) = run(remora().arg("settings"));
    assert_eq!(code, 0);
    assert!(stdout.contains("scripting.limits.callMillis = "), "{stdout}");
}

#[test]
fn a_filter_prints_what_matches_and_scripts_get_all() {
    let script = script("filter", "let seen = 0; function onItemCaptured() { console.log(++seen) }");
    let mut command = remora();
    let command = command.args(["replay", "-o", "jsonl", "-f", "http and response.status >= 500", "-s"]);
    let (code, stdout, stderr) = run(command.arg(script).arg(fixture("http1.pcap")));
    assert_eq!(code, 0, "{stderr}");
    let items: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let statuses: Vec<_> = items.iter().map(|item| item["response"]["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [500, 503, 502]);
    assert!(stderr.contains(&format!("[script.js] {TRANSACTIONS}\n")), "{stderr}");

    let (_, stdout, _) = run(remora().args(["replay", "-f", "limit(3)"]).arg(fixture("http1.pcap")));
    assert_eq!(stdout.lines().count(), 3);
}

#[test]
fn a_filter_that_is_no_query_is_refused_with_its_place() {
    let (code, stdout, stderr) =
        run(remora().args(["replay", "-f", "http and ?"]).arg(fixture("http1.pcap")));
    assert_eq!((code, stdout.as_str()), (2, ""));
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("remora: --filter: 1:10: unexpected \"?\""), "{stderr}");
    assert_eq!(lines[1..], ["  http and ?", "           ^"]);
}

#[test]
fn what_a_filter_redacts_is_not_printed() {
    let filter = "response.status == 404 and redact(\"request.path\", \"request.url\")";
    for format in ["pretty", "jsonl"] {
        let (code, stdout, stderr) =
            run(remora().args(["replay", "-o", format, "-f", filter]).arg(fixture("http1.pcap")));
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(stdout.lines().count(), 2, "{stdout}");
        assert!(stdout.contains("[REDACTED]") && !stdout.contains("/missing"), "{stdout}");
    }
}

/// As the documentation's own rules do it.
#[test]
fn rules_in_on_item_queried_replace_mark_and_fail_a_replay() {
    let script = script(
        "queried",
        "function onItemQueried(data, filter) {
           if (data.response.status === 404) { data.request.path = filter; return data; }
           return data.response.status >= 500 ? test.fail(data) : test.pass(data);
         }",
    );
    let report = script.with_file_name("report.xml");
    for format in ["pretty", "jsonl", "none"] {
        let mut command = remora();
        command.args(["replay", "-o", format, "-f", "http", "--junit"]).arg(&report);
        let (code, stdout, stderr) = run(command.arg("-s").arg(&script).arg(fixture("http1.pcap")));
        assert_eq!(code, 1, "{format}: {stderr}");
        assert!(last_line(&stderr).contains("(43 passed, 3 failed)"), "{stderr}");
        assert!(!stdout.contains("/missing"), "{stdout}");
        let report = fs::read_to_string(&report).unwrap();
        assert!(report.contains("script.js: test.fail: GET /be/err/500 500"), "{report}");
        if format == "jsonl" {
            let items: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(items.len(), TRANSACTIONS);
            assert_eq!(items.iter().filter(|item| item["failed"] == true).count(), 3);
            assert_eq!(items.iter().filter(|item| item["request"]["path"] == "http").count(), 2);
        }
    }
}

#[test]
fn pretty_lines_are_painted_on_a_terminal_alone() {
    let rules = example("rules.js");
    let (_, plain, _) = run(remora().args(["replay", "-s"]).arg(&rules).arg(fixture("http1.pcap")));
    assert!(!plain.contains('\x1b'), "{plain}");
    let on_terminal = |no_colour: &str| {
        let line = format!(
            "{} replay -s {} {} 2>/dev/null",
            env!("CARGO_BIN_EXE_remora"),
            rules.display(),
            fixture("http1.pcap").display()
        );
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("HOME", "/nonexistent").env("NO_COLOR", no_colour);
        command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Ok(painted) = on_terminal("") else {
        eprintln!("skipped: the program `script` is not there to make a terminal");
        return;
    };
    assert_eq!(painted.matches("\x1b[31m").count(), 3, "{painted}");
    assert!(painted.matches("\x1b[32m").count() > 3, "{painted}");
    assert!(!on_terminal("1").unwrap().contains("\x1b[3"), "NO_COLOR");
}

#[test]
fn scripts_are_checked_without_running_them() {
    let (code, stdout, stderr) = run(remora().args(["scripts", "check"]).arg(example("")));
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(last_line(&stderr).ends_with("0 errors, 0 warnings"), "{stderr}");

    let script = script("check", "console.log('ran');\nfunction onItemCapture(data) { vendor.slak(data) }\n");
    let (code, stdout, stderr) = run(remora().args(["scripts", "check"]).arg(&script));
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("script.js:2:10") && stdout.contains("onItemCaptured"), "{stdout}");
    assert!(stdout.contains("vendor.slack") && !stderr.contains("[script.js]"), "{stdout}");

    fs::write(&script, "let a = 1;\nlet a = 2;\n").unwrap();
    let (code, stdout, _) = run(remora().args(["scripts", "check"]).arg(&script));
    assert_eq!(code, 1);
    assert!(stdout.contains("script.js:2:") && stdout.contains("SyntaxError"), "{stdout}");

    let (code, _, stderr) = run(remora().args(["scripts", "check", "/nonexistent.js"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("/nonexistent.js"), "{stderr}");
}

#[test]
fn data_of_scripts_stays_in_the_data_folder() {
    let folder = folder("data");
    let script = folder.join("snapshot.js");
    let code = "let last; function onItemCaptured(data) { last = data.stream }
        jobs.schedule('late', '0 0 0 1 1 *', () => {});
        function onItemQueried() { if (last) { file.write('path.txt', pcap.path(last)); pcap.snapshot([last]); last = null } }";
    fs::write(&script, code).unwrap();
    let data = folder.join("kept");
    let mut command = remora();
    command.args(["replay", "-o", "none", "--set"]).arg(format!("data.dir={}", data.display()));
    let (code, _, stderr) = run(command.arg("-s").arg(&script).arg(fixture("http1.pcap")));
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
    let stream = fs::read_to_string(data.join("path.txt")).unwrap();
    assert!(stream.starts_with("pcaps/0000000000"), "{stream}");
    let (code, stdout, stderr) = run(remora().arg("replay").arg(data.join(&stream)));
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.is_empty());
    let snapshots = fs::read_dir(&data).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "pcap"))
    });
    assert_eq!(snapshots.count(), 1);
}

#[test]
fn an_interrupt_ends_a_replay_whose_scripts_are_slow() {
    let script = script(
        "slow",
        "function onItemCaptured() { console.log('working'); for (const end = Date.now() + 1000; Date.now() < end;); }",
    );
    let mut child = remora()
        .args(["replay", "--set", "scripting.limits.finishSeconds=1", "-s"])
        .arg(&script)
        .arg(fixture("http1.pcap"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert_eq!(line, "[script.js] working\n");
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut messages = String::new();
    stderr.read_to_string(&mut messages).unwrap();
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let summary = last_line(&messages);
    assert!(
        summary.starts_with("replay: 436 packets") && summary.contains("events (queue of script.js)"),
        "{summary}"
    );
}
