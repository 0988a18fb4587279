//! Link layers, tags and tunnels around the same packet.

use super::*;

#[test]
fn link_layers() {
    let v4 = tcp(b"hello").ipv4(6);
    let v6 = tcp(b"hello").ipv6(6);
    let sll = [0, 4, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0];
    let sll2 = [0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 2, 2, 2, 2, 2, 0, 0];
    let cases = [
        (LinkType::ETHERNET, v4.clone().ethernet(0x0800)),
        (LinkType::ETHERNET, v6.clone().ethernet(0x86dd)),
        (LinkType::LINUX_SLL, v4.clone().prefixed(&[0x08, 0x00]).prefixed(&sll)),
        (
            LinkType::LINUX_SLL,
            v4.clone().prefixed(&[0, 5, 0x08, 0x00]).prefixed(&[0x81, 0x00]).prefixed(&sll),
        ),
        (LinkType::LINUX_SLL2, v6.clone().prefixed(&sll2).prefixed(&[0x86, 0xdd])),
        (LinkType::RAW, v4.clone()),
        (LinkType::RAW_BSD, v6.clone()),
        (LinkType::RAW_OPENBSD, v4.clone()),
        (LinkType::IPV4, v4.clone()),
        (LinkType::IPV6, v6.clone()),
        (LinkType::NULL, v4.clone().prefixed(&[2, 0, 0, 0])),
        (LinkType::NULL, v4.clone().prefixed(&[0, 0, 0, 2])),
        (LinkType::NULL, v6.clone().prefixed(&[30, 0, 0, 0])),
        (LinkType::LOOP, v6.clone().prefixed(&[0, 0, 0, 24])),
        (LinkType::NULL, v4.clone().prefixed(&[15, 0, 8, 0])),
        (LinkType::PPP, v4.clone().prefixed(&[0xff, 0x03, 0x00, 0x21])),
        (LinkType::PPP, v6.clone().prefixed(&[0x57])),
        (LinkType::PPP, v4.clone().prefixed(&[0xff, 0x03, 0x02, 0x81, 0, 1, 0x01, 64])),
        (LinkType::PPP_HDLC, v4.clone().prefixed(&[0xff, 0x03, 0x21])),
        (LinkType::PPP_HDLC, v6.clone().prefixed(&[0x0f, 0, 0x86, 0xdd])),
        (LinkType::CISCO_HDLC, v4.clone().prefixed(&[0x8f, 0, 8, 0])),
        (LinkType::FRAME_RELAY, v4.clone().prefixed(&[0x18, 0x41, 3, 0xcc])),
        (LinkType::FRAME_RELAY, v6.clone().prefixed(&[0x18, 0x40, 0, 1, 3, 0, 0x8e])),
        (LinkType::FRAME_RELAY, v4.clone().prefixed(&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0])),
        (LinkType::FRAME_RELAY, v4.clone().prefixed(&[0x18, 0x41, 8, 0])),
        (LinkType::IPOIB, v4.clone().prefixed(&[8, 0, 0, 0]).prefixed(&[7; 40])),
        (
            LinkType::PKTAP,
            v4.clone().ethernet(0x0800).prefixed(&[16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9, 9, 9]),
        ),
        (LinkType::PKTAP, v4.clone().prefixed(&[0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 101])),
    ];
    for (link, frame) in cases {
        assert_eq!(frame.segment(link), HELLO, "{link:?}");
    }
    assert_eq!(v4.decode(LinkType(9999)), Err(DecodeError::UnknownLink(9999)));
    assert_eq!(
        v4.clone().ethernet(0x0806).decode(LinkType::ETHERNET),
        Err(DecodeError::UnknownEtherType(0x0806))
    );
    assert!(matches!(v4.decode(LinkType::IPV6), Err(DecodeError::Contradiction(Header::Ipv6))));
    let without_end = v4.clone().prefixed(&[2; 6]);
    assert_eq!(
        without_end.decode(LinkType::FRAME_RELAY),
        Err(DecodeError::Contradiction(Header::FrameRelay))
    );
    let inside_itself = v4.prefixed(&[12, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0].repeat(40));
    assert_eq!(inside_itself.decode(LinkType::PKTAP), Err(DecodeError::TooDeep));
}

