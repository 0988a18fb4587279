//! AMQP, Kafka, MQTT, NATS and SMTP.

use super::{Exchange, Mapping, Said, Side, Way, key, named, plain};
use crate::compare::layer::Layer;

pub(super) const TABLE: &[Mapping] = &[
    Mapping { protocol: "amqp", items: ("amqp", "0"), layers: &["amqp"], theirs: amqp_frame, ours: amqp },
    Mapping { protocol: "kafka", items: ("kafka", ""), layers: &["kafka"], theirs: kafka_frame, ours: kafka },
    Mapping { protocol: "mqtt", items: ("mqtt", ""), layers: &["mqtt"], theirs: packet, ours: mqtt },
    Mapping { protocol: "nats", items: ("nats", ""), layers: &["nats"], theirs: nats_line, ours: nats },
    Mapping { protocol: "smtp", items: ("smtp", ""), layers: &["smtp"], theirs: smtp_line, ours: smtp },
];

/// `queue declare-ok`
fn amqp_frame(layer: &Layer) -> Vec<String> {
    let (class, method) = (layer.label("amqp.method.class"), layer.label("amqp.method.method"));
    let name = class.zip(method).map(|(class, method)| format!("{class} {method}").to_lowercase());
    name.into_iter().collect()
}

fn amqp(item: &Exchange<'_>) -> Said {
    // What is no method: the header a connection begins with, and the sign that nothing waits in a queue.
    let method = |side: Side<'_>| {
        let name = side.text("/method").filter(|name| name.contains(' ') && *name != "protocol header")?;
        Some(name.to_owned())
    };
    item.sides(method, method)
}

/// By API key and correlation id, which a connection counts.
fn kafka_frame(layer: &Layer) -> Vec<String> {
    let Some(id) = layer.get("kafka.correlation_id") else { return Vec::new() };
    let found = match (layer.get("kafka.request_key"), layer.get("kafka.response_key")) {
        (Some(api), _) => Some(format!("request {api} {id}")),
        (None, Some(_)) => Some(format!("response {id}")),
        _ => None,
    };
    found.into_iter().collect()
}

fn kafka(item: &Exchange<'_>) -> Said {
    let request =
        |side: Side<'_>| Some(format!("request {} {}", side.0.get("apiKey")?, side.0.get("correlationID")?));
    item.sides(request, |side| Some(format!("response {}", side.0.get("correlationID")?)))
}

/// MQTT 3.1.1, section 2.2.1; 5.0, section 2.1.2.
const PACKETS: &[(u64, &str)] = &[
    (1, "CONNECT"),
    (2, "CONNACK"),
    (3, "PUBLISH"),
    (4, "PUBACK"),
    (5, "PUBREC"),
    (6, "PUBREL"),
    (7, "PUBCOMP"),
    (8, "SUBSCRIBE"),
    (9, "SUBACK"),
    (10, "UNSUBSCRIBE"),
    (11, "UNSUBACK"),
    (12, "PINGREQ"),
    (13, "PINGRESP"),
    (14, "DISCONNECT"),
    (15, "AUTH"),
];

/// Packet type and id. A layer may hold several packets.
fn packet(layer: &Layer) -> Vec<String> {
    let mut keys: Vec<(String, Option<&str>)> = Vec::new();
    for field in &layer.fields {
        match field.name.as_str() {
            "mqtt.msgtype" => {
                let kind = crate::compare::layer::number(&field.show).unwrap_or(0);
                keys.push((named(PACKETS, kind), None));
            }
            "mqtt.msgid" => {
                if let Some((_, id)) = keys.last_mut() {
                    *id = Some(&field.show);
                }
            }
            _ => {}
        }
    }
    keys.into_iter().map(|(kind, id)| key(&[&kind, id.unwrap_or_default()])).collect()
}

fn mqtt(item: &Exchange<'_>) -> Said {
    let packet = |side: Side<'_>| {
        let id = side.0.get("packetId").map(ToString::to_string);
        Some(key(&[side.text("/type")?, &id.unwrap_or_default()]))
    };
    // A publication that is delivered exactly once takes four packets, of which one goes the request's way.
    if let Some(response) = item.side("response").filter(|side| side.inner("pubrec").is_some()) {
        let steps = [("pubrec", Way::Back), ("pubrel", Way::There), ("pubcomp", Way::Back)];
        let steps = steps.into_iter().filter_map(|(name, way)| Some((way, packet(response.inner(name)?)?)));
        return item.sides(packet, |_| None).into_iter().chain(steps).collect();
    }
    item.sides(packet, packet)
}

