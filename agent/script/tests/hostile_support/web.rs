//! A web server that means harm, on loopback.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a connection is served at most, so that no thread outlives its test by much.
const PATIENCE: Duration = Duration::from_secs(60);
const CHUNK: usize = 64 << 10;
const GIGABYTE: usize = 1 << 30;

/// Serves until the process ends.
pub(crate) struct Web {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                // Whoever asks may go at any moment.
                std::thread::spawn(move || drop(serve(stream, &heard)));
            }
        });
        Self { url, requests }
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, heard: &Mutex<Vec<String>>) -> Result<()> {
    let Some(line) = request(&mut stream)? else { return Ok(()) };
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    heard.lock().unwrap().push(line);
    match path.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "/silent" => {
            // Until the other side has gone.
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.read(&mut [0; 1]).map(drop)
        }
        "/flood" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")?;
            let chunk = [b'x'; CHUNK];
            (0..GIGABYTE / CHUNK).try_for_each(|_| stream.write_all(&chunk))
        }
        "/drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
            let end = Instant::now() + PATIENCE;
            stream.set_read_timeout(Some(Duration::from_millis(20)))?;
            while Instant::now() < end {
                stream.write_all(b"x")?;
                match stream.read(&mut [0; 1]) {
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    _ => break,
                }
            }
            Ok(())
        }
        "/reset" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")
            // Dropped here, long before what was promised.
        }
        "/circle" => stream.write_all(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /circle\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        _ => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
    }
}

/// Reads a request with its body; its first line.
fn request(stream: &mut TcpStream) -> Result<Option<String>> {
    let mut text = Vec::new();
    let mut buffer = [0; CHUNK];
    let end = loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        text.extend_from_slice(&buffer[..read]);
        if let Some(at) = text.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&text[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut left = length.unwrap_or(0).saturating_sub(text.len() - end);
    while left > 0 {
        match stream.read(&mut buffer)? {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(head.lines().next().map(str::to_owned))
}
