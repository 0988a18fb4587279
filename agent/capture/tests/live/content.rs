//! Every byte of every packet arrives, whatever its size.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream, UdpSocket},
    thread,
};

use remora_packet::{LinkType, Packet};

use crate::support::{Capture, Namespace, Pair, config, say};

/// Bytes sent through TCP.
const AMOUNT: usize = 8 << 20;

/// The byte at each place of the stream; its period is prime, so that no shift goes unnoticed.
fn pattern(at: usize) -> u8 {
    (at % 65_521 % 251) as u8
}

/// TCP payloads put together by their sequence numbers.
#[derive(Default)]
struct Streams {
    /// By source port: where the stream starts, and its bytes; `None` where none came.
    bytes: HashMap<u16, (u32, Vec<Option<u8>>)>,
    largest: usize,
    truncated: u64,
}

impl Streams {
    fn packet(&mut self, packet: &Packet<'_>) {
        assert_eq!(packet.link, LinkType::ETHERNET);
        self.largest = self.largest.max(packet.data.len());
        self.truncated += u64::from(packet.truncated());
        let Some([8, 0]) = packet.data.get(12..14) else { return };
        let ip = &packet.data[14..];
        if ip[9] != 6 {
            return;
        }
        let tcp = &ip[usize::from(ip[0] & 15) * 4..];
        let port = u16::from_be_bytes([tcp[0], tcp[1]]);
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        const SYN: u8 = 2;
        if tcp[13] & SYN != 0 {
            self.bytes.insert(port, (sequence.wrapping_add(1), Vec::new()));
            return;
        }
        let Some((start, bytes)) = self.bytes.get_mut(&port) else { return };
        let at = sequence.wrapping_sub(*start) as usize;
        if !payload.is_empty() {
            bytes.resize(bytes.len().max(at + payload.len()), None);
            for (place, byte) in bytes[at..].iter_mut().zip(payload) {
                *place = Some(*byte);
            }
        }
    }

    fn assert_whole(&self, port: u16) {
        let (_, bytes) = &self.bytes[&port];
        assert_eq!(bytes.len(), AMOUNT);
        for (at, byte) in bytes.iter().enumerate() {
            assert_eq!(*byte, Some(pattern(at)), "byte {at}");
        }
    }
}

/// Sends the pattern from one namespace to another; the sender's port.
fn send_pattern(from: &Namespace, to: &Namespace, address: &str) -> u16 {
    let listener = to.inside(|| TcpListener::bind((address, 0)).unwrap());
    let target = listener.local_addr().unwrap();
    let receiver = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    let port = from.inside(|| {
        let mut stream = TcpStream::connect(target).unwrap();
        let bytes: Vec<u8> = (0..AMOUNT).map(pattern).collect();
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.local_addr().unwrap().port()
    });
    assert_eq!(receiver.join().unwrap(), AMOUNT);
    port
}

#[test]
fn loopback_packets_of_64_kib_arrive_whole_and_once() {
    let Some((config, _turn)) = config(&["lo"]) else { return };
    let namespace = Namespace::new();
    let capture = Capture::start(&namespace, config, Streams::default(), Streams::packet);
    let port = send_pattern(&namespace, &namespace, "127.0.0.1");
    let (streams, stats) = capture.finish();
    let total = stats.total();
    assert_eq!((total.lost_packets, total.truncated_packets, stats.copies), (0, 0, 0), "{stats:?}");
    streams.assert_whole(port);
    assert!(streams.largest > 65_000, "the largest packet has {} bytes", streams.largest);
    say(&format!("lo: {} packets, the largest of {} bytes", stats.delivered_packets, streams.largest));
}

#[test]
fn gso_packets_of_a_veth_arrive_whole() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let pair = Pair::new();
    let capture = Capture::start(&pair.server, config, Streams::default(), Streams::packet);
    let port = send_pattern(&pair.server, &pair.client, "10.99.0.2");
    let (streams, stats) = capture.finish();
    let total = stats.total();
    assert_eq!((total.lost_packets, total.truncated_packets, stats.copies), (0, 0, 0), "{stats:?}");
    streams.assert_whole(port);
    assert!(streams.largest > 60_000, "the largest packet has {} bytes", streams.largest);
    say(&format!("veth: {} packets, the largest of {} bytes", stats.delivered_packets, streams.largest));
}

#[test]
fn a_datagram_of_any_length_arrives_whole() {
    let Some((config, _turn)) = config(&["lo"]) else { return };
    const HEADERS: usize = 14 + 20 + 8;
    let lengths: Vec<usize> = (0..1500).chain((1500..65_000).step_by(997)).chain([65_507]).collect();
    let namespace = Namespace::new();
    let capture = Capture::start(&namespace, config, Vec::new(), |seen: &mut Vec<usize>, packet| {
        let length = packet.data.len() - HEADERS;
        assert_eq!(packet.length as usize, packet.data.len());
        assert!(
            packet.data[HEADERS..].iter().enumerate().all(|(at, byte)| *byte == pattern(at + length)),
            "{length}"
        );
        seen.push(length);
    });
    namespace.inside(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut buffer = vec![0; 1 << 16];
        for &length in &lengths {
            let bytes: Vec<u8> = (length..2 * length).map(pattern).collect();
            sender.send_to(&bytes, receiver.local_addr().unwrap()).unwrap();
            assert_eq!(receiver.recv(&mut buffer).unwrap(), length);
        }
    });
    let (seen, _) = capture.finish();
    assert_eq!(seen, lengths, "each once, in order");
}

#[test]
fn what_exceeds_the_snap_length_is_cut_off_visibly() {
    let Some((mut config, _turn)) = config(&["lo"]) else { return };
    config.snaplen = 100;
    let namespace = Namespace::new();
    let capture = Capture::start(&namespace, config, Vec::new(), |seen: &mut Vec<(usize, u32)>, packet| {
        seen.push((packet.data.len(), packet.length));
    });
    namespace.inside(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for length in [58, 59, 9000] {
            sender.send_to(&vec![0; length], receiver.local_addr().unwrap()).unwrap();
        }
    });
    let (seen, stats) = capture.finish();
    assert_eq!(seen, [(100, 100), (100, 101), (100, 9042)]);
    assert_eq!(stats.total().truncated_packets, 2);
}
