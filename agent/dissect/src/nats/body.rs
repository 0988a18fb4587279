//! A message's headers and payload as they come: their beginning is kept, the rest counted.

use remora_packet::Timestamp;

use crate::{Fields, Limits, Tree};

/// Bytes of one part.
#[derive(Debug, Default)]
struct Part {
    size: u64,
    left: u64,
    kept: Vec<u8>,
    has_hole: bool,
}

impl Part {
    fn new(size: u64) -> Self {
        Self { size, left: size, ..Self::default() }
    }

    fn take(&mut self, bytes: &[u8], most: usize) -> usize {
        let used = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= used as u64;
        if !self.has_hole {
            let room = most.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..used.min(room)]);
        }
        used
    }

    fn miss(&mut self, bytes: u64) -> u64 {
        let missed = bytes.min(self.left);
        self.left -= missed;
        self.has_hole |= missed > 0;
        missed
    }

    fn is_cut(&self) -> bool {
        self.kept.len() as u64 != self.size
    }
}

#[derive(Debug)]
pub(super) struct Body {
    pub(super) fields: Fields,
    pub(super) time: Timestamp,
    /// Captured bytes, with the line.
    pub(super) captured: u64,
    pub(super) missing: u64,
    headers: Option<Part>,
    payload: Part,
    /// Of the CRLF behind the payload.
    end_left: u64,
    end_seen: bool,
    /// It may be none: nothing but its line speaks for it.
    pub(super) is_doubtful: bool,
    /// It only shows where the next line begins: the same could stand in the payload of another.
    pub(super) is_evidence: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Took {
    Part(usize),
    Whole(usize),
    /// There is no CRLF where the payload ends.
    Broken(usize),
}

impl Body {
    pub(super) fn new(fields: Fields, headers: Option<u64>, size: u64, time: Timestamp, line: usize) -> Self {
        Self {
            fields,
            time,
            captured: line as u64,
            missing: 0,
            headers: headers.map(Part::new),
            payload: Part::new(size - headers.unwrap_or(0).min(size)),
            end_left: 2,
            end_seen: true,
            is_doubtful: false,
            is_evidence: false,
        }
    }

    /// Takes what belongs to it.
    pub(super) fn take(&mut self, bytes: &[u8], limits: &Limits) -> Took {
        let mut used = 0;
        if let Some(headers) = &mut self.headers {
            used += headers.take(bytes, limits.value_bytes);
        }
        used += self.payload.take(&bytes[used..], limits.value_bytes);
        while self.payload.left == 0
            && self.end_left > 0
            && let Some(byte) = bytes.get(used)
        {
            if *byte != if self.end_left == 2 { b'\r' } else { b'\n' } {
                return Took::Broken(used);
            }
            self.end_left -= 1;
            used += 1;
        }
        self.captured += used as u64;
        if self.is_whole() { Took::Whole(used) } else { Took::Part(used) }
    }

    /// A hole: returns how much of it lies behind the message.
    pub(super) fn miss(&mut self, bytes: u64) -> u64 {
        let mut left = bytes;
        left -= self.headers.as_mut().map_or(0, |headers| headers.miss(left));
        left -= self.payload.miss(left);
        let end = left.min(self.end_left);
        self.end_left -= end;
        self.end_seen &= end == 0;
        left -= end;
        self.missing += bytes - left;
        left
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.payload.left == 0 && self.end_left == 0
    }

    /// Nothing shows that it was a message.
    pub(super) const fn is_unproven(&self) -> bool {
        self.is_doubtful && (!self.is_whole() || !self.end_seen)
    }

    pub(super) fn memory(&self) -> usize {
        let headers = self.headers.as_ref().map_or(0, |headers| headers.kept.capacity());
        size_of::<Self>() + self.fields.heap() + headers + self.payload.kept.capacity()
    }

    /// The message with what came of it.
    pub(super) fn into_fields(self, limits: &Limits) -> Fields {
        let Self { mut fields, headers, payload, .. } = self;
        if let Some(headers) = headers {
            write_headers(&headers, &mut fields, limits);
        }
        let is_cut = payload.is_cut();
        let size = payload.size;
        fields.push("payload", text(payload.kept, is_cut));
        fields.push("size", size);
        if is_cut {
            fields.push("truncated", true);
        }
        fields
    }
}

/// `NATS/1.0[ status[ description]]`, then names with values.
fn write_headers(part: &Part, fields: &mut Fields, limits: &Limits) {
    fields.push("headersSize", part.size);
    let mut is_cut = part.is_cut();
    let mut bytes = &part.kept[..];
    if is_cut {
        // The last line is not whole.
        bytes = &bytes[..memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)];
    }
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let Some(status) = first.strip_prefix(b"NATS/1.0") else {
        if is_cut {
            fields.push("headersTruncated", true);
        } else {
            fields.push("headersRaw", text(part.kept.clone(), false));
        }
        return;
    };
    let status = status.trim_ascii();
    if let Some((code, description)) = status.split_at_checked(3)
        && code.iter().all(u8::is_ascii_digit)
    {
        let code = code.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        fields.push("status", code);
        let description = description.trim_ascii();
        if !description.is_empty() {
            fields.push("statusText", Tree::lossy(description));
        }
    }
    let mut list: Vec<Tree> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if list.len() >= limits.list_entries {
            is_cut = true;
            break;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        let header = Fields::with_capacity(2)
            .with("name", Tree::lossy(&line[..colon]))
            .with("value", Tree::lossy(value));
        list.push(header.into());
    }
    fields.push("headers", list);
    if is_cut {
        fields.push("headersTruncated", true);
    }
}

/// Text where it is; a character that a cut went through is left out.
fn text(bytes: Vec<u8>, is_cut: bool) -> Tree {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => {
            let valid = error.utf8_error();
            let mut bytes = error.into_bytes();
            if is_cut && valid.error_len().is_none() {
                bytes.truncate(valid.valid_up_to());
                return Tree::text_or_bytes(&bytes);
            }
            Tree::Bytes(bytes)
        }
    }
}
