use remora_packet::{LinkType, Packet, Timestamp};

use super::*;

mod encapsulation;

/// A frame put together header by header, from the inside out.
#[derive(Clone)]
struct Frame(Vec<u8>);

fn tcp(payload: &[u8]) -> Frame {
    let mut bytes = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x18, 1, 0, 0, 0, 0, 0];
    bytes.extend([2, 4, 5, 0xb4]);
    bytes.extend(payload);
    Frame(bytes)
}

fn udp(port: u16, payload: &[u8]) -> Frame {
    let mut bytes = vec![0x9c, 0x40];
    bytes.extend(port.to_be_bytes());
    bytes.extend((payload.len() as u16 + 8).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    Frame(bytes)
}

const IPV4_OPTIONS: [u8; 4] = [0x94, 0x04, 0, 0];

impl Frame {
    fn prefixed(self, header: &[u8]) -> Self {
        Self([header, &self.0].concat())
    }

    fn followed_by(self, trailer: &[u8]) -> Self {
        Self([&self.0, trailer].concat())
    }

    fn ipv4(self, protocol: u8) -> Self {
        self.ipv4_fragment(protocol, 0)
    }

    /// With the flags and offset word of the header.
    fn ipv4_fragment(self, protocol: u8, word: u16) -> Self {
        let mut header = vec![0x46, 0];
        header.extend((self.0.len() as u16 + 24).to_be_bytes());
        header.extend([0xab, 0xcd]);
        header.extend(word.to_be_bytes());
        header.extend([64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]);
        header.extend(IPV4_OPTIONS);
        self.prefixed(&header)
    }

    fn ipv6(self, next: u8) -> Self {
        let mut header = vec![0x60, 0, 0, 0];
        header.extend((self.0.len() as u16).to_be_bytes());
        header.extend([next, 64]);
        header.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        header.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        self.prefixed(&header)
    }

    fn ethernet(self, ether_type: u16) -> Self {
        let ether_type = ether_type.to_be_bytes();
        self.prefixed(&[2; 12]).insert(12, &ether_type)
    }

    fn insert(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0.splice(at..at, bytes.iter().copied());
        self
    }

    fn set(mut self, at: usize, byte: u8) -> Self {
        self.0[at] = byte;
        self
    }

    fn decode(&self, link: LinkType) -> Result<Decoded<'_>, DecodeError> {
        self.decode_cut(link, 0)
    }

    /// As a capture would have it that kept all but the last `cut` bytes.
    fn decode_cut(&self, link: LinkType, cut: usize) -> Result<Decoded<'_>, DecodeError> {
        let data = &self.0[..self.0.len() - cut];
        let length = self.0.len() as u32;
        let packet = Packet { timestamp: Timestamp::default(), link, interface: 0, length, data };
        decode(&packet, &Limits::default())
    }

    /// The TCP payload, with what is missing of it.
    fn segment(&self, link: LinkType) -> (&[u8], u32) {
        match self.decode(link).unwrap().payload {
            Payload::Tcp(segment) => {
                assert_eq!((segment.source_port, segment.destination_port), (40_000, 80));
                assert_eq!((segment.sequence, segment.acknowledgment, segment.flags), (1, 2, Flags(0x18)));
                (segment.payload, segment.missing)
            }
            other => panic!("{other:?}"),
        }
    }
}

const HELLO: (&[u8], u32) = (b"hello", 0);

#[test]
fn addresses_are_the_innermost() {
    let frame = tcp(b"").ipv6(6).ipv4(41);
    let decoded = frame.decode(LinkType::RAW).unwrap();
    let expected: [IpAddr; 2] = ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()];
    assert_eq!([decoded.source, decoded.destination], expected);
    let frame = tcp(b"").ipv4(6).ipv4(4);
    let decoded = frame.decode(LinkType::RAW).unwrap();
    assert_eq!([decoded.source, decoded.destination], [[192, 0, 2, 1], [198, 51, 100, 2]].map(IpAddr::from));
}

