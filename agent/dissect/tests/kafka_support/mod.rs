//! Kafka messages made by hand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

/// Bytes put together in Kafka's types.
#[derive(Clone, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn i8(self, value: i8) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn i16(self, value: i16) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn i32(self, value: i32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn i64(self, value: i64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.i16(i16::try_from(text.len()).expect("texts are short")).raw(text.as_bytes())
    }

    /// With its length in 32 bits.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.i32(i32::try_from(bytes.len()).expect("tests are small")).raw(bytes)
    }

    pub(crate) fn uvarint(mut self, mut value: u64) -> Self {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub(crate) fn varint(self, value: i64) -> Self {
        self.uvarint((value << 1 ^ value >> 63).cast_unsigned())
    }

    /// The number of entries of a compact list, or bytes of a compact text, one more than there are.
    pub(crate) fn compact(self, length: usize) -> Self {
        self.uvarint(length as u64 + 1)
    }

    pub(crate) fn compact_text(self, text: &str) -> Self {
        self.compact(text.len()).raw(text.as_bytes())
    }

    pub(crate) fn no_tags(self) -> Self {
        self.uvarint(0)
    }

    pub(crate) fn tag(self, tag: u64, value: Self) -> Self {
        self.uvarint(tag).uvarint(value.0.len() as u64).raw(&value.0)
    }
}

/// With its length before it.
pub(crate) fn framed(message: &Bytes) -> Vec<u8> {
    Bytes::new().bytes(&message.0).0
}

/// A request of the client `me`; `flexible` ones have tagged fields in their header.
pub(crate) fn request(key: i16, version: i16, id: i32, flexible: bool, body: &Bytes) -> Vec<u8> {
    let header = Bytes::new().i16(key).i16(version).i32(id).text("me");
    framed(&(if flexible { header.no_tags() } else { header }).raw(&body.0))
}

pub(crate) fn response(id: i32, flexible: bool, body: &Bytes) -> Vec<u8> {
    let header = Bytes::new().i32(id);
    framed(&(if flexible { header.no_tags() } else { header }).raw(&body.0))
}

/// `ListOffsets` 1, a small decoded exchange: of one topic.
pub(crate) fn list_offsets(id: i32, topic: &str) -> Vec<u8> {
    let body = Bytes::new().i32(-1).i32(1).text(topic).i32(1).i32(0).i64(-1);
    request(2, 1, id, false, &body)
}

pub(crate) fn offsets(id: i32, topic: &str, error: i16, offset: i64) -> Vec<u8> {
    response(id, false, &Bytes::new().i32(1).text(topic).i32(1).i32(0).i16(error).i64(-1).i64(offset))
}

pub(crate) fn record(key: Option<&[u8]>, value: Option<&[u8]>, offset: i64) -> Bytes {
    let part = |bytes: Bytes, part: Option<&[u8]>| match part {
        Some(part) => bytes.varint(part.len() as i64).raw(part),
        None => bytes.varint(-1),
    };
    let record = Bytes::new().i8(0).varint(5).varint(offset);
    let record = part(part(record, key), value).varint(1).varint(1).raw(b"h").varint(-1);
    Bytes::new().varint(record.0.len() as i64).raw(&record.0)
}

/// A batch of records that are packed already.
pub(crate) fn batch(attributes: i16, count: i32, packed: &[u8]) -> Bytes {
    let checked = Bytes::new()
        .i16(attributes)
        .i32(count - 1)
        .i64(1_000)
        .i64(2_000)
        .i64(77)
        .i16(3)
        .i32(9)
        .i32(count)
        .raw(packed);
    let length = i32::try_from(checked.0.len() + 9).expect("tests are small");
    Bytes::new().i64(40).i32(length).i32(6).i8(2).i32(crc32c(&checked.0).cast_signed()).raw(&checked.0)
}

/// Bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}

/// `Produce` 3 of records to partition 0 of a topic.
pub(crate) fn produce(id: i32, acks: i16, topic: &str, records: &[u8]) -> Vec<u8> {
    let body = Bytes::new().i16(-1).i16(acks).i32(1_500).i32(1).text(topic).i32(1).i32(0).bytes(records);
    request(0, 3, id, false, &body)
}

pub(crate) fn produced(id: i32, topic: &str, error: i16) -> Vec<u8> {
    response(id, false, &Bytes::new().i32(1).text(topic).i32(1).i32(0).i16(error).i64(40).i64(-1).i32(0))
}
