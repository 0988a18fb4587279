//! All methods of AMQP 0-9-1 with their arguments (the specification's `amqp0-9-1.extended.xml`, and RabbitMQ's additions
//! to it: `connection.blocked` and `update-secret`, `basic.nack`, `confirm`, bindings of exchanges).

/// How an argument is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Those that follow each other share octets, the first in the lowest bit.
    Bit,
    Octet,
    Short,
    Long,
    LongLong,
    ShortText,
    LongText,
    Table,
    /// A long text that must not be shown.
    Secret,
}

/// What a method wants of the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// It is answered, unless its argument `noWait` says otherwise.
    Call,
    Answer,
    OneWay,
}

#[derive(PartialEq, Eq, Debug)]
pub(super) struct Method {
    pub(super) class: u16,
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) role: Role,
    /// A header and a body follow.
    pub(super) content: bool,
    /// Those without a name are reserved.
    pub(super) arguments: &'static [(&'static str, Kind)],
}

impl Method {
    /// What a method and its answer have in common. The identifiers of answers follow those of their methods, except
    /// that of `exchange.unbind-ok`.
    pub(super) const fn key(&self) -> (u16, u16) {
        match (self.class, self.id) {
            (40, 51) => (40, 40),
            (class, id) => (class, id / 10 * 10),
        }
    }

    const fn content(mut self) -> Self {
        self.content = true;
        self
    }
}

pub(super) fn find(class: u16, id: u16) -> Option<&'static Method> {
    let at = METHODS.binary_search_by_key(&(class, id), |method| (method.class, method.id)).ok()?;
    METHODS.get(at)
}

use Kind::{Bit, Long, LongLong, LongText, Octet, Secret, Short, ShortText, Table};
use Role::{Answer, Call, OneWay};

type Arguments = &'static [(&'static str, Kind)];

const fn method(class: u16, id: u16, name: &'static str, role: Role, arguments: Arguments) -> Method {
    Method { class, id, name, role, content: false, arguments }
}

/// `relyCode` is spelt so in the items that existing scripts and filters know.
const CLOSE: Arguments =
    &[("relyCode", Short), ("replyText", ShortText), ("classId", Short), ("methodId", Short)];
const TUNE: Arguments = &[("channelMax", Short), ("frameMax", Long), ("heartbeat", Short)];
const EXCHANGE_BINDING: Arguments = &[
    ("", Short),
    ("destination", ShortText),
    ("source", ShortText),
    ("routingKey", ShortText),
    ("noWait", Bit),
    ("arguments", Table),
];

