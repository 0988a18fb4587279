//! DNS, ICMP and SCTP.

use super::{Exchange, Mapping, Said, Side, Way, key, named};
use crate::compare::layer::{Layer, number};

pub(super) const TABLE: &[Mapping] = &[
    Mapping {
        protocol: "dns",
        items: ("dns", ""),
        layers: &["dns", "mdns", "llmnr"],
        theirs: dns_message,
        ours: dns,
    },
    Mapping {
        protocol: "icmp",
        items: ("icmp", ""),
        layers: &["icmp", "icmpv6"],
        theirs: icmp_packet,
        ours: icmp,
    },
    Mapping { protocol: "sctp", items: ("sctp", ""), layers: &["sctp"], theirs: sctp_packet, ours: sctp },
];

/// IANA's registry of DNS parameters, for what the agent has names for.
const TYPES: &[(u64, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (24, "SIG"),
    (25, "KEY"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (37, "CERT"),
    (39, "DNAME"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
];

/// By id, name and type of the first question, and what was answered. An answer of many messages, a zone, is one to the agent.
fn dns_message(layer: &Layer) -> Vec<String> {
    let Some(id) = layer.number("dns.id") else { return Vec::new() };
    let name =
        layer.get("dns.qry.name").map(|name| name.trim_matches('.').replace("<Root>", "").to_lowercase());
    let kind = layer.number("dns.qry.type").map(|kind| named(TYPES, kind));
    let rcode = (layer.get("dns.flags.response").is_some_and(is_set))
        .then(|| format!("rcode {}", layer.number("dns.flags.rcode").unwrap_or(0)));
    let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
    vec![key(&[&id.to_string(), &name, &kind, &rcode.unwrap_or_default()])]
}

/// tshark before 4.2 prints flags as numbers.
fn is_set(flag: &str) -> bool {
    flag == "1" || flag == "True"
}

fn dns(item: &Exchange<'_>) -> Said {
    let message = |side: Side<'_>| {
        let id = side.number("/id")?.to_string();
        let name = side.text("/questions/0/name").unwrap_or_default().trim_matches('.').to_lowercase();
        let kind = side.text("/questions/0/type").unwrap_or_default();
        // Of responses only.
        let rcode = side.number("/rcode").map(|rcode| format!("rcode {}", rcode & 0xf));
        Some(key(&[&id, &name, kind.trim_start_matches("TYPE"), &rcode.unwrap_or_default()]))
    };
    item.sides(message, message)
}

/// Type and code, and of pings identifier and number.
fn icmp_packet(layer: &Layer) -> Vec<String> {
    let field = |name: &str| layer.number(&format!("{}.{name}", layer.name));
    let Some((kind, code)) = field("type").zip(field("code")) else { return Vec::new() };
    let echo = match layer.name.as_str() {
        "icmp" if matches!(kind, 0 | 8) => field("ident").zip(field("seq")),
        "icmpv6" if matches!(kind, 128 | 129) => field("echo.identifier").zip(field("echo.sequence_number")),
        _ => None,
    };
    vec![packet_key(kind, code, echo)]
}

fn packet_key(kind: u64, code: u64, echo: Option<(u64, u64)>) -> String {
    let echo = echo.map(|(id, sequence)| format!("id {id} sequence {sequence}"));
    key(&[&format!("type {kind} code {code}"), &echo.unwrap_or_default()])
}

fn icmp(item: &Exchange<'_>) -> Said {
    let packet = |side: Side<'_>| {
        let kind = side.number("/type")?;
        let echo = side.number("/id").zip(side.number("/sequence"));
        Some(packet_key(kind, side.number("/code")?, echo.filter(|_| matches!(kind, 0 | 8 | 128 | 129))))
    };
    item.sides(packet, packet)
}

/// The chunks of an association's beginning and end (RFC 9260, section 3.2). Packets of data and their acknowledgments have no
/// items of their own where the data is of a protocol that has.
fn control(chunk: u64) -> bool {
    matches!(chunk, 1 | 2 | 4..=11 | 14)
}

fn sctp_packet(layer: &Layer) -> Vec<String> {
    let chunks = layer.all("sctp.chunk_type").filter_map(number);
    chunks.filter(|chunk| control(*chunk)).map(|chunk| format!("chunk {chunk}")).collect()
}

fn sctp(item: &Exchange<'_>) -> Said {
    let mut said = Said::new();
    for (name, way) in [("request", Way::There), ("response", Way::Back)] {
        let chunks = item.side(name).map_or(&[][..], |side| side.list("/chunks"));
        let types = chunks.iter().filter_map(|chunk| chunk["type"].as_u64()).filter(|chunk| control(*chunk));
        said.extend(types.map(|chunk| (way, format!("chunk {chunk}"))));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::item;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn questions_and_answers_are_told_by_id_name_type_and_code() {
        let fields = [
            ("dns.id", "0x3815"),
            ("dns.flags.response", "0"),
            ("dns.qry.name", "Example.test"),
            ("dns.qry.type", "28"),
        ];
        let question = Layer::of("dns", &fields);
        let mut fields = fields.to_vec();
        fields[1].1 = "1";
        fields.push(("dns.flags.rcode", "3"));
        let answer = Layer::of("dns", &fields);
        let question_of_ours = json!([{ "name": "example.test", "type": "AAAA" }]);
        let item = item(
            json!({ "id": 14357, "questions": question_of_ours }),
            json!({ "id": 14357, "rcode": 3, "questions": question_of_ours }),
        );
        let said = dns(&Exchange(&item));
        assert_eq!(said[0], (Way::There, dns_message(&question)[0].clone()));
        assert_eq!(said[1], (Way::Back, dns_message(&answer)[0].clone()));
        assert_eq!(said[1].1, "14357 example.test AAAA rcode 3");
    }

    #[test]
    fn pings_have_numbers() {
        let fields = [
            ("icmpv6.type", "128"),
            ("icmpv6.code", "0"),
            ("icmpv6.echo.identifier", "0x0007"),
            ("icmpv6.echo.sequence_number", "1"),
        ];
        let item = item(json!({ "type": 128, "code": 0, "id": 7, "sequence": 1 }), Value::Null);
        assert_eq!(icmp(&Exchange(&item))[0].1, icmp_packet(&Layer::of("icmpv6", &fields))[0]);
        let error = Layer::of("icmp", &[("icmp.type", "3"), ("icmp.code", "1"), ("icmp.ident", "9")]);
        assert_eq!(icmp_packet(&error), ["type 3 code 1"]);
    }

    #[test]
    fn an_associations_chunks_are_messages_each() {
        let layer = Layer::of("sctp", &[("sctp.chunk_type", "10"), ("sctp.chunk_type", "0")]);
        let item =
            item(json!({ "chunks": [{ "type": 10 }, { "type": 0 }] }), json!({ "chunks": [{ "type": 11 }] }));
        assert_eq!(sctp_packet(&layer), ["chunk 10"]);
        let said = sctp(&Exchange(&item));
        assert_eq!(said, [(Way::There, "chunk 10".to_owned()), (Way::Back, "chunk 11".to_owned())]);
    }
}
