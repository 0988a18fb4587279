//! The transport parameters of a ClientHello (RFC 9000, section 18.2).

use super::crypto::block;
use super::packet::{Version, variable};
use crate::read::{ParseError, Reader};
use crate::tls::kept::Caps;
use crate::{Fields, Tree};

/// Those that tell something; of an extension that breaks off, what is before.
pub(super) fn describe(extension: &[u8], caps: Caps) -> Fields {
    let mut fields = Fields::new();
    let mut reader = Reader::new(extension);
    // Each is known by another number, so that one sent again and again adds nothing.
    while !reader.is_empty() {
        if one(&mut reader, &mut fields, caps).is_err() {
            break;
        }
    }
    fields
}

fn one(reader: &mut Reader<'_>, fields: &mut Fields, caps: Caps) -> Result<(), ParseError> {
    let number = variable(reader)?;
    let value = block(reader)?;
    let mut value = Reader::new(value);
    let name = match number {
        0x01 => "maxIdleTimeout",
        0x03 => "maxUdpPayloadSize",
        0x04 => "initialMaxData",
        0x05 => "initialMaxStreamDataBidiLocal",
        0x06 => "initialMaxStreamDataBidiRemote",
        0x07 => "initialMaxStreamDataUni",
        0x08 => "initialMaxStreamsBidi",
        0x09 => "initialMaxStreamsUni",
        0x0a => "ackDelayExponent",
        0x0b => "maxAckDelay",
        0x0e => "activeConnectionIdLimit",
        0x20 => "maxDatagramFrameSize",
        0x0c => {
            fields.set("disableActiveMigration", true);
            return Ok(());
        }
        // RFC 9368, section 3: what was chosen, then what else there is.
        0x11 => {
            let mut versions = Vec::new();
            while !value.is_empty() && versions.len() < caps.entries {
                versions.push(Version(value.u32_be()?));
            }
            let shown = versions.into_iter().skip(1).filter(|version| !version.is_reserved());
            fields.set("availableVersions", shown.map(Version::name).collect::<Tree>());
            return Ok(());
        }
        _ => return Ok(()),
    };
    fields.set(name, variable(&mut value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named() {
        let extension = [
            1, 4, 0x80, 0, 0x75, 0x30, 3, 2, 0x45, 0xc0, 0x0c, 0, 0x11, 12, 0, 0, 0, 1, 0x1a, 0x2a, 0x3a,
            0x4a, 0x6b, 0x33, 0x43, 0xcf, 0x40, 0x99, 1, 0, 4, 9,
        ];
        let fields = describe(&extension, Caps { entries: 10, value_bytes: 10 });
        assert_eq!(fields.field("maxIdleTimeout"), Some(&Tree::Int(30_000)));
        assert_eq!(fields.field("maxUdpPayloadSize"), Some(&Tree::Int(1472)));
        assert_eq!(fields.field("disableActiveMigration"), Some(&Tree::Bool(true)));
        assert_eq!(fields.field("availableVersions"), Some(&["2"].into_iter().collect()));
        assert_eq!(fields.len(), 4);
    }
}
