//! Kafka messages made by hand: what is shown of them, in what form.

mod kafka_support;
mod talk;

use std::io::Write;

use kafka_support::*;
use remora_dissect::{Direction, Limits};
use serde_json::{Value, json};
use talk::Talk;

/// The items of an exchange, without the times inside them.
fn exchange(request: &[u8], response: &[u8]) -> Value {
    let mut talk = Talk::open(19_092);
    talk.client(request).server(response);
    let items = talk.finish();
    let [item] = items.as_slice() else { panic!("{items:#?}") };
    item.clone()
}

fn records_of(item: &Value) -> &Value {
    &item["request"]["payload"]["topicData"][0]["partitions"]["partitionData"][0]["records"]
}

#[test]
fn an_exchange_has_headers_payloads_and_a_row() {
    let item = exchange(&list_offsets(7, "orders"), &offsets(7, "orders", 3, 12));
    assert_eq!(
        item["request"],
        json!({
            "size": 44, "apiKeyName": "ListOffsets", "apiKey": 2, "apiVersion": 1, "correlationID": 7, "clientID": "me",
            "payload": {
                "replicaId": -1,
                "topics": [{"name": "orders", "partitions": [{"partitionIndex": 0, "timestamp": -1}]}],
            },
            "captureTime": "2023-11-14T22:13:20.003Z",
        })
    );
    assert_eq!(
        item["response"],
        json!({
            "size": 42, "correlationID": 7, "errorCode": 3, "errorName": "UNKNOWN_TOPIC_OR_PARTITION",
            "payload": {"topics": [{"name": "orders", "partitions": [{
                "partitionIndex": 0, "errorCode": 3, "errorName": "UNKNOWN_TOPIC_OR_PARTITION",
                "timestamp": -1, "offset": 12,
            }]}]},
            "captureTime": "2023-11-14T22:13:20.004Z",
        })
    );
    assert_eq!(
        item["base"],
        json!({
            "method": "ListOffsets", "methodQuery": r#"request.apiKeyName == "ListOffsets""#,
            "summary": "orders", "summaryQuery": r#"request.payload.topics[0].name == "orders""#,
            "status": 3, "statusQuery": "response.errorCode == 3",
        })
    );
    assert_eq!((&item["requestSize"], &item["responseSize"]), (&json!(48), &json!(46)));
    assert_eq!(item["error"], Value::Null);
}

#[test]
fn records_are_read_through_every_compression() {
    let plain =
        [record(Some(b"k"), Some("v\u{e4}".as_bytes()), 0).0, record(None, Some(&[0xff]), 1).0].concat();
    let length = u8::try_from(plain.len()).expect("they are small");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&plain).expect("memory takes it");
    let raw_snappy = [&[length, 60 << 2, length - 1], plain.as_slice()].concat();
    let xerial =
        [b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0", [length + 3].as_slice(), raw_snappy.as_slice()].concat();
    let lz4 = [
        b"\x04\x22\x4d\x18\x60\x40\x82".as_slice(),
        &(u32::from(length) | 1 << 31).to_le_bytes(),
        &plain,
        &[0; 4],
    ]
    .concat();
    let zstd = [
        b"\x28\xb5\x2f\xfd\x20".as_slice(),
        &[length],
        &(1 | u32::from(length) << 3).to_le_bytes()[..3],
        &plain,
    ]
    .concat();
    for (codec, name, packed) in [
        (0, "none", plain.clone()),
        (1, "gzip", gzip.finish().expect("it ends")),
        (2, "snappy", raw_snappy),
        (2, "snappy", xerial),
        (3, "lz4", lz4),
        (4, "zstd", zstd),
    ] {
        let item = exchange(&produce(1, -1, "t", &batch(codec, 2, &packed).0), &produced(1, "t", 0));
        assert_eq!(item["error"], Value::Null);
        let batch = &records_of(&item)["recordBatch"][0];
        assert_eq!((&batch["compression"], &batch["recordCount"]), (&json!(name), &json!(2)), "{batch:#}");
        assert_eq!(batch.get("crcValid"), None);
        assert_eq!(batch.get("recordError"), None, "{batch:#}");
        let header = json!({"headerKeyLength": 1, "headerKey": "h", "headerValueLength": -1, "value": null});
        assert_eq!(
            batch["record"],
            json!([
                {"length": 13, "attributes": 0, "timestampDelta": 5, "offsetDelta": 0, "keyLength": 1, "key": "k",
                 "valueLen": 3, "value": "v\u{e4}", "headers": [header]},
                {"length": 10, "attributes": 0, "timestampDelta": 5, "offsetDelta": 1, "keyLength": -1, "key": null,
                 "valueLen": 1, "value": "/w==", "valueEncoding": "base64", "headers": [header]},
            ])
        );
    }
}

