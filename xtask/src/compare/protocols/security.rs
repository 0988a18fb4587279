//! TLS, DTLS, QUIC, LDAP, RADIUS and Diameter.

use super::{Exchange, Mapping, Said, Side, key};
use crate::compare::layer::{Layer, number};

pub(super) const TABLE: &[Mapping] = &[
    Mapping { protocol: "tls", items: ("tlsx", ""), layers: &["tls"], theirs: hellos, ours: handshake },
    Mapping { protocol: "dtls", items: ("dtls", ""), layers: &["dtls"], theirs: hellos, ours: handshake },
    Mapping { protocol: "quic", items: ("quic", ""), layers: &["quic"], theirs: hellos, ours: handshake },
    Mapping {
        protocol: "ldap",
        items: ("ldap", ""),
        layers: &["ldap", "cldap"],
        theirs: ldap_message,
        ours: ldap,
    },
    Mapping {
        protocol: "radius",
        items: ("radius", ""),
        layers: &["radius"],
        theirs: radius_packet,
        ours: radius,
    },
    Mapping {
        protocol: "diameter",
        items: ("diameter", ""),
        layers: &["diameter"],
        theirs: diameter_message,
        ours: diameter,
    },
];

/// The name a client asks for, the cipher suite a server chooses. What comes after is encrypted, or has no item; a hello that
/// comes back with the server's cookie belongs to the item of the first.
fn hellos(layer: &Layer) -> Vec<String> {
    let mut hellos: Vec<(bool, String)> = Vec::new();
    for field in &layer.fields {
        let (protocol, name) = field.name.split_once(".handshake.").unwrap_or_default();
        if !matches!(protocol, "tls" | "dtls") {
            continue;
        }
        match (name, hellos.last_mut()) {
            ("type", _) => match number(&field.show) {
                Some(1) => hellos.push((true, String::new())),
                Some(2) => hellos.push((false, String::new())),
                _ => {}
            },
            ("cookie_length", Some((true, _))) if number(&field.show) != Some(0) => drop(hellos.pop()),
            ("extensions_server_name", Some((true, name))) => name.clone_from(&field.show),
            ("ciphersuite", Some((false, suite))) if suite.is_empty() => {
                let (_, label) = field.line.split_once(": ").unwrap_or_default();
                suite.push_str(label.rsplit_once(" (").map_or(label, |(label, _)| label));
            }
            _ => {}
        }
    }
    let name = |client: bool| if client { "ClientHello" } else { "ServerHello" };
    hellos.into_iter().map(|(client, what)| key(&[name(client), &what])).collect()
}

fn handshake(item: &Exchange<'_>) -> Said {
    let hello = |side: Side<'_>| {
        let name = side.text("/type").filter(|name| name.ends_with("Hello"))?;
        let what = if name == "ClientHello" { side.text("/sni") } else { side.text("/cipherSuite") };
        Some(key(&[name, what.unwrap_or_default()]))
    };
    item.sides(hello, hello)
}

/// What of LDAP is counted: not what a search finds, nor what comes in between, which belong to the response.
const PASSED_OVER: [u64; 3] = [4, 19, 25];

/// Message id, and an answer's result. An operation's number tells requests from responses (RFC 4511, section 4.2 and after).
fn ldap_message(layer: &Layer) -> Vec<String> {
    let (mut keys, mut id, mut response) = (Vec::new(), String::new(), false);
    for field in &layer.fields {
        match field.name.as_str() {
            "ldap.messageID" => id.clone_from(&field.show),
            "ldap.protocolOp" => {
                let operation = number(&field.show).unwrap_or_default();
                response = matches!(operation, 1 | 5 | 7 | 9 | 11 | 13 | 15 | 24);
                if !response && !PASSED_OVER.contains(&operation) {
                    keys.push(format!("request {id}"));
                }
            }
            "ldap.resultCode" if response => keys.push(format!("response {id} result {}", field.show)),
            _ => {}
        }
    }
    keys
}

fn ldap(item: &Exchange<'_>) -> Said {
    let id = |side: Side<'_>| side.number("/messageId").or_else(|| side.number("/messageID"));
    let response = |side: Side<'_>| {
        let result = side.number("/resultCode").or_else(|| side.number("/code"))?;
        Some(format!("response {} result {result}", id(side)?))
    };
    item.sides(|side| Some(format!("request {}", id(side)?)), response)
}

