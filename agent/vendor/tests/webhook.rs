//! Webhooks against servers of every temper.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use remora_vendor::{Cancel, Config, Error, Runner, Variables, Vendor, Webhook, WebhookForm};
use support::{LONG, Reply, Server, call, config};

fn post(vendor: &Vendor, url: &str, body: Option<&'static str>) -> Result<String, Error> {
    let url = url.to_owned();
    call(vendor, |vendor| async move {
        vendor.webhook(Webhook { method: "POST", url: &url, body, headers: &[] }).await
    })
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn method_headers_and_body_arrive_and_the_body_comes_back() {
    let server = Server::always(200, "answer");
    let vendor = Vendor::new(config()).unwrap();
    let url = server.url("/a/b?c=d%20e");
    let headers = pairs(&[
        ("content-type", "application/json"),
        ("X-One", "1"),
        ("X-One", "2"),
        ("Content-Length", "9999"),
        ("Transfer-Encoding", "chunked"),
        ("x-kubeshark-capture", "mine"),
    ]);
    let answer = call(&vendor, |vendor| async move {
        vendor
            .webhook(Webhook { method: "PATCH", url: &url, body: Some("{\"é\":1}"), headers: &headers })
            .await
    });
    assert_eq!(answer.unwrap(), "answer");
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("PATCH", "/a/b?c=d%20e"));
    assert_eq!(request.text(), "{\"é\":1}");
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(request.header("Content-Length"), Some("8"));
    assert_eq!(request.headers.iter().filter(|(name, _)| name == "x-one").count(), 2);
}

#[test]
fn an_absent_body_is_none_and_an_empty_method_is_get() {
    let server = Server::always(200, "");
    let vendor = Vendor::new(config()).unwrap();
    let url = server.url("/");
    call(&vendor, |vendor| async move { vendor.webhook(Webhook { url: &url, ..Webhook::default() }).await })
        .unwrap();
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
    assert_eq!(request.header("Content-Length"), None);
}

#[test]
fn a_form_is_encoded() {
    let server = Server::always(200, "ok");
    let vendor = Vendor::new(config()).unwrap();
    let url = server.url("/form");
    let form = pairs(&[("z", "1 2"), ("a&b", "é=+")]);
    let answer = call(&vendor, |vendor| async move {
        vendor.webhook_form(WebhookForm { method: "POST", url: &url, form: &form }).await
    });
    assert_eq!(answer.unwrap(), "ok");
    let request = &server.requests()[0];
    assert_eq!(request.text(), "z=1+2&a%26b=%C3%A9%3D%2B");
    assert_eq!(request.header("Content-Type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn an_answer_of_any_status_is_returned_and_never_asked_for_twice() {
    let server = Server::start(|request, _| match request.path() {
        "/503" => Reply::new(503, "busy").with("Retry-After", "0"),
        "/429" => Reply::new(429, "slow").with("Retry-After", "0"),
        _ => Reply::new(404, vec![b'a', 0xff]),
    });
    let vendor = Vendor::new(config()).unwrap();
    assert_eq!(post(&vendor, &server.url("/503"), None).unwrap(), "busy");
    assert_eq!(post(&vendor, &server.url("/429"), None).unwrap(), "slow");
    assert_eq!(post(&vendor, &server.url("/404"), None).unwrap(), "a\u{fffd}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_chunked_answer_comes_whole() {
    let server = Server::start(|_, _| Reply::Chunks(vec!["one ", "two ", "three"]));
    let vendor = Vendor::new(config()).unwrap();
    assert_eq!(post(&vendor, &server.url("/"), None).unwrap(), "one two three");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = Server::start(|request, _| match request.path() {
        "/end" => Reply::new(200, "there"),
        "/loop" => Reply::new(307, "").with("Location", "/loop"),
        _ => Reply::new(307, "").with("Location", "/end"),
    });
    let vendor = Vendor::new(config()).unwrap();
    assert_eq!(post(&vendor, &server.url("/start"), Some("body")).unwrap(), "there");
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.text()).collect::<Vec<_>>(), ["body", "body"]);
    let error = post(&vendor, &server.url("/loop"), None).unwrap_err().to_string();
    assert!(error.contains("redirects"), "{error}");
}

#[test]
fn a_server_that_never_answers_costs_the_deadline_and_no_more() {
    let server =
        Server::start(|request, _| if request.path() == "/stall" { Reply::Stall } else { Reply::Silence });
    let vendor = Vendor::new(Config { deadline: Duration::from_millis(200), ..config() }).unwrap();
    for path in ["/silent", "/stall"] {
        let error = post(&vendor, &server.url(&format!("{path}?token=secret")), None).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("POST {}: not done within 0.2 s", server.url(path)));
    }
}

#[test]
fn a_script_that_ends_does_not_wait_for_its_answer() {
    let (asked, ask) = std::sync::mpsc::channel();
    let server = Server::start(move |_, _| {
        asked.send(()).unwrap();
        Reply::Silence
    });
    let vendor = Vendor::new(config()).unwrap();
    let cancel = Cancel::new();
    let tripper = std::thread::spawn({
        let cancel = cancel.clone();
        move || {
            ask.recv().unwrap();
            cancel.trip();
        }
    });
    let url = server.url("/");
    let outcome = Runner::new().unwrap().run(LONG, &cancel, async move {
        vendor.webhook(Webhook { method: "GET", url: &url, ..Webhook::default() }).await
    });
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    tripper.join().unwrap();
}

