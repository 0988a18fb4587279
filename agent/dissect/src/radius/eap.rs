//! The EAP message that attributes carry (RFC 3748, section 4).

use crate::{Fields, Reader, Tree};

/// By name; its content is shown only where it is a name of the user.
pub(super) fn read(bytes: &[u8]) -> Fields {
    let mut fields = Fields::new();
    let mut r = Reader::new(bytes);
    let (Ok(code), Ok(id), Ok(length)) = (r.u8(), r.u8(), r.u16_be()) else {
        return fields.with("malformed", true);
    };
    fields.push("code", code);
    fields.push_some(
        "codeName",
        ["Request", "Response", "Success", "Failure"].get(usize::from(code.wrapping_sub(1))).copied(),
    );
    fields.push("id", id);
    fields.push("length", length);
    if usize::from(length) != bytes.len() {
        fields.push("malformed", true);
        return fields;
    }
    if let (1 | 2, Ok(kind)) = (code, r.u8()) {
        fields.push("type", kind);
        fields.push_some("typeName", type_name(kind));
        if kind == 1 && code == 2 {
            fields.push("identity", Tree::lossy(r.rest()));
        }
    }
    fields
}

/// IANA, EAP method types.
fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "Identity",
        2 => "Notification",
        3 => "Legacy Nak",
        4 => "MD5-Challenge",
        5 => "One-Time Password",
        6 => "Generic Token Card",
        13 => "EAP-TLS",
        15 => "RSA SecurID",
        17 => "EAP-Cisco Wireless",
        18 => "EAP-SIM",
        21 => "EAP-TTLS",
        23 => "EAP-AKA",
        25 => "PEAP",
        26 => "MS-EAP-Authentication",
        29 => "EAP-MSCHAP-V2",
        43 => "EAP-FAST",
        47 => "EAP-PSK",
        49 => "EAP-IKEv2",
        50 => "EAP-AKA'",
        51 => "EAP-GPSK",
        52 => "EAP-pwd",
        53 => "EAP-EKE",
        55 => "TEAP",
        254 => "Expanded",
        _ => return None,
    })
}
