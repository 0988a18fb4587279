//! Elasticsearch: the ways to authenticate, and whom a pinned certificate trusts.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use remora_vendor::{Config, Elastic, Error, Vendor};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use support::{Reply, Server, call, config};

/// The optional arguments, in the order of the helper's.
#[derive(Clone, Copy, Default)]
struct Access {
    username: Option<&'static str>,
    password: Option<&'static str>,
    api_key: Option<&'static str>,
    service_token: Option<&'static str>,
}

/// RFC 7468, with lines as long as they come.
fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

fn elastic(url: &str, access: Access, fingerprint: Option<&str>) -> Result<String, Error> {
    elastic_with(config(), url, access, fingerprint)
}

fn elastic_with(
    config: Config,
    url: &str,
    access: Access,
    fingerprint: Option<&str>,
) -> Result<String, Error> {
    let (url, fingerprint) = (url.to_owned(), fingerprint.map(str::to_owned));
    call(&Vendor::new(config).unwrap(), |vendor| async move {
        let request = Elastic {
            url: &url,
            index: "my index/1",
            data: &json!({ "a": [1, null] }),
            username: access.username,
            password: access.password,
            cloud_id: Some(""),
            api_key: access.api_key,
            service_token: access.service_token,
            fingerprint: fingerprint.as_deref(),
        };
        vendor.elastic(request).await
    })
}

#[test]
fn a_document_is_put_under_the_id_that_is_returned() {
    let server = Server::always(201, "{}");
    let id = elastic(&server.url("/es/"), Access::default(), None).unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("PUT", &*format!("/es/my%20index%2F1/_doc/{id}?refresh=true"))
    );
    assert_eq!(request.json(), json!({ "a": [1, null] }));
    assert_eq!(request.header("Authorization"), None);
    assert_ne!(elastic(&server.url(""), Access::default(), None).unwrap(), id);
}

#[test]
fn every_way_to_authenticate_has_its_header() {
    let server = Server::always(201, "{}");
    let host = server.url("").replace("http://", "");
    let basic = Access { username: Some("elastic"), password: Some("pass"), ..Access::default() };
    let token = Access { service_token: Some("AAEAA"), ..basic };
    let key = Access { api_key: Some("aWQ6a2V5"), ..token };
    let raw = Access { api_key: Some("id:key"), ..Access::default() };
    let empty = Access { username: Some(""), password: Some(""), api_key: Some(""), service_token: Some("") };
    for (url, access, expected) in [
        (format!("http://{host}"), basic, Some("Basic ZWxhc3RpYzpwYXNz")),
        (format!("http://{host}"), token, Some("Bearer AAEAA")),
        (format!("http://{host}"), key, Some("ApiKey aWQ6a2V5")),
        (format!("http://{host}"), raw, Some("ApiKey aWQ6a2V5")),
        (format!("http://{host}"), empty, None),
        (format!("http://u%40v:p@{host}"), empty, Some("Basic dUB2OnA=")),
        (format!("http://u:p@{host}"), key, Some("ApiKey aWQ6a2V5")),
    ] {
        elastic(&url, access, None).unwrap();
        let requests = server.requests();
        assert_eq!(requests.last().unwrap().header("Authorization"), expected, "{url}");
    }
}

#[test]
fn a_refused_document_shows_no_credential() {
    let server = Server::start(|request, _| {
        Reply::new(403, format!("no: {:?} key hunter22", request.header("Authorization")))
    });
    let access = Access { username: Some("elastic"), password: Some("hunter22"), ..Access::default() };
    let error = elastic(&server.url("/?q=querysecret"), access, None).unwrap_err().to_string();
    assert!(error.contains("answered 403: no: Some(\"Basic …\") key …"), "{error}");
    assert!(!error.contains("querysecret"), "{error}");
}

#[test]
fn a_document_is_put_again_after_5xx_under_the_same_id() {
    let server =
        Server::start(|_, before| if before == 0 { Reply::new(503, "") } else { Reply::new(200, "{}") });
    elastic(&server.url(""), Access::default(), None).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].target, requests[1].target);
}

#[test]
fn what_is_no_cloud_id_or_fingerprint_is_refused() {
    let error = elastic("http://127.0.0.1:1", Access::default(), Some("00:11")).unwrap_err().to_string();
    assert_eq!(error, "a certificate's fingerprint is 64 hexadecimal digits");
    let outcome = call(&Vendor::new(config()).unwrap(), |vendor| async move {
        let data = json!({});
        let request = Elastic {
            url: "",
            index: "i",
            data: &data,
            username: None,
            password: None,
            cloud_id: Some("name:s3cr3t"),
            api_key: None,
            service_token: None,
            fingerprint: None,
        };
        vendor.elastic(request).await
    });
    assert_eq!(outcome.unwrap_err().to_string(), "the Cloud ID is none");
}

/// An authority of one's own and a certificate it signed for `name`.
struct Signed {
    authority: CertifiedIssuer<'static, KeyPair>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn signed(name: &str) -> Signed {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    Signed { authority, leaf: leaf.der().clone(), key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn serve(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Server {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Server::start_tls(Arc::new(tls), |_, _| Reply::new(201, "{}"))
}

#[test]
fn a_pinned_leaf_is_trusted_and_another_is_not() {
    let one = signed("es.example");
    let server = serve(vec![one.leaf.clone()], one.key);
    elastic(&server.url(""), Access::default(), Some(&fingerprint(&one.leaf))).unwrap();
    assert_eq!(server.requests().len(), 1);

    let other = fingerprint(&signed("es.example").leaf);
    let error = elastic(&server.url(""), Access::default(), Some(&other)).unwrap_err().to_string();
    assert!(error.contains("no certificate of the server has the pinned fingerprint"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_pinned_authority_is_trusted_for_what_it_signed() {
    let one = signed("es.example");
    let authority = one.authority.der().clone();
    let pin = fingerprint(&authority);
    let server = serve(vec![one.leaf, authority], one.key);
    elastic(&server.url(""), Access::default(), Some(&pin)).unwrap();
}

#[test]
fn a_pinned_authority_is_not_trusted_behind_a_leaf_it_did_not_sign() {
    let pinned = signed("es.example").authority.der().clone();
    let mine = signed("es.example");
    let server = serve(vec![mine.leaf, pinned.clone()], mine.key);
    let error =
        elastic(&server.url(""), Access::default(), Some(&fingerprint(&pinned))).unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn without_a_pin_only_known_authorities_are_trusted() {
    let one = signed("127.0.0.1");
    let authority = pem(one.authority.der());
    let server = serve(vec![one.leaf], one.key);
    let error = elastic(&server.url(""), Access::default(), None).unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let trusting = Config { extra_ca_pem: Some(authority), ..config() };
    elastic_with(trusting, &server.url(""), Access::default(), None).unwrap();

    let wrong = signed("es.example");
    let trusting = Config { extra_ca_pem: Some(pem(wrong.authority.der())), ..config() };
    let server = serve(vec![wrong.leaf], wrong.key);
    let error = elastic_with(trusting, &server.url(""), Access::default(), None).unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[test]
fn an_extra_certificate_that_is_none_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let outcome = Vendor::new(Config { extra_ca_pem: Some(broken.into()), ..config() });
    assert!(matches!(outcome, Err(Error::Argument(_))), "{outcome:?}");
}
