//! All services that scripts talk to, on loopback: recorded, and answered as the real ones would.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// One log for both ways in.
pub(crate) struct Server {
    plain: SocketAddr,
    tls: SocketAddr,
    /// Trusted by whoever is to trust the server behind `tls`.
    pub(crate) certificate: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let (plain, tls) = (listener(), listener());
        let (certificate, settings) = certificate();
        let log = Arc::default();
        let server = Self {
            plain: plain.local_addr().unwrap(),
            tls: tls.local_addr().unwrap(),
            certificate,
            log: Arc::clone(&log),
        };
        accept(plain, Arc::clone(&log), server.plain, |connection| connection);
        accept(tls, log, server.plain, move |connection| {
            StreamOwned::new(ServerConnection::new(Arc::clone(&settings)).unwrap(), connection)
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.plain)
    }

    /// The port where TLS is spoken.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls.port()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A certificate for the loopback address, as PEM text and in use.
fn certificate() -> (String, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![made.cert.der().clone()];
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    // RFC 7468, with one line as long as it comes.
    let text = STANDARD.encode(made.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    (pem, Arc::new(settings))
}

fn accept<S: Read + Write>(
    listener: TcpListener,
    log: Arc<Mutex<Vec<Request>>>,
    own: SocketAddr,
    open: impl Fn(TcpStream) -> S + Clone + Send + 'static,
) {
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (log, open) = (Arc::clone(&log), open.clone());
            // A client that goes away is not the server's failure.
            thread::spawn(move || drop(serve(open(connection), &log, own)));
        }
    });
}

fn serve(stream: impl Read + Write, log: &Mutex<Vec<Request>>, own: SocketAddr) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        let (status, body) = answer(&request, own);
        log.lock().unwrap().push(request);
        let length =
            if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!("HTTP/1.1 {status} X\r\nETag: \"e\"\r\n{length}\r\n");
        stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

fn answer(request: &Request, own: SocketAddr) -> (u16, String) {
    let path = request.target.split('?').next().unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body);
    let text = match (request.method.as_str(), path) {
        (_, "/hook") => "received".to_owned(),
        (_, "/slack-hook") => "ok".to_owned(),
        (_, "/slack/files.getUploadURLExternal") => {
            // One place per file.
            let name = body.split(['=', '&']).nth(1).unwrap_or_default();
            format!(r#"{{"ok":true,"upload_url":"http://{own}/upload/{name}","file_id":"F-{name}"}}"#)
        }
        (_, path) if path.starts_with("/slack/") => {
            r#"{"ok":true,"channel":"C0123","ts":"1700000000.000100"}"#.to_owned()
        }
        (_, "/influx/api/v2/write") => return (204, String::new()),
        ("PUT", path) if path.contains("/_doc/") => return (201, "{}".to_owned()),
        (_, "/ai/v1/chat/completions") => completion(&body),
        (_, "/sts") => "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <SessionToken>session</SessionToken><SecretAccessKey>s</SecretAccessKey>\
             <AccessKeyId>ASIAROLE</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration>\
             </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            .to_owned(),
        ("GET", "/captures") => listing(&request.target),
        ("POST", "/captures") => deleted(&body),
        ("POST", path) if path.starts_with("/upload/") => String::new(),
        ("PUT", _) => String::new(),
        _ => return (404, String::new()),
    };
    (200, text)
}

/// Glad about failures, as the documented example has it.
fn completion(prompt: &str) -> String {
    let text = if prompt.contains("Internal Server Error") { "Yes, great success!" } else { "No." };
    format!(r#"{{"choices":[{{"message":{{"role":"assistant","content":"{text}"}}}}]}}"#)
}

/// Of a bucket with one object of this node and one of another.
fn listing(target: &str) -> String {
    let mut xml = "<ListBucketResult>".to_owned();
    for key in ["node-1_10.0.0.7_42/a.pcap", "node-2_10.0.0.8_42/b.pcap"] {
        if target.contains("prefix=node-1_10.0.0.7_") && key.starts_with("node-1_10.0.0.7_") {
            xml += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
            );
        }
    }
    xml + "</ListBucketResult>"
}

fn deleted(body: &str) -> String {
    let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
    let deleted: String = keys.map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
    format!("<DeleteResult>{deleted}</DeleteResult>")
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
    // All of this agent's requests say how long they are.
    if let Some(length) = request.header("Content-Length") {
        let length = length.parse().map_err(io::Error::other)?;
        stream.by_ref().take(length).read_to_end(&mut request.body)?;
    }
    Ok(Some(request))
}