#[test]
fn batches_say_what_they_are_and_whether_they_are_sound() {
    let commit = record(Some(&[0, 0, 0, 1]), Some(&[0, 0, 0, 0, 0, 5]), 0);
    let mut control = batch(0x38, 1, &commit.0).0;
    let item = exchange(&produce(1, 1, "t", &control), &produced(1, "t", 0));
    let shown = &records_of(&item)["recordBatch"][0];
    assert_eq!((&shown["isTransactional"], &shown["isControl"]), (&json!(true), &json!(true)));
    assert_eq!((&shown["timestampType"], &shown["producerId"]), (&json!("LogAppendTime"), &json!(77)));
    assert_eq!(shown["record"][0]["control"], "COMMIT");
    *control.last_mut().expect("it has bytes") ^= 1;
    let item = exchange(&produce(1, 1, "t", &control), &produced(1, "t", 0));
    assert_eq!(records_of(&item)["recordBatch"][0]["crcValid"], false);
    let broken = batch(4, 3, b"not zstd");
    let item = exchange(&produce(1, 1, "t", &broken.0), &produced(1, "t", 0));
    let shown = &records_of(&item)["recordBatch"][0];
    assert_eq!(shown["recordError"], "the records can't be decompressed");
    assert_eq!((&shown["record"], &shown["recordCount"]), (&json!([]), &json!(3)));
}

#[test]
fn older_message_sets_are_read_with_their_wrappers() {
    let message = |magic: i8, attributes: i8, value: &[u8]| {
        let checked = Bytes::new().i8(magic).i8(attributes);
        let checked = if magic == 1 { checked.i64(5) } else { checked }.i32(-1).bytes(value);
        let sum = flate2_crc(&checked.0);
        Bytes::new().i64(3).bytes(&Bytes::new().i32(sum.cast_signed()).raw(&checked.0).0)
    };
    let inner = [message(1, 0, b"one").0, message(0, 0, b"two").0].concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&inner).expect("memory takes it");
    let wrapper = message(1, 1, &gzip.finish().expect("it ends"));
    let item = exchange(&produce(1, 1, "t", &wrapper.0), &produced(1, "t", 0));
    let set = &records_of(&item)["messageSet"];
    assert_eq!((&set[0]["compression"], &set[0]["timestamp"]), (&json!("gzip"), &json!(5)));
    assert_eq!(set[0].get("crcValid"), None);
    let inner = &set[0]["records"]["messageSet"];
    assert_eq!((&inner[0]["value"], &inner[1]["value"]), (&json!("one"), &json!("two")));
    assert_eq!((&inner[0]["magic"], &inner[1]["magic"]), (&json!(1), &json!(0)));
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn flexible_versions_have_ids_and_tagged_fields() {
    let id: Vec<u8> = (1..=16).collect();
    let partition = Bytes::new()
        .i32(4)
        .i32(-1)
        .i64(30)
        .i32(-1)
        .i64(-1)
        .i32(1_000)
        .uvarint(2)
        .tag(0, Bytes::new().raw(&id))
        .tag(9, Bytes::new().raw(b"later"));
    let body = Bytes::new()
        .i32(500)
        .i32(1)
        .i32(9_999)
        .i8(0)
        .i32(0)
        .i32(-1)
        .compact(1)
        .raw(&id)
        .compact(1)
        .raw(&partition.0)
        .no_tags()
        .compact(0)
        .compact_text("rack")
        .uvarint(2)
        .tag(0, Bytes::new().compact_text("cluster"))
        .tag(1, Bytes::new().i32(2).i64(8).no_tags());
    let answer = Bytes::new().i32(0).i16(0).i32(0).compact(1).raw(&id).compact(1);
    let answer = answer.i32(4).i16(6).i64(31).i64(31).i64(0).uvarint(0).i32(-1).uvarint(0);
    let answer = answer.uvarint(1).tag(1, Bytes::new().i32(3).i32(12).no_tags()).no_tags();
    let node = Bytes::new().compact(1).i32(3).compact_text("host").i32(9092).uvarint(0).no_tags();
    let answer = answer.uvarint(1).tag(0, node);
    let item = exchange(&request(1, 17, 1, true, &body), &response(1, true, &answer));
    assert_eq!(item["error"], Value::Null, "{item:#}");
    let payload = &item["request"]["payload"];
    assert_eq!(payload["clusterID"], "cluster");
    assert_eq!(payload["replicaState"], json!({"replicaId": 2, "replicaEpoch": 8}));
    let uuid = json!({
        "timeLow": 0x0102_0304, "timeMid": 0x0506, "timeHiAndVersion": 0x0708, "clockSeq": 0x090a,
        "nodePart1": 0x0b0c, "nodePart22": 0x0d0e_0f10, "text": "AQIDBAUGBwgJCgsMDQ4PEA",
    });
    assert_eq!(payload["topics"][0]["topicID"], uuid);
    assert_eq!(payload["topics"][0]["partitions"][0]["replicaDirectoryID"], uuid);
    assert_eq!(item["base"]["summary"], "AQIDBAUGBwgJCgsMDQ4PEA");
    assert_eq!(
        item["base"]["summaryQuery"],
        r#"request.payload.topics[0].topicID.text == "AQIDBAUGBwgJCgsMDQ4PEA""#
    );
    let payload = &item["response"]["payload"];
    let partition = &payload["responses"][0]["partitionResponses"][0];
    assert_eq!(partition["currentLeader"], json!({"leaderId": 3, "leaderEpoch": 12}));
    assert_eq!((&partition["abortedTransactions"], &partition["recordSet"]), (&Value::Null, &Value::Null));
    assert_eq!(payload["nodeEndpoints"], json!([{"nodeId": 3, "host": "host", "port": 9092, "rack": null}]));
    assert_eq!(item["base"]["status"], 6);
}

