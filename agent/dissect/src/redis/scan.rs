//! Going through values that are all there, without making anything of them. What is taken here the parser takes too.

use std::ops::Range;

use super::resp::integer;
use crate::{Limits, Tree};

/// Lists within lists, that are told at a glance.
const DEEPEST: usize = 4;

/// Of a length.
const MOST_DIGITS: usize = 8;

/// Of an integer, with its sign.
const LONGEST_INTEGER: usize = 20;

/// The string that is none.
pub(super) const NOTHING: &[u8] = b"$-1\r\n";

pub(super) struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Bytes that a tree has beside those of its texts.
    pub(super) held: usize,
}

impl Scan<'_> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Digits, and the line end.
    pub(super) fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for digits in 0..=MOST_DIGITS {
            match self.byte()? {
                digit @ b'0'..=b'9' => length = length * 10 + usize::from(digit - b'0'),
                b'\r' if digits > 0 && self.byte()? == b'\n' => return Some(length),
                _ => return None,
            }
        }
        None
    }

    /// A string whose length is told beforehand, with its type; gives where its content is.
    pub(super) fn string(&mut self) -> Option<Range<usize>> {
        if self.byte()? != b'$' {
            return None;
        }
        self.content()
    }

    fn content(&mut self) -> Option<Range<usize>> {
        let length = self.length()?;
        let content = self.at..self.at + length;
        self.at = content.end + 2;
        (self.bytes.get(content.end..self.at)? == b"\r\n").then_some(content)
    }

    /// The rest of a line.
    pub(super) fn line(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let end = start + memchr::memchr(b'\n', self.bytes.get(start..)?)?;
        self.at = end + 1;
        (end > start && self.bytes[end - 1] == b'\r').then_some(start..end - 1)
    }

    /// A value, `depth` lists around it. Gives where its text is, or that of the first of its entries.
    pub(super) fn value(&mut self, depth: usize, limits: &Limits) -> Option<Range<usize>> {
        let marker = self.byte()?;
        match marker {
            b'$' if self.bytes[self.at - 1..].starts_with(NOTHING) => {
                self.at += NOTHING.len() - 1;
                Some(0..0)
            }
            b'$' => self.content(),
            b'+' => self.line(),
            b':' => self.line().filter(|digits| {
                digits.len() <= LONGEST_INTEGER && integer(&self.bytes[digits.clone()]).is_some()
            }),
            b'*' | b'~' | b'%' => {
                let count = self.length()? * if marker == b'%' { 2 } else { 1 };
                if count > limits.list_entries || depth >= limits.nesting.min(DEEPEST) {
                    return None;
                }
                self.held += count * size_of::<Tree>();
                let mut first = 0..0;
                for at in 0..count {
                    let text = self.value(depth + 1, limits)?;
                    if at == 0 {
                        first = text;
                    }
                }
                Some(first)
            }
            _ => None,
        }
    }

    /// Where what was scanned ends, if no cap touches it.
    pub(super) fn fitting(&self, limits: &Limits) -> Option<usize> {
        let fits = self.at <= limits.value_bytes && self.at + self.held <= limits.message_bytes;
        fits.then_some(self.at)
    }
}
