//! Messages: a method, a header and as many body frames as it takes, on one channel (AMQP 0-9-1, section 4.2.6).

use remora_packet::Timestamp;

use super::methods::Method;
use super::values::Decoder;
use crate::item::ErrorKind;
use crate::room;
use crate::{Fields, Half, Limits, ParseError, Reader, Tree};

/// A method whose content is arriving.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) method: &'static Method,
    fields: Fields,
    time: Timestamp,
    size: u64,
    /// What the header said of the body's size.
    body_size: Option<u64>,
    received: u64,
    body: Vec<u8>,
    truncated: bool,
}

impl Content {
    pub(super) fn new(method: &'static Method, fields: Fields, time: Timestamp, size: u64) -> Self {
        let body = Vec::new();
        Self { method, fields, time, size, body_size: None, received: 0, body, truncated: false }
    }

    pub(super) fn header(&mut self, payload: &[u8], size: u64, limits: &Limits) -> Result<(), ParseError> {
        let mut reader = Reader::new(payload);
        if self.body_size.is_some() {
            return Err(reader.error("a content has a second header"));
        }
        if reader.u16_be()? != self.method.class || reader.u16_be()? != 0 {
            return Err(reader.error("a content header is of another class"));
        }
        let body_size = reader.u64_be()?;
        let mut decoder = Decoder::new(limits);
        self.fields.push("properties", decoder.properties(&mut reader)?);
        self.truncated |= decoder.truncated;
        self.size += size;
        self.body_size = Some(body_size);
        Ok(())
    }

    /// A body frame of `length` bytes, of which `kept` are there; keeps `room` of them.
    pub(super) fn body(
        &mut self,
        kept: &[u8],
        length: u64,
        size: u64,
        room: usize,
    ) -> Result<(), &'static str> {
        let Some(body_size) = self.body_size else { return Err("a content has a body before its header") };
        let received = self.received + length;
        if received > body_size {
            return Err("a body is longer than its header says");
        }
        // A hole in the middle must not be closed over.
        let room = if self.body.len() as u64 == self.received { room } else { 0 };
        let kept = &kept[..kept.len().min(room)];
        room::make(&mut self.body, kept.len(), body_size - self.received, room);
        self.body.extend_from_slice(kept);
        self.received = received;
        self.size += size;
        Ok(())
    }

    pub(super) fn is_whole(&self) -> bool {
        self.body_size == Some(self.received)
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.fields.heap() + self.body.capacity()
    }

    pub(super) const fn kept(&self) -> usize {
        self.body.len()
    }

    /// The method with its content, complete or not.
    pub(super) fn finish(self) -> (&'static Method, Fields, Half) {
        let (whole, missing) = match self.body_size {
            Some(size) => (size == self.received, size - self.received),
            None => (false, 0),
        };
        let mut fields = self.fields;
        fields.push_some("bodySize", self.body_size);
        let cut = (self.body.len() as u64) < self.received;
        if self.body_size.is_some() {
            fields.push("body", Tree::Bytes(self.body));
        }
        if cut || self.truncated || !whole {
            fields.set("truncated", true);
        }
        let half = Half::new(self.time, self.size, Fields::new());
        let half = if whole {
            half
        } else {
            half.missing(missing).error(ErrorKind::Dissection, "the content is not complete")
        };
        (self.method, fields, half)
    }
}