#[test]
fn ipv6_extension_headers() {
    let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0];
    let destination = [43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let routing = [51, 0, 4, 0, 0, 0, 0, 0];
    let authentication = [44, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9];
    let only_fragment = [6, 0, 0, 0, 0, 0, 0, 7];
    let headers = [&hop_by_hop[..], &destination, &routing, &authentication, &only_fragment].concat();
    let frame = tcp(b"hello").prefixed(&headers).ipv6(0);
    assert_eq!(frame.segment(LinkType::IPV6), HELLO);
    // A length that leads out of the packet.
    let lies = tcp(b"hello").prefixed(&hop_by_hop).ipv6(0).set(41, 200);
    assert_eq!(lies.decode(LinkType::IPV6), Err(DecodeError::Short(Header::Ipv6Extension)));
}

#[test]
fn other_protocols() {
    for (protocol, version_6) in [(1, false), (58, true)] {
        let message = Frame(vec![8, 0, 0, 0]);
        let frame = if version_6 { message.ipv6(protocol) } else { message.ipv4(protocol) };
        assert!(matches!(frame.decode(LinkType::RAW).unwrap().payload, Payload::Icmp(_)));
    }
    assert_eq!(tcp(b"").ipv4(33).decode(LinkType::RAW), Err(DecodeError::UnknownTransport(33)));
    let sctp = tcp(b"").ipv4(132);
    assert!(matches!(
        sctp.decode(LinkType::RAW).unwrap().payload,
        Payload::Sctp(Datagram { source_port: 40_000, .. })
    ));
    let frame = udp(53, b"question").ipv4(17);
    let datagram = Datagram { source_port: 40_000, destination_port: 53, payload: b"question", missing: 0 };
    assert_eq!(frame.decode(LinkType::RAW).unwrap().payload, Payload::Udp(datagram));
}

#[test]
fn padding_and_trailers_are_not_payload() {
    let frame = tcp(b"").ipv4(6).ethernet(0x0800).followed_by(b"GETxx\n");
    assert_eq!(frame.segment(LinkType::ETHERNET), (&b""[..], 0));
    let frame = tcp(b"hello").ipv6(6).ethernet(0x86dd).followed_by(&[0; 30]);
    assert_eq!(frame.segment(LinkType::ETHERNET), HELLO);
    let frame = udp(53, b"question").followed_by(b"junk").ipv4(17);
    assert!(matches!(
        frame.decode(LinkType::RAW).unwrap().payload,
        Payload::Udp(Datagram { payload: b"question", .. })
    ));
}

#[test]
fn a_length_of_zero_is_a_packet_before_segmentation() {
    let frame = tcp(b"hello").ipv4(6).set(2, 0).set(3, 0);
    assert_eq!(frame.segment(LinkType::RAW), HELLO);
    let frame = tcp(b"hello").ipv6(6).set(4, 0).set(5, 0);
    assert_eq!(frame.segment(LinkType::RAW), HELLO);
}

#[test]
fn what_the_capture_cut_off_is_known() {
    let frame = tcp(b"hello").ipv4(6).ethernet(0x0800);
    let decoded = frame.decode_cut(LinkType::ETHERNET, 3).unwrap();
    assert!(matches!(decoded.payload, Payload::Tcp(Segment { payload: b"he", missing: 3, .. })));
    assert!(!decoded.overstated);
    // The trailer was cut, the payload was not.
    let frame = frame.followed_by(&[0; 4]);
    let decoded = frame.decode_cut(LinkType::ETHERNET, 4).unwrap();
    assert!(matches!(decoded.payload, Payload::Tcp(Segment { payload: b"hello", missing: 0, .. })));
    assert_eq!(frame.decode_cut(LinkType::ETHERNET, 10), Err(DecodeError::Short(Header::Tcp)));
}

