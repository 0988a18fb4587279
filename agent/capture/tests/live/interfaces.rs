//! Interfaces come, go, change their names, have other programs on them, and show one packet several times.

use std::{
    fs,
    net::UdpSocket,
    time::{Duration, Instant},
};

use remora_capture::{AttachMode, CaptureError, Hook, LiveConfig, LiveSource, LiveStats, Polled};
use remora_packet::LinkType;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use crate::support::{Capture, Namespace, Pair, config, eventually, run};

/// Polls until the source is attached to exactly these interfaces.
fn attached_to(source: &mut LiveSource, names: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        source.poll(Duration::from_millis(10), |_| {}).unwrap();
        let mut attached: Vec<_> = source.stats().unwrap().interfaces.into_iter().map(|i| i.name).collect();
        attached.sort();
        if attached == names {
            return;
        }
        assert!(Instant::now() < deadline, "attached to {attached:?} instead of {names:?}");
    }
}

/// Sends a datagram to an address nobody answers at, out of the interface that leads there, and counts who saw it.
fn sightings(source: &mut LiveSource, address: &str, payload: &[u8]) -> usize {
    UdpSocket::bind("0.0.0.0:0").unwrap().send_to(payload, (address, 9)).unwrap();
    let mut seen = 0;
    let deadline = Instant::now() + Duration::from_millis(200);
    while Instant::now() < deadline {
        source
            .poll(Duration::from_millis(20), |packet| seen += usize::from(packet.data.ends_with(payload)))
            .unwrap();
    }
    seen
}

#[test]
fn interfaces_are_followed() {
    let Some((config, _turn)) = config(&["late.*", "tun0"]) else { return };
    let namespace = Namespace::new();
    namespace.inside(|| {
        let mut source = LiveSource::start(&config).unwrap();
        attached_to(&mut source, &[]);

        run("ip link add late0 type veth peer name other0");
        attached_to(&mut source, &["late0"]);
        run("ip address add 10.98.0.1/24 dev late0");
        run("ip link set late0 up");
        run("ip link set other0 up");
        run("ip neighbour add 10.98.0.2 lladdr 02:00:00:00:00:02 dev late0");
        assert_eq!(sightings(&mut source, "10.98.0.2", b"appeared"), 1);

        run("ip link set late0 down");
        run("ip link set late0 name late1");
        run("ip link set late1 up");
        attached_to(&mut source, &["late1"]);
        run("ip neighbour replace 10.98.0.2 lladdr 02:00:00:00:00:02 dev late1");
        assert_eq!(sightings(&mut source, "10.98.0.2", b"renamed"), 1);

        run("ip link set other0 down");
        run("ip link set other0 name late2");
        attached_to(&mut source, &["late1", "late2"]);
        run("ip link set late2 name other0");
        attached_to(&mut source, &["late1"]);

        run("ip link delete late1");
        attached_to(&mut source, &[]);
        let stats = source.stop(|_| {}).unwrap();
        assert_eq!(stats.attach_failures, 0, "{stats:?}");
    });
}

#[test]
fn an_interface_without_link_header_gives_raw_ip() {
    let Some((config, _turn)) = config(&["tun0"]) else { return };
    let namespace = Namespace::new();
    namespace.run("ip tuntap add name tun0 mode tun");
    namespace.run("ip address add 10.97.0.1/24 dev tun0");
    namespace.run("ip link set tun0 up");
    namespace.inside(|| {
        let mut source = LiveSource::start(&config).unwrap();
        UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"through the tunnel", ("10.97.0.2", 9)).unwrap();
        let mut seen = 0;
        eventually("the packet is seen", || {
            source
                .poll(Duration::from_millis(20), |packet| {
                    if packet.data.ends_with(b"through the tunnel") {
                        assert_eq!((packet.link, packet.data[0]), (LinkType::RAW, 0x45));
                        seen += 1;
                    }
                })
                .unwrap();
            seen == 1
        });
    });
}

