//! S3 on the wire, and where credentials come from.

mod support;

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remora_vendor::cap_std::fs::Dir;
use remora_vendor::{Cancel, Cleared, Config, Error, Runner, S3Clear, S3Keys, S3Put, Stored, Vendor};
use support::{LONG, Reply, Request, Server, call, config, directory};

const KEYS: S3Keys<'static> = S3Keys { key_id: "AKIDEXAMPLE", access_key: "s3cr3tAccessKey" };
const FOLDER: &str = "node-a_10.0.0.7_42";

fn vendor(server: &Server, variables: &[(&str, &str)]) -> Vendor {
    let variables = variables.iter().copied().collect();
    Vendor::new(Config { s3_endpoint: Some(server.url("")), variables, ..config() }).unwrap()
}

fn put(
    vendor: &Vendor,
    dir: Arc<Dir>,
    path: &'static str,
    keys: Option<S3Keys<'static>>,
) -> Result<Stored, Error> {
    call(vendor, |vendor| async move {
        vendor.s3_put(S3Put { bucket: "bucket-1", dir: &dir, path, region: Some("eu-west-3"), keys }).await
    })
}

fn clear(vendor: &Vendor) -> Result<Cleared, Error> {
    call(vendor, |vendor| async move {
        vendor.s3_clear(S3Clear { bucket: "bucket-1", region: Some("eu-west-3"), keys: Some(KEYS) }).await
    })
}

fn written() -> Reply {
    Reply::new(200, "").with("ETag", "\"e\"")
}

#[test]
fn a_small_file_is_put_signed_in_one_request() {
    let server = Server::start(|_, _| written());
    let (path, dir) = directory("s3-small");
    std::fs::create_dir(path.join("sub")).unwrap();
    std::fs::write(path.join("sub/a b.json"), "{\"a\":1}").unwrap();
    let stored = put(&vendor(&server, &[]), dir, "sub/a b.json", Some(KEYS)).unwrap();
    let key = format!("{FOLDER}/a b.json");
    let url = server.url(&format!("/bucket-1/{FOLDER}/a%20b.json"));
    assert_eq!(stored, Stored { key, url });

    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("PUT", &*format!("/bucket-1/{FOLDER}/a%20b.json"))
    );
    assert_eq!(request.text(), "{\"a\":1}");
    assert_eq!(request.header("Content-Length"), Some("7"));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    let signature = request.header("Authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
    assert!(signature.contains("/eu-west-3/s3/aws4_request"), "{signature}");
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    assert_eq!(request.header("X-Amz-Content-Sha256"), Some(hash));
    assert_eq!(request.header("X-Amz-Security-Token"), None);
}