#[test]
fn topics_are_made_and_deleted() {
    let body = Bytes::new()
        .i32(1)
        .text("new")
        .i32(3)
        .i16(2)
        .i32(1)
        .i32(0)
        .i32(2)
        .i32(1)
        .i32(2)
        .i32(1)
        .text("retention.ms")
        .i16(-1)
        .i32(3_000)
        .i8(1);
    let answer = Bytes::new().i32(0).i32(1).text("new").i16(36).text("there already");
    let item = exchange(&request(19, 2, 5, false, &body), &response(5, false, &answer));
    assert_eq!(
        item["request"]["payload"],
        json!({
            "topics": [{
                "name": "new", "numPartitions": 3, "replicationFactor": 2,
                "assignments": [{"partitionIndex": 0, "brokerIds": [1, 2]}],
                "configs": [{"name": "retention.ms", "value": null}],
            }],
            "timeoutMs": 3000, "validateOnly": true,
        })
    );
    assert_eq!(item["response"]["errorName"], "TOPIC_ALREADY_EXISTS");
    assert_eq!(item["response"]["payload"]["topics"][0]["errorMessage"], "there already");
    let body = Bytes::new().i32(2).text("a").text("b").i32(100);
    let answer = Bytes::new().i32(0).i32(2).text("a").i16(0).text("b").i16(41);
    let item = exchange(&request(20, 1, 6, false, &body), &response(6, false, &answer));
    assert_eq!(item["request"]["payload"], json!({"topicNames": ["a", "b"], "timeoutMs": 100}));
    assert_eq!((&item["base"]["summary"], &item["base"]["status"]), (&json!("a, b"), &json!(41)));
    assert_eq!(
        item["base"]["summaryQuery"],
        r#"request.payload.topicNames[0] == "a" and request.payload.topicNames[1] == "b""#
    );
}

#[test]
fn what_wants_no_answer_comes_out_at_once() {
    let mut talk = Talk::open(19_092);
    talk.client(&produce(1, 0, "t", &batch(0, 1, &record(None, None, 0).0).0));
    let items = talk.items();
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["response"], &items[0]["error"]), (&Value::Null, &Value::Null));
    talk.client(&list_offsets(2, "t")).server(&offsets(2, "t", 0, 1));
    assert_eq!(talk.items().len(), 1);
    assert_eq!(talk.finish().len(), 0);
}

