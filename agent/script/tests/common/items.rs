//! Items as an HTTP/1 dissector would make them, without one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use remora_dissect::item::{Draft, Endpoint, Message, Node, Summary, Transport};
use remora_dissect::{Direction, Gap, Item, List, Object, Origin, Protocol, StreamName, Value};
use remora_packet::Timestamp;

static HTTP11: Protocol = Protocol {
    name: "http",
    version: "1.1",
    abbr: "HTTP",
    long_name: "Hypertext Transfer Protocol -- HTTP/1.1",
    macro_name: "http",
    background_color: "#416CDE",
    foreground_color: "#ffffff",
    font_size: 12,
    reference_link: "https://datatracker.ietf.org/doc/html/rfc2616",
    ports: &["80", "443", "8080"],
    layer4: "tcp",
    priority: 0,
};

/// A value tree that answers as a dissector's message does.
#[derive(Debug)]
pub(crate) enum Tree {
    Int(i64),
    Str(&'static str),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    Fields(Fields),
}

#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Tree)>);

impl Tree {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Int(number) => Value::Int(*number),
            Self::Str(text) => Value::str(text),
            Self::Text(text) => Value::str(text),
            Self::Bytes(bytes) => Value::Base64(bytes),
            Self::Texts(texts) => Value::List(texts as &dyn List),
            Self::Fields(fields) => Value::object(fields),
        }
    }
}

impl Object for Fields {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, tree) in &self.0 {
            visit(name, tree.value());
        }
    }

    fn names<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.0.iter().for_each(|(name, _)| visit(name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.0.iter().find(|(field, _)| *field == name).map(|(_, tree)| tree.value())
    }
}

impl Message for Fields {
    fn memory(&self) -> usize {
        2048
    }
}

fn request(path: &str, body: bool) -> Fields {
    let mut fields = vec![
        ("method", Tree::Str(if body { "POST" } else { "GET" })),
        ("url", Tree::Text(format!("{path}?bucket=shop&precision=ns"))),
        ("targetUri", Tree::Text(format!("{path}?bucket=shop&precision=ns"))),
        ("path", Tree::Text(path.to_owned())),
        ("pathSegments", Tree::Texts(path.split('/').skip(1).map(str::to_owned).collect())),
        ("httpVersion", Tree::Str("HTTP/1.1")),
        (
            "headers",
            Tree::Fields(Fields(vec![
                ("Host", Tree::Str("shop.example:8080")),
                (
                    "User-Agent",
                    Tree::Str("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"),
                ),
                ("Accept", Tree::Str("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")),
                ("Accept-Encoding", Tree::Str("gzip, deflate, br, zstd")),
                ("X-Request-Id", Tree::Str("0f8fad5b-d9cb-469f-a165-70867728950e")),
                ("Cookie", Tree::Str("session=abc; theme=dark")),
            ])),
        ),
        ("cookies", Tree::Fields(Fields(vec![("session", Tree::Str("abc")), ("theme", Tree::Str("dark"))]))),
        (
            "queryString",
            Tree::Fields(Fields(vec![("bucket", Tree::Str("shop")), ("precision", Tree::Str("ns"))])),
        ),
        ("headersSize", Tree::Int(-1)),
        ("bodySize", Tree::Int(if body { 14 } else { 0 })),
    ];
    if body {
        let data = vec![("mimeType", Tree::Str("text/plain")), ("text", Tree::Str("cpu,host=a v=1"))];
        fields.push(("postData", Tree::Fields(Fields(data))));
    }
    Fields(fields)
}

fn response(status: i64) -> Fields {
    Fields(vec![
        ("httpVersion", Tree::Str("HTTP/1.1")),
        ("status", Tree::Int(status)),
        ("statusText", Tree::Str(if status < 400 { "OK" } else { "Internal Server Error" })),
        (
            "headers",
            Tree::Fields(Fields(vec![
                ("Server", Tree::Str("nginx/1.22.1")),
                ("Date", Tree::Str("Sun, 22 Nov 2026 00:00:00 GMT")),
                ("Content-Type", Tree::Str("application/json")),
                ("Content-Length", Tree::Str("612")),
                ("X", Tree::Str("nested \"quoted\"")),
            ])),
        ),
        ("cookies", Tree::Fields(Fields(Vec::new()))),
        ("headersSize", Tree::Int(-1)),
        ("bodySize", Tree::Int(612)),
        ("redirectURL", Tree::Str("")),
        (
            "content",
            Tree::Fields(Fields(vec![
                ("size", Tree::Int(612)),
                ("mimeType", Tree::Str("application/json")),
                ("encoding", Tree::Str("base64")),
                ("text", Tree::Bytes(vec![b'x'; 612])),
            ])),
        ),
    ])
}

/// A GET of `path` answered with `status`.
pub(crate) fn http(index: u32, path: &str, status: i64) -> Arc<Item> {
    exchange(index, request(path, false), response(status))
}

/// A POST, whose request has a field (`postData`) that a GET's lacks.
#[allow(dead_code, reason = "not every test binary posts")]
pub(crate) fn post(index: u32, path: &str, status: i64) -> Arc<Item> {
    exchange(index, request(path, true), response(status))
}

/// An item whose two sides are the given fields.
pub(crate) fn exchange(index: u32, request: Fields, response: Fields) -> Arc<Item> {
    let origin = Origin {
        worker: "10.0.0.7:48999".into(),
        node: Node { ip: "10.0.0.7".into(), name: "node-1".into() },
        backend: "pcap",
        source: "file",
    };
    let draft = Draft {
        protocol: &HTTP11,
        request_direction: Direction::ToServer,
        timestamp: Timestamp::from_nanos(1_678_675_066_172_360_504),
        elapsed: Some(23_250_000),
        request_size: 428,
        response_size: 814,
        request: Some(Box::new(request)),
        response: Some(Box::new(response)),
        error: None,
        gap: Gap::default(),
        tls: false,
        summarize: |_| Summary::default(),
    };
    let endpoint = |last, port| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port };
    let stream = StreamName { number: 25_258, transport: Transport::Tcp };
    Arc::new(Item::new(Arc::new(origin), stream, index, endpoint(3, 36848), endpoint(9, 8086), draft))
}