#[test]
fn without_a_run_the_folder_is_the_nodes_and_without_a_node_there_is_none() {
    let server = Server::start(|_, _| written());
    let (path, dir) = directory("s3-run");
    std::fs::write(path.join("a"), "").unwrap();
    let base = Config { s3_endpoint: Some(server.url("/")), ..config() };
    let vendor = Vendor::new(Config { run_id: None, ..base.clone() }).unwrap();
    assert_eq!(put(&vendor, Arc::clone(&dir), "a", Some(KEYS)).unwrap().key, "node-a_10.0.0.7/a");
    for odd in [Config { node_ip: None, ..base.clone() }, Config { node_name: Some("a/b".into()), ..base }] {
        let outcome = put(&Vendor::new(odd).unwrap(), Arc::clone(&dir), "a", Some(KEYS));
        assert!(matches!(outcome, Err(Error::Argument(_))), "{outcome:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_busy_store_is_asked_again() {
    let server = Server::start(|_, before| match before {
        0 => Reply::new(503, "<Error><Code>SlowDown</Code></Error>"),
        1 => Reply::Reset,
        _ => written(),
    });
    let (path, dir) = directory("s3-busy");
    std::fs::write(path.join("a"), "x").unwrap();
    put(&vendor(&server, &[]), dir, "a", Some(KEYS)).unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_refused_object_says_why_without_the_keys() {
    let server = Server::always(
        403,
        "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId>s3cr3tAccessKey</Error>",
    );
    let (path, dir) = directory("s3-refused");
    std::fs::write(path.join("a"), "x").unwrap();
    let error = put(&vendor(&server, &[]), dir, "a", Some(KEYS)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("PUT {}/bucket-1/{FOLDER}/a: ", server.url(""))), "{error}");
    assert!(error.contains("403") && error.contains("SignatureDoesNotMatch"), "{error}");
    assert!(!error.contains("AKIDEXAMPLE") && !error.contains("s3cr3tAccessKey"), "{error}");
}

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

#[test]
fn an_upload_ends_at_its_deadline() {
    let server = Server::start(|_, _| Reply::Silence);
    let (path, dir) = directory("s3-late");
    std::fs::write(path.join("a"), "x").unwrap();
    let config =
        Config { s3_endpoint: Some(server.url("")), upload_deadline: Duration::from_millis(200), ..config() };
    let error = put(&Vendor::new(config).unwrap(), dir, "a", Some(KEYS)).unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
}

fn listing(keys: &[&str], next: Option<&str>) -> Reply {
    let mut xml = "<ListBucketResult>".to_owned();
    if let Some(token) = next {
        xml += &format!("<NextContinuationToken>{token}</NextContinuationToken>");
    }
    for key in keys {
        xml += &format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
        );
    }
    Reply::new(200, xml + "</ListBucketResult>")
}

#[test]
fn clear_deletes_what_is_this_nodes_and_nothing_else() {
    let server = Server::start(|request, _| {
        if request.method == "POST" {
            let body = request.text();
            let keys = body.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap());
            let deleted: String = keys.map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
            return Reply::new(200, format!("<DeleteResult>{deleted}</DeleteResult>"));
        }
        match request.target.split("prefix=").nth(1).unwrap().split('&').next().unwrap() {
            "node-a_10.0.0.7%2F" => listing(&[], None),
            "node-a_10.0.0.7_" if request.target.contains("continuation-token=next") => {
                listing(&["node-a_10.0.0.7_2/c"], None)
            }
            "node-a_10.0.0.7_" => listing(&["node-a_10.0.0.7_1/a", "node-a_10.0.0.7_2/b"], Some("next")),
            other => panic!("{other}"),
        }
    });
    let cleared = clear(&vendor(&server, &[])).unwrap();
    assert_eq!(cleared, Cleared { prefix: "node-a_10.0.0.7".into(), objects: 3 });
    let requests = server.requests();
    let lists = requests.iter().filter(|request| request.method == "GET").count();
    assert_eq!((lists, requests.len()), (3, 5));
}

#[test]
fn a_clear_that_is_refused_is_an_error() {
    let server = Server::always(403, "<Error><Code>AccessDenied</Code></Error>");
    let error = clear(&vendor(&server, &[])).unwrap_err().to_string();
    assert!(error.starts_with(&format!("DELETE {}/bucket-1/node-a_10.0.0.7: ", server.url(""))), "{error}");
    assert!(error.contains("AccessDenied") && !error.contains("prefix="), "{error}");
}

#[test]
fn names_that_would_change_the_host_are_refused() {
    let (_, dir) = directory("s3-names");
    let vendor = Vendor::new(config()).unwrap();
    for (bucket, region) in
        [("bucket-1", "x.example/"), ("b/../c", "eu-west-3"), ("", "eu-west-3"), ("bucket-1", "")]
    {
        let dir = Arc::clone(&dir);
        let outcome = call(&vendor, |vendor| async move {
            vendor
                .s3_put(S3Put { bucket, dir: &dir, path: "a", region: Some(region), keys: Some(KEYS) })
                .await
        });
        assert!(matches!(outcome, Err(Error::Argument(_))), "{bucket} {region}: {outcome:?}");
    }
    assert!(S3Keys::from_arguments(Some("id"), Some("")).is_err());
    assert!(S3Keys::from_arguments(Some(""), None).unwrap().is_none());
}

/// A store that tells who it was asked by: key ID and token.
fn asked_by(server: &Server) -> (String, Option<String>) {
    let requests = server.requests();
    let last = requests.last().unwrap();
    assert!(last.target.starts_with("/bucket-1/"), "{last:?}");
    let signature = last.header("Authorization").unwrap();
    let id = signature.split("Credential=").nth(1).unwrap().split('/').next().unwrap();
    (id.to_owned(), last.header("X-Amz-Security-Token").map(str::to_owned))
}

const CREDENTIALS: &str = r#"{"Code":"Success","AccessKeyId":"ASIATEMP","SecretAccessKey":"s","Token":"session",
    "Expiration":"2099-01-01T00:00:00Z"}"#;

