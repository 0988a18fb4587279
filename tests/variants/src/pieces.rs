//! The same bytes in other segments, as a stack without Nagle's algorithm, or one that fills windows byte by byte, sends them.

use crate::OwnedPacket;
use crate::copies::{network_header, word};

/// Bytes of a segment that are cut into pieces; what follows stays together.
const CUT: usize = 64;

const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const PUSH: u8 = 8;

/// The packets, with the first bytes of each TCP segment cut into pieces of `size`. Checksums stay those of the whole segments:
/// what is captured on the sending host has none that count either.
pub fn in_pieces(packets: &[OwnedPacket], size: usize) -> Vec<OwnedPacket> {
    let mut all = Vec::with_capacity(packets.len());
    for packet in packets {
        match Segment::of(packet) {
            Some(segment) => segment.cut(packet, size.max(1), &mut all),
            None => all.push(packet.clone()),
        }
    }
    all
}

/// Places in a packet that was captured whole.
struct Segment {
    /// The field that counts the bytes of the IP packet, and what it counts without a payload.
    length_at: usize,
    length: u16,
    tcp: usize,
    payload: usize,
    end: usize,
}

impl Segment {
    fn of(packet: &OwnedPacket) -> Option<Self> {
        let data = &packet.data;
        let ip = network_header(packet)?;
        let (tcp, end, length_at, header) = match data.get(ip)? >> 4 {
            4 => {
                let header = usize::from(data[ip] & 15) * 4;
                let is_fragment = word(data, ip + 6)? & 0x3fff != 0;
                if is_fragment || *data.get(ip + 9)? != TCP {
                    return None;
                }
                (ip + header, ip + usize::from(word(data, ip + 2)?), ip + 2, header)
            }
            6 if *data.get(ip + 6)? == TCP => {
                (ip + 40, ip + 40 + usize::from(word(data, ip + 4)?), ip + 4, 0)
            }
            _ => return None,
        };
        let options = usize::from(*data.get(tcp + 12)? >> 4) * 4;
        let payload = tcp + options;
        let is_whole = end <= data.len() && payload < end && data.len() == packet.length as usize;
        let length = u16::try_from(header + options).ok()?;
        (is_whole && data[tcp + 13] & SYN == 0).then_some(Self { length_at, length, tcp, payload, end })
    }

    fn cut(&self, packet: &OwnedPacket, size: usize, all: &mut Vec<OwnedPacket>) {
        let payload = &packet.data[self.payload..self.end];
        let (first, rest) = payload.split_at(payload.len().min(CUT));
        let pieces = first.chunks(size).chain((!rest.is_empty()).then_some(rest));
        let mut sequence = u32::from_be_bytes(std::array::from_fn(|at| packet.data[self.tcp + 4 + at]));
        let mut left = payload.len();
        for piece in pieces {
            left -= piece.len();
            let mut data = packet.data[..self.payload].to_vec();
            data.extend_from_slice(piece);
            // At most what the whole segment had.
            let length = self.length + piece.len() as u16;
            data[self.length_at..self.length_at + 2].copy_from_slice(&length.to_be_bytes());
            data[self.tcp + 4..self.tcp + 8].copy_from_slice(&sequence.to_be_bytes());
            if left > 0 {
                data[self.tcp + 13] &= !(FIN | PUSH);
            }
            sequence = sequence.wrapping_add(piece.len() as u32);
            all.push(OwnedPacket { length: data.len() as u32, data, ..packet.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use remora_packet::{LinkType, Timestamp};

    fn packet(payload: &[u8], flags: u8) -> OwnedPacket {
        let mut data = vec![0; 14 + 20 + 20];
        data[12] = 8;
        data[14] = 0x45;
        data[16..18].copy_from_slice(&(40 + payload.len() as u16).to_be_bytes());
        data[23] = TCP;
        data[38..42].copy_from_slice(&u32::MAX.to_be_bytes());
        data[46] = 0x50;
        data[47] = flags;
        data.extend_from_slice(payload);
        let length = data.len() as u32;
        OwnedPacket { timestamp: Timestamp::default(), link: LinkType::ETHERNET, interface: 0, length, data }
    }

    #[test]
    fn pieces_are_the_segment() {
        let bytes: Vec<u8> = (0..100).collect();
        let cut = in_pieces(&[packet(&bytes, FIN | PUSH)], 3);
        assert_eq!(cut.len(), 22 + 1);
        let (mut sequence, mut joined) = (u32::MAX, Vec::new());
        for (place, piece) in cut.iter().enumerate() {
            let data = &piece.data;
            assert_eq!(piece.length as usize, data.len());
            assert_eq!(usize::from(word(data, 16).unwrap()), data.len() - 14);
            assert_eq!(data[38..42], sequence.to_be_bytes());
            assert_eq!(data[47], if place == 22 { FIN | PUSH } else { 0 });
            sequence = sequence.wrapping_add(data.len() as u32 - 54);
            joined.extend_from_slice(&data[54..]);
        }
        assert_eq!(joined, bytes);
    }

    #[test]
    fn what_is_no_segment_with_data_is_left_as_it_is() {
        let mut short = packet(b"abcd", 0);
        short.data.truncate(56);
        let mut udp = packet(b"abcd", 0);
        udp.data[23] = 17;
        for packet in [packet(b"", 0), packet(b"abcd", SYN), short, udp] {
            assert_eq!(in_pieces(std::slice::from_ref(&packet), 1), [packet]);
        }
    }
}
