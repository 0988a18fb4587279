//! Redis, memcached, MySQL, PostgreSQL, MongoDB and Cassandra.

use super::{Exchange, LONGEST, Mapping, Said, Side, Way, key, named, plain};
use crate::compare::layer::{Field, Layer, number};

pub(super) const TABLE: &[Mapping] = &[
    Mapping { protocol: "redis", items: ("redis", ""), layers: &["resp"], theirs: resp, ours: redis },
    Mapping {
        protocol: "memcached",
        items: ("memcached", ""),
        layers: &["memcache"],
        theirs: memcache,
        ours: memcached,
    },
    Mapping {
        protocol: "mysql",
        items: ("mysql", ""),
        layers: &["mysql"],
        theirs: mysql_packet,
        ours: mysql,
    },
    Mapping {
        protocol: "postgresql",
        items: ("postgresql", ""),
        layers: &["pgsql"],
        theirs: pgsql,
        ours: postgresql,
    },
    Mapping { protocol: "mongodb", items: ("mongodb", ""), layers: &["mongo"], theirs: mongo, ours: mongodb },
    Mapping {
        protocol: "cassandra",
        items: ("cassandra", ""),
        layers: &["cql"],
        theirs: cql,
        ours: cassandra,
    },
];

/// Commands by name and first argument; answers that are short by what they say. tshark knows neither by the direction, so the
/// server is taken to have the lower port, and arrays of a server are passed over: they are answers or pushed.
fn resp(layer: &Layer) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = layer.fields.as_slice();
    while let Some((field, after)) = rest.split_first() {
        let inside = after.iter().take_while(|inner| inner.depth > 0).count();
        match field.name.as_str() {
            _ if field.depth > 0 => {}
            "resp.array" if layer.to_server() => keys.extend(command(&after[..inside])),
            "resp.string" if !layer.to_server() => keys.push(short("+", &field.show)),
            "resp.integer" if !layer.to_server() => keys.push(short(":", &field.show)),
            "resp.error" if !layer.to_server() => keys.push(short("-", first_word(&field.show))),
            _ => {}
        }
        rest = &after[inside..];
    }
    keys
}

fn command(array: &[Field]) -> Option<String> {
    let mut words =
        array.iter().filter(|field| field.name == "resp.bulk_string.value").map(|field| unhex(&field.show));
    let name = words.next()?.to_ascii_uppercase();
    // The agent hides what is said here.
    let argument = words.next().filter(|_| !["AUTH", "HELLO"].contains(&name.as_str()));
    Some(key(&[&plain(&name), &plain(&argument.unwrap_or_default())]))
}

/// `66:6f:6f` is `foo`.
fn unhex(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).take(4 * LONGEST).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap_or_default();
    String::from_utf8_lossy(&digits.chunks(2).map(byte).collect::<Vec<_>>()).into_owned()
}

fn first_word(text: &str) -> &str {
    text.split([' ', ':']).next().unwrap_or_default()
}

fn short(mark: &str, text: &str) -> String {
    format!("{mark}{}", plain(text))
}

fn redis(item: &Exchange<'_>) -> Said {
    let request = |side: Side<'_>| {
        let name = side.text("/command").filter(|name| !name.is_empty())?.to_ascii_uppercase();
        let argument = side.text("/args/0").or_else(|| side.text("/key")).unwrap_or_default();
        let argument = if ["AUTH", "HELLO"].contains(&name.as_str()) { "" } else { argument };
        Some(key(&[&plain(&name), &plain(argument)]))
    };
    let response = |side: Side<'_>| match side.text("/type")? {
        "Simple String" => Some(short("+", side.text("/value")?)),
        "Integer" => Some(short(":", side.text("/value")?)),
        "Error" => Some(short("-", side.text("/error/code")?)),
        _ => None,
    };
    // What a server pushes is an item without response.
    if item.0["src"]["port"].as_str().and_then(number) < item.0["dst"]["port"].as_str().and_then(number) {
        return Vec::new();
    }
    item.sides(request, response)
}

/// Text: commands with their first key, and answers of one word. Binary: opcodes.
fn memcache(layer: &Layer) -> Vec<String> {
    if let Some(opcode) = layer.number("memcache.opcode") {
        let side = if layer.number("memcache.magic") == Some(0x80) { "request" } else { "response" };
        // Statistics come in a response each, of which the last is empty; together they are one item.
        if side == "response" && opcode == STATISTICS && layer.number("memcache.key.length") != Some(0) {
            return Vec::new();
        }
        return vec![format!("{side} {opcode}")];
    }
    let command = layer.get("memcache.command").filter(|_| layer.to_server());
    let command =
        command.map(|name| key(&[&plain(name), &plain(layer.get("memcache.key").unwrap_or_default())]));
    let answer = layer.get("memcache.response").filter(|_| !layer.to_server()).map(plain);
    command.into_iter().chain(answer.filter(|word| is_answer(word))).collect()
}

const STATISTICS: u64 = 16;

