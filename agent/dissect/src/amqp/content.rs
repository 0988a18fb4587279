//! Messages: a method, a header and as many body frames as it takes, on one channel (AMQP 0-9-1, section 4.2.6).

use remora_packet::Timestamp;

use super::methods::Method;
use super::values::Decoder;
use super::wire::Frame;
use crate::item::{ErrorKind, Message};
use crate::room;
use crate::value::{Object, Value};
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

/// When the frames of a method came, and whether they all did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) time: Timestamp,
    pub(super) size: u64,
    /// The content is not complete: bytes of it that are missing.
    pub(super) missing: Option<u64>,
}

impl Arrival {
    pub(super) const fn new(time: Timestamp, size: u64) -> Self {
        Self { time, size, missing: None }
    }

    pub(super) fn half(self, message: impl Message + 'static) -> Half {
        let half = Half::new(self.time, self.size, message);
        match self.missing {
            None => half,
            Some(missing) => {
                half.missing(missing).error(ErrorKind::Dissection, "the content is not complete")
            }
        }
    }
}

/// What answers a method that is not answered.
#[derive(Debug)]
pub(super) struct Nothing;

impl Object for Nothing {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("method", Value::str("empty"));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        (name == "method").then(|| Value::str("empty"))
    }
}

impl Message for Nothing {
    fn memory(&self) -> usize {
        0
    }
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

    /// A body frame; keeps `room` bytes of what is there of it.
    pub(super) fn body(&mut self, frame: &Frame<'_>, size: u64, room: usize) -> Result<(), &'static str> {
        let announced = self.expect(frame.length)?;
        // A hole in the middle must not be closed over.
        let room = if self.body.len() as u64 == self.received { room } else { 0 };
        let kept = &frame.payload[..frame.payload.len().min(room)];
        let most = self.body.len() + room;
        room::make(&mut self.body, kept.len(), announced, most);
        self.body.extend_from_slice(kept);
        self.received += frame.length;
        self.size += size;
        Ok(())
    }

    /// Bytes that are still to come, `length` of them now.
    fn expect(&self, length: u64) -> Result<u64, &'static str> {
        let Some(body_size) = self.body_size else { return Err("a content has a body before its header") };
        if self.received + length > body_size {
            return Err("a body is longer than its header says");
        }
        Ok(body_size - self.received)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.body_size == Some(self.received)
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.fields.heap() + self.body.capacity()
    }

    pub(super) fn kept(&self) -> usize {
        self.body.len()
    }

    /// The method with its content, complete or not.
    pub(super) fn finish(self) -> (&'static Method, Fields, Arrival) {
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
        let missing = if whole { None } else { Some(missing) };
        let arrival = Arrival { time: self.time, size: self.size, missing };
        (self.method, fields, arrival)
    }
}