#[test]
fn versions_of_the_future_are_named_and_not_decoded() {
    let mut talk = Talk::open(19_092);
    talk.client(&list_offsets(1, "t")).server(&offsets(1, "t", 0, 1));
    talk.client(&request(3, 40, 2, true, &Bytes::new().raw(b"anything"))).server(&response(
        2,
        true,
        &Bytes::new(),
    ));
    talk.client(&request(300, 0, 3, true, &Bytes::new())).server(&response(3, true, &Bytes::new()));
    talk.client(&request(12, 4, 4, true, &Bytes::new().raw(b"group"))).server(&response(
        4,
        true,
        &Bytes::new(),
    ));
    let items = talk.finish();
    let names: Vec<_> = items.iter().map(|item| item["base"]["method"].as_str().expect("a text")).collect();
    assert_eq!(names, ["ListOffsets", "Metadata", "Unknown", "Heartbeat"]);
    for (item, unsupported) in items.iter().zip([false, true, true, false]) {
        assert_eq!(item["request"].get("unsupportedVersion").is_some(), unsupported, "{item:#}");
        assert_eq!(item["error"], Value::Null);
    }
    assert!(items[1]["request"].get("payload").is_none() && items[1]["response"].get("payload").is_none());
}

#[test]
fn a_broker_that_lacks_the_version_of_api_versions_answers_in_version_0() {
    let body = Bytes::new().compact_text("lib").compact_text("1.0").no_tags();
    let answer = Bytes::new().i16(35).i32(1).i16(18).i16(0).i16(2);
    let item = exchange(&request(18, 4, 1, true, &body), &response(1, false, &answer));
    assert_eq!(item["error"], Value::Null);
    assert_eq!(
        item["response"]["payload"],
        json!({
            "errorCode": 35, "errorName": "UNSUPPORTED_VERSION",
            "apiKeys": [{"apiKey": 18, "minVersion": 0, "maxVersion": 2}],
        })
    );
    assert_eq!((&item["base"]["summary"], &item["base"]["status"]), (&json!("me"), &json!(35)));
}

#[test]
fn tokens_of_an_old_handshake_are_passed_over_unseen() {
    let mut talk = Talk::open(19_092);
    talk.client(&request(17, 0, 1, false, &Bytes::new().text("PLAIN")));
    talk.server(&response(1, false, &Bytes::new().i16(0).i32(1).text("PLAIN")));
    talk.client(&framed(&Bytes::new().raw(b"\0user\0secret"))).server(&framed(&Bytes::new()));
    talk.client(&list_offsets(2, "t")).server(&offsets(2, "t", 0, 1));
    let items = talk.finish();
    let rows: Vec<_> = items.iter().map(|item| (&item["base"]["method"], &item["request"]["size"])).collect();
    assert_eq!(
        rows,
        [
            (&json!("SaslHandshake"), &json!(19)),
            (&json!("SaslToken"), &json!(12)),
            (&json!("SaslToken"), &json!(0)),
            (&json!("ListOffsets"), &json!(39)),
        ]
    );
    assert!(items.iter().all(|item| item["error"].is_null() && !item.to_string().contains("secret")));
}

#[test]
fn every_cap_shows_where_it_was_applied() {
    let limits = Limits { list_entries: 2, value_bytes: 4, ..Limits::default() };
    let records: Vec<u8> =
        (0..3).flat_map(|at| record(None, Some("a\u{e4}\u{e4}\u{e4}".as_bytes()), at).0).collect();
    let mut talk = Talk::with_limits(19_092, limits);
    talk = talk.handshake();
    talk.client(&produce(1, 1, "topics", &batch(0, 3, &records).0)).server(&produced(1, "topics", 0));
    let items = talk.finish();
    let request = &items[0]["request"];
    assert_eq!(request["truncated"], true);
    assert_eq!(request["payload"]["topicData"][0]["topic"], "topi");
    assert_eq!(request["payload"]["topicData"][0]["topicLength"], 6);
    let batch = &records_of(&items[0])["recordBatch"][0];
    assert_eq!((batch["record"].as_array().map(Vec::len), &batch["recordCount"]), (Some(2), &json!(3)));
    assert_eq!(
        (&batch["record"][0]["value"], &batch["record"][0]["valueLen"]),
        (&json!("a\u{e4}"), &json!(7))
    );

    let limits = Limits { message_bytes: 200, pending_bytes: 100, ..Limits::default() };
    let mut talk = Talk::with_limits(19_092, limits).handshake();
    talk.client(&list_offsets(0, "t")).server(&offsets(0, "t", 0, 1));
    let records: Vec<u8> = (0..30).flat_map(|at| record(None, Some(b"0123456789"), at).0).collect();
    talk.client(&produce(1, 1, "topics", &self::batch(0, 30, &records).0)).server(&produced(1, "topics", 0));
    let items = talk.finish();
    assert_eq!(items.len(), 2);
    let batch = &records_of(&items[1])["recordBatch"][0];
    assert_eq!((&items[1]["request"]["truncated"], &batch["incomplete"]), (&json!(true), &json!(true)));
    assert_eq!((&batch["recordCount"], &items[1]["error"]), (&json!(30), &Value::Null));
    assert_eq!(items[1]["requestSize"], 4 + items[1]["request"]["size"].as_u64().expect("a number"));
}