#[test]
fn a_vlan_tag_stands_where_the_wire_has_it() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let pair = Pair::new();
    let (addresses, tag, experimental) = ("ffffffffffff020000000002", "81006064", "88b5");
    let frame = format!("{addresses}{tag}{experimental}{}", "5a".repeat(100));
    let capture = Capture::start(&pair.server, config, Vec::new(), |frames: &mut Vec<Vec<u8>>, packet| {
        assert_eq!(packet.length as usize, packet.data.len());
        frames.push(packet.data.to_vec());
    });
    let send = "import socket,sys;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind(('veth0',0));\
                s.send(bytes.fromhex(sys.argv[1]))";
    let output = pair.client.command("python3").args(["-c", send, &frame]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (frames, _) = capture.finish();
    let expected: Vec<u8> =
        (0..frame.len()).step_by(2).map(|at| u8::from_str_radix(&frame[at..at + 2], 16).unwrap()).collect();
    assert!(frames.contains(&expected), "{frames:02x?}");
}

fn tc(kind: &str, rest: &str) -> String {
    String::from_utf8(run(&format!("tc {kind} show dev veth0 {rest}")).stdout).unwrap()
}

/// How many tcx programs the interface has in both directions.
fn tcx_programs() -> usize {
    use aya::programs::{SchedClassifier, TcAttachType};
    [TcAttachType::Ingress, TcAttachType::Egress]
        .map(|direction| SchedClassifier::query_tcx("veth0", direction).unwrap().1.len())
        .iter()
        .sum()
}

fn hooks(source: &LiveSource) -> Vec<Hook> {
    source.stats().unwrap().interfaces.into_iter().map(|interface| interface.hook).collect()
}

#[test]
fn tcx_links_are_gone_after_a_stop_and_after_a_drop() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let config = LiveConfig { attach: AttachMode::Tcx, ..config };
    let pair = Pair::new();
    pair.server.inside(|| {
        let source = LiveSource::start(&config).unwrap();
        assert_eq!((hooks(&source), tcx_programs()), (vec![Hook::Tcx], 2));
        source.stop(|_| {}).unwrap();
        assert_eq!(tcx_programs(), 0);

        let source = LiveSource::start(&config).unwrap();
        assert_eq!(tcx_programs(), 2);
        drop(source);
        assert_eq!(tcx_programs(), 0);
        assert!(!tc("qdisc", "").contains("clsact"));
    });
}

#[test]
fn clsact_goes_with_the_last_filter_and_no_sooner() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let config = LiveConfig { attach: AttachMode::Clsact, ..config };
    let pair = Pair::new();
    pair.server.inside(|| {
        let filters = || {
            ["ingress", "egress"]
                .map(|side| tc("filter", side).lines().filter(|line| line.contains("remora_")).count())
        };

        let mut source = LiveSource::start(&config).unwrap();
        assert_eq!(hooks(&source), [Hook::Clsact]);
        assert!(tc("qdisc", "").contains("clsact"));
        assert_eq!((filters(), tcx_programs()), ([1, 1], 0));
        run("ip neighbour replace 10.99.0.77 lladdr 02:00:00:00:00:02 dev veth0");
        assert_eq!(sightings(&mut source, "10.99.0.77", b"through a filter"), 1);
        source.stop(|_| {}).unwrap();
        assert!(!tc("qdisc", "").contains("clsact"), "the qdisc was ours alone");

        let source = LiveSource::start(&config).unwrap();
        run("tc filter add dev veth0 ingress protocol ip prio 7 u32 match u32 0 0 flowid 1:1");
        source.stop(|_| {}).unwrap();
        assert!(tc("qdisc", "").contains("clsact"), "another's filter needs the qdisc");
        assert_eq!(filters(), [0, 0]);
        assert!(tc("filter", "ingress").contains("u32"));

        LiveSource::start(&config).unwrap().stop(|_| {}).unwrap();
        assert!(tc("qdisc", "").contains("clsact"), "the qdisc was there before");
    });
}

