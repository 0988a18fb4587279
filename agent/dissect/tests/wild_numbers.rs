//! Segments whose numbers lie anywhere on the circle of 2^32, as damaged and hostile packets have them: whatever they say, work
//! on them ends, and no direction is told of more than the circle for each of them.

mod support;

use proptest::prelude::*;
use remora_dissect::{Direction, End, Limits};
use support::{Event, FIN, RST, SYN, Tcp, events, packet, recording_engine};

const MILLISECOND: i64 = 1_000_000;
const CIRCLE: u64 = 1 << 32;

/// Runs segments, each a millisecond after the one before, and returns what the recorder was told.
fn run(segments: &[Tcp], limits: Limits) -> Vec<Event> {
    let mut engine = recording_engine(limits);
    let mut items = Vec::new();
    for (at, segment) in (0..).zip(segments) {
        engine.packet(&packet(&segment.bytes(), at * MILLISECOND), &mut items);
    }
    engine.finish(&mut items);
    events().into_iter().map(|(_, event)| event).collect()
}

/// Found in a capture of IPv6 headers gone wrong: after the hole before a FIN far ahead, what was acknowledged long before
/// seemed to lie ahead, and after that the FIN again, round and round.
#[test]
fn a_fin_far_ahead_is_not_run_after_for_ever() {
    let (client, server) = (1_365_224_417_u32, 4_183_844_946_u32);
    let segments = [
        Tcp::new(Direction::ToServer, client, SYN, b""),
        Tcp::new(Direction::ToClient, server, SYN, b"").acknowledging(client + 1),
        Tcp::new(Direction::ToServer, client + 1, 0, b"GET /bad.html\r\n").acknowledging(server + 1),
        // From here on numbers are damaged.
        Tcp::new(Direction::ToServer, client + 16, 0, b"").acknowledging(server + 1_281),
        Tcp::new(Direction::ToClient, server + 1, 0, b"HTTP/1.0 404").acknowledging(client + 17),
        Tcp::new(Direction::ToServer, 6_269_937, FIN, b"").acknowledging(server + 13),
    ];
    let ends = run(&segments, Limits::default()).into_iter().filter(|event| matches!(event, Event::End(..)));
    let ends: Vec<_> = ends.collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(ends.iter().any(|event| matches!(event, Event::End(Direction::ToServer, End::Fin | End::Input))));
}

/// Numbers near the beginning, and near quarters and thirds of the circle from it.
fn numbers() -> impl Strategy<Value = u32> {
    let far = prop_oneof![
        Just(0u32),
        Just(1 << 30),
        Just((1 << 30) + 1),
        Just(u32::MAX / 3),
        Just(1 << 31),
        Just(3 << 30),
        Just((3 << 30) + 2),
        any::<u32>()
    ];
    (far, 0..64_u32, any::<bool>()).prop_map(|(far, near, before)| match before {
        true => far.wrapping_sub(near),
        false => far.wrapping_add(near),
    })
}

fn segment() -> impl Strategy<Value = Tcp> {
    let flags = prop_oneof![4 => Just(0), 2 => Just(FIN), 1 => Just(SYN), 1 => Just(FIN | SYN)];
    (any::<bool>(), numbers(), numbers(), flags, 0..40_usize, 0..30_u8).prop_map(
        |(to_server, sequence, acknowledgment, flags, length, rare)| {
            let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
            let flags = flags | if rare == 0 { RST } else { 0 };
            let segment = Tcp::new(direction, sequence, flags, &b"x".repeat(length));
            if rare % 8 == 7 { segment } else { segment.acknowledging(acknowledgment) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn work_on_segments_from_anywhere_ends(segments in prop::collection::vec(segment(), 1..14), tight in any::<bool>()) {
        let mut limits = Limits::default();
        if tight {
            (limits.reorder_segments, limits.hole_wait_millis) = (2, 3);
        }
        let mut missing = [0u64; 2];
        for event in run(&segments, limits) {
            if let Event::Gap(direction, bytes) = event {
                missing[direction.index()] += bytes;
            }
        }
        let most = segments.len() as u64 * CIRCLE;
        prop_assert!(missing.iter().all(|bytes| *bytes <= most), "{:?}", missing);
    }
}
