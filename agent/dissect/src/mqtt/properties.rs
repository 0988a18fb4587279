//! Properties (MQTT 5.0, section 2.2.2.2) and the names of reason codes (section 2.4).

use super::wire::variable;
use crate::{Fields, ParseError, Reader, Tree};

#[derive(Clone, Copy)]
enum Kind {
    Byte,
    Two,
    Four,
    Variable,
    Text,
    Binary,
    Secret,
}

const fn known(id: u32) -> Option<(&'static str, Kind)> {
    Some(match id {
        0x01 => ("payloadFormatIndicator", Kind::Byte),
        0x02 => ("messageExpiryInterval", Kind::Four),
        0x03 => ("contentType", Kind::Text),
        0x08 => ("responseTopic", Kind::Text),
        0x09 => ("correlationData", Kind::Binary),
        0x0b => ("subscriptionIdentifiers", Kind::Variable),
        0x11 => ("sessionExpiryInterval", Kind::Four),
        0x12 => ("assignedClientIdentifier", Kind::Text),
        0x13 => ("serverKeepAlive", Kind::Two),
        0x15 => ("authenticationMethod", Kind::Text),
        0x16 => ("authenticationData", Kind::Secret),
        0x17 => ("requestProblemInformation", Kind::Byte),
        0x18 => ("willDelayInterval", Kind::Four),
        0x19 => ("requestResponseInformation", Kind::Byte),
        0x1a => ("responseInformation", Kind::Text),
        0x1c => ("serverReference", Kind::Text),
        0x1f => ("reasonString", Kind::Text),
        0x21 => ("receiveMaximum", Kind::Two),
        0x22 => ("topicAliasMaximum", Kind::Two),
        0x23 => ("topicAlias", Kind::Two),
        0x24 => ("maximumQoS", Kind::Byte),
        0x25 => ("retainAvailable", Kind::Byte),
        0x27 => ("maximumPacketSize", Kind::Four),
        0x28 => ("wildcardSubscriptionAvailable", Kind::Byte),
        0x29 => ("subscriptionIdentifiersAvailable", Kind::Byte),
        0x2a => ("sharedSubscriptionAvailable", Kind::Byte),
        _ => return None,
    })
}

const USER_PROPERTY: u32 = 0x26;

/// A text with its length before it: UTF-8 without U+0000.
pub(super) fn text(reader: &mut Reader<'_>) -> Result<String, ParseError> {
    let error = reader.error("a text is not UTF-8");
    let bytes = binary(reader)?;
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(error),
    }
}

pub(super) fn binary<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let length = reader.u16_be()?;
    reader.take(length.into())
}

/// Properties with their length; of `entries`, the rest is read and not kept.
pub(super) fn read(reader: &mut Reader<'_>, entries: usize) -> Result<Fields, ParseError> {
    let length = variable(reader)? as usize;
    let mut part = reader.part(length)?;
    let mut fields = Fields::new();
    let (mut users, mut identifiers, mut cut) = (Vec::new(), Vec::new(), false);
    while !part.is_empty() {
        let id = variable(&mut part)?;
        if id == USER_PROPERTY {
            let (name, value) = (text(&mut part)?, text(&mut part)?);
            if users.len() < entries {
                users.push(Tree::Fields(Fields::new().with("name", name).with("value", value)));
            } else {
                cut = true;
            }
            continue;
        }
        let Some((name, kind)) = known(id) else { return Err(part.error("an unknown property")) };
        let value = match kind {
            Kind::Byte => part.u8()?.into(),
            Kind::Two => part.u16_be()?.into(),
            Kind::Four => part.u32_be()?.into(),
            Kind::Text => text(&mut part)?.into(),
            Kind::Binary => Tree::Bytes(binary(&mut part)?.to_vec()),
            Kind::Secret => {
                binary(&mut part)?;
                "***".into()
            }
            Kind::Variable => {
                let identifier = variable(&mut part)?;
                if identifiers.len() < entries {
                    identifiers.push(identifier.into());
                } else {
                    cut = true;
                }
                continue;
            }
        };
        if fields.field(name).is_some() {
            return Err(part.error("a property comes twice"));
        }
        fields.push(name, value);
    }
    if !identifiers.is_empty() {
        fields.push("subscriptionIdentifiers", identifiers);
    }
    if !users.is_empty() {
        fields.push("userProperties", users);
    }
    if cut {
        fields.push("truncated", true);
    }
    Ok(fields)
}

/// What a code of MQTT 5 means; some depend on the packet.
pub(super) fn reason(packet: super::packet::Type, code: u8) -> &'static str {
    use super::packet::Type;
    match (code, packet) {
        (0, Type::Disconnect) => "Normal disconnection",
        (0, Type::Suback) => "Granted QoS 0",
        (0, _) => "Success",
        (1, _) => "Granted QoS 1",
        (2, _) => "Granted QoS 2",
        (4, _) => "Disconnect with Will Message",
        (16, _) => "No matching subscribers",
        (17, _) => "No subscription existed",
        (24, _) => "Continue authentication",
        (25, _) => "Re-authenticate",
        (128, _) => "Unspecified error",
        (129, _) => "Malformed Packet",
        (130, _) => "Protocol Error",
        (131, _) => "Implementation specific error",
        (132, _) => "Unsupported Protocol Version",
        (133, _) => "Client Identifier not valid",
        (134, _) => "Bad User Name or Password",
        (135, _) => "Not authorized",
        (136, _) => "Server unavailable",
        (137, _) => "Server busy",
        (138, _) => "Banned",
        (139, _) => "Server shutting down",
        (140, _) => "Bad authentication method",
        (141, _) => "Keep Alive timeout",
        (142, _) => "Session taken over",
        (143, _) => "Topic Filter invalid",
        (144, _) => "Topic Name invalid",
        (145, _) => "Packet Identifier in use",
        (146, _) => "Packet Identifier not found",
        (147, _) => "Receive Maximum exceeded",
        (148, _) => "Topic Alias invalid",
        (149, _) => "Packet too large",
        (150, _) => "Message rate too high",
        (151, _) => "Quota exceeded",
        (152, _) => "Administrative action",
        (153, _) => "Payload format invalid",
        (154, _) => "Retain not supported",
        (155, _) => "QoS not supported",
        (156, _) => "Use another server",
        (157, _) => "Server moved",
        (158, _) => "Shared Subscriptions not supported",
        (159, _) => "Connection rate exceeded",
        (160, _) => "Maximum connect time",
        (161, _) => "Subscription Identifiers not supported",
        (162, _) => "Wildcard Subscriptions not supported",
        _ => "Unknown",
    }
}

/// What a CONNACK of MQTT 3 says (3.1.1, section 3.2.2.3).
pub(super) const fn return_code(code: u8) -> &'static str {
    match code {
        0 => "Connection accepted",
        1 => "Unacceptable protocol version",
        2 => "Identifier rejected",
        3 => "Server unavailable",
        4 => "Bad user name or password",
        5 => "Not authorized",
        _ => "Unknown",
    }
}
