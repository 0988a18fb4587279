//! TCP (RFC 9293) and UDP (RFC 768) headers.

use std::net::IpAddr;

use super::view::be16;
use super::{DecodeError, Decoded, Decoder, Payload, View};

/// The control bits of a TCP header, RFC 9293 section 3.1.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(pub u8);

impl Flags {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;

    pub const fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    pub const fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    pub const fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }

    pub const fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'p> {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    /// Meaningful with the ACK flag.
    pub acknowledgment: u32,
    pub flags: Flags,
    pub payload: &'p [u8],
    /// Payload bytes the wire carried after `payload` that the capture did not keep.
    pub missing: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'p> {
    pub source_port: u16,
    pub destination_port: u16,
    pub payload: &'p [u8],
    /// Payload bytes the wire carried after `payload` that the capture did not keep.
    pub missing: u32,
}

impl Decoder {
    pub(super) fn tcp<'p>(&mut self, mut view: View<'p>) -> Result<Segment<'p>, DecodeError> {
        let whole = view;
        let header = view.take::<20>("TCP")?;
        let header_length = usize::from(header[12] >> 4) * 4;
        if header_length < 20 || header_length > whole.data.len() + whole.missing {
            return Err(DecodeError::Contradiction("TCP"));
        }
        view = whole;
        view.skip(header_length, "TCP")?;
        Ok(Segment {
            source_port: be16(&[header[0], header[1]]),
            destination_port: be16(&[header[2], header[3]]),
            sequence: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            acknowledgment: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
            flags: Flags(header[13]),
            payload: view.data,
            missing: u32::try_from(view.missing).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn udp<'p>(
        &mut self,
        source: IpAddr,
        destination: IpAddr,
        mut view: View<'p>,
    ) -> Result<Decoded<'p>, DecodeError> {
        let whole = view;
        let header = view.take::<8>("UDP")?;
        let (source_port, destination_port) = (be16(&[header[0], header[1]]), be16(&[header[2], header[3]]));
        let length = usize::from(be16(&[header[4], header[5]]));
        // 0 is a jumbogram, RFC 2675 section 4.
        if length != 0 {
            if length < 8 {
                return Err(DecodeError::Contradiction("UDP"));
            }
            view = whole;
            self.overstated |= !view.limit(length);
            view.skip(8, "UDP")?;
        }
        if let Some(inner) = self.udp_tunnel(destination_port, view) {
            return inner;
        }
        let missing = u32::try_from(view.missing).unwrap_or(u32::MAX);
        let payload = Payload::Udp(Datagram { source_port, destination_port, payload: view.data, missing });
        Ok(Decoded { source, destination, payload, overstated: self.overstated })
    }
}