#[test]
fn a_body_of_a_gigabyte_is_not_read() {
    let server = Server::start(|request, _| Reply::Huge {
        length: 1 << 30,
        announced: request.path() == "/announced",
    });
    let vendor = Vendor::new(Config { response_bytes: 100_000, ..config() }).unwrap();
    for path in ["/announced", "/chunked"] {
        let error = post(&vendor, &server.url(path), None).unwrap_err().to_string();
        assert_eq!(error, format!("POST {}: answered 200 with more than 100000 bytes", server.url(path)));
    }
}

#[test]
fn a_body_up_to_the_cap_is_read() {
    let server = Server::start(|_, _| Reply::new(200, "12345"));
    let vendor = Vendor::new(Config { response_bytes: 5, ..config() }).unwrap();
    assert_eq!(post(&vendor, &server.url("/"), None).unwrap(), "12345");
    let vendor = Vendor::new(Config { response_bytes: 4, ..config() }).unwrap();
    assert!(matches!(post(&vendor, &server.url("/"), None), Err(Error::TooLong { limit: 4, .. })));
}

#[test]
fn a_connection_that_breaks_is_an_error_that_shows_no_secret() {
    let server = Server::start(|_, _| Reply::Reset);
    let vendor = Vendor::new(config()).unwrap();
    let address = server.address;
    let url = format!("http://user:hunter22@{address}/hook?token=s3cr3t#frag");
    let error = post(&vendor, &url, None).unwrap_err().to_string();
    assert!(error.starts_with(&format!("POST http://{address}/hook: ")), "{error}");
    for secret in ["hunter22", "s3cr3t", "user", "frag"] {
        assert!(!error.contains(secret), "{error}");
    }
    assert_eq!(server.requests().len(), 1, "a webhook is not repeated");
    assert_eq!(server.requests()[0].header("Authorization"), Some("Basic dXNlcjpodW50ZXIyMg=="));
}

#[test]
fn nobody_listening_is_an_error_that_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let vendor = Vendor::new(config()).unwrap();
    let error = post(&vendor, &format!("http://{address}/x"), None).unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[test]
fn what_cannot_be_sent_is_refused_without_repeating_it() {
    let vendor = Vendor::new(config()).unwrap();
    for (url, expected) in [
        ("not a url s3cr3t", "the URL of a webhook is not a URL: relative URL without a base"),
        ("file:///etc/s3cr3t", "the URL of a webhook is not an http or https URL"),
        ("http://", "the URL of a webhook is not a URL: empty host"),
    ] {
        assert_eq!(post(&vendor, url, None).unwrap_err().to_string(), expected);
    }
    for (method, headers) in
        [("A B", pairs(&[])), ("GET", pairs(&[("a b", "s3cr3t")])), ("GET", pairs(&[("a", "s3cr3t\n")]))]
    {
        let outcome = call(&vendor, |vendor| async move {
            vendor.webhook(Webhook { method, url: "http://127.0.0.1:1", body: None, headers: &headers }).await
        });
        let Err(Error::Argument(text)) = outcome else { panic!("{outcome:?}") };
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn proxies_come_from_the_variables() {
    let proxy = Server::start(|_, _| Reply::new(200, "from the proxy"));
    let direct = Server::always(200, "direct");
    let address = proxy.address;
    let with = |variables: &[(&str, &str)]| {
        let variables: Variables = variables.iter().copied().collect();
        Vendor::new(Config { variables, ..config() }).unwrap()
    };
    let url = format!("http://me:pass@{address}");

    let vendor = with(&[("http_proxy", &url)]);
    assert_eq!(post(&vendor, "http://nowhere.invalid/x", None).unwrap(), "from the proxy");
    let request = &proxy.requests()[0];
    assert_eq!(request.target, "http://nowhere.invalid/x");
    assert_eq!(request.header("Proxy-Authorization"), Some("Basic bWU6cGFzcw=="));

    let vendor = with(&[("ALL_PROXY", &url), ("NO_PROXY", "127.0.0.1,.example")]);
    assert_eq!(post(&vendor, &direct.url("/"), None).unwrap(), "direct");
    assert_eq!(post(&vendor, "http://nowhere.invalid/y", None).unwrap(), "from the proxy");

    let error = Vendor::new(Config {
        variables: [("HTTPS_PROXY", "http://u:s3cr3t@[broken")].into_iter().collect(),
        ..config()
    });
    assert_eq!(error.unwrap_err().to_string(), "HTTPS_PROXY is not the URL of a proxy");
}

#[test]
fn https_through_a_proxy_is_tunnelled() {
    let proxy = Server::start(|_, _| Reply::new(403, "no"));
    let variables = [("https_proxy", proxy.url(""))].into_iter().collect();
    let vendor = Vendor::new(Config { variables, ..config() }).unwrap();
    let error = post(&vendor, "https://nowhere.invalid/x?key=s3cr3t", None).unwrap_err().to_string();
    assert!(error.starts_with("POST https://nowhere.invalid/x: "), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}
