//! Kafka with bytes missing: what is left is marked, the next message is found, and no response is put to another request.

mod kafka_support;
mod talk;

use kafka_support::*;
use remora_dissect::Direction::{self, ToClient, ToServer};
use serde_json::Value;
use talk::Talk;

/// Ids of both sides, and the error.
fn rows(items: &[Value]) -> Vec<String> {
    let id = |side: &Value| side["correlationID"].as_i64().map_or("-".to_owned(), |id| id.to_string());
    items
        .iter()
        .filter(|item| item["protocol"]["name"] == "kafka")
        .map(|item| {
            let error = item["error"]["msg"].as_str().unwrap_or("fine");
            format!("{} {} {error}", id(&item["request"]), id(&item["response"]))
        })
        .collect()
}

/// A connection on which exchanges 1 and 2 are done.
fn known() -> Talk {
    let mut talk = Talk::open(19_092);
    for id in [1, 2] {
        talk.client(&list_offsets(id, "t")).server(&offsets(id, "t", 0, 1));
    }
    talk.items();
    talk
}

/// Sends a message without some of its bytes.
fn with_hole(talk: &mut Talk, direction: Direction, bytes: &[u8], hole: std::ops::Range<usize>) {
    talk.send(direction, &bytes[..hole.start]);
    talk.lose(direction, u32::try_from(hole.len()).expect("holes are small"));
    talk.send(direction, &bytes[hole.end..]);
}

fn records(count: i64) -> Vec<u8> {
    let records: Vec<u8> = (0..count).flat_map(|at| record(None, Some(&[b'v'; 100]), at).0).collect();
    batch(0, i32::try_from(count).expect("a few"), &records).0
}

#[test]
fn a_hole_in_a_body_marks_its_item_only() {
    let mut talk = known();
    with_hole(&mut talk, ToServer, &produce(3, 1, "t", &records(20)), 600..700);
    talk.server(&produced(3, "t", 0));
    talk.client(&list_offsets(4, "t"));
    with_hole(&mut talk, ToClient, &offsets(4, "t", 0, 1), 20..24);
    talk.client(&list_offsets(5, "t")).server(&offsets(5, "t", 0, 1));
    let items = talk.finish();
    assert_eq!(rows(&items), ["3 3 100 request bytes missing", "4 4 4 response bytes missing", "5 5 fine"]);
    let batch = &items[0]["request"]["payload"]["topicData"][0]["partitions"]["partitionData"][0]["records"]
        ["recordBatch"][0];
    assert_eq!((&batch["incomplete"], &batch["recordCount"]), (&Value::Bool(true), &Value::from(20)));
    assert!(batch["record"].as_array().is_some_and(|records| (3..6).contains(&records.len())), "{batch:#}");
    assert_eq!(items[0]["request"]["truncated"], true);
    // An error code may be among what is missing.
    assert_eq!(items[1]["response"].get("errorCode"), None);
}

#[test]
fn a_lost_answer_costs_its_exchange_only() {
    let mut talk = known();
    talk.client(&list_offsets(3, "t")).client(&list_offsets(4, "t"));
    talk.lose(ToClient, 42).server(&offsets(4, "t", 0, 1));
    talk.client(&list_offsets(5, "t")).server(&offsets(5, "t", 0, 1));
    assert_eq!(rows(&talk.finish()), ["4 4 fine", "5 5 fine", "3 - no response: the capture ended"]);
}

#[test]
fn a_lost_request_leaves_its_answer_alone() {
    let mut talk = known();
    talk.lose(ToServer, 43).server(&offsets(3, "t", 0, 1));
    talk.client(&list_offsets(4, "t")).server(&offsets(4, "t", 0, 1));
    assert_eq!(rows(&talk.finish()), ["- 3 no request: bytes are missing or unreadable", "4 4 fine"]);
}

#[test]
fn ids_that_come_again_do_not_pair_across_a_loss() {
    let mut talk = Talk::open(19_092);
    for _ in 0..2 {
        talk.client(&list_offsets(7, "t")).server(&offsets(7, "t", 0, 1));
    }
    // The answer to the first and the question of the second are lost.
    talk.client(&list_offsets(7, "one")).lose(ToClient, 42).lose(ToServer, 43);
    talk.server(&offsets(7, "two", 0, 9)).client(&list_offsets(7, "t")).server(&offsets(7, "t", 0, 1));
    let items = talk.finish();
    assert!(
        items.iter().all(|item| !item.to_string().contains("one") || !item.to_string().contains("two")),
        "{items:#?}"
    );
    assert_eq!(rows(&items).last().map(String::as_str), Some("7 7 fine"));
}

#[test]
fn after_a_hole_an_answer_begins_only_where_its_request_waits() {
    let mut talk = known();
    talk.client(&list_offsets(3, "t"));
    talk.lose(ToClient, 5_000);
    // In the middle of something that looks like an answer, and then one.
    talk.server(&offsets(77, "t", 0, 1)).server(&[0; 300]).server(&offsets(3, "t", 0, 1));
    assert_eq!(rows(&talk.finish()), ["3 3 fine"]);
}

#[test]
fn a_capture_that_begins_in_the_middle_of_messages_finds_the_next() {
    let mut talk = Talk::new(19_092);
    let fetched = records(40);
    talk.server(&fetched[1_000..2_000]).server(&fetched[2_000..]);
    talk.client(&fetched[300..900]);
    talk.client(&list_offsets(3, "t")).server(&offsets(3, "t", 0, 1));
    talk.client(&list_offsets(4, "t")).server(&offsets(4, "t", 0, 1));
    assert_eq!(rows(&talk.finish()), ["3 3 fine", "4 4 fine"]);
}

#[test]
fn a_connection_that_ends_lets_go_what_waits() {
    for (reset, why) in [(false, "the connection was closed"), (true, "the connection was reset")] {
        let mut talk = known();
        talk.client(&list_offsets(3, "t"));
        talk.client(&list_offsets(4, "t")[..20]);
        if reset {
            talk.reset(ToClient);
        } else {
            talk.close();
        }
        let found = rows(&talk.finish());
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], format!("3 - no response: {why}"));
        assert!(
            found[1].starts_with("4 - no response") && found[1].ends_with("23 request bytes missing"),
            "{found:?}"
        );
    }
}
