//! Lines, which every value begins with: a type byte and what it is followed by, up to CR LF.

use std::borrow::Cow;

use super::SHORT_LINE;
use super::scalar::is_type;
use crate::Limits;

/// Of a line that holds a number of any size.
const NUMBER_LINE: usize = 4096;

/// Type byte and line end.
const AROUND: usize = 3;

/// Lines of one direction.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// Of that line, with what was not kept.
    size: u64,
}

/// A line, or its beginning where it is longer than is kept.
pub(super) struct Line<'a> {
    bytes: Cow<'a, [u8]>,
    size: u64,
}

/// What a line is, by its first byte and its place.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// It begins with a type; an inline command does not.
    pub(super) typed: bool,
    /// Of what is behind the type.
    pub(super) cap: usize,
    /// A longer one is cut, not refused.
    cuts: bool,
}

impl Shape {
    /// `outermost` where no aggregate is open, `inline` where a line without a type is a command.
    pub(super) fn of(marker: u8, outermost: bool, inline: bool, limits: &Limits) -> Option<Self> {
        let typed = !outermost || !inline || marker == b'*';
        let cap = match marker {
            b'\r' | b'\n' if outermost => SHORT_LINE,
            b'+' | b'-' if typed => limits.value_bytes,
            b'(' if typed => NUMBER_LINE,
            _ if typed && is_type(marker) => SHORT_LINE,
            _ if !typed && marker.is_ascii_alphabetic() => limits.value_bytes,
            _ => return None,
        };
        Some(Self { typed, cap, cuts: matches!(marker, b'+' | b'-') || !typed })
    }
}

impl Lines {
    /// What has come of a line whose end has not.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Between two lines.
    pub(super) const fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// The first byte of the line that is begun.
    pub(super) fn first(&self) -> Option<u8> {
        self.begun.first().copied()
    }

    /// Bytes of heap held.
    pub(super) const fn memory(&self) -> usize {
        self.begun.capacity()
    }

    /// Takes bytes up to the end of the line, and gives it when that is there.
    pub(super) fn take<'a>(
        &mut self,
        bytes: &'a [u8],
        at: &mut usize,
        shape: Shape,
    ) -> Result<Option<Line<'a>>, &'static str> {
        let rest = &bytes[*at..];
        let end = memchr::memchr(b'\n', rest);
        let piece = &rest[..end.map_or(rest.len(), |end| end + 1)];
        *at += piece.len();
        self.size += piece.len() as u64;
        let most = shape.cap + AROUND;
        if self.size > most as u64 && !shape.cuts {
            return Err("a line is too long");
        }
        let bytes = if self.begun.is_empty() && end.is_some() {
            // No more than would be kept of one that comes in pieces.
            Cow::Borrowed(&piece[..piece.len().min(most)])
        } else {
            let room = most.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            if end.is_none() {
                return Ok(None);
            }
            Cow::Owned(std::mem::take(&mut self.begun))
        };
        Ok(Some(Line { bytes, size: std::mem::take(&mut self.size) }))
    }
}

impl Line<'_> {
    /// Its bytes on the wire, with those that were not kept.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Its end was not kept.
    pub(super) fn is_cut(&self) -> bool {
        self.size > self.bytes.len() as u64
    }

    /// What there is of it without the line end, and whether that is CR LF.
    pub(super) fn text(&self) -> (&[u8], bool) {
        let text = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        match text.strip_suffix(b"\r") {
            Some(text) => (text, true),
            None => (text, false),
        }
    }
}
