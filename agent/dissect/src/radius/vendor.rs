//! Attributes of vendors.

use super::attribute;
use super::dictionary::Kind;
use crate::{Fields, ParseError, Reader, Tree};

/// Vendors by their enterprise number (IANA, Private Enterprise Numbers).
fn vendor_name(id: u32) -> Option<&'static str> {
    Some(match id {
        9 => "Cisco",
        43 => "3Com",
        94 => "Nokia",
        193 => "Ericsson",
        311 => "Microsoft",
        388 => "Symbol",
        529 => "Ascend",
        562 => "Shiva",
        637 => "Alcatel",
        890 => "Zyxel",
        1584 => "Bay-Networks",
        1991 => "Foundry",
        2011 => "Huawei",
        2352 => "Redback",
        2636 => "Juniper",
        3076 => "Cisco-VPN3000",
        3309 => "Nomadix",
        3561 => "ADSL-Forum",
        4491 => "CableLabs",
        4874 => "ERX",
        5535 => "3GPP2",
        6527 => "Alcatel-Lucent-Service-Router",
        8744 => "Colubris",
        9148 => "Acme",
        10_415 => "3GPP",
        11_344 => "FreeRADIUS",
        12_356 => "Fortinet",
        14_122 => "WISPr",
        14_179 => "Airespace",
        14_823 => "Aruba",
        14_988 => "MikroTik",
        25_053 => "Ruckus",
        25_461 => "PaloAlto",
        _ => return None,
    })
}

/// Reads the vendor and, where they have the usual form, its attributes; leaves what does not.
pub(super) fn put(fields: &mut Fields, r: &mut Reader<'_>) -> Result<(), ParseError> {
    let id = r.u32_be()?;
    fields.push("vendorId", id);
    fields.push_some("vendor", vendor_name(id));
    let mut inside = *r;
    let mut attributes = Vec::<Tree>::new();
    while !inside.is_empty() {
        let Ok((kind, value)) = attribute::next(&mut inside) else { return Ok(()) };
        let mut attribute = Fields::new().with("type", kind);
        let (name, form) = entry(id, kind).map_or((None, Kind::Octets), |(name, kind)| (Some(name), kind));
        attribute.push_some("name", name);
        attribute::put(&mut attribute, form, value, |_| None);
        attributes.push(attribute.into());
    }
    r.take_rest();
    fields.push("attributes", attributes);
    Ok(())
}

