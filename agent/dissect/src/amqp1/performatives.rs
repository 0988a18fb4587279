//! The composite types of the protocol: their names and those of their fields, in the order they are written
//! (AMQP 1.0, parts 2, 3 and 5).

pub(super) struct Composite {
    pub(super) name: &'static str,
    pub(super) fields: &'static [&'static str],
}

const fn composite(name: &'static str, fields: &'static [&'static str]) -> Option<Composite> {
    Some(Composite { name, fields })
}

const OUTCOME: &[&str] = &[];

pub(super) const OPEN: u64 = 0x10;
pub(super) const BEGIN: u64 = 0x11;
pub(super) const ATTACH: u64 = 0x12;
pub(super) const TRANSFER: u64 = 0x14;
pub(super) const CLOSE: u64 = 0x18;
pub(super) const SASL_INIT: u64 = 0x41;
pub(super) const SASL_CHALLENGE: u64 = 0x42;
pub(super) const SASL_RESPONSE: u64 = 0x43;
pub(super) const SASL_OUTCOME: u64 = 0x44;

pub(super) const fn is_performative(code: u64) -> bool {
    matches!(code, 0x10..=0x18 | 0x40..=0x44)
}

#[rustfmt::skip]
pub(super) const fn find(code: u64) -> Option<Composite> {
    match code {
        0x10 => composite("open", &[
            "containerId", "hostname", "maxFrameSize", "channelMax", "idleTimeOut", "outgoingLocales",
            "incomingLocales", "offeredCapabilities", "desiredCapabilities", "properties",
        ]),
        0x11 => composite("begin", &[
            "remoteChannel", "nextOutgoingId", "incomingWindow", "outgoingWindow", "handleMax",
            "offeredCapabilities", "desiredCapabilities", "properties",
        ]),
        0x12 => composite("attach", &[
            "name", "handle", "role", "sndSettleMode", "rcvSettleMode", "source", "target", "unsettled",
            "incompleteUnsettled", "initialDeliveryCount", "maxMessageSize", "offeredCapabilities",
            "desiredCapabilities", "properties",
        ]),
        0x13 => composite("flow", &[
            "nextIncomingId", "incomingWindow", "nextOutgoingId", "outgoingWindow", "handle", "deliveryCount",
            "linkCredit", "available", "drain", "echo", "properties",
        ]),
        0x14 => composite("transfer", &[
            "handle", "deliveryId", "deliveryTag", "messageFormat", "settled", "more", "rcvSettleMode", "state",
            "resume", "aborted", "batchable",
        ]),
        0x15 => composite("disposition", &["role", "first", "last", "settled", "state", "batchable"]),
        0x16 => composite("detach", &["handle", "closed", "error"]),
        0x17 => composite("end", &["error"]),
        0x18 => composite("close", &["error"]),
        0x1d => composite("error", &["condition", "description", "info"]),
        0x23 => composite("received", &["sectionNumber", "sectionOffset"]),
        0x24 => composite("accepted", OUTCOME),
        0x25 => composite("rejected", &["error"]),
        0x26 => composite("released", OUTCOME),
        0x27 => composite("modified", &["deliveryFailed", "undeliverableHere", "messageAnnotations"]),
        0x28 => composite("source", &[
            "address", "durable", "expiryPolicy", "timeout", "dynamic", "dynamicNodeProperties",
            "distributionMode", "filter", "defaultOutcome", "outcomes", "capabilities",
        ]),
        0x29 => composite("target", &[
            "address", "durable", "expiryPolicy", "timeout", "dynamic", "dynamicNodeProperties", "capabilities",
        ]),
        0x30 => composite("coordinator", &["capabilities"]),
        0x40 => composite("sasl mechanisms", &["saslServerMechanisms"]),
        0x41 => composite("sasl init", &["mechanism", "initialResponse", "hostname"]),
        0x42 => composite("sasl challenge", &["challenge"]),
        0x43 => composite("sasl response", &["response"]),
        0x44 => composite("sasl outcome", &["code", "additionalData"]),
        0x70 => composite("header", &["durable", "priority", "ttl", "firstAcquirer", "deliveryCount"]),
        0x73 => composite("properties", &[
            "messageId", "userId", "to", "subject", "replyTo", "correlationId", "contentType", "contentEncoding",
            "absoluteExpiryTime", "creationTime", "groupId", "groupSequence", "replyToGroupId",
        ]),
        _ => None,
    }
}

/// What a section of a message is called, where it is no composite type.
pub(super) const fn section(code: u64) -> Option<&'static str> {
    Some(match code {
        0x70 => "header",
        0x71 => "deliveryAnnotations",
        0x72 => "messageAnnotations",
        0x73 => "properties",
        0x74 => "applicationProperties",
        0x75 => "data",
        0x76 => "sequence",
        0x77 => "value",
        0x78 => "footer",
        _ => return None,
    })
}
