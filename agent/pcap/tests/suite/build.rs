//! Captures built byte by byte, and what the reader makes of them.

use std::io::Read;

use remora_pcap::{PcapError, PcapReader};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Little,
    Big,
}

pub(crate) const ORDERS: [Order; 2] = [Order::Little, Order::Big];

impl Order {
    pub(crate) fn u16(self, number: u16) -> [u8; 2] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    pub(crate) fn u32(self, number: u32) -> [u8; 4] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    pub(crate) fn u64(self, number: u64) -> [u8; 8] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    pub(crate) fn words(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| self.u32(*number)).collect()
    }
}

/// A packet as the reader handed it out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) nanos: i64,
    pub(crate) link: u32,
    pub(crate) interface: u32,
    pub(crate) length: u32,
    pub(crate) data: Vec<u8>,
}

/// Reads to the end or the error; checks that nothing comes after either.
pub(crate) fn read(input: impl Read) -> (Vec<Seen>, Result<(), PcapError>) {
    let mut reader = match PcapReader::new(input) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut seen = Vec::new();
    let result = loop {
        match reader.next() {
            Ok(Some(packet)) => seen.push(Seen {
                nanos: packet.timestamp.nanos(),
                link: packet.link.0,
                interface: packet.interface,
                length: packet.length,
                data: packet.data.to_vec(),
            }),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(matches!(reader.next(), Ok(None)));
    (seen, result)
}

/// The header of a classic pcap: version 2.4, Ethernet.
pub(crate) fn header(order: Order, magic: u32, snaplen: u32) -> Vec<u8> {
    [
        order.u32(magic).to_vec(),
        order.u16(2).to_vec(),
        order.u16(4).to_vec(),
        order.words(&[0, 0, snaplen, 1]),
    ]
    .concat()
}

pub(crate) fn record(order: Order, seconds: u32, fraction: u32, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u32;
    [order.words(&[seconds, fraction, length, length]), data.to_vec()].concat()
}

/// A little-endian classic pcap with `count` packets; packet `i` is `i + 20` bytes of value `i`, at second `i`.
pub(crate) fn classic(count: u32) -> Vec<u8> {
    let mut file = header(Order::Little, MICROS, 65_535);
    for index in 0..count {
        file.extend(record(Order::Little, index, 0, &vec![index as u8; index as usize + 20]));
    }
    file
}

/// Where record `index` of [`classic`] begins.
pub(crate) fn record_offset(index: u32) -> usize {
    24 + (0..index as usize).map(|index| 16 + 20 + index).sum::<usize>()
}

pub(crate) const MICROS: u32 = 0xa1b2_c3d4;
pub(crate) const NANOS: u32 = 0xa1b2_3c4d;
pub(crate) const MODIFIED: u32 = 0xa1b2_cd34;

pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = order.u32((body.len() + padding.len() + 12) as u32);
    [&order.u32(kind), &length, body, &padding, &length].concat()
}

pub(crate) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    [&order.u16(code)[..], &order.u16(value.len() as u16), value, &padding].concat()
}

pub(crate) fn section(order: Order, options: &[u8]) -> Vec<u8> {
    let body = [
        &order.u32(0x1a2b_3c4d)[..],
        &order.u16(1),
        &order.u16(0),
        &order.u64(u64::MAX), // length not given
        options,
    ]
    .concat();
    block(order, 0x0a0d_0d0a, &body)
}

pub(crate) fn interface(order: Order, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let body = [&order.u16(link)[..], &order.u16(0), &order.u32(snaplen), options].concat();
    block(order, 1, &body)
}

pub(crate) fn enhanced(order: Order, interface: u32, time: u64, data: &[u8], options: &[u8]) -> Vec<u8> {
    let length = data.len() as u32;
    let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
    let fields = order.words(&[interface, (time >> 32) as u32, time as u32, length, length]);
    block(order, 6, &[&fields, data, &padding, options].concat())
}

/// A pcapng of one section and interface with `count` packets like those of [`classic`].
pub(crate) fn ng(order: Order, count: u32) -> Vec<u8> {
    let mut file = [section(order, &[]), interface(order, 1, 0, &[])].concat();
    for index in 0..count {
        let data = vec![index as u8; index as usize + 20];
        file.extend(enhanced(order, 0, u64::from(index) * 1_000_000, &data, &[]));
    }
    file
}

/// Where the packet blocks of [`ng`] begin.
pub(crate) const NG_PACKETS: usize = 28 + 20;