fn entry(vendor: u32, kind: u8) -> Option<(&'static str, Kind)> {
    use Kind::{Address, Address6, Integer, Octets, Prefix6, Secret, Text};
    Some(match (vendor, kind) {
        (9, 1) => ("Cisco-AVPair", Text),
        (9, 2) => ("Cisco-NAS-Port", Text),
        (9, 23) => ("h323-remote-address", Text),
        (9, 24) => ("h323-conf-id", Text),
        (9, 25) => ("h323-setup-time", Text),
        (9, 26) => ("h323-call-origin", Text),
        (9, 27) => ("h323-call-type", Text),
        (9, 28) => ("h323-connect-time", Text),
        (9, 29) => ("h323-disconnect-time", Text),
        (9, 30) => ("h323-disconnect-cause", Text),
        (9, 31) => ("h323-voice-quality", Text),
        (9, 33) => ("h323-gw-id", Text),
        (9, 250) => ("Cisco-Account-Info", Text),
        (9, 251) => ("Cisco-Service-Info", Text),
        (9, 252) => ("Cisco-Command-Code", Text),
        (9, 253) => ("Cisco-Control-Info", Text),
        // RFC 2548.
        (311, 1) => ("MS-CHAP-Response", Secret),
        (311, 2) => ("MS-CHAP-Error", Text),
        (311, 3) => ("MS-CHAP-CPW-1", Secret),
        (311, 4) => ("MS-CHAP-CPW-2", Secret),
        (311, 5) => ("MS-CHAP-LM-Enc-PW", Secret),
        (311, 6) => ("MS-CHAP-NT-Enc-PW", Secret),
        (311, 7) => ("MS-MPPE-Encryption-Policy", Integer),
        (311, 8) => ("MS-MPPE-Encryption-Types", Integer),
        (311, 9) => ("MS-RAS-Vendor", Integer),
        (311, 10) => ("MS-CHAP-Domain", Text),
        (311, 11) => ("MS-CHAP-Challenge", Octets),
        (311, 12) => ("MS-CHAP-MPPE-Keys", Secret),
        (311, 13) => ("MS-BAP-Usage", Integer),
        (311, 14) => ("MS-Link-Utilization-Threshold", Integer),
        (311, 15) => ("MS-Link-Drop-Time-Limit", Integer),
        (311, 16) => ("MS-MPPE-Send-Key", Secret),
        (311, 17) => ("MS-MPPE-Recv-Key", Secret),
        (311, 18) => ("MS-RAS-Version", Text),
        (311, 22) => ("MS-Filter", Octets),
        (311, 23) => ("MS-Acct-Auth-Type", Integer),
        (311, 24) => ("MS-Acct-EAP-Type", Integer),
        (311, 25) => ("MS-CHAP2-Response", Secret),
        (311, 26) => ("MS-CHAP2-Success", Octets),
        (311, 27) => ("MS-CHAP2-CPW", Secret),
        (311, 28) => ("MS-Primary-DNS-Server", Address),
        (311, 29) => ("MS-Secondary-DNS-Server", Address),
        (311, 30) => ("MS-Primary-NBNS-Server", Address),
        (311, 31) => ("MS-Secondary-NBNS-Server", Address),
        (529, 129) => ("Ascend-Secondary-Home-Agent", Text),
        (529, 242) => ("Ascend-Data-Filter", Octets),
        (11_344, 127) => ("FreeRADIUS-Statistics-Type", Integer),
        (11_344, 128) => ("FreeRADIUS-Total-Access-Requests", Integer),
        (11_344, 129) => ("FreeRADIUS-Total-Access-Accepts", Integer),
        (11_344, 130) => ("FreeRADIUS-Total-Access-Rejects", Integer),
        (11_344, 131) => ("FreeRADIUS-Total-Access-Challenges", Integer),
        (11_344, 132) => ("FreeRADIUS-Total-Auth-Responses", Integer),
        (14_122, 1) => ("WISPr-Location-ID", Text),
        (14_122, 2) => ("WISPr-Location-Name", Text),
        (14_122, 3) => ("WISPr-Logoff-URL", Text),
        (14_122, 4) => ("WISPr-Redirection-URL", Text),
        (14_122, 5) => ("WISPr-Bandwidth-Min-Up", Integer),
        (14_122, 6) => ("WISPr-Bandwidth-Min-Down", Integer),
        (14_122, 7) => ("WISPr-Bandwidth-Max-Up", Integer),
        (14_122, 8) => ("WISPr-Bandwidth-Max-Down", Integer),
        (14_122, 9) => ("WISPr-Session-Terminate-Time", Text),
        (14_122, 10) => ("WISPr-Session-Terminate-End-Of-Day", Text),
        (14_122, 11) => ("WISPr-Billing-Class-Of-Service", Text),
        // 3GPP TS 29.061, section 16.4.7.
        (10_415, 1) => ("3GPP-IMSI", Text),
        (10_415, 2) => ("3GPP-Charging-ID", Integer),
        (10_415, 3) => ("3GPP-PDP-Type", Integer),
        (10_415, 4) => ("3GPP-Charging-Gateway-Address", Address),
        (10_415, 5) => ("3GPP-GPRS-Negotiated-QoS-Profile", Text),
        (10_415, 6) => ("3GPP-SGSN-Address", Address),
        (10_415, 7) => ("3GPP-GGSN-Address", Address),
        (10_415, 8) => ("3GPP-IMSI-MCC-MNC", Text),
        (10_415, 9) => ("3GPP-GGSN-MCC-MNC", Text),
        (10_415, 10) => ("3GPP-NSAPI", Text),
        (10_415, 12) => ("3GPP-Selection-Mode", Text),
        (10_415, 13) => ("3GPP-Charging-Characteristics", Text),
        (10_415, 15) => ("3GPP-SGSN-IPv6-Address", Address6),
        (10_415, 16) => ("3GPP-GGSN-IPv6-Address", Address6),
        (10_415, 17) => ("3GPP-IPv6-DNS-Servers", Prefix6),
        (10_415, 18) => ("3GPP-SGSN-MCC-MNC", Text),
        (10_415, 20) => ("3GPP-IMEISV", Text),
        (10_415, 21) => ("3GPP-RAT-Type", Octets),
        (10_415, 22) => ("3GPP-User-Location-Info", Octets),
        (10_415, 23) => ("3GPP-MS-TimeZone", Octets),
        (14_179, 1) => ("Airespace-WLAN-Id", Integer),
        (14_823, 1) => ("Aruba-User-Role", Text),
        (14_823, 2) => ("Aruba-User-Vlan", Integer),
        (14_823, 5) => ("Aruba-Essid-Name", Text),
        (14_988, 8) => ("Mikrotik-Rate-Limit", Text),
        _ => return None,
    })
}
