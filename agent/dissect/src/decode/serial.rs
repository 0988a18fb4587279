//! Links between two ends: PPP (RFC 1661), alone and over Ethernet (RFC 2516), Cisco HDLC, and Frame Relay (RFC 2427).

use super::{DecodeError, Decoder, Header, Layer};

/// PPP protocol numbers: RFC 1332 section 2, RFC 5072 section 3, RFC 3032 section 4.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: u16 = 0x0281;

/// All stations, and an unnumbered frame; RFC 1662 section 3.1.
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

/// The addresses of Cisco HDLC, for one and for all.
const CISCO_ADDRESSES: [u8; 2] = [0x0f, 0x8f];

const ETHER_TYPE_MPLS: u16 = 0x8847;

/// Network layer protocol identifiers, RFC 2427 section 4 and RFC 2590 section 3.
const NLPID_SNAP: u8 = 0x80;
const NLPID_IPV4: u8 = 0xcc;
const NLPID_IPV6: u8 = 0x8e;
const UNNUMBERED: u8 = 0x03;

impl Decoder<'_> {
    /// RFC 2516 section 4.
    pub(super) fn pppoe(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let header = self.view.take::<6>(Header::Pppoe)?;
        self.overstated |= !self.view.limit(usize::from(u16::from_be_bytes([header[4], header[5]])));
        self.ppp()
    }

    pub(super) fn ppp(&mut self) -> Result<Layer, DecodeError> {
        if self.view.data.starts_with(&ADDRESS_AND_CONTROL) {
            self.view.skip(ADDRESS_AND_CONTROL.len(), Header::Ppp)?;
        }
        // Compressed, the protocol has one octet, which is odd as the last one always is; RFC 1661 section 6.5.
        let protocol = match self.view.data.first() {
            Some(octet) if octet & 1 == 1 => u16::from(self.view.take::<1>(Header::Ppp)?[0]),
            _ => u16::from_be_bytes(*self.view.take::<2>(Header::Ppp)?),
        };
        match protocol {
            PPP_IPV4 => Ok(Layer::Ipv4),
            PPP_IPV6 => Ok(Layer::Ipv6),
            PPP_MPLS => Ok(Layer::EtherType(ETHER_TYPE_MPLS)),
            unknown => Err(DecodeError::UnknownEtherType(unknown)),
        }
    }

    pub(super) fn ppp_or_cisco(&mut self) -> Result<Layer, DecodeError> {
        match self.view.data.first() {
            Some(address) if CISCO_ADDRESSES.contains(address) => self.cisco_hdlc(),
            _ => self.ppp(),
        }
    }

    /// An address, a control octet of no meaning, and an EtherType; RFC 1547 section 4.3.1.
    pub(super) fn cisco_hdlc(&mut self) -> Result<Layer, DecodeError> {
        let header = self.view.take::<4>(Header::CiscoHdlc)?;
        Ok(Layer::EtherType(u16::from_be_bytes([header[2], header[3]])))
    }

    /// RFC 2427; Cisco's own form has an EtherType behind the address.
    pub(super) fn frame_relay(&mut self) -> Result<Layer, DecodeError> {
        // Up to four octets, of which the last is odd; Q.922.
        let length = self.view.data.iter().take(4).position(|octet| octet & 1 == 1);
        let length = length.ok_or(DecodeError::Contradiction(Header::FrameRelay))? + 1;
        self.view.skip(length, Header::FrameRelay)?;
        if self.view.data.first() != Some(&UNNUMBERED) {
            return Ok(Layer::EtherType(u16::from_be_bytes(*self.view.take::<2>(Header::FrameRelay)?)));
        }
        self.view.skip(1, Header::FrameRelay)?;
        // A pad to an even place.
        if self.view.data.first() == Some(&0) {
            self.view.skip(1, Header::FrameRelay)?;
        }
        match self.view.take::<1>(Header::FrameRelay)?[0] {
            NLPID_IPV4 => Ok(Layer::Ipv4),
            NLPID_IPV6 => Ok(Layer::Ipv6),
            NLPID_SNAP => match *self.view.take::<5>(Header::FrameRelay)? {
                [0, 0, 0, high, low] => Ok(Layer::EtherType(u16::from_be_bytes([high, low]))),
                [.., high, low] => Err(DecodeError::UnknownEtherType(u16::from_be_bytes([high, low]))),
            },
            unknown => Err(DecodeError::UnknownEtherType(unknown.into())),
        }
    }
}
