//! `vendor.webhook`, `vendor.webhookForm`, and how failures look.

use remora_script::HostConfig;
use remora_vendor::Config;

use crate::common::server::{Reply, Server};
use crate::common::world::{World, vendor_config};
use crate::common::{config, items};
use crate::lines;

#[test]
fn a_webhook_sends_what_it_is_given_and_returns_the_body() {
    let server = Server::start(|request| Reply::new(500, format!("got {}", request.line())));
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(vendor.webhook('POST', URL + '/hook?q=1', { a: 1 }, { 'X-One': 1, 'X-None': null, 'X-Absent': undefined }));
         console.log(vendor.webhook('PUT', URL + '/number', 7));",
    );
    assert_eq!(said, ["got POST /hook", "got PUT /number"], "whatever the status");
    let requests = server.requests();
    assert_eq!((requests[0].target.as_str(), requests[0].text()), ("/hook?q=1", r#"{"a":1}"#));
    assert_eq!(requests[0].header("X-One"), Some("1"));
    assert_eq!((requests[0].header("X-None"), requests[0].header("X-Absent")), (None, None));
    assert_eq!(requests[1].text(), "7");
}

#[test]
fn absent_arguments_are_absent_and_not_a_word() {
    let server = Server::always(200, "");
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(JSON.stringify(vendor.webhook('GET', URL)));
         vendor.webhook('GET', URL, undefined, undefined);
         vendor.webhook('GET', URL, null, null);
         vendor.webhookForm('POST', URL);
         vendor.webhookForm('POST', URL, { a: undefined, b: null });
         console.log(attempt(() => vendor.webhook('GET')));
         console.log(attempt(() => vendor.webhook()));
         console.log(attempt(() => vendor.webhook('GET', URL, '', 'X-One: 1')));",
    );
    assert_eq!(
        said,
        [
            "\"\"",
            "true vendor.webhook: url is missing",
            "true vendor.webhook: method is missing",
            "true vendor.webhook: headers must be an object"
        ]
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    for request in requests {
        let shown = format!("{request:?}");
        assert!(!shown.contains("undefined") && !shown.contains("null"), "{shown}");
        assert!(request.body.is_empty(), "{shown}");
    }
}

#[test]
fn an_item_is_sent_as_its_json() {
    let server = Server::always(200, "ok");
    let world = World::new(&server);
    let running = world.start(&server, "function onItemCaptured(data) { vendor.webhook('POST', URL, data) }");
    let item = items::http(3, "/a", 200);
    running.items([item.clone()]);
    let mut text = Vec::new();
    remora_dissect::json::write_object(item.as_ref(), &mut text);
    assert_eq!(server.only_request().body, text);
    assert_eq!(running.lines(), [""; 0]);
}

#[test]
fn a_form_is_encoded() {
    let server = Server::always(200, "thanks");
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "console.log(vendor.webhookForm('POST', URL + '/form', { a: 'x y', b: { c: 1 }, d: 2, e: undefined }))",
    );
    assert_eq!(said, ["thanks"]);
    let request = server.only_request();
    assert_eq!(request.text(), "a=x+y&b=%7B%22c%22%3A1%7D&d=2");
    assert_eq!(request.header("Content-Type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn a_failure_is_an_error_that_names_the_target_but_no_secrets() {
    let server = Server::resetting();
    let world = World::new(&server);
    for base in [Server::nobody(), server.url("")] {
        let env = [("URL".to_owned(), base.clone())].into();
        let running = world.start_with(
            HostConfig { env, ..config() },
            "function onItemCaptured() {
                 try { vendor.webhook('POST', URL + '/hook?key=secret', 'secret body', { Authorization: 'Bearer secret' }) }
                 catch (error) { console.log(error instanceof Error, error.name, error.message) }
                 vendor.webhook('POST', URL + '/hook?key=secret');
             }",
        );
        let said = running.item_lines(items::http(0, "/", 200));
        let about = format!("vendor.webhook: POST {base}/hook: ");
        assert!(said[0].starts_with(&format!("true Error {about}")), "{said:?}");
        // Uncaught, it says where in the script it was.
        assert!(said[1].starts_with(&format!("error: (hook=onItemCaptured) Error: {about}")), "{said:?}");
        assert!(said[1].contains("(test.js:4:"), "{said:?}");
        assert!(!said.concat().contains("secret"), "{said:?}");
        assert_eq!(running.stats().errors, 1);
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let server = Server::start(|_| Reply::Endless);
    let world = World::with(Config { response_bytes: 100_000, ..vendor_config(&server) });
    let said = lines(&world, &server, "console.log(attempt(() => vendor.webhook('GET', URL + '/all')))");
    let expected =
        format!("true vendor.webhook: GET {}: answered 200 with more than 100000 bytes", server.url("/all"));
    assert_eq!(said, [expected]);
    server.wait_for_gone(1);
}
