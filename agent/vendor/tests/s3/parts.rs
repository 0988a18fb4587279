//! Files that go in parts.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use remora_vendor::{Cancel, Error, Runner, S3Put};

use crate::support::{LONG, Reply, Request, Server, directory};
use crate::{FOLDER, KEYS, put, vendor};

/// S3's part in an upload in parts; tells when one is aborted.
fn in_parts(aborted: Sender<()>, part: impl Fn(&Request) -> Reply) -> impl Fn(&Request, usize) -> Reply {
    move |request, _| {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        match (request.method.as_str(), query) {
            ("POST", "uploads") | ("POST", "uploads=") => Reply::new(
                200,
                "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>",
            ),
            ("PUT", query) if query.contains("uploadId=U1") => part(request),
            ("POST", "uploadId=U1") => Reply::new(
                200,
                "<CompleteMultipartUploadResult><ETag>\"all\"</ETag></CompleteMultipartUploadResult>",
            ),
            ("DELETE", "uploadId=U1") => {
                // The test may be over.
                let _ = aborted.send(());
                Reply::new(204, "")
            }
            _ => Reply::new(404, ""),
        }
    }
}

/// A file that goes in three parts, of the shape of a capture.
fn large(path: &Path) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7) as u8).collect();
    bytes[..4].copy_from_slice(&[0xd4, 0xc3, 0xb2, 0xa1]);
    std::fs::write(path.join("large.pcap"), &bytes).unwrap();
    bytes
}

#[test]
fn a_large_file_goes_in_parts() {
    let (aborted, _abort) = channel();
    let aborted = Mutex::new(aborted);
    let server = Server::start(move |request, before| {
        in_parts(aborted.lock().unwrap().clone(), |request| {
            let number = request.target.split("partNumber=").nth(1).unwrap().split('&').next().unwrap();
            Reply::new(200, "").with("ETag", format!("\"etag-{number}\""))
        })(request, before)
    });
    let (path, dir) = directory("s3-large");
    let bytes = large(&path);
    let stored = put(&vendor(&server, &[]), dir, "large.pcap", Some(KEYS)).unwrap();
    assert_eq!(stored.key, format!("{FOLDER}/large.pcap"));

    let requests = server.requests();
    assert_eq!(requests[0].header("Content-Type"), Some("application/vnd.tcpdump.pcap"));
    let mut parts: Vec<_> = requests.iter().filter(|request| request.method == "PUT").collect();
    parts.sort_by_key(|part| part.target.clone());
    let sizes: Vec<_> = parts.iter().map(|part| part.body.len()).collect();
    assert_eq!(sizes, [8 << 20, 8 << 20, 20_000_000 - (16 << 20)]);
    let whole: Vec<u8> = parts.iter().flat_map(|part| part.body.iter().copied()).collect();
    assert!(whole == bytes, "the parts are not the file");
    let complete = requests.last().unwrap();
    assert_eq!(complete.method, "POST");
    for etag in ["etag-1", "etag-2", "etag-3"] {
        assert!(complete.text().contains(etag), "{}", complete.text());
    }
}

/// An upload in parts whose parts fare as given, and its error once the parts are taken back.
fn failing(name: &str, part: impl Fn(&Request, &Cancel) -> Reply + Send + Sync + 'static) -> Error {
    let (aborted, abort) = channel();
    let aborted = Mutex::new(aborted);
    let cancel = Cancel::new();
    let server = Server::start({
        let cancel = cancel.clone();
        move |request, before| {
            let aborted = aborted.lock().unwrap().clone();
            in_parts(aborted, |request| part(request, &cancel))(request, before)
        }
    });
    let (path, dir) = directory(name);
    large(&path);
    let vendor = vendor(&server, &[]);
    let runner = Runner::new().unwrap();
    let outcome = runner.run(LONG, &cancel, async move {
        let region = Some("eu-west-3");
        vendor
            .s3_put(S3Put { bucket: "bucket-1", dir: &dir, path: "large.pcap", region, keys: Some(KEYS) })
            .await
    });
    abort.recv_timeout(LONG).unwrap();
    outcome.unwrap_err()
}

#[test]
fn a_failed_upload_takes_its_parts_back() {
    let error = failing("s3-failed", |_, _| Reply::new(403, "<Error><Code>AccessDenied</Code></Error>"));
    assert!(error.to_string().contains("AccessDenied"), "{error}");
}

#[test]
fn an_upload_that_nobody_waits_for_takes_its_parts_back() {
    let error = failing("s3-cancelled", |_, cancel| {
        cancel.trip();
        Reply::Silence
    });
    assert!(matches!(error, Error::Cancelled), "{error:?}");
}
