//! S3 on the wire.
#![allow(clippy::unwrap_used)]

mod credentials;
mod parts;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use remora_vendor::cap_std::fs::Dir;
use remora_vendor::{Cleared, Config, Error, S3Clear, S3Keys, S3Put, Stored, Vendor};
use support::{Reply, Server, call, config, directory};

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