#[test]
fn tags_and_labels() {
    let packet = tcp(b"hello").ipv4(6);
    let inner = packet.clone().ethernet(0x0800);
    let cases = [
        packet.clone().prefixed(&[0, 5, 0x08, 0x00]).ethernet(0x8100),
        packet.clone().prefixed(&[0, 9, 0x81, 0x00, 0, 5, 0x08, 0x00]).ethernet(0x88a8),
        packet.clone().prefixed(&[0, 9, 0x81, 0x00, 0, 5, 0x08, 0x00]).ethernet(0x9100),
        packet.clone().prefixed(&[0, 9, 0x08, 0x00]).ethernet(0x9200),
        packet.clone().prefixed(&[0, 1, 0x00, 64, 0, 2, 0x01, 64]).ethernet(0x8847),
        inner.clone().prefixed(&[0, 1, 0x01, 64, 0, 0, 0, 0]).ethernet(0x8847),
        packet.clone().prefixed(&[0x11, 0, 0, 7, 0, 55, 0x00, 0x21]).ethernet(0x8864),
        packet.clone().prefixed(&[0x11, 0, 0, 7, 0, 54, 0x21]).ethernet(0x8864),
    ];
    for frame in cases {
        assert_eq!(frame.segment(LinkType::ETHERNET), HELLO, "{:02x?}", &frame.0[12..24]);
    }
}

