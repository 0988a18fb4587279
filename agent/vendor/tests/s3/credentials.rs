//! Where credentials come from.

use std::sync::Arc;

use crate::support::{Reply, Server, directory};
use crate::{KEYS, put, vendor, written};

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