#[test]
fn bombs_do_not_go_off() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 16 << 20]).expect("memory takes it");
    let packed = gzip.finish().expect("it ends");
    let records: Vec<u8> = (0..40).flat_map(|_| batch(1, i32::MAX, &packed).0).collect();
    let mut talk = Talk::open(19_092);
    talk.client(&produce(1, 1, "t", &records)).server(&produced(1, "t", 0));
    assert!(talk.memory() < 32 << 20);
    let items = talk.finish();
    assert_eq!(items[0]["request"]["truncated"], true);
}

#[test]
fn bytes_that_make_no_sense_give_one_item_and_the_next_request_is_found() {
    let mut talk = Talk::open(19_092);
    talk.client(&list_offsets(1, "t")).server(&offsets(1, "t", 0, 1));
    talk.client(&[0xee; 100])
        .client(&[0xee; 100])
        .client(&list_offsets(2, "t"))
        .server(&offsets(2, "t", 0, 1));
    let items = talk.finish();
    let errors: Vec<_> = items.iter().map(|item| item["error"]["type"].as_str()).collect();
    assert_eq!(errors, [None, Some("dissection"), None], "{items:#?}");
    assert_eq!(items[1]["error"]["msg"], "the size is not that of a request at byte 43 of the stream");
}

#[test]
fn a_body_that_is_not_what_it_should_be_is_marked() {
    let mut talk = Talk::open(19_092);
    talk.client(&list_offsets(1, "t")).server(&offsets(1, "t", 0, 1));
    talk.client(&list_offsets(2, "t")).server(&response(2, false, &Bytes::new().i32(1_000_000)));
    let items = talk.finish();
    assert_eq!(items[1]["error"]["msg"], "response: a length goes beyond the message at offset 12");
}

#[test]
fn others_are_not_taken_for_kafka() {
    for bytes in [
        vec![0; 64],
        [&[0, 0, 0, 20], [0; 20].as_slice()].concat(),
        // SMPP: bind_transceiver, then enquire_link.
        b"\0\0\0\x2f\0\0\0\x09\0\0\0\0\0\0\0\x01user\0password\0type\0\x34\0\0range\0\0\0\0\0\0\0\0\0\0"
            .to_vec(),
        b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x02".to_vec(),
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(),
    ] {
        let mut talk = Talk::open(19_092);
        talk.client(&bytes).server(&bytes).client(&bytes).server(&bytes);
        assert!(talk.finish().iter().all(|item| item["protocol"]["name"] != "kafka"), "{bytes:?}");
    }
}

#[test]
fn the_side_that_asks_is_the_one_that_sends_requests() {
    let mut talk = Talk::new(1_000);
    // The capture joins behind the handshake, and the ports say the wrong thing.
    talk.send(Direction::ToServer, &offsets(1, "t", 0, 1));
    talk.send(Direction::ToClient, &list_offsets(2, "t")).send(Direction::ToServer, &offsets(2, "t", 0, 5));
    talk.send(Direction::ToClient, &list_offsets(3, "t")).send(Direction::ToServer, &offsets(3, "t", 0, 6));
    let items = talk.finish();
    let rows: Vec<_> = items
        .iter()
        .map(|item| (item["request"]["correlationID"].as_i64(), item["response"]["correlationID"].as_i64()))
        .collect();
    assert_eq!(rows, [(Some(2), Some(2)), (Some(3), Some(3))]);
    assert_eq!(items[0]["src"]["port"], "1000");
}
