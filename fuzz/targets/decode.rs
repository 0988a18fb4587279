//! Any frames through decoding, IP reassembly and the whole engine under tight caps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remora_dissect::decode::{self, Payload};
use remora_dissect::{Engine, Limits};
use remora_fuzz::{Input, origin};
use remora_packet::{LinkType, Packet, Timestamp};

const LINKS: [LinkType; 12] = [
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::RAW_BSD,
    LinkType::RAW_OPENBSD,
    LinkType::RAW,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::LINUX_SLL2,
    LinkType::ETHERNET,
    LinkType(9_999),
];

/// More than the caps below add up to, with room for the packet at hand.
const MAX_MEMORY: usize = 1 << 20;

fn limits() -> Limits {
    Limits {
        total_bytes: 64 << 10,
        streams: 8,
        stream_idle_seconds: 60,
        datagram_idle_seconds: 10,
        reorder_bytes: 4 << 10,
        reorder_segments: 8,
        hole_wait_millis: 2_000,
        pending_bytes: 4 << 10,
        fragment_bytes: 8 << 10,
        fragment_seconds: 5,
        decode_depth: 8,
        http_body_bytes: 4 << 10,
        decoded_bytes: 64 << 10,
        decode_ratio: 100,
        http_pipelined: 8,
        http_headers: 16,
        ..Limits::default()
    }
}

fn check(packet: &Packet<'_>, limits: &Limits) {
    let Ok(decoded) = decode::decode(packet, limits) else { return };
    let (payload, missing) = match decoded.payload {
        Payload::Tcp(segment) => (segment.payload, segment.missing),
        Payload::Udp(datagram) => (datagram.payload, datagram.missing),
        Payload::Icmp(message) | Payload::Sctp(message) => (message.payload, message.missing),
        Payload::Fragment(_) => return,
    };
    let (frame, payload_range) = (packet.data.as_ptr_range(), payload.as_ptr_range());
    assert!(payload.is_empty() || frame.start <= payload_range.start && payload_range.end <= frame.end);
    assert!(payload.len() as u64 + u64::from(missing) <= u64::from(packet.length));
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let limits = limits();
    let mut engine = Engine::new(limits.clone(), origin());
    let (mut items, mut nanos, mut packets) = (Vec::new(), 0, 0);
    while !input.is_empty() {
        let link = input.u8();
        let (cut, length) = (input.u8(), input.u16());
        nanos += i64::from(link / LINKS.len() as u8) * 100_000_000;
        let data = input.take(length.into());
        let packet = Packet {
            timestamp: Timestamp::from_nanos(nanos),
            link: LINKS[usize::from(link) % LINKS.len()],
            interface: 0,
            length: data.len() as u32 + u32::from(cut),
            data,
        };
        check(&packet, &limits);
        engine.packet(&packet, &mut items);
        packets += 1;
        assert!(engine.memory() <= MAX_MEMORY, "{}", engine.memory());
        assert!(engine.streams_open() <= limits.streams);
    }
    engine.finish(&mut items);
    assert_eq!(engine.streams_open(), 0);
    assert_eq!(engine.counters().packets, packets);
    assert_eq!(engine.counters().items, items.len() as u64);
});
