//! TCP (RFC 9293), UDP (RFC 768) and SCTP (RFC 9260) headers.

use super::view::be16;
use super::{DecodeError, Decoder, Header};

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

impl<'p> Decoder<'p> {
    pub(super) fn tcp(&self) -> Result<Segment<'p>, DecodeError> {
        let mut view = self.view;
        let header = view.data.first_chunk::<20>().ok_or(DecodeError::Short(Header::Tcp))?;
        let header_length = usize::from(header[12] >> 4) * 4;
        if header_length < 20 || header_length > view.data.len() + view.missing {
            return Err(DecodeError::Contradiction(Header::Tcp));
        }
        view.skip(header_length, Header::Tcp)?;
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

    pub(super) fn udp(&mut self) -> Result<Datagram<'p>, DecodeError> {
        let whole = self.view;
        let header = self.view.take::<8>(Header::Udp)?;
        let length = usize::from(be16(&[header[4], header[5]]));
        // 0 is a jumbogram, RFC 2675 section 4.
        if length != 0 {
            if length < 8 {
                return Err(DecodeError::Contradiction(Header::Udp));
            }
            self.view = whole;
            self.overstated |= !self.view.limit(length);
            self.view.skip(8, Header::Udp)?;
        }
        Ok(Datagram {
            source_port: be16(&[header[0], header[1]]),
            destination_port: be16(&[header[2], header[3]]),
            payload: self.view.data,
            missing: u32::try_from(self.view.missing).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn icmp(&self) -> Datagram<'p> {
        Datagram {
            source_port: 0,
            destination_port: 0,
            payload: self.view.data,
            missing: u32::try_from(self.view.missing).unwrap_or(u32::MAX),
        }
    }

    /// RFC 9260, section 3.1: the common header begins with the ports.
    pub(super) fn sctp(&self) -> Result<Datagram<'p>, DecodeError> {
        let whole = self.view;
        let header = whole.data.first_chunk::<12>().ok_or(DecodeError::Short(Header::Sctp))?;
        Ok(Datagram {
            source_port: be16(&[header[0], header[1]]),
            destination_port: be16(&[header[2], header[3]]),
            payload: whole.data,
            missing: u32::try_from(whole.missing).unwrap_or(u32::MAX),
        })
    }
}
