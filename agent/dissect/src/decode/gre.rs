//! GRE (RFC 2784, RFC 2890), as it carries IP and frames, PPTP's form of it (RFC 2637), and ERSPAN, which mirrors frames in it
//! (<https://datatracker.ietf.org/doc/html/draft-foschiano-erspan-03>).

use super::{DecodeError, Decoder, Header, Layer};

const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;

/// In the second octet: an acknowledgment, of PPTP only, and the version.
const ACKNOWLEDGMENT: u8 = 0x80;
const VERSION: u8 = 0x07;
const PPTP: u8 = 1;

const PROTOCOL_PPP: u16 = 0x880b;
const PROTOCOL_ERSPAN: u16 = 0x88be;
const PROTOCOL_ERSPAN_III: u16 = 0x22eb;

/// Frame types of ERSPAN's type III.
const FRAME_ETHERNET: u8 = 0;
const FRAME_IP: u8 = 2;

impl Decoder<'_> {
    pub(super) fn gre(&mut self) -> Result<Layer, DecodeError> {
        self.descend()?;
        let [flags, more, protocol @ ..] = *self.view.take::<4>(Header::Gre)?;
        let protocol = u16::from_be_bytes(protocol);
        // Source routing was withdrawn by RFC 2784.
        if flags & ROUTING != 0 {
            return Err(DecodeError::Contradiction(Header::Gre));
        }
        match more & VERSION {
            0 => {}
            PPTP if protocol == PROTOCOL_PPP => return self.pptp(flags, more),
            _ => return Err(DecodeError::Contradiction(Header::Gre)),
        }
        let optional_words = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
        self.view.skip(optional_words * 4, Header::Gre)?;
        match protocol {
            // Type I has no header of its own, nor a sequence number.
            PROTOCOL_ERSPAN if flags & SEQUENCE == 0 => Ok(Layer::Ethernet),
            PROTOCOL_ERSPAN => {
                self.view.skip(8, Header::Erspan)?;
                Ok(Layer::Ethernet)
            }
            PROTOCOL_ERSPAN_III => self.erspan_iii(),
            PROTOCOL_PPP => self.ppp(),
            ether_type => Ok(Layer::EtherType(ether_type)),
        }
    }

    /// RFC 2637 section 4.1. What only acknowledges carries nothing.
    fn pptp(&mut self, flags: u8, more: u8) -> Result<Layer, DecodeError> {
        let header = self.view.take::<4>(Header::Gre)?;
        let length = usize::from(u16::from_be_bytes([header[0], header[1]]));
        let optional_words =
            [flags & SEQUENCE, more & ACKNOWLEDGMENT].iter().filter(|flag| **flag != 0).count();
        self.view.skip(optional_words * 4, Header::Gre)?;
        self.overstated |= !self.view.limit(length);
        self.ppp()
    }

    fn erspan_iii(&mut self) -> Result<Layer, DecodeError> {
        let header = self.view.take::<12>(Header::Erspan)?;
        // The last bit says that a header of the platform's own follows.
        if header[11] & 1 == 1 {
            self.view.skip(8, Header::Erspan)?;
        }
        match header[10] >> 2 & 0x1f {
            FRAME_ETHERNET => Ok(Layer::Ethernet),
            FRAME_IP => Ok(Layer::Ip),
            _ => Err(DecodeError::Contradiction(Header::Erspan)),
        }
    }
}
