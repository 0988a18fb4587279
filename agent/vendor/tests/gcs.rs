//! Cloud Storage on the wire.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use remora_vendor::cap_std::fs::Dir;
use remora_vendor::{Cleared, Config, Error, GcsClear, GcsPut, Stored, Vendor};
use serde_json::{Value, json};
use support::{Reply, Request, Server, call, config, directory};

fn vendor(server: &Server) -> Vendor {
    Vendor::new(Config { gcs_endpoint: Some(server.url("/")), ..config() }).unwrap()
}

fn put(vendor: &Vendor, dir: Arc<Dir>, path: &'static str, key: Option<String>) -> Result<Stored, Error> {
    call(vendor, |vendor| async move {
        let service_account = key.as_deref();
        vendor.gcs_put(GcsPut { bucket: "bucket-1", dir: &dir, path, service_account }).await
    })
}

/// Google's side decodes everything, and is sent everything encoded.
fn decoded(request: &Request) -> String {
    percent_encoding::percent_decode_str(&request.target).decode_utf8().unwrap().into_owned()
}

#[test]
fn an_emulator_gets_files_unsigned() {
    let server = Server::start(|_, _| Reply::new(200, "").with("ETag", "\"e\""));
    let (path, dir) = directory("gcs-small");
    std::fs::write(path.join("a.txt"), "text").unwrap();
    let stored = put(&vendor(&server), dir, "a.txt", None).unwrap();
    let key = "node-a_10.0.0.7_42/a.txt";
    assert_eq!(stored, Stored { key: key.into(), url: server.url(&format!("/bucket-1/{key}")) });
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!((request.method.as_str(), decoded(request)), ("PUT", format!("/bucket-1/{key}")));
    assert_eq!(request.text(), "text");
    assert_eq!(request.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(request.header("Authorization"), None);
}

#[test]
fn a_service_account_signs_its_own_tokens() {
    // Nothing in the dependencies makes RSA keys, and one that lies around looks like a leak.
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output();
    let pem = match made {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => return println!("skipped: no openssl to make an RSA key with"),
    };
    let key = json!({
        "type": "service_account",
        "private_key": pem,
        "private_key_id": "key-1",
        "client_email": "agent@project.example",
    });
    let server = Server::start(|_, _| Reply::new(200, "").with("ETag", "\"e\""));
    let (path, dir) = directory("gcs-signed");
    std::fs::write(path.join("a.txt"), "text").unwrap();
    put(&vendor(&server), dir, "a.txt", Some(key.to_string())).unwrap();
    let requests = server.requests();
    let token = requests[0].header("Authorization").unwrap().strip_prefix("Bearer ").unwrap();
    let part = |index: usize| -> Value {
        let text = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(part(0)["kid"], "key-1");
    assert_eq!(part(0)["alg"], "RS256");
    assert_eq!(part(1)["iss"], "agent@project.example");
    assert_eq!(token.split('.').count(), 3);
}

#[test]
fn what_is_no_service_account_is_refused_without_showing_it() {
    let server = Server::always(200, "");
    let (path, dir) = directory("gcs-broken");
    std::fs::write(path.join("a.txt"), "text").unwrap();
    let private = "-----BEGIN PRIVATE KEY-----\ns3cr3tline\n-----END PRIVATE KEY-----\n";
    for key in [
        "s3cr3t".to_owned(),
        json!({ "private_key": private, "private_key_id": "s3cr3tid", "client_email": "a" }).to_string(),
        json!({ "client_email": "s3cr3t" }).to_string(),
    ] {
        let error = put(&vendor(&server), Arc::clone(&dir), "a.txt", Some(key)).unwrap_err().to_string();
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn clear_deletes_object_by_object_and_takes_a_missing_one_for_gone() {
    let server = Server::start(|request, _| match (request.method.as_str(), &*decoded(request)) {
        ("GET", target) if target.contains("prefix=node-a_10.0.0.7_") => {
            let date = "<LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size>";
            let object = |key: &str| format!("<Contents><Key>node-a_10.0.0.7_{key}</Key>{date}</Contents>");
            Reply::new(
                200,
                format!("<ListBucketResult>{}{}</ListBucketResult>", object("1/a"), object("1/b")),
            )
        }
        ("GET", _) => Reply::new(200, "<ListBucketResult></ListBucketResult>"),
        ("DELETE", "/bucket-1/node-a_10.0.0.7_1/b") => Reply::new(404, ""),
        ("DELETE", _) => Reply::new(204, ""),
        _ => Reply::new(400, ""),
    });
    let cleared = call(&vendor(&server), |vendor| async move {
        vendor.gcs_clear(GcsClear { bucket: "bucket-1", service_account: None }).await
    });
    assert_eq!(cleared.unwrap(), Cleared { prefix: "node-a_10.0.0.7".into(), objects: 1 });
}