#[test]
fn other_programs_see_every_packet_too() {
    let Some((config, _turn)) = config(&["veth0"]) else { return };
    let pair = Pair::new();
    pair.server.inside(|| {
        run("ip neighbour replace 10.99.0.77 lladdr 02:00:00:00:00:02 dev veth0");
        let modes = [AttachMode::Tcx, AttachMode::Tcx, AttachMode::Clsact];
        let mut sources =
            modes.map(|attach| LiveSource::start(&LiveConfig { attach, ..config.clone() }).unwrap());
        UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"for all of you", ("10.99.0.77", 9)).unwrap();
        for source in &mut sources {
            let mut seen = 0;
            eventually("the packet is seen", || {
                let on_packet = |packet: &remora_packet::Packet<'_>| {
                    seen += usize::from(packet.data.ends_with(b"for all of you"));
                };
                assert!(matches!(source.poll(Duration::from_millis(20), on_packet), Ok(Polled::Packets(_))));
                seen == 1
            });
        }
    });
}

/// Two namespaces on a bridge in a third: a packet from one to the other passes two ports of the bridge.
fn through_a_bridge(config: LiveConfig) -> (Vec<u8>, LiveStats) {
    let (node, left, right) = (Namespace::new(), Namespace::new(), Namespace::new());
    node.run("ip link add bridge0 type bridge");
    node.run("ip link set bridge0 up");
    for (name, namespace, address) in [("port1", &left, "10.96.0.1/24"), ("port2", &right, "10.96.0.2/24")] {
        node.run(&format!("ip link add {name} type veth peer name veth0 netns {}", namespace.name));
        node.run(&format!("ip link set {name} master bridge0"));
        node.run(&format!("ip link set {name} up"));
        namespace.run(&format!("ip address add {address} dev veth0"));
        namespace.run("ip link set veth0 up");
    }
    let capture = Capture::start(&node, config, Vec::new(), |seen: &mut Vec<u8>, packet| {
        if let Some(number) = packet.data.strip_suffix(b"over the bridge").and_then(|head| head.last()) {
            seen.push(*number);
        }
    });
    let receiver = right.inside(|| UdpSocket::bind("10.96.0.2:0").unwrap());
    let target = receiver.local_addr().unwrap();
    left.inside(|| {
        let sender = UdpSocket::bind("10.96.0.1:0").unwrap();
        for number in 0..50 {
            let mut message = vec![number];
            message.extend(b"over the bridge");
            sender.send_to(&message, target).unwrap();
        }
    });
    let mut buffer = [0; 100];
    for _ in 0..50 {
        receiver.recv(&mut buffer).unwrap();
    }
    capture.finish()
}

#[test]
fn a_packet_seen_on_two_interfaces_is_delivered_once() {
    let Some((config, _turn)) = config(&["port.*"]) else { return };
    let (seen, stats) = through_a_bridge(config.clone());
    assert_eq!(seen, (0..50).collect::<Vec<u8>>(), "{stats:?}");
    assert!(stats.copies >= 50, "{stats:?}");

    let (seen, stats) = through_a_bridge(LiveConfig { dedup: false, ..config });
    assert_eq!(seen, (0..50).flat_map(|number| [number, number]).collect::<Vec<u8>>(), "{stats:?}");
    assert_eq!(stats.copies, 0);
}

#[test]
fn a_missing_capability_is_named() {
    let Some((config, _turn)) = config(&["lo"]) else { return };
    // A thread of its own, since what is given up does not come back.
    let error = std::thread::spawn(move || {
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        set_capabilities(None, sets).unwrap();
        LiveSource::start(&config).err().unwrap()
    });
    let error = error.join().unwrap();
    assert!(matches!(error, CaptureError::Privilege { .. }), "{error}");
    assert!(error.to_string().contains("CAP_BPF and CAP_NET_ADMIN"), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let Some((config, _turn)) = config(&["lo"]) else { return };
    let broken = std::env::temp_dir().join(format!("remora-no-object-{}", std::process::id()));
    fs::write(&broken, b"not an object").unwrap();
    let with =
        |object| LiveSource::start(&LiveConfig { object: Some(object), ..config.clone() }).err().unwrap();
    let error = with(broken.clone()).to_string();
    fs::remove_file(&broken).unwrap();
    assert!(error.contains("kernel programs"), "{error}");
    assert!(with(broken).to_string().contains("remora-no-object"));
}
