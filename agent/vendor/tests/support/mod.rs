//! An HTTP server on loopback that records what it is asked and answers what a test wants.
// Every test binary uses another part of it.
#![allow(dead_code)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use remora_vendor::cap_std::ambient_authority;
use remora_vendor::cap_std::fs::Dir;
use remora_vendor::{Cancel, Config, Error, Runner, Vendor};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A deadline that no test is meant to reach.
pub(crate) const LONG: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// A chunked body.
    Chunks(Vec<&'static str>),
    /// A body of this length that is announced or chunked, sent until the client has enough.
    Huge {
        length: u64,
        announced: bool,
    },
    /// The connection is closed by a reset.
    Reset,
    /// The connection stays open, silent.
    Silence,
    /// After the head, and a byte of the body, nothing more comes.
    Stall,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Whole { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Whole { status, headers, body }
            }
            other => other,
        }
    }
}

type Handler = dyn Fn(&Request, usize) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request, of which the handler is told how many came before.
    pub(crate) fn start(handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(handler))
    }

    pub(crate) fn start_tls(
        tls: Arc<ServerConfig>,
        handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), Arc::new(handler))
    }

    /// The same answer to everything.
    pub(crate) fn always(status: u16, body: &'static str) -> Self {
        Self::start(move |_, _| Reply::new(status, body))
    }

    fn listen(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Self { address, scheme, requests };
        let recorder = server.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (Ok(connection), tls) = (connection, tls.clone()) else { continue };
                let (handler, recorder) = (Arc::clone(&handler), recorder.clone());
                // A client that gives up is not the server's failure.
                thread::spawn(move || {
                    let _ = match tls {
                        Some(tls) => {
                            let session = ServerConnection::new(tls).unwrap();
                            recorder.serve(StreamOwned::new(session, connection), |s| &s.sock, &*handler)
                        }
                        None => recorder.serve(connection, |s| s, &*handler),
                    };
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// All requests so far. Every one of them must say that it is not to be shown.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock().unwrap().clone();
        for request in &requests {
            assert_eq!(request.header("X-Kubeshark-Capture"), Some("ignore"), "{request:?}");
        }
        requests
    }

    fn serve<S: Read + Write>(
        &self,
        stream: S,
        socket: impl Fn(&S) -> &TcpStream,
        handler: &Handler,
    ) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream)? {
            let before = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request.clone());
                requests.len() - 1
            };
            let head = request.method == "HEAD";
            let out = stream.get_mut();
            match handler(&request, before) {
                Reply::Whole { status, headers, body } => {
                    let mut text = format!("HTTP/1.1 {status} X\r\n");
                    for (name, value) in headers {
                        text += &format!("{name}: {value}\r\n");
                    }
                    if status != 204 {
                        text += &format!("Content-Length: {}\r\n", body.len());
                    }
                    out.write_all((text + "\r\n").as_bytes())?;
                    if !head {
                        out.write_all(&body)?;
                    }
                }
                Reply::Chunks(chunks) => {
                    out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    for chunk in chunks {
                        out.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes())?;
                        out.flush()?;
                    }
                    out.write_all(b"0\r\n\r\n")?;
                }
                Reply::Huge { length, announced } => {
                    let block = [b'x'; 1 << 16];
                    let how = if announced {
                        format!("Content-Length: {length}")
                    } else {
                        "Transfer-Encoding: chunked".into()
                    };
                    out.write_all(format!("HTTP/1.1 200 OK\r\n{how}\r\n\r\n").as_bytes())?;
                    for _ in 0..length / block.len() as u64 {
                        if !announced {
                            out.write_all(b"10000\r\n")?;
                        }
                        out.write_all(&block)?;
                        if !announced {
                            out.write_all(b"\r\n")?;
                        }
                    }
                }
                Reply::Reset => {
                    // Closing with data unread makes the kernel send a reset; lingering for no time does so at once.
                    rustix::net::sockopt::set_socket_linger(socket(out), Some(Duration::ZERO))?;
                    return Ok(());
                }
                Reply::Silence => return wait(&mut stream),
                Reply::Stall => {
                    out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")?;
                    out.flush()?;
                    return wait(&mut stream);
                }
            }
            stream.get_mut().flush()?;
        }
        Ok(())
    }
}

/// Until the client is gone.
fn wait(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

fn read(stream: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut parts = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else { return Ok(None) };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    if let Some(length) = request.header("Content-Length") {
        let length = length.parse().map_err(io::Error::other)?;
        stream.by_ref().take(length).read_to_end(&mut request.body)?;
    } else if request.header("Transfer-Encoding").is_some() {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            stream.by_ref().take(size).read_to_end(&mut request.body)?;
            stream.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(request))
}

/// Settings with a deadline that no test reaches.
pub(crate) fn config() -> Config {
    Config {
        deadline: LONG,
        upload_deadline: LONG,
        chatgpt_deadline: LONG,
        node_name: Some("node-a".into()),
        node_ip: Some("10.0.0.7".into()),
        run_id: Some("42".into()),
        ..Config::default()
    }
}

/// Has a call done the way a script has it done.
pub(crate) fn call<T, F, R>(vendor: &Vendor, make: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(Vendor) -> R,
    R: Future<Output = Result<T, Error>> + Send + 'static,
{
    static RUNNER: OnceLock<Runner> = OnceLock::new();
    RUNNER.get_or_init(|| Runner::new().unwrap()).run(LONG, &Cancel::new(), make(vendor.clone()))
}

/// A new empty directory under the target directory of the tests.
pub(crate) fn directory(name: &str) -> (std::path::PathBuf, Arc<Dir>) {
    let path =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    let dir = Dir::open_ambient_dir(&path, ambient_authority()).unwrap();
    (path, Arc::new(dir))
}