/// Tunnels of each kind with the same packet in them, with the IP header around.
fn tunnelled() -> Vec<Frame> {
    let packet = tcp(b"hello").ipv4(6);
    let (v6, inner) = (tcp(b"hello").ipv6(6), packet.clone().ethernet(0x0800));
    let vxlan = inner.clone().prefixed(&[8, 0, 0, 0, 0, 0, 7, 0]);
    let geneve = inner.clone().prefixed(&[1, 0, 0x65, 0x58, 0, 0, 7, 0, 0xff, 0, 0, 0]);
    let gre = packet.clone().prefixed(&[0, 0, 0x08, 0x00]);
    let length = packet.0.len() as u8;
    let gtp = packet.clone().prefixed(&[0x30, 0xff, 0, length, 0, 0, 0, 7]);
    // A sequence number, and two extensions of four and eight octets.
    let options = [0, 1, 0, 0x85, 1, 0, 0, 0xc0, 2, 1, 2, 3, 4, 5, 6, 0];
    let extended = packet.clone().prefixed(&options).prefixed(&[0x36, 0xff, 0, length + 16, 0, 0, 0, 7]);
    let sequence = packet.clone().prefixed(&[0, 1, 0, 0]).prefixed(&[0x32, 0xff, 0, length + 4, 0, 0, 0, 7]);
    let lisp = packet.clone().prefixed(&[0x80, 0, 0, 0, 0, 0, 0, 1]);
    let teredo = v6.clone().prefixed(&[0, 0, 9, 9, 8, 8, 8, 8]);
    let authentic = teredo.clone().prefixed(&[0, 1, 1, 2, b'c', 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    let ppp = packet.clone().prefixed(&[0xff, 0x03, 0x00, 0x21]);
    let pptp_length = ppp.0.len() as u8;
    vec![
        udp(4789, &vxlan.0).ipv4(17),
        udp(8472, &vxlan.0).ipv6(17),
        udp(4790, &vxlan.0).ipv4(17),
        udp(4790, &inner.clone().prefixed(&[0x0c, 0, 0, 3, 0, 0, 7, 0]).0).ipv4(17),
        udp(4790, &packet.clone().prefixed(&[0x0c, 0, 0, 1, 0, 0, 7, 0]).0).ipv4(17),
        udp(4790, &v6.clone().prefixed(&[0x0c, 0, 0, 2, 0, 0, 7, 0]).0).ipv4(17),
        udp(6081, &geneve.0).ipv4(17),
        gre.clone().ipv4(47),
        udp(4754, &gre.0).ipv4(17),
        inner.clone().prefixed(&[0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]).ipv6(47),
        inner.clone().prefixed(&[0, 0, 0x88, 0xbe]).ipv4(47),
        inner.clone().prefixed(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0, 0, 0, 0, 0]).ipv4(47),
        inner
            .clone()
            .prefixed(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .ipv4(47),
        packet
            .clone()
            .prefixed(&[7; 8])
            .prefixed(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 1])
            .ipv4(47),
        ppp.clone()
            .prefixed(&[0x30, 0x81, 0x88, 0x0b, 0, pptp_length, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2])
            .ipv4(47),
        ppp.prefixed(&[0, 0, 0x88, 0x0b]).ipv4(47),
        udp(2152, &gtp.0).ipv4(17),
        udp(2152, &extended.0).ipv6(17),
        udp(2152, &sequence.0).ipv4(17),
        udp(4341, &lisp.0).ipv4(17),
        udp(3544, &v6.0).ipv4(17),
        udp(9, &teredo.0).set(0, 0x0d).set(1, 0xd8).ipv4(17),
        udp(3544, &authentic.0).ipv4(17),
        packet.clone().ipv4(4),
        packet.ipv6(4),
    ]
}

#[test]
fn tunnels() {
    for (at, frame) in tunnelled().iter().enumerate() {
        assert_eq!(frame.segment(LinkType::RAW), HELLO, "{at}: {:02x?}", &frame.0[..48]);
    }
    // None, whatever the port.
    for port in [2152, 3544, 4341, 4754, 4789, 4790, 6081, 8472] {
        let frame = udp(port, b"not a tunnel at all").ipv4(17);
        match frame.decode(LinkType::RAW).unwrap().payload {
            Payload::Udp(datagram) => assert_eq!(datagram.payload, b"not a tunnel at all"),
            other => panic!("{other:?}"),
        }
    }
    let of_no_packet = udp(2152, &tcp(b"").ipv4(6).prefixed(&[0x30, 1, 0, 44, 0, 0, 0, 7]).0).ipv4(17);
    assert!(matches!(of_no_packet.decode(LinkType::RAW).unwrap().payload, Payload::Udp(_)));
    // An extension of no length would never end.
    let endless =
        udp(2152, &tcp(b"").ipv4(6).prefixed(&[0x34, 0xff, 0, 48, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1]).0);
    assert!(matches!(endless.ipv4(17).decode(LinkType::RAW).unwrap().payload, Payload::Udp(_)));
    let acknowledges = Frame(vec![0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 2]).ipv4(47);
    assert_eq!(acknowledges.decode(LinkType::RAW), Err(DecodeError::Short(Header::Ppp)));
    let other_version = tcp(b"").ipv4(6).prefixed(&[0x30, 0x01, 0x08, 0x00]).ipv4(47);
    assert_eq!(other_version.decode(LinkType::RAW), Err(DecodeError::Contradiction(Header::Gre)));
}

#[test]
fn every_beginning_of_a_tunnel_decodes_or_says_why_not() {
    for frame in tunnelled() {
        for cut in 1..frame.0.len() {
            match frame.decode_cut(LinkType::RAW, cut).map(|decoded| decoded.payload) {
                Ok(Payload::Tcp(segment)) => {
                    assert_eq!(segment.payload.len() + segment.missing as usize, HELLO.0.len());
                    assert_eq!(segment.missing as usize, cut);
                }
                // What is cut off within a tunnel's headers is not known to be one.
                Ok(Payload::Udp(datagram)) => assert!(datagram.missing as usize == cut),
                Ok(other) => panic!("{other:?}"),
                // The first octet of PPP's address alone looks like a protocol.
                Err(DecodeError::Short(_) | DecodeError::UnknownEtherType(0xff)) => {}
                Err(error) => panic!("{error}"),
            }
            let _ = Frame(frame.0[cut..].to_vec()).decode(LinkType::RAW);
        }
    }
}
