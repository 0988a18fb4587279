//! A server, and a client that can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use remora_metrics::{Collect, Registry, Server, ServerConfig};
use tokio::runtime::Runtime;

use crate::{SCRIPT, sample};

/// Longer than any test waits where all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime with a server on a port of its own.
pub(crate) struct Endpoint {
    pub(crate) runtime: Runtime,
    pub(crate) server: Option<Server>,
    pub(crate) registry: Arc<Registry>,
}

pub(crate) fn config() -> ServerConfig {
    ServerConfig { port: 0, ..ServerConfig::default() }
}

impl Endpoint {
    pub(crate) fn start(config: ServerConfig) -> Self {
        Self::with(config, Vec::new())
    }

    /// With sources besides a registry that has one gauge.
    pub(crate) fn with(config: ServerConfig, mut sources: Vec<Arc<dyn Collect>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = Arc::<Registry>::default();
        registry.metric(SCRIPT, &sample("answer", 2, 42.0, &[])).unwrap();
        sources.push(Arc::clone(&registry) as Arc<dyn Collect>);
        let server = Server::start(runtime.handle(), config, sources).unwrap();
        Self { runtime, server: Some(server), registry }
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.server.as_ref().unwrap().local_addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { reader: BufReader::new(stream) }
    }

    /// The answer to `request` on a new connection.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer(request.starts_with("HEAD"))
    }
}

pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and fields.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Client {
    pub(crate) fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Sends as much as the server takes.
    pub(crate) fn try_send(&mut self, text: &[u8]) -> bool {
        self.reader.get_mut().write_all(text).is_ok()
    }

    pub(crate) fn answer(&mut self, head_only: bool) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.reader.read_line(&mut head).unwrap(), 0, "the connection ended after {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        if !head_only {
            let length = answer.field("content-length").unwrap().parse().unwrap();
            self.reader.by_ref().take(length).read_to_string(&mut answer.body).unwrap();
        }
        answer
    }

    /// What comes until the server closes, which it must before the client's patience ends.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => {
                panic!("not closed: {error}")
            }
            _ => rest,
        }
    }
}

impl Client {
    /// Whether the answer begins like this; false where the server closes without one.
    pub(crate) fn rest_starts_with(&mut self, expected: &[u8]) -> bool {
        let mut start = vec![0; expected.len()];
        self.reader.read_exact(&mut start).is_ok() && start == expected
    }
}
