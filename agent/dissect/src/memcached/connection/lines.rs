//! What the lines of the text protocol mean, and the values between them.

use remora_packet::Timestamp;

use super::{Connection, Note};
use crate::item::ErrorKind;
use crate::memcached::request::{self, Storing, Words};
use crate::memcached::server::Head;
use crate::memcached::text::{self, Answer, Incoming, Line};
use crate::memcached::told::Told;
use crate::{Context, Direction, Fields, Half, Tree};

impl Connection {
    pub(super) fn parse_client(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if let Some(storing) = &mut self.client.storing {
                let left = usize::try_from(storing.value.left).unwrap_or(usize::MAX);
                let taken = storing.value.take(rest, context.limits);
                let used = rest.len().min(left);
                storing.size += used as u64;
                at += used;
                if taken.is_none() || storing.value.left == 0 {
                    if taken.is_none() {
                        // What follows up to the end of the line is skipped by the server.
                        self.client.skipping = bytes.get(at.wrapping_sub(1)) != Some(&b'\n');
                    }
                    self.stored(taken.is_none(), context);
                }
                continue;
            }
            if self.client.lost {
                let whole = matches!(text::line(rest), Line::Whole(line, _) if text::request(line, context.limits).is_some());
                if !whole {
                    context.counters.undissected_bytes += rest.len() as u64;
                    return bytes.len();
                }
                self.client.lost = false;
            }
            let time = *self.client.since.get_or_insert(context.now);
            let (line, used) = match text::line(rest) {
                Line::Whole(line, used) => (line, used),
                Line::Unfinished => break,
                Line::TooLong => {
                    self.invalid(direction, rest, at, "a line is too long", context);
                    return bytes.len();
                }
            };
            self.client.since = None;
            if std::mem::take(&mut self.client.skipping) {
                at += used;
                continue;
            }
            let words = request::words(line, context.limits);
            match words.or_else(|| text::request(line, context.limits).map(Words::Read)) {
                Some(words) if words.value().is_some() => {
                    let value = Incoming::new(words.value().unwrap_or(0));
                    let storing = Storing { words, value, time, size: used as u64, missing: 0 };
                    self.client.storing = Some(Box::new(storing));
                }
                Some(words) => {
                    let (note, half) = words.into_half(None, time, used as u64);
                    self.request(Note::Text(note), half, context);
                }
                None if is_text(line) => self.unknown(line, used, time, context),
                None => {
                    self.invalid(direction, rest, at, "not a command", context);
                    return bytes.len();
                }
            }
            at += used;
        }
        at
    }

    /// A line that the server will refuse.
    fn unknown(&mut self, line: &[u8], used: usize, time: Timestamp, context: &mut Context<'_>) {
        let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        let shown = &line[..line.len().min(context.limits.value_bytes)];
        let mut fields = Fields::new().with("command", Tree::lossy(&word[..word.len().min(32)]));
        fields.push("line", Tree::lossy(shown));
        fields.push("invalid", true);
        let note = text::Note { command: "", ..text::Note::default() };
        self.request(Note::Text(note), Half::new(time, used as u64, fields), context);
    }

    /// The value of a command is there.
    fn stored(&mut self, broken: bool, context: &mut Context<'_>) {
        let Some(storing) = self.client.storing.take() else { return };
        let (note, mut half) = storing.into_half();
        if broken {
            half = half.error(ErrorKind::Dissection, "the value does not end where its size says");
        }
        self.request(Note::Text(note), half, context);
    }

    pub(super) fn parse_server(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let time = *self.server.since.get_or_insert(context.now);
            if let Some((_, value)) = &mut self.server.value {
                let Some(used) = value.take(rest, context.limits) else {
                    self.invalid(direction, rest, at, "a value does not end where its size says", context);
                    return bytes.len();
                };
                let whole = value.left == 0;
                self.server.size += used as u64;
                at += used;
                if whole {
                    self.value_done(context);
                }
                continue;
            }
            let found = match text::line(rest) {
                Line::Whole(line, used) => Some((line, used)),
                Line::Unfinished if !self.server.lost => break,
                Line::Unfinished => None,
                Line::TooLong => None,
            };
            let front = self.speech.as_ref().and_then(|speech| match speech.pairs.note() {
                Some(Note::Text(note)) => Some(note.command),
                _ => None,
            });
            let listing = matches!(front, Some("stats" | "lru_crawler"));
            if let Some((line, used)) = found
                && self.server.stat(line, context.limits)
            {
                self.server.lost = false;
                self.server.size += used as u64;
                at += used;
                continue;
            }
            let answer = found.and_then(|(line, used)| {
                let answer = text::answer(line);
                let line = (answer.is_none() && listing && is_text(line)).then_some(line);
                (answer.is_some() || line.is_some()).then_some((answer, line, used))
            });
            let Some((answer, line, used)) = answer else {
                if !self.server.lost {
                    self.invalid(direction, rest, at, "not an answer", context);
                }
                self.server.since = None;
                context.counters.undissected_bytes += rest.len() as u64;
                return bytes.len();
            };
            self.server.lost = false;
            self.server.size += used as u64;
            at += used;
            match answer {
                Some(Answer::Value(size)) => {
                    let head = Head::Line(found.map(|(line, _)| line).unwrap_or_default().into());
                    self.server.value = Some((head, Incoming::new(size)));
                }
                Some(Answer::MetaValue(fields, size)) => {
                    self.server.value = Some((Head::Meta(fields), Incoming::new(size)));
                }
                Some(Answer::Stat(name, value)) => self.server.add_stat(name, value, context.limits),
                Some(Answer::End) if self.server.is_idle() && listing => {
                    let fields = Fields::with_capacity(2).with("status", "END").with("stats", Fields::new());
                    self.answered(fields, time, context);
                }
                Some(Answer::End) => {
                    let told = Told::of_end(self.server.has_stats());
                    let half = self.server.finish_list(time);
                    self.tell(&told, half, context);
                }
                Some(Answer::Whole(fields)) => self.answered(fields, time, context),
                None => {
                    let line = line.unwrap_or_default();
                    if self.server.room(line.len(), context.limits) {
                        let shown = &line[..line.len().min(context.limits.value_bytes)];
                        self.server.lines.push(Tree::lossy(shown));
                    }
                }
            }
        }
        at
    }

    fn value_done(&mut self, context: &mut Context<'_>) {
        match self.server.value.take() {
            Some((Head::Meta(mut fields), value)) => {
                value.data.write(&mut fields);
                self.answered(fields, context.now, context);
            }
            Some((Head::Line(line), value)) => self.server.add_value(line, value.data, context.limits),
            None => {}
        }
    }

    fn answered(&mut self, fields: Fields, time: Timestamp, context: &mut Context<'_>) {
        let mut told = Told::of(&fields);
        told.stats |= self.server.has_stats();
        let half = self.server.finish(fields, time);
        self.tell(&told, half, context);
    }

    fn tell(&mut self, told: &Told, half: Half, context: &mut Context<'_>) {
        let fits = |note: &Note| match note {
            Note::Text(note) if note.command.is_empty() => told.error,
            Note::Text(note) => told.fits(note),
            Note::Binary(_) => false,
        };
        self.respond(fits, told.repeats(), half, context);
    }
}

fn is_text(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok() && !line.iter().any(|byte| *byte < b' ' && *byte != b'\t')
}