#[test]
fn keys_come_from_the_variables_where_the_call_has_none() {
    let server = Server::start(|_, _| written());
    let (path, dir) = directory("s3-variables");
    std::fs::write(path.join("a"), "x").unwrap();
    let variables =
        [("AWS_ACCESS_KEY_ID", "AKIDVAR"), ("AWS_SECRET_ACCESS_KEY", "s/"), ("AWS_SESSION_TOKEN", "t/")];
    let vendor = vendor(&server, &variables);
    put(&vendor, Arc::clone(&dir), "a", None).unwrap();
    assert_eq!(asked_by(&server), ("AKIDVAR".into(), Some("t/".into())));
    put(&vendor, dir, "a", Some(KEYS)).unwrap();
    assert_eq!(asked_by(&server), ("AKIDEXAMPLE".into(), None));
}

#[test]
fn the_token_of_a_service_account_is_exchanged_for_credentials_once() {
    let server = Server::start(|request, _| match request.path() {
        "/sts" => Reply::new(
            200,
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <SessionToken>session</SessionToken><SecretAccessKey>s</SecretAccessKey>\
             <AccessKeyId>ASIAROLE</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration>\
             </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
        ),
        _ => written(),
    });
    let (path, dir) = directory("s3-irsa");
    std::fs::write(path.join("a"), "x").unwrap();
    std::fs::write(path.join("token"), "jwt-1").unwrap();
    let (token, sts) = (path.join("token"), server.url("/sts"));
    let vendor = vendor(
        &server,
        &[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
            ("AWS_ENDPOINT_URL_STS", &sts),
        ],
    );
    put(&vendor, Arc::clone(&dir), "a", None).unwrap();
    assert_eq!(asked_by(&server), ("ASIAROLE".into(), Some("session".into())));
    put(&vendor, dir, "a", None).unwrap();
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().filter(|request| request.path() == "/sts").collect();
    let [request] = &asked[..] else { panic!("asked {} times", asked.len()) };
    for part in [
        "Action=AssumeRoleWithWebIdentity",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr",
        "WebIdentityToken=jwt-1",
    ] {
        assert!(request.target.contains(part), "{}", request.target);
    }
}

#[test]
fn a_refused_token_is_not_shown() {
    let server = Server::always(403, "<Error><Code>AccessDenied</Code></Error>");
    let (path, dir) = directory("s3-irsa-refused");
    std::fs::write(path.join("a"), "x").unwrap();
    std::fs::write(path.join("token"), "jwt-s3cr3t").unwrap();
    let (token, sts) = (path.join("token"), server.url("/sts"));
    let vendor = vendor(
        &server,
        &[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
            ("AWS_ENDPOINT_URL_STS", &sts),
        ],
    );
    let error = put(&vendor, dir, "a", None).unwrap_err().to_string();
    assert!(error.contains("403") && !error.contains("jwt-s3cr3t"), "{error}");
}

#[test]
fn pod_identity_gives_credentials_for_the_pods_token() {
    let server = Server::start(|request, _| match request.path() {
        "/v1/credentials" => Reply::new(200, CREDENTIALS),
        _ => written(),
    });
    let (path, dir) = directory("s3-pod");
    std::fs::write(path.join("a"), "x").unwrap();
    std::fs::write(path.join("token"), "pod-token").unwrap();
    let (token, uri) = (path.join("token"), server.url("/v1/credentials"));
    let vendor = vendor(
        &server,
        &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ],
    );
    put(&vendor, dir, "a", None).unwrap();
    assert_eq!(asked_by(&server), ("ASIATEMP".into(), Some("session".into())));
    assert_eq!(server.requests()[0].header("Authorization"), Some("pod-token"));
}

#[test]
fn the_metadata_of_an_instance_gives_credentials_for_a_session() {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    let server = Server::start(|request, _| match (request.method.as_str(), request.path()) {
        ("PUT", "/latest/api/token") => Reply::new(200, "imds-session"),
        _ if request.path() == ROLES => Reply::new(200, "my-role"),
        _ if request.path() == format!("{ROLES}my-role") => Reply::new(200, CREDENTIALS),
        _ => written(),
    });
    let (path, dir) = directory("s3-imds");
    std::fs::write(path.join("a"), "x").unwrap();
    let vendor = vendor(&server, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &server.url("/"))]);
    put(&vendor, dir, "a", None).unwrap();
    assert_eq!(asked_by(&server), ("ASIATEMP".into(), Some("session".into())));
    let requests = server.requests();
    assert!(requests[0].header("X-aws-ec2-metadata-token-ttl-seconds").is_some());
    for request in &requests[1..3] {
        assert_eq!(request.header("X-aws-ec2-metadata-token"), Some("imds-session"));
    }
}
