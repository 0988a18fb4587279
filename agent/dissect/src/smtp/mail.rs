//! A mail transaction: MAIL, RCPT, then DATA or BDAT with the message, as one request and one response.

use remora_packet::Timestamp;

use super::line::{self, Command, RECIPIENT_TEXT, capped};
use super::reply::Reply;
use crate::Limits;
use crate::exchange::Half;
use crate::item::ErrorKind;
use crate::tree::{Fields, Tree};

/// Header fields shown of a message.
const HEADERS: usize = 64;

#[derive(Debug)]
pub(super) struct Mail {
    pub number: u64,
    time: Timestamp,
    from: Tree,
    parameters: Option<Fields>,
    recipients: Vec<Tree>,
    recipient_count: u64,
    /// What the server said of each recipient kept.
    answers: Vec<Option<Fields>>,
    /// The message as far as it is kept, without the dots that its transfer adds.
    kept: Vec<u8>,
    /// Bytes of the message.
    message_size: u64,
    pub has_message: bool,
    /// Bytes of the message went missing, so that its end may have too.
    pub is_torn: bool,
    /// The message was sent whole.
    pub is_sent: bool,
    request_size: u64,
    request_missing: u64,
    response_size: u64,
    response_time: Option<Timestamp>,
    latest: Option<(&'static str, Reply)>,
    /// Replies that are due.
    pub due: u32,
    /// No more commands belong to it.
    pub is_closed: bool,
    truncated: bool,
    /// Bytes of heap held.
    pub memory: usize,
}

impl Mail {
    pub(super) fn new(number: u64, time: Timestamp, command: &Command<'_>) -> Self {
        let (from, parameters) = command.path();
        let parameters = line::parameters(parameters);
        let memory = size_of::<Self>() + from.len() + parameters.as_ref().map_or(0, Fields::heap);
        Self {
            number,
            time,
            from: Tree::lossy(from),
            parameters,
            recipients: Vec::new(),
            recipient_count: 0,
            answers: Vec::new(),
            kept: Vec::new(),
            message_size: 0,
            has_message: false,
            is_torn: false,
            is_sent: false,
            request_size: 0,
            request_missing: 0,
            response_size: 0,
            response_time: None,
            latest: None,
            due: 0,
            is_closed: false,
            truncated: false,
            memory,
        }
    }

    pub(super) fn add_size(&mut self, bytes: usize) {
        self.request_size += bytes as u64;
    }

    /// Gives the recipient's place, for its answer.
    pub(super) fn recipient(&mut self, command: &Command<'_>, limits: &Limits) -> usize {
        let (address, _) = command.path();
        let place = usize::try_from(self.recipient_count).unwrap_or(usize::MAX);
        self.recipient_count += 1;
        if self.recipients.len() < limits.list_entries {
            self.recipients.push(Tree::lossy(address));
            self.answers.push(None);
            self.memory += address.len() + size_of::<Tree>() + size_of::<Option<Fields>>();
        } else {
            self.truncated = true;
        }
        place
    }

    pub(super) fn content(&mut self, bytes: &[u8], limits: &Limits) {
        self.message_size += bytes.len() as u64;
        let room = if self.is_torn { 0 } else { limits.value_bytes.saturating_sub(self.kept.len()) };
        let taken = &bytes[..bytes.len().min(room)];
        let before = self.kept.capacity();
        self.kept.extend_from_slice(taken);
        self.memory += self.kept.capacity() - before;
        self.truncated |= taken.len() < bytes.len();
    }

    pub(super) fn missing(&mut self, bytes: u64) {
        self.request_missing += bytes;
        self.is_torn = true;
    }

    /// The server's answer to one of its commands.
    pub(super) fn answer(&mut self, command: &'static str, recipient: Option<usize>, reply: Reply) {
        self.due = self.due.saturating_sub(1);
        self.response_size += reply.size;
        self.response_time = Some(reply.time);
        if let Some(place) = recipient
            && let (Some(answer), Some(address)) = (self.answers.get_mut(place), self.recipients.get(place))
        {
            let mut fields = Fields::new().with("address", address.clone()).with("code", reply.code);
            let text = reply.text();
            if let Some(enhanced) = line::enhanced(reply.code, &text) {
                fields.push("enhancedCode", enhanced.to_owned());
            }
            fields.push("text", capped(text.as_bytes(), RECIPIENT_TEXT).0);
            self.memory += fields.heap();
            *answer = Some(fields);
        }
        let old = self.latest.as_ref().map_or(0, |(_, reply)| reply.memory());
        self.memory += reply.memory();
        self.memory = self.memory.saturating_sub(old);
        self.latest = Some((command, reply));
    }

    pub(super) fn is_finished(&self) -> bool {
        self.due == 0 && self.is_closed
    }

    /// Both sides of its item. No response where nothing was answered.
    pub(super) fn halves(self, limits: &Limits) -> (Half, Option<Half>) {
        let mut request = Fields::with_capacity(8).with("command", "MAIL").with("from", self.from);
        if let Some(parameters) = self.parameters {
            request.push("parameters", parameters);
        }
        request.push("recipientCount", self.recipient_count);
        request.push("recipients", self.recipients);
        let mut truncated = self.truncated;
        if self.has_message {
            truncated |= message(&mut request, &self.kept, self.message_size, limits);
        }
        if truncated || self.is_torn {
            request.push("truncated", true);
        }
        let mut half = Half::new(self.time, self.request_size, request).missing(self.request_missing);
        if self.has_message && !self.is_sent {
            half = half.error(ErrorKind::Dissection, "the end of the message is missing");
        }
        let response = self.latest.map(|(command, reply)| {
            let mut fields = Fields::new().with("command", command);
            reply.add_to(&mut fields);
            let answers: Tree = self.answers.into_iter().flatten().collect();
            fields.push("recipients", answers);
            Half::new(self.response_time.unwrap_or(reply.time), self.response_size, fields)
        });
        (half, response)
    }
}

/// Adds what a message says (RFC 5322) as far as it is kept; whether something was left out.
fn message(request: &mut Fields, kept: &[u8], size: u64, limits: &Limits) -> bool {
    let (head, body) = split(kept);
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut more = false;
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let ([b' ' | b'\t', ..], Some((_, value))) = (line, headers.last_mut()) {
            // Unfolded.
            if !more {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        if headers.len() >= HEADERS {
            more = true;
            continue;
        }
        headers.push((line[..colon].trim_ascii().to_vec(), line[colon + 1..].trim_ascii().to_vec()));
    }
    let subject = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"subject"));
    if let Some((_, subject)) = subject {
        request.push("subject", Tree::lossy(subject));
    }
    request.push("size", size);
    let headers = headers
        .iter()
        .map(|(name, value)| Fields::new().with("name", Tree::lossy(name)).with("value", Tree::lossy(value)));
    request.push("headers", headers.collect::<Tree>());
    let (text, cut) = capped(body, limits.value_bytes);
    request.push("body", text);
    more || cut
}

/// Head and body of a message: an empty line is between them.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(rest) = message.get(at..) {
        match rest {
            [b'\r', b'\n', body @ ..] | [b'\n', body @ ..] => return (&message[..at], body),
            _ => {}
        }
        match memchr::memchr(b'\n', rest) {
            Some(feed) => at += feed + 1,
            None => break,
        }
    }
    (message, &[])
}