/// In the order of their identifiers.
static METHODS: [Method; 64] = [
    method(
        10,
        10,
        "connection start",
        Call,
        &[
            ("versionMajor", Octet),
            ("versionMinor", Octet),
            ("serverProperties", Table),
            ("mechanisms", LongText),
            ("locales", LongText),
        ],
    ),
    method(
        10,
        11,
        "connection start-ok",
        Answer,
        &[("clientProperties", Table), ("mechanism", ShortText), ("response", Secret), ("locale", ShortText)],
    ),
    method(10, 20, "connection secure", Call, &[("challenge", LongText)]),
    method(10, 21, "connection secure-ok", Answer, &[("response", Secret)]),
    method(10, 30, "connection tune", Call, TUNE),
    method(10, 31, "connection tune-ok", Answer, TUNE),
    method(10, 40, "connection open", Call, &[("virtualHost", ShortText), ("", ShortText), ("", Bit)]),
    method(10, 41, "connection open-ok", Answer, &[("", ShortText)]),
    method(10, 50, "connection close", Call, CLOSE),
    method(10, 51, "connection close-ok", Answer, &[]),
    method(10, 60, "connection blocked", OneWay, &[("reason", ShortText)]),
    method(10, 61, "connection unblocked", OneWay, &[]),
    method(10, 70, "connection update-secret", Call, &[("newSecret", Secret), ("reason", ShortText)]),
    method(10, 71, "connection update-secret-ok", Answer, &[]),
    method(20, 10, "channel open", Call, &[("", ShortText)]),
    method(20, 11, "channel open-ok", Answer, &[("", LongText)]),
    method(20, 20, "channel flow", Call, &[("active", Bit)]),
    method(20, 21, "channel flow-ok", Answer, &[("active", Bit)]),
    method(20, 40, "channel close", Call, CLOSE),
    method(20, 41, "channel close-ok", Answer, &[]),
    method(
        40,
        10,
        "exchange declare",
        Call,
        &[
            ("", Short),
            ("exchange", ShortText),
            ("type", ShortText),
            ("passive", Bit),
            ("durable", Bit),
            ("autoDelete", Bit),
            ("internal", Bit),
            ("noWait", Bit),
            ("arguments", Table),
        ],
    ),
    method(40, 11, "exchange declare-ok", Answer, &[]),
    method(
        40,
        20,
        "exchange delete",
        Call,
        &[("", Short), ("exchange", ShortText), ("ifUnused", Bit), ("noWait", Bit)],
    ),
    method(40, 21, "exchange delete-ok", Answer, &[]),
    method(40, 30, "exchange bind", Call, EXCHANGE_BINDING),
    method(40, 31, "exchange bind-ok", Answer, &[]),
    method(40, 40, "exchange unbind", Call, EXCHANGE_BINDING),
    method(40, 51, "exchange unbind-ok", Answer, &[]),
    method(
        50,
        10,
        "queue declare",
        Call,
        &[
            ("", Short),
            ("queue", ShortText),
            ("passive", Bit),
            ("durable", Bit),
            ("exclusive", Bit),
            ("autoDelete", Bit),
            ("noWait", Bit),
            ("arguments", Table),
        ],
    ),
    method(
        50,
        11,
        "queue declare-ok",
        Answer,
        &[("queue", ShortText), ("messageCount", Long), ("consumerCount", Long)],
    ),
    method(
        50,
        20,
        "queue bind",
        Call,
        &[
            ("", Short),
            ("queue", ShortText),
            ("exchange", ShortText),
            ("routingKey", ShortText),
            ("noWait", Bit),
            ("arguments", Table),
        ],
    ),
    method(50, 21, "queue bind-ok", Answer, &[]),
    method(50, 30, "queue purge", Call, &[("", Short), ("queue", ShortText), ("noWait", Bit)]),
    method(50, 31, "queue purge-ok", Answer, &[("messageCount", Long)]),
    method(
        50,
        40,
        "queue delete",
        Call,
        &[("", Short), ("queue", ShortText), ("ifUnused", Bit), ("ifEmpty", Bit), ("noWait", Bit)],
    ),
    method(50, 41, "queue delete-ok", Answer, &[("messageCount", Long)]),
    method(
        50,
        50,
        "queue unbind",
        Call,
        &[
            ("", Short),
            ("queue", ShortText),
            ("exchange", ShortText),
            ("routingKey", ShortText),
            ("arguments", Table),
        ],
    ),
    method(50, 51, "queue unbind-ok", Answer, &[]),
    method(60, 10, "basic qos", Call, &[("prefetchSize", Long), ("prefetchCount", Short), ("global", Bit)]),
    method(60, 11, "basic qos-ok", Answer, &[]),
    method(
        60,
        20,
        "basic consume",
        Call,
        &[
            ("", Short),
            ("queue", ShortText),
            ("consumerTag", ShortText),
            ("noLocal", Bit),
            ("noAck", Bit),
            ("exclusive", Bit),
            ("noWait", Bit),
            ("arguments", Table),
        ],
    ),
    method(60, 21, "basic consume-ok", Answer, &[("consumerTag", ShortText)]),
    method(60, 30, "basic cancel", Call, &[("consumerTag", ShortText), ("noWait", Bit)]),
    method(60, 31, "basic cancel-ok", Answer, &[("consumerTag", ShortText)]),
    method(
        60,
        40,
        "basic publish",
        OneWay,
        &[
            ("", Short),
            ("exchange", ShortText),
            ("routingKey", ShortText),
            ("mandatory", Bit),
            ("immediate", Bit),
        ],
    )
    .content(),
    method(
        60,
        50,
        "basic return",
        OneWay,
        &[("replyCode", Short), ("replyText", ShortText), ("exchange", ShortText), ("routingKey", ShortText)],
    )
    .content(),
    method(
        60,
        60,
        "basic deliver",
        OneWay,
        &[
            ("consumerTag", ShortText),
            ("deliveryTag", LongLong),
            ("redelivered", Bit),
            ("exchange", ShortText),
            ("routingKey", ShortText),
        ],
    )
    .content(),
    method(60, 70, "basic get", Call, &[("", Short), ("queue", ShortText), ("noAck", Bit)]),
    method(
        60,
        71,
        "basic get-ok",
        Answer,
        &[
            ("deliveryTag", LongLong),
            ("redelivered", Bit),
            ("exchange", ShortText),
            ("routingKey", ShortText),
            ("messageCount", Long),
        ],
    )
    .content(),
    method(60, 72, "basic get-empty", Answer, &[("", ShortText)]),
    method(60, 80, "basic ack", OneWay, &[("deliveryTag", LongLong), ("multiple", Bit)]),
    method(60, 90, "basic reject", OneWay, &[("deliveryTag", LongLong), ("requeue", Bit)]),
    method(60, 100, "basic recover-async", OneWay, &[("requeue", Bit)]),
    method(60, 110, "basic recover", Call, &[("requeue", Bit)]),
    method(60, 111, "basic recover-ok", Answer, &[]),
    method(60, 120, "basic nack", OneWay, &[("deliveryTag", LongLong), ("multiple", Bit), ("requeue", Bit)]),
    method(85, 10, "confirm select", Call, &[("noWait", Bit)]),
    method(85, 11, "confirm select-ok", Answer, &[]),
    method(90, 10, "tx select", Call, &[]),
    method(90, 11, "tx select-ok", Answer, &[]),
    method(90, 20, "tx commit", Call, &[]),
    method(90, 21, "tx commit-ok", Answer, &[]),
    method(90, 30, "tx rollback", Call, &[]),
    method(90, 31, "tx rollback-ok", Answer, &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_and_answers_have_the_key_of_what_they_answer() {
        assert!(METHODS.is_sorted_by_key(|method| (method.class, method.id)));
        for method in &METHODS {
            assert_eq!(find(method.class, method.id), Some(method));
            if method.role == Role::Answer {
                let (class, id) = method.key();
                let call = find(class, id).expect("what is answered is there");
                assert_eq!(call.role, Role::Call, "{}", method.name);
                assert!(method.name.starts_with(call.name), "{}", method.name);
            }
        }
        assert_eq!(find(60, 10_000), None);
    }
}