fn radius_packet(layer: &Layer) -> Vec<String> {
    let numbers = layer.number("radius.code").zip(layer.number("radius.id"));
    numbers.map(|(code, id)| format!("code {code} id {id}")).into_iter().collect()
}

fn radius(item: &Exchange<'_>) -> Said {
    let packet = |side: Side<'_>| Some(format!("code {} id {}", side.number("/code")?, side.number("/id")?));
    item.sides(packet, packet)
}

fn diameter_message(layer: &Layer) -> Vec<String> {
    let numbers = layer.number("diameter.cmd.code").zip(layer.number("diameter.hopbyhopid"));
    let request = layer.get("diameter.flags.request").is_some_and(|flag| flag == "1" || flag == "True");
    numbers.map(|(command, id)| command_key(command, request, id)).into_iter().collect()
}

fn command_key(command: u64, request: bool, id: u64) -> String {
    format!("{} {command} id {id}", if request { "request" } else { "answer" })
}

fn diameter(item: &Exchange<'_>) -> Said {
    let message = |side: Side<'_>| {
        let request = side.flag("/flags/request");
        Some(command_key(side.number("/command")?, request, side.number("/hopByHopId")?))
    };
    item.sides(message, message)
}

#[cfg(test)]
mod tests {
    use super::super::{Way, item};
    use super::*;
    use serde_json::json;

    #[test]
    fn hellos_are_told_by_name_and_cipher_suite() {
        let mut layer = Layer::of(
            "tls",
            &[
                ("tls.handshake.type", "1"),
                ("tls.handshake.ciphersuite", "0x1301"),
                ("tls.handshake.extensions_server_name", "a.test"),
                ("tls.handshake.type", "2"),
                ("tls.handshake.ciphersuite", "0x1302"),
                ("tls.handshake.type", "11"),
            ],
        );
        layer.fields[4].line = "Cipher Suite: TLS_AES_256_GCM_SHA384 (0x1302)".to_owned();
        let again = [("dtls.handshake.type", "1"), ("dtls.handshake.cookie_length", "20")];
        assert!(hellos(&Layer::of("dtls", &again)).is_empty());
        let item = item(
            json!({ "type": "ClientHello", "sni": "a.test" }),
            json!({ "type": "ServerHello", "cipherSuite": "TLS_AES_256_GCM_SHA384" }),
        );
        let said = handshake(&Exchange(&item));
        assert_eq!(said.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>(), hellos(&layer));
    }

    #[test]
    fn ldaps_entries_belong_to_the_response() {
        let search = |operation, result: Option<&'static str>| {
            let fields = [("ldap.messageID", "2"), ("ldap.protocolOp", operation)];
            Layer::of(
                "ldap",
                &fields.into_iter().chain(result.map(|code| ("ldap.resultCode", code))).collect::<Vec<_>>(),
            )
        };
        assert_eq!(ldap_message(&search("3", None)), ["request 2"]);
        assert_eq!(ldap_message(&search("4", None)), [] as [&str; 0]);
        assert_eq!(ldap_message(&search("5", Some("32"))), ["response 2 result 32"]);
        let item = item(json!({ "messageId": 2 }), json!({ "messageId": 2, "resultCode": 32 }));
        assert_eq!(ldap(&Exchange(&item))[1], (Way::Back, "response 2 result 32".to_owned()));
    }

    #[test]
    fn radius_and_diameter_have_numbers() {
        let layer = Layer::of(
            "diameter",
            &[
                ("diameter.cmd.code", "257"),
                ("diameter.flags.request", "1"),
                ("diameter.hopbyhopid", "0x0000000a"),
            ],
        );
        let exchange = item(
            json!({ "command": 257, "hopByHopId": 10, "flags": { "request": true } }),
            json!({ "command": 257, "hopByHopId": 10, "flags": { "request": false } }),
        );
        assert_eq!(diameter(&Exchange(&exchange))[0].1, diameter_message(&layer)[0]);
        assert_eq!(diameter(&Exchange(&exchange))[1].1, "answer 257 id 10");
        let layer = Layer::of("radius", &[("radius.code", "1"), ("radius.id", "183")]);
        let exchange = item(json!({ "code": 1, "id": 183 }), json!({ "code": 2, "id": 183 }));
        assert_eq!(radius(&Exchange(&exchange))[0].1, radius_packet(&layer)[0]);
    }
}
