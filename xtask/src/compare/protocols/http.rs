//! HTTP/1, HTTP/2 (gRPC and GraphQL with them) and WebSocket.

use super::{Exchange, Mapping, Said, Side, key, named, plain};
use crate::compare::layer::Layer;

pub(super) const TABLE: &[Mapping] = &[
    Mapping { protocol: "http1", items: ("http", "1"), layers: &["http"], theirs: http1, ours: exchange },
    Mapping { protocol: "http2", items: ("http", "2"), layers: &["http2"], theirs: http2, ours: exchange },
    Mapping {
        protocol: "websocket",
        items: ("ws", ""),
        layers: &["websocket"],
        theirs: frame,
        ours: message,
    },
];

/// `GET /path`, `404`. Answers that another one follows (RFC 9110, section 15.2) have no item.
fn exchange(item: &Exchange<'_>) -> Said {
    let request = |side: Side<'_>| {
        Some(key(&[&plain(side.text("/method")?), &plain(side.text("/url").unwrap_or_default())]))
    };
    item.sides(request, |side| {
        side.number("/status").filter(|status| is_final(*status)).map(|it| it.to_string())
    })
}

fn is_final(status: u64) -> bool {
    status >= 200 || status == 101
}

fn status(text: &str) -> Option<String> {
    text.parse().ok().filter(|status| is_final(*status)).map(|status: u64| status.to_string())
}

fn http1(layer: &Layer) -> Vec<String> {
    let request = layer
        .get("http.request.method")
        .map(|method| key(&[&plain(method), &plain(layer.get("http.request.uri").unwrap_or_default())]));
    let response = layer.get("http.response.code").and_then(status);
    request.into_iter().chain(response).collect()
}

/// A layer is a segment's frames; each header block has its method and path, or its status. Promises (RFC 9113, section 8.4) are
/// no requests yet.
fn http2(layer: &Layer) -> Vec<String> {
    let (mut keys, mut kind) = (Vec::new(), "");
    let (mut method, mut path) = (None, None);
    for field in &layer.fields {
        match field.name.as_str() {
            "http2.type" => {
                kind = &field.show;
                (method, path) = (None, None);
            }
            "http2.headers.method" if kind != PUSH_PROMISE => method = Some(field.show.as_str()),
            "http2.headers.path" if kind != PUSH_PROMISE => path = Some(field.show.as_str()),
            "http2.headers.status" => keys.extend(status(&field.show)),
            _ => {}
        }
        if let (Some(verb), Some(target)) = (method, path) {
            keys.push(key(&[&plain(verb), &plain(target)]));
            (method, path) = (None, None);
        }
    }
    keys
}

const PUSH_PROMISE: &str = "5";

const OPCODES: &[(u64, &str)] = &[(1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")];

/// A message begins with the frame that is no continuation.
fn frame(layer: &Layer) -> Vec<String> {
    layer
        .number("websocket.opcode")
        .filter(|opcode| *opcode != 0)
        .map(|opcode| named(OPCODES, opcode))
        .into_iter()
        .collect()
}

fn message(item: &Exchange<'_>) -> Said {
    let opcode = |side: Side<'_>| side.text("/opcode").map(str::to_owned);
    item.sides(opcode, opcode)
}

#[cfg(test)]
mod tests {
    use super::super::{Way, item};
    use super::*;
    use serde_json::json;

    #[test]
    fn http1_is_told_by_method_target_and_status() {
        let request = Layer::of("http", &[("http.request.method", "GET"), ("http.request.uri", "/a b")]);
        let item = item(json!({ "method": "GET", "url": "/a b" }), json!({ "status": 204 }));
        let ours = exchange(&Exchange(&item));
        assert_eq!(ours, [(Way::There, http1(&request)[0].clone()), (Way::Back, "204".to_owned())]);
        assert_eq!(http1(&Layer::of("http", &[("http.response.code", "100")])), [] as [&str; 0]);
        assert_eq!(http1(&Layer::of("http", &[("http.response.code", "101")])), ["101"]);
    }

    #[test]
    fn a_segments_header_blocks_are_messages_each() {
        let layer = Layer::of(
            "http2",
            &[
                ("http2.type", "1"),
                ("http2.headers.method", "GET"),
                ("http2.headers.path", "/a"),
                ("http2.type", "1"),
                ("http2.headers.path", "/b"),
                ("http2.headers.method", "PUT"),
                ("http2.type", "5"),
                ("http2.headers.method", "GET"),
                ("http2.headers.path", "/pushed"),
                ("http2.type", "1"),
                ("http2.headers.status", "103"),
                ("http2.type", "1"),
                ("http2.headers.status", "200"),
            ],
        );
        assert_eq!(http2(&layer), ["GET /a", "PUT /b", "200"]);
    }

    #[test]
    fn continuations_are_no_messages() {
        assert_eq!(frame(&Layer::of("websocket", &[("websocket.opcode", "0")])), [] as [&str; 0]);
        assert_eq!(frame(&Layer::of("websocket", &[("websocket.opcode", "1")])), ["text"]);
        let item = item(json!({ "opcode": "ping" }), json!({ "opcode": "pong" }));
        assert_eq!(message(&Exchange(&item)).len(), 2);
    }
}
