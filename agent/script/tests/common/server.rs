//! An HTTP server on loopback that records what it is asked and answers what a test wants.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `POST /hook`, without the query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap())
    }
}

pub(crate) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// A body that ends only when the client has enough.
    Endless,
    /// The connection stays open, silent.
    Silence,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    /// Clients that have gone away.
    gone: usize,
}

#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<(Mutex<Log>, Condvar)>,
}

impl Server {
    /// Answers each request.
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let handler = Arc::new(handler);
        Self::listen(move |server, connection| {
            // A client that gives up is not the server's failure.
            let _ = server.serve(connection, &*handler);
        })
    }

    /// The same answer to everything.
    pub(crate) fn always(status: u16, body: &'static str) -> Self {
        Self::start(move |_| Reply::new(status, body))
    }

    /// Resets every connection once something was sent on it.
    pub(crate) fn resetting() -> Self {
        Self::listen(|_, connection| {
            // What is closed with bytes unread is reset.
            let _ = connection.peek(&mut [0]);
        })
    }

    /// An address where nobody listens.
    pub(crate) fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    fn listen(serve: impl Fn(&Self, TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), log: Arc::default() };
        let own = server.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (server, serve) = (own.clone(), serve.clone());
                thread::spawn(move || {
                    serve(&server, connection);
                    server.log.0.lock().unwrap().gone += 1;
                    server.log.1.notify_all();
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far. Every one of them must say that it is not to be shown.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let requests = self.log.0.lock().unwrap().requests.clone();
        for request in &requests {
            assert_eq!(request.header("X-Kubeshark-Capture"), Some("ignore"), "{request:?}");
        }
        requests
    }

    pub(crate) fn only_request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// Waits until that many requests have come.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        self.wait(|log| log.requests.len() >= count);
    }

    /// Waits until that many connections are over.
    pub(crate) fn wait_for_gone(&self, count: usize) {
        self.wait(|log| log.gone >= count);
    }

    fn wait(&self, until: impl Fn(&Log) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut log = self.log.0.lock().unwrap();
        while !until(&log) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} requests, {} clients gone", log.requests.len(), log.gone);
            log = self.log.1.wait_timeout(log, left).unwrap().0;
        }
    }

    fn serve(&self, connection: TcpStream, handler: &impl Fn(&Request) -> Reply) -> io::Result<()> {
        let mut stream = BufReader::new(connection);
        while let Some(request) = read(&mut stream)? {
            let reply = handler(&request);
            self.log.0.lock().unwrap().requests.push(request);
            self.log.1.notify_all();
            match reply {
                Reply::Whole { status, headers, body } => {
                    let mut head = format!("HTTP/1.1 {status} X\r\n");
                    for (name, value) in headers {
                        head += &format!("{name}: {value}\r\n");
                    }
                    if status != 204 {
                        head += &format!("Content-Length: {}\r\n", body.len());
                    }
                    stream.get_mut().write_all((head + "\r\n").as_bytes())?;
                    stream.get_mut().write_all(&body)?;
                }
                Reply::Endless => {
                    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    let chunk = [b"10000\r\n", &[b'x'; 1 << 16][..], b"\r\n"].concat();
                    loop {
                        stream.get_mut().write_all(&chunk)?;
                    }
                }
                Reply::Silence => return io::copy(&mut stream, &mut io::sink()).map(drop),
            }
        }
        Ok(())
    }
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
