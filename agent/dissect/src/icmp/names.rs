//! Types and codes by name (IANA, ICMP and ICMPv6 Parameters).

use std::borrow::Cow;

pub(super) fn type_name(ipv6: bool, kind: u8) -> Cow<'static, str> {
    let known = if ipv6 { type_name_6(kind) } else { type_name_4(kind) };
    known.map_or_else(|| format!("Type {kind}").into(), Cow::Borrowed)
}

fn type_name_4(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "Echo Reply",
        3 => "Destination Unreachable",
        4 => "Source Quench",
        5 => "Redirect",
        8 => "Echo Request",
        9 => "Router Advertisement",
        10 => "Router Solicitation",
        11 => "Time Exceeded",
        12 => "Parameter Problem",
        13 => "Timestamp Request",
        14 => "Timestamp Reply",
        15 => "Information Request",
        16 => "Information Reply",
        17 => "Address Mask Request",
        18 => "Address Mask Reply",
        30 => "Traceroute",
        40 => "Photuris",
        42 => "Extended Echo Request",
        43 => "Extended Echo Reply",
        _ => return None,
    })
}

fn type_name_6(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "Destination Unreachable",
        2 => "Packet Too Big",
        3 => "Time Exceeded",
        4 => "Parameter Problem",
        128 => "Echo Request",
        129 => "Echo Reply",
        130 => "Multicast Listener Query",
        131 => "Multicast Listener Report",
        132 => "Multicast Listener Done",
        133 => "Router Solicitation",
        134 => "Router Advertisement",
        135 => "Neighbor Solicitation",
        136 => "Neighbor Advertisement",
        137 => "Redirect",
        138 => "Router Renumbering",
        139 => "Node Information Query",
        140 => "Node Information Response",
        141 => "Inverse Neighbor Discovery Solicitation",
        142 => "Inverse Neighbor Discovery Advertisement",
        143 => "Multicast Listener Report v2",
        144 => "Home Agent Address Discovery Request",
        145 => "Home Agent Address Discovery Reply",
        146 => "Mobile Prefix Solicitation",
        147 => "Mobile Prefix Advertisement",
        148 => "Certification Path Solicitation",
        149 => "Certification Path Advertisement",
        151 => "Multicast Router Advertisement",
        152 => "Multicast Router Solicitation",
        153 => "Multicast Router Termination",
        155 => "RPL Control",
        157 => "Duplicate Address Request",
        158 => "Duplicate Address Confirmation",
        160 => "Extended Echo Request",
        161 => "Extended Echo Reply",
        _ => return None,
    })
}

/// `None` where the type has no codes, or not this one.
pub(super) fn code_name(ipv6: bool, kind: u8, code: u8) -> Option<&'static str> {
    const UNREACHABLE: [&str; 16] = [
        "Network Unreachable",
        "Host Unreachable",
        "Protocol Unreachable",
        "Port Unreachable",
        "Fragmentation Needed",
        "Source Route Failed",
        "Network Unknown",
        "Host Unknown",
        "Source Host Isolated",
        "Network Administratively Prohibited",
        "Host Administratively Prohibited",
        "Network Unreachable for Type of Service",
        "Host Unreachable for Type of Service",
        "Communication Administratively Prohibited",
        "Host Precedence Violation",
        "Precedence Cutoff in Effect",
    ];
    const UNREACHABLE_6: [&str; 9] = [
        "No Route to Destination",
        "Communication Administratively Prohibited",
        "Beyond Scope of Source Address",
        "Address Unreachable",
        "Port Unreachable",
        "Source Address Failed Policy",
        "Reject Route to Destination",
        "Error in Source Routing Header",
        "Headers Too Long",
    ];
    const EXCEEDED: [&str; 2] = ["Time to Live Exceeded in Transit", "Fragment Reassembly Time Exceeded"];
    const EXCEEDED_6: [&str; 2] = ["Hop Limit Exceeded in Transit", "Fragment Reassembly Time Exceeded"];
    const REDIRECT: [&str; 4] = [
        "Redirect for Network",
        "Redirect for Host",
        "Redirect for Type of Service and Network",
        "Redirect for Type of Service and Host",
    ];
    const PROBLEM: [&str; 3] = ["Pointer Indicates the Error", "Missing a Required Option", "Bad Length"];
    const PROBLEM_6: [&str; 4] = [
        "Erroneous Header Field",
        "Unrecognized Next Header",
        "Unrecognized IPv6 Option",
        "Incomplete Header Chain in First Fragment",
    ];
    const PROBED: [&str; 5] = [
        "No Error",
        "Malformed Query",
        "No Such Interface",
        "No Such Table Entry",
        "Multiple Interfaces Satisfy Query",
    ];
    let names: &[&str] = match (ipv6, kind) {
        (false, 3) => &UNREACHABLE,
        (false, 5) => &REDIRECT,
        (false, 11) => &EXCEEDED,
        (false, 12) => &PROBLEM,
        (true, 1) => &UNREACHABLE_6,
        (true, 3) => &EXCEEDED_6,
        (true, 4) => &PROBLEM_6,
        (false, 43) | (true, 161) => &PROBED,
        _ => return None,
    };
    names.get(usize::from(code)).copied()
}

/// Protocols that IP carries; a number where there is no name.
pub(super) fn protocol_name(number: u8) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmpv6",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        _ => return number.to_string().into(),
    })
}