/// The end of a list of values is one to tshark only when it comes alone.
fn is_answer(word: &str) -> bool {
    !["", "END", "VALUE", "OK"].contains(&word)
}

fn memcached(item: &Exchange<'_>) -> Said {
    if let Some(opcode) = item.0.pointer("/request/opcode") {
        return item.sides(|_| Some(format!("request {opcode}")), |_| Some(format!("response {opcode}")));
    }
    let request = |side: Side<'_>| {
        Some(key(&[&plain(side.text("/command")?), &plain(side.text("/key").unwrap_or_default())]))
    };
    item.sides(request, |side| side.text("/status").map(plain).filter(|word| is_answer(word)))
}

const COMMANDS: &[(u64, &str)] = &[
    (0, "COM_SLEEP"),
    (1, "COM_QUIT"),
    (2, "COM_INIT_DB"),
    (3, "COM_QUERY"),
    (4, "COM_FIELD_LIST"),
    (5, "COM_CREATE_DB"),
    (6, "COM_DROP_DB"),
    (7, "COM_REFRESH"),
    (8, "COM_SHUTDOWN"),
    (9, "COM_STATISTICS"),
    (10, "COM_PROCESS_INFO"),
    (12, "COM_PROCESS_KILL"),
    (13, "COM_DEBUG"),
    (14, "COM_PING"),
    (17, "COM_CHANGE_USER"),
    (18, "COM_BINLOG_DUMP"),
    (21, "COM_REGISTER_SLAVE"),
    (22, "COM_STMT_PREPARE"),
    (23, "COM_STMT_EXECUTE"),
    (24, "COM_STMT_SEND_LONG_DATA"),
    (25, "COM_STMT_CLOSE"),
    (26, "COM_STMT_RESET"),
    (27, "COM_SET_OPTION"),
    (28, "COM_STMT_FETCH"),
    (31, "COM_RESET_CONNECTION"),
];

/// Commands with their statement, logins, and errors with their number. Whether an answer's packet is a row or its end is not
/// for tshark to say.
fn mysql_packet(layer: &Layer) -> Vec<String> {
    // What comes after a command in several packets, such as a file, is no command though its first byte is read as one.
    let command =
        layer.number("mysql.command").filter(|number| COMMANDS.iter().any(|(known, _)| known == number));
    let command = command.map(|number| {
        let query = if matches!(number, 3 | 22) { layer.get("mysql.query") } else { None };
        key(&[&named(COMMANDS, number), &plain(query.unwrap_or_default())])
    });
    let login = layer.has("mysql.login_request").then(|| "Login".to_owned());
    let error = layer.number("mysql.error_code").map(|code| format!("error {code}"));
    command.into_iter().chain(login).chain(error).collect()
}

fn mysql(item: &Exchange<'_>) -> Said {
    let request = |side: Side<'_>| {
        let name = side.text("/command")?;
        let query = side.text("/query").filter(|_| matches!(name, "COM_QUERY" | "COM_STMT_PREPARE"));
        Some(key(&[name, &plain(query.unwrap_or_default())]))
    };
    item.sides(request, |side| side.number("/error/code").map(|code| format!("error {code}")))
}

/// Statements, and how they end. An item of the extended protocol is a Parse, a Bind and an Execute, so that the Execute is counted.
fn pgsql(layer: &Layer) -> Vec<String> {
    let found = match layer.get("pgsql.type") {
        Some("Simple query") => Some(key(&["Query", &plain(layer.get("pgsql.query").unwrap_or_default())])),
        Some("Execute") => Some("Execute".to_owned()),
        Some("Startup message") => Some("Startup".to_owned()),
        Some("SSL request") => Some("SSLRequest".to_owned()),
        Some("Cancel request") => Some("CancelRequest".to_owned()),
        Some("Termination") => Some("Terminate".to_owned()),
        Some("Command completion") => layer.get("pgsql.tag").map(|tag| short("done ", tag)),
        Some("Error") => layer.get("pgsql.code").map(|code| short("error ", code)),
        _ => None,
    };
    found.into_iter().collect()
}

fn postgresql(item: &Exchange<'_>) -> Said {
    let request = |side: Side<'_>| match side.text("/command")? {
        "Query" => Some(key(&["Query", &plain(side.text("/query").unwrap_or_default())])),
        name @ ("Execute" | "Startup" | "SSLRequest" | "CancelRequest" | "Terminate") => {
            Some(name.to_owned())
        }
        _ => None,
    };
    let error = |side: Side<'_>| side.text("/error/code").map(|code| short("error ", code));
    let mut said = item.sides(request, error);
    if let Some(response) = item.side("response") {
        let tags = response.list("/results").iter().filter_map(|result| result["tag"].as_str());
        said.extend(tags.map(|tag| (Way::Back, short("done ", tag))));
    }
    said
}