fn nats_line(layer: &Layer) -> Vec<String> {
    layer.get("nats.command").map(|name| plain(name).to_ascii_uppercase()).into_iter().collect()
}

fn nats(item: &Exchange<'_>) -> Said {
    let command = |side: Side<'_>| side.text("/command").map(str::to_ascii_uppercase);
    item.sides(command, command)
}

/// Commands by name; of an answer's lines the last.
fn smtp_line(layer: &Layer) -> Vec<String> {
    let command = layer.get("smtp.req.command").map(|name| plain(name).to_ascii_uppercase());
    let code = layer.get("smtp.response.code").filter(|code| {
        let line = layer.get("smtp.response").unwrap_or_default();
        !line.strip_prefix(*code).is_some_and(|rest| rest.starts_with('-'))
    });
    let code = code.map(str::to_owned);
    command.into_iter().chain(code).collect()
}

fn smtp(item: &Exchange<'_>) -> Said {
    let command = |side: Side<'_>| side.text("/command").map(str::to_ascii_uppercase);
    item.sides(command, |side| side.number("/code").map(|code| code.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::item;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn amqp_methods_have_the_names_of_the_specification() {
        let mut layer = Layer::of("amqp", &[("amqp.method.class", "50"), ("amqp.method.method", "11")]);
        layer.fields[0].line = "Class: Queue (50)".to_owned();
        layer.fields[1].line = "Method: Declare-Ok (11)".to_owned();
        let item = item(json!({ "method": "queue declare" }), json!({ "method": "queue declare-ok" }));
        assert_eq!(amqp(&Exchange(&item))[1], (Way::Back, amqp_frame(&layer)[0].clone()));
    }

    #[test]
    fn kafka_is_told_by_its_numbers() {
        let request = Layer::of("kafka", &[("kafka.request_key", "3"), ("kafka.correlation_id", "7")]);
        let item = item(json!({ "apiKey": 3, "correlationID": 7 }), json!({ "correlationID": 7 }));
        assert_eq!(kafka(&Exchange(&item))[0], (Way::There, kafka_frame(&request)[0].clone()));
        assert_eq!(kafka(&Exchange(&item))[1].1, "response 7");
    }

    #[test]
    fn all_packets_of_a_publication_count() {
        let response = json!({
            "type": "PUBCOMP", "packetId": 2,
            "pubrec": { "type": "PUBREC", "packetId": 2 },
            "pubrel": { "type": "PUBREL", "packetId": 2 },
            "pubcomp": { "type": "PUBCOMP", "packetId": 2 },
        });
        let item = item(json!({ "type": "PUBLISH", "packetId": 2 }), response);
        let said = mqtt(&Exchange(&item));
        let expected = [
            (Way::There, "PUBLISH 2"),
            (Way::Back, "PUBREC 2"),
            (Way::There, "PUBREL 2"),
            (Way::Back, "PUBCOMP 2"),
        ];
        assert_eq!(said, expected.map(|(way, key)| (way, key.to_owned())));
        let layer = Layer::of("mqtt", &[("mqtt.msgtype", "6"), ("mqtt.msgid", "2"), ("mqtt.msgtype", "12")]);
        assert_eq!(packet(&layer), ["PUBREL 2", "PINGREQ"]);
    }

    #[test]
    fn lines_are_told_by_their_first_word() {
        let layer = Layer::of("smtp", &[("smtp.req.command", "ehlo")]);
        let item = item(json!({ "command": "EHLO" }), Value::Null);
        assert_eq!(smtp(&Exchange(&item))[0].1, smtp_line(&layer)[0]);
        let line =
            |text| smtp_line(&Layer::of("smtp", &[("smtp.response", text), ("smtp.response.code", "250")]));
        assert_eq!(line("250 HELP"), ["250"]);
        assert_eq!(line("250-SIZE"), [] as [&str; 0]);
    }
}
