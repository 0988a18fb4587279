//! What a packet costs of the heap: nothing, where it comes in order.

#[path = "support/heap.rs"]
mod heap;
mod support;

use remora_dissect::{
    Context, Direction, Dissector, End, Engine, Item, Limits, Over, Probe, Protocol, Registration,
};
use remora_packet::{LinkType, Packet};
use support::{ACK, CLIENT, PROTOCOL, SYN, Tcp, origin, packet};

/// Uses everything up and keeps nothing.
struct Reader;

impl Dissector for Reader {
    fn parse(&mut self, _: Direction, bytes: &[u8], _: &mut Context<'_>) -> usize {
        bytes.len()
    }

    fn gap(&mut self, _: Direction, _: u64, _: &[u8], _: &mut Context<'_>) {}

    fn overflow(&mut self, _: Direction, _: &[u8], _: &mut Context<'_>) {}

    fn end(&mut self, _: Direction, _: End, _: &[u8], _: &mut Context<'_>) {}

    fn memory(&self) -> usize {
        0
    }
}

const READ: &Protocol = &PROTOCOL;
static READER: &[Registration] = &[Registration {
    protocol: READ,
    over: Over::Stream { probe: |_, _, _| Probe::Certain, create: |_| Box::new(Reader) },
}];

/// The conversation's packets from here on are in order; returns what they allocated.
fn allocations_of(engine: &mut Engine, packets: &[Packet<'_>]) -> u64 {
    let mut items: Vec<Item> = Vec::new();
    let before = heap::calls();
    for packet in packets {
        engine.packet(packet, &mut items);
    }
    let calls = heap::calls() - before;
    assert!(items.is_empty());
    calls
}

/// A connection in full swing: the first two packets open it, the rest is data with the acknowledgments between.
fn conversation(packets: u32) -> Vec<Vec<u8>> {
    let mut frames = vec![
        Tcp::new(Direction::ToServer, 99, SYN, b"").bytes(),
        Tcp::new(Direction::ToClient, 499, SYN, b"").acknowledging(100).bytes(),
    ];
    let (mut client, mut server) = (100, 500);
    for index in 0..packets {
        let payload = [b'a' + (index % 23) as u8; 1000];
        frames.push(Tcp::new(Direction::ToServer, client, ACK, &payload).acknowledging(server).bytes());
        client += 1000;
        frames.push(Tcp::new(Direction::ToClient, server, ACK, b"").acknowledging(client).bytes());
        frames
            .push(Tcp::new(Direction::ToClient, server, ACK, &payload[..500]).acknowledging(client).bytes());
        server += 500;
    }
    frames
}

fn with_prefix(prefix: &[u8], frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| [prefix, frame].concat()).collect()
}

#[test]
fn packets_in_order_allocate_nothing() {
    let frames = conversation(2_000);
    let ethernet = [&[2; 12][..], &[0x08, 0x00]].concat();
    let tagged = [&[2; 12][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x08, 0x00]].concat();
    let links = [
        (LinkType::RAW, Vec::new()),
        (LinkType::ETHERNET, ethernet),
        (LinkType::ETHERNET, tagged),
        (LinkType::LINUX_SLL2, [&[0x08, 0x00][..], &[0; 18]].concat()),
    ];
    for (link, prefix) in links {
        let frames = with_prefix(&prefix, &frames);
        let packets: Vec<Packet<'_>> = frames
            .iter()
            .enumerate()
            .map(|(index, frame)| Packet { link, ..packet(frame, index as i64 * 50_000) })
            .collect();
        let mut engine = Engine::with_registry(Limits::default(), origin(), READER);
        let (opening, rest) = packets.split_at(8);
        assert_ne!(allocations_of(&mut engine, opening), 0, "the counter counts");
        assert_eq!(allocations_of(&mut engine, rest), 0, "{link:?} {prefix:02x?}");
        assert_eq!(engine.counters().tcp_packets, packets.len() as u64);
        assert_eq!((engine.counters().gaps, engine.counters().reordered_segments), (0, 0));
    }
}

#[test]
fn a_body_beyond_what_is_kept_allocates_nothing() {
    let request = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";
    let mut frames = vec![
        Tcp::new(Direction::ToServer, 99, SYN, b"").bytes(),
        Tcp::new(Direction::ToClient, 499, SYN, b"").acknowledging(100).bytes(),
        Tcp::new(Direction::ToServer, 100, ACK, request).acknowledging(500).bytes(),
    ];
    let requested = 100 + request.len() as u32;
    frames.push(Tcp::new(Direction::ToClient, 500, ACK, head).acknowledging(requested).bytes());
    let mut server = 500 + head.len() as u32;
    for _ in 0..5_000 {
        frames.push(Tcp::new(Direction::ToClient, server, ACK, &[7; 1400]).acknowledging(requested).bytes());
        server += 1400;
    }
    let packets: Vec<Packet<'_>> = frames.iter().map(|frame| packet(frame, 0)).collect();
    let mut engine = Engine::new(Limits { http_body_bytes: 10_000, ..Limits::default() }, origin());
    let (opening, rest) = packets.split_at(20);
    allocations_of(&mut engine, opening);
    assert_eq!(allocations_of(&mut engine, rest), 0);
    let mut items = Vec::new();
    engine.finish(&mut items);
    assert_eq!(items.len(), 1, "it was taken for HTTP");
}

/// Opens connections from as many ports and lets `talk` have a say in each.
fn heap_per_stream(registry: Option<&'static [Registration]>, talk: fn(&mut dyn FnMut(Tcp))) -> isize {
    const STREAMS: isize = 20_000;
    let before = heap::live();
    let mut engine = match registry {
        Some(registry) => Engine::with_registry(Limits::default(), origin(), registry),
        None => Engine::new(Limits::default(), origin()),
    };
    for stream in 0..STREAMS {
        let mut items = Vec::new();
        talk(&mut |mut segment| {
            let end = if segment.source == CLIENT { &mut segment.source } else { &mut segment.destination };
            end.1 = 10_000 + stream as u16;
            engine.packet(&packet(&segment.bytes(), 0), &mut items);
        });
    }
    assert_eq!(engine.streams_open(), STREAMS as usize);
    (heap::live() - before) / STREAMS
}

#[test]
fn an_idle_stream_is_small() {
    let opened = heap_per_stream(None, |send| send(Tcp::new(Direction::ToServer, 99, SYN, b"")));
    let read = heap_per_stream(Some(READER), |send| {
        send(Tcp::new(Direction::ToServer, 99, SYN, b""));
        send(Tcp::new(Direction::ToServer, 100, ACK, b"hello"));
    });
    let kept_alive = heap_per_stream(None, |send| {
        let (request, response) = (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n");
        let requested = 100 + request.len() as u32;
        send(Tcp::new(Direction::ToServer, 99, SYN, b""));
        send(Tcp::new(Direction::ToClient, 499, SYN, b"").acknowledging(100));
        send(Tcp::new(Direction::ToServer, 100, ACK, request).acknowledging(500));
        send(Tcp::new(Direction::ToClient, 500, ACK, response).acknowledging(requested));
    });
    println!("bytes per stream: opened {opened}, read {read}, HTTP kept alive {kept_alive}");
    assert!(opened <= 512 && read <= 512, "{opened} {read}");
    assert!(kept_alive <= 640, "{kept_alive}");
}