/// By number: a request's own, an answer's request's.
fn mongo(layer: &Layer) -> Vec<String> {
    let found = match (layer.number("mongo.request_id"), layer.number("mongo.response_to")) {
        (Some(id), Some(0) | None) => Some(format!("request {id}")),
        (_, Some(to)) => Some(format!("response to {to}")),
        _ => None,
    };
    found.into_iter().collect()
}

fn mongodb(item: &Exchange<'_>) -> Said {
    let number =
        |side: Side<'_>, names: [&str; 2]| names.iter().find_map(|name| side.0.pointer(name)?.as_i64());
    // On the wire it is signed, tshark prints it without the sign.
    let request = |side: Side<'_>| {
        number(side, ["/requestId", "/requestID"]).map(|id| format!("request {}", id as u32))
    };
    let response = |side: Side<'_>| {
        number(side, ["/responseTo", "/response_to"]).map(|id| format!("response to {}", id as u32))
    };
    item.sides(request, response)
}

/// By opcode and stream (CQL binary protocol, section 2).
fn cql(layer: &Layer) -> Vec<String> {
    let (opcode, stream) = (layer.label("cql.opcode"), layer.get("cql.stream"));
    opcode
        .map(|opcode| key(&[&plain(opcode).to_ascii_uppercase(), stream.unwrap_or_default()]))
        .into_iter()
        .collect()
}

fn cassandra(item: &Exchange<'_>) -> Said {
    let opcode = |side: Side<'_>| {
        let stream = side.0.get("stream").map(ToString::to_string);
        Some(key(&[&side.text("/opcode")?.to_ascii_uppercase(), &stream.unwrap_or_default()]))
    };
    item.sides(opcode, opcode)
}

#[cfg(test)]
mod tests {
    use super::super::item;
    use super::*;
    use serde_json::json;

    fn from_server(mut layer: Layer) -> Layer {
        std::mem::swap(&mut layer.from, &mut layer.to);
        layer
    }

    #[test]
    fn redis_commands_are_read_out_of_arrays() {
        let mut layer = Layer::of(
            "resp",
            &[
                ("resp.array", ""),
                ("resp.bulk_string.value", "67:65:74"),
                ("resp.bulk_string.value", "6b:31"),
                ("resp.array", ""),
                ("resp.bulk_string.value", "50494e47"),
            ],
        );
        for at in [1, 2, 4] {
            layer.fields[at].depth = 1;
        }
        assert_eq!(resp(&layer), ["GET k1", "PING"]);
        let answer = Layer::of(
            "resp",
            &[("resp.string", "OK"), ("resp.error", "WRONGTYPE Operation"), ("resp.integer", "7")],
        );
        assert_eq!(resp(&from_server(answer)), ["+OK", "-WRONGTYPE", ":7"]);
        let item = item(
            json!({ "command": "GET", "key": "k1", "args": ["k1"] }),
            json!({ "type": "Error", "error": { "code": "WRONGTYPE" } }),
        );
        assert_eq!(
            redis(&Exchange(&item)),
            [(Way::There, "GET k1".to_owned()), (Way::Back, "-WRONGTYPE".to_owned())]
        );
    }

    #[test]
    fn statements_and_errors_are_told_by_their_text_and_number() {
        let layer = Layer::of("mysql", &[("mysql.command", "3"), ("mysql.query", "select\\n 1")]);
        let mine = item(
            json!({ "command": "COM_QUERY", "query": "select\n 1" }),
            json!({ "error": { "code": 1064 } }),
        );
        let said = mysql(&Exchange(&mine));
        assert_eq!(mysql_packet(&layer), ["COM_QUERY select1"]);
        assert_eq!(
            said,
            [(Way::There, "COM_QUERY select1".to_owned()), (Way::Back, "error 1064".to_owned())]
        );

        let layer = Layer::of("pgsql", &[("pgsql.type", "Command completion"), ("pgsql.tag", "SELECT 2")]);
        let mine = item(json!({ "command": "Execute" }), json!({ "results": [{ "tag": "SELECT 2" }] }));
        assert_eq!(postgresql(&Exchange(&mine))[1].1, pgsql(&layer)[0]);
    }

    #[test]
    fn mongodb_answers_name_their_request() {
        let layer =
            Layer::of("mongo", &[("mongo.request_id", "0x00000001"), ("mongo.response_to", "0xffffffff")]);
        let item = item(json!({ "requestId": -1 }), json!({ "responseTo": -1 }));
        assert_eq!(mongodb(&Exchange(&item))[1].1, mongo(&layer)[0]);
    }

    #[test]
    fn memcached_is_text_or_binary() {
        let text = Layer::of("memcache", &[("memcache.command", "get"), ("memcache.key", "a")]);
        assert_eq!(memcache(&text), ["get a"]);
        let binary = Layer::of("memcache", &[("memcache.magic", "129"), ("memcache.opcode", "1")]);
        assert_eq!(memcache(&binary), ["response 1"]);
        assert_eq!(
            memcache(&from_server(Layer::of("memcache", &[("memcache.response", "END")]))),
            [] as [&str; 0]
        );
    }
}