#[test]
fn lengths_that_lie() {
    let frame = tcp(b"hello").ipv4(6);
    // More than the wire carried: what is there counts.
    let decoded = frame.clone().set(2, 0xff);
    let decoded = decoded.decode(LinkType::RAW).unwrap();
    assert!(decoded.overstated);
    assert!(matches!(decoded.payload, Payload::Tcp(Segment { payload: b"hello", missing: 0, .. })));
    // Less than the headers.
    assert_eq!(frame.clone().set(3, 20).decode(LinkType::RAW), Err(DecodeError::Contradiction(Header::Ipv4)));
    assert_eq!(
        frame.clone().set(0, 0x44).decode(LinkType::RAW),
        Err(DecodeError::Contradiction(Header::Ipv4))
    );
    assert_eq!(
        frame.clone().set(36, 0x40).decode(LinkType::RAW),
        Err(DecodeError::Contradiction(Header::Tcp))
    );
    assert_eq!(
        frame.clone().set(36, 0xf0).decode(LinkType::RAW),
        Err(DecodeError::Contradiction(Header::Tcp))
    );
    let frame = udp(53, b"question").ipv4(17);
    assert_eq!(frame.clone().set(29, 7).decode(LinkType::RAW), Err(DecodeError::Contradiction(Header::Udp)));
    assert!(frame.set(28, 7).decode(LinkType::RAW).unwrap().overstated);
}

#[test]
fn every_beginning_of_a_frame_decodes_or_says_why_not() {
    let inner = tcp(b"hello").ipv4(6).ethernet(0x0800);
    let vxlan = udp(4789, &inner.prefixed(&[8, 0, 0, 0, 0, 0, 7, 0]).0).ipv6(17);
    let frame = vxlan.prefixed(&[0, 5, 0x86, 0xdd]).ethernet(0x8100);
    for kept in 0..frame.0.len() {
        let whole = frame.decode_cut(LinkType::ETHERNET, frame.0.len() - kept);
        let as_if_complete = Frame(frame.0[..kept].to_vec());
        let alone = as_if_complete.decode(LinkType::ETHERNET);
        assert_eq!(whole.is_ok(), alone.is_ok(), "{kept}");
    }
}

#[test]
fn nesting_is_capped() {
    let mut frame = tcp(b"hello").ipv4(6);
    for _ in 0..16 {
        frame = frame.ipv4(4);
    }
    assert_eq!(frame.segment(LinkType::RAW), HELLO);
    assert_eq!(frame.ipv4(4).decode(LinkType::RAW), Err(DecodeError::TooDeep));
    let tags = [0, 5, 0x81, 0x00].repeat(17);
    let frame = tcp(b"").ipv4(6).prefixed(&tags).ethernet(0x8100);
    assert_eq!(frame.decode(LinkType::ETHERNET), Err(DecodeError::TooDeep));
    let labels = [0, 1, 0x00, 64].repeat(17);
    let frame = tcp(b"").ipv4(6).prefixed(&labels).ethernet(0x8847);
    assert_eq!(frame.decode(LinkType::ETHERNET), Err(DecodeError::TooDeep));
}

#[test]
fn fragments_are_recognised_and_their_whole_decodes() {
    let segment = tcp(b"hello in two pieces");
    let (first, rest) = segment.0.split_at(24);
    let pieces = [Frame(rest.to_vec()).ipv4_fragment(6, 3), Frame(first.to_vec()).ipv4_fragment(6, 0x2000)];
    let v6 = |piece: &[u8], word: u8| Frame(piece.to_vec()).prefixed(&[6, 0, 0, word, 1, 2, 3, 4]).ipv6(44);
    let pieces_v6 = [v6(rest, 24), v6(first, 1)];
    for pieces in [pieces, pieces_v6] {
        let (limits, mut counters) = (Limits::default(), crate::Counters::default());
        let mut fragments = fragments::Fragments::default();
        let mut whole = None;
        for piece in &pieces {
            assert!(whole.is_none());
            let Payload::Fragment(fragment) = piece.decode(LinkType::RAW).unwrap().payload else { panic!() };
            whole = fragments.insert(&fragment, 0, &limits, &mut counters);
        }
        let whole = whole.unwrap();
        let decoded = decode_datagram(&whole).unwrap();
        let Payload::Tcp(segment) = decoded.payload else { panic!("{decoded:?}") };
        assert_eq!((segment.payload, segment.destination_port), (&b"hello in two pieces"[..], 80));
    }
}
