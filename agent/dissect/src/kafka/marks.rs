//! How the stream is cut into messages.

use super::header::{Look, MAX_SIZE, SIZE_BYTES, look};
use super::note::{Note, correlation, fits, size};
use super::schema::check;
use crate::frame::Length;
use crate::pair::ById;
use crate::{Direction, Framing};

/// The broker takes no larger token unless told to (`sasl.server.max.receive.size`).
const MAX_TOKEN: u32 = 512 << 10;

pub(super) struct Marks<'a> {
    pub(super) requests: Direction,
    pub(super) waiting: &'a ById<i32, Note>,
    /// Beyond doubt Kafka.
    pub(super) confirmed: bool,
    /// A direction had holes: answers to what was not seen may come.
    pub(super) lossy: bool,
    /// Tokens of an authentication mechanism may come, which have no Kafka header.
    pub(super) tokens: bool,
}

impl Framing for Marks<'_> {
    fn length(&self, direction: Direction, bytes: &[u8]) -> Length {
        let Some(size) = size(bytes) else { return Length::Unknown };
        if direction == self.requests { self.request(size, bytes) } else { self.response(size, bytes) }
    }

    fn begins(&self, direction: Direction, bytes: &[u8]) -> bool {
        if direction == self.requests {
            return matches!(look(bytes, true), Look::Header(header) if fits(&header, bytes));
        }
        let (Some(size), Some(id)) = (size(bytes), correlation(bytes)) else { return false };
        let Some(note) = self.waiting.note(&id).filter(|_| (4..=MAX_SIZE).contains(&size)) else {
            return false;
        };
        let total = size as usize + SIZE_BYTES;
        let bytes = &bytes[..bytes.len().min(total)];
        match note.response(bytes, total) {
            Some((layout, encoding, reader)) => check(layout.response, encoding, reader, total).is_none(),
            // Nothing but the id speaks for it, so all of it must be here.
            None => bytes.len() == total,
        }
    }
}

impl Marks<'_> {
    fn request(&self, size: u32, bytes: &[u8]) -> Length {
        match look(bytes, !self.confirmed) {
            Look::Header(_) => length(size),
            Look::More if self.tokens && bytes.len() as u64 == u64::from(size) + SIZE_BYTES as u64 => {
                length(size)
            }
            Look::More => Length::Unknown,
            Look::No(_) if self.tokens && size <= MAX_TOKEN => length(size),
            Look::No(why) => Length::Invalid(why),
        }
    }

    /// Sizes are signed on the wire; fetched records may make an answer as large as the broker is told to.
    fn is_answer(&self, size: u32, id: i32) -> bool {
        (4..=i32::MAX.cast_unsigned()).contains(&size) && self.waiting.note(&id).is_some()
    }

    fn response(&self, size: u32, bytes: &[u8]) -> Length {
        let Some(id) = correlation(bytes) else {
            return if self.tokens && size < 4 { length(size) } else { Length::Unknown };
        };
        if self.is_answer(size, id) || self.tokens && size <= MAX_TOKEN {
            length(size)
        } else if !(4..=MAX_SIZE).contains(&size) {
            Length::Invalid("the size is not that of a response")
        } else if id < 0 {
            Length::Invalid("the correlation id is negative")
        } else if self.confirmed || self.lossy {
            length(size)
        } else {
            Length::Invalid("no request has this correlation id")
        }
    }
}

fn length(size: u32) -> Length {
    Length::Known(u64::from(size) + SIZE_BYTES as u64)
}
