//! Which reply answers which command, by order, and which commands are one mail transaction.

use std::collections::VecDeque;

use remora_packet::Timestamp;

use super::KIND;
use super::line::{self, Command, Verb};
use super::mail::Mail;
use super::reply::Reply;
use crate::alignment::{Alignment, Loss};
use crate::exchange::Half;
use crate::item::{Absence, ErrorKind};
use crate::tree::Fields;
use crate::{Context, Direction, End};

const NOT_BEGUN: &str = "the beginning of the transaction was not seen";

/// What a reply is due to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    Command,
    Ehlo,
    From,
    Recipient(usize),
    Data,
    /// A message, or a chunk.
    Message,
    Credentials,
    Tls,
}

/// What a reply meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    None,
    Answered(Waits),
    EndsMessage,
}

#[derive(Debug)]
struct Waiting {
    waits: Waits,
    /// The transaction it belongs to; else the command itself.
    mail: Option<u64>,
    half: Option<Half>,
    /// Lines of credentials, and the challenges before them.
    challenges: u32,
    response_size: u64,
    memory: usize,
}

#[derive(Default)]
pub(super) struct Exchanges {
    waiting: VecDeque<Waiting>,
    mails: Vec<Mail>,
    mail_number: u64,
    alignment: Alignment,
    paired: bool,
    greeted: bool,
    /// A command was read.
    commanded: bool,
    answered_at: Timestamp,
    /// Commands before may be missing, so that a transaction may be under way whose beginning was not seen.
    torn: bool,
    /// The client has said that it sends no more.
    pub(super) client_closed: bool,
    /// The message being sent belongs to this transaction.
    sending: Option<u64>,
    /// Bytes of heap of what waits.
    held: usize,
}

impl Exchanges {
    pub(super) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>() + self.mails.capacity() * size_of::<Mail>() + self.held
    }

    /// The transaction that more commands may belong to.
    fn open(&self) -> Option<usize> {
        self.mails.len().checked_sub(1).filter(|at| !self.mails[*at].is_closed)
    }

    /// Does something to a transaction, and keeps count of its memory.
    fn with_mail(&mut self, number: u64, change: impl FnOnce(&mut Mail)) {
        if let Some(mail) = self.mails.iter_mut().find(|mail| mail.number == number) {
            let before = mail.memory;
            change(mail);
            self.held = (self.held + mail.memory).saturating_sub(before);
        }
    }

    /// Whether the place among the replies is known, with this command.
    fn align(&mut self, time: Timestamp) -> bool {
        if self.alignment.is_known() {
            self.alignment.note_request(!self.waiting.is_empty() || !self.paired);
            return true;
        }
        self.alignment.request(Some(time.since(self.answered_at)))
    }

    fn wait(&mut self, waits: Waits, mail: Option<u64>, half: Option<Half>, context: &mut Context<'_>) {
        if self.waiting.len() >= context.limits.waiting_requests.max(1) {
            self.lose(Direction::ToServer, context);
            if let Some(half) = half {
                context.items.push(KIND.request(Direction::ToServer, half, Absence::TooMany));
            }
            return;
        }
        let memory = half.as_ref().map_or(0, Half::memory);
        self.held += memory;
        self.waiting.push_back(Waiting { waits, mail, half, challenges: 0, response_size: 0, memory });
    }

    /// Takes a command line of `size` bytes.
    pub(super) fn command(
        &mut self,
        command: &Command<'_>,
        time: Timestamp,
        size: usize,
        context: &mut Context<'_>,
    ) {
        self.sending = None;
        self.commanded = true;
        let known = self.align(time);
        let ends = matches!(command.verb, Verb::Ehlo | Verb::Helo | Verb::Mail | Verb::Rset)
            || matches!(command.verb, Verb::StartTls | Verb::Other("QUIT"));
        if ends {
            if let Some(at) = self.open() {
                self.mails[at].is_closed = true;
                self.finish(context);
            }
            self.torn &= !known;
        }
        let belongs = match command.verb {
            Verb::Mail => command.is_well_formed(),
            Verb::Rcpt | Verb::Data | Verb::Bdat => self.open().is_some(),
            _ => false,
        };
        if !known || !belongs {
            self.alone(command, time, size, known, context);
            return;
        }
        if command.verb == Verb::Mail {
            self.mail_number += 1;
            let mail = Mail::new(self.mail_number, time, command);
            self.held += mail.memory;
            self.mails.push(mail);
        }
        let Some(number) = self.mails.last().map(|mail| mail.number) else { return };
        let mut waits = match command.verb {
            Verb::Mail => Waits::From,
            Verb::Data => Waits::Data,
            _ => Waits::Message,
        };
        self.with_mail(number, |mail| {
            mail.add_size(size);
            mail.due += 1;
            if command.verb == Verb::Rcpt {
                waits = Waits::Recipient(mail.recipient(command, context.limits));
            }
        });
        if command.verb == Verb::Bdat {
            self.sending = Some(number);
        }
        self.wait(waits, Some(number), None, context);
    }

    /// A command that is an exchange of its own.
    fn alone(
        &mut self,
        command: &Command<'_>,
        time: Timestamp,
        size: usize,
        known: bool,
        context: &mut Context<'_>,
    ) {
        let half = Half::new(time, size as u64, command.fields(context.limits));
        if !known {
            context.items.push(KIND.request(Direction::ToServer, half, Absence::Lost));
            return;
        }
        let half = if self.torn && matches!(command.verb, Verb::Rcpt | Verb::Data | Verb::Bdat) {
            half.error(ErrorKind::Dissection, NOT_BEGUN)
        } else {
            half
        };
        let waits = match command.verb {
            Verb::Ehlo => Waits::Ehlo,
            Verb::Data => Waits::Data,
            Verb::Auth => Waits::Credentials,
            Verb::StartTls => Waits::Tls,
            _ => Waits::Command,
        };
        self.wait(waits, None, Some(half), context);
    }

    /// A line of credentials was sent, which a reply is due to as it was to the command.
    pub(super) fn credentials(&mut self, size: usize) {
        if let Some(waiting) = self.waiting.back_mut().filter(|waiting| waiting.waits == Waits::Credentials) {
            if let Some(half) = &mut waiting.half {
                half.size += size as u64;
            }
        } else if !self.alignment.is_known() {
            self.alignment.request(None);
        }
    }

    pub(super) fn begin_chunk(&mut self) {
        if let Some(number) = self.sending {
            self.with_mail(number, |mail| mail.has_message = true);
        }
    }

    /// The message after DATA begins.
    pub(super) fn begin_message(&mut self) {
        self.sending = self.open().map(|at| self.mails[at].number);
        self.begin_chunk();
    }

    /// Bytes of the message being sent, of which `size` were taken on the wire.
    pub(super) fn content(&mut self, bytes: &[u8], size: usize, context: &mut Context<'_>) {
        match self.sending {
            Some(number) => self.with_mail(number, |mail| {
                mail.add_size(size);
                mail.content(bytes, context.limits);
            }),
            None => context.counters.undissected_bytes += size as u64,
        }
    }

    pub(super) fn content_missing(&mut self, bytes: u64) {
        if let Some(number) = self.sending {
            self.with_mail(number, |mail| mail.missing(bytes));
        }
    }

    pub(super) fn message_sent(&mut self) {
        if let Some(number) = self.sending {
            self.with_mail(number, |mail| {
                mail.is_sent = true;
                mail.is_closed = true;
            });
        }
    }

    /// The end of a message after DATA was seen: a reply to it is due.
    pub(super) fn message_ended(&mut self, context: &mut Context<'_>) {
        let number = self.sending.take();
        if !self.align(context.now) {
            return;
        }
        if let Some(number) = number {
            self.with_mail(number, |mail| mail.due += 1);
            self.wait(Waits::Message, Some(number), None, context);
        } else {
            let fields = Fields::new().with("command", "message");
            let half = Half::new(context.now, 0, fields);
            let half = if self.torn { half.error(ErrorKind::Dissection, NOT_BEGUN) } else { half };
            self.wait(Waits::Message, None, Some(half), context);
        }
    }

    /// Takes a reply.
    pub(super) fn reply(&mut self, reply: Reply, context: &mut Context<'_>) -> Outcome {
        self.answered_at = context.now;
        if !self.alignment.is_known() {
            self.alignment.respond();
        } else if self.waiting.len() > 1 {
            self.alignment.note_pipelining();
        }
        let code = reply.code;
        // Some clients do not wait for the greeting; nothing but it and the way to TLS is answered so.
        let is_greeting = !self.paired
            && code == 220
            && self.waiting.front().is_none_or(|waiting| waiting.waits != Waits::Tls);
        if is_greeting && self.greeting(&reply, context) {
            return Outcome::None;
        }
        let Some(mut waiting) = self.waiting.pop_front() else {
            return self.unasked(reply, context);
        };
        self.held = self.held.saturating_sub(waiting.memory);
        self.paired = true;
        let waits = waiting.waits;
        if waits == Waits::Credentials && code == 334 {
            // The exchange goes on.
            waiting.challenges += 1;
            waiting.response_size += reply.size;
            self.held += waiting.memory;
            self.waiting.push_front(waiting);
            return Outcome::Answered(waits);
        }
        if let Some(half) = waiting.half {
            let mut fields = reply.fields(waits == Waits::Ehlo, context.limits);
            if waiting.challenges > 0 {
                fields.push("challenges", waiting.challenges);
            }
            let response = Half::new(reply.time, reply.size + waiting.response_size, fields);
            context.items.push(KIND.exchange(Direction::ToServer, half, response));
        } else if let Some(number) = waiting.mail {
            let (name, recipient) = match waits {
                Waits::From => ("MAIL", None),
                Waits::Recipient(place) => ("RCPT", Some(place)),
                Waits::Data => ("DATA", None),
                _ => ("message", None),
            };
            let refused = !reply.is_positive();
            self.with_mail(number, |mail| {
                mail.answer(name, recipient, reply);
                // A transaction that was refused as a whole takes no more commands; those on their way count.
                let fatal = matches!(waits, Waits::Data | Waits::Message | Waits::From);
                mail.is_closed |= refused && fatal && (mail.due == 0 || waits != Waits::From);
            });
            self.finish(context);
        }
        Outcome::Answered(waits)
    }

    /// Takes the server's first words, if these can be no others.
    fn greeting(&mut self, reply: &Reply, context: &mut Context<'_>) -> bool {
        if self.greeted || self.paired {
            return false;
        }
        if !self.alignment.is_known() {
            // Where a capture joins: a greeting names the protocol, and nothing was asked before it.
            let text = reply.text();
            let names =
                text.to_ascii_uppercase().contains("SMTP") && line::enhanced(reply.code, &text).is_none();
            if self.commanded || !names {
                return false;
            }
            self.alignment = Alignment::default();
            self.torn = false;
        }
        self.greeted = true;
        let mut fields = Fields::new().with("command", "greeting");
        reply.add_to(&mut fields);
        context.items.push(KIND.message(Direction::ToClient, Half::new(reply.time, reply.size, fields)));
        true
    }

    /// A reply that no command waits for.
    fn unasked(&mut self, reply: Reply, context: &mut Context<'_>) -> Outcome {
        let half = Half::new(reply.time, reply.size, reply.fields(false, context.limits));
        let is_torn = self
            .sending
            .is_some_and(|number| self.mails.iter().any(|mail| mail.number == number && mail.is_torn));
        if let (true, Some(number)) = (is_torn, self.sending.take()) {
            self.with_mail(number, |mail| {
                mail.answer("message", None, reply);
                mail.is_closed = true;
            });
            self.finish(context);
            self.alignment.lose_requests(Loss::Rest, 0);
            self.torn = true;
            return Outcome::EndsMessage;
        }
        // Refused before anything was asked.
        if matches!(reply.code, 421 | 554) && self.greeting(&reply, context) {
            return Outcome::None;
        }
        let absence = if self.alignment.is_known() { Absence::BeforeCapture } else { Absence::Lost };
        context.items.push(KIND.response(Direction::ToServer, half, absence));
        Outcome::None
    }

    /// Transactions that are over come out.
    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        while let Some(at) = self.mails.iter().position(Mail::is_finished) {
            self.emit(at, None, context);
        }
    }

    fn emit(&mut self, at: usize, absence: Option<Absence>, context: &mut Context<'_>) {
        let mail = self.mails.remove(at);
        self.held = self.held.saturating_sub(mail.memory);
        let (request, response) = mail.halves(context.limits);
        let to_server = Direction::ToServer;
        context.items.push(match (response, absence) {
            (Some(response), None) => KIND.exchange(to_server, request, response),
            (Some(response), Some(absence)) => {
                let message = format!("the transaction is not finished: {}", absence.as_str());
                KIND.exchange(to_server, request.error(ErrorKind::PairNotFound, message), response)
            }
            (None, absence) => KIND.request(to_server, request, absence.unwrap_or(Absence::Lost)),
        });
    }

    /// Lines of a direction are missing.
    pub(super) fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        let due = i32::try_from(self.waiting.len()).unwrap_or(i32::MAX);
        if direction == Direction::ToServer {
            self.alignment.lose_requests(Loss::Message, due);
        } else {
            self.alignment.lose_responses(Loss::Message, due);
        }
        self.torn = true;
        if self.answered_at == Timestamp::default() {
            // No silence is known of before what is seen.
            self.answered_at = context.now;
        }
        self.let_go(Absence::Lost, context);
    }

    /// Everything that waits comes out.
    pub(super) fn let_go(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.sending = None;
        while let Some(mail) = self.mails.first() {
            // A client that is refused may just close the connection. Where the server closes it first, what the client sent
            // last may be missing.
            let is_over = absence == Absence::Ended(End::Fin)
                && self.client_closed
                && mail.due == 0
                && !mail.has_message;
            self.emit(0, (!is_over).then_some(absence), context);
        }
        while let Some(waiting) = self.waiting.pop_front() {
            self.held = self.held.saturating_sub(waiting.memory);
            if let Some(half) = waiting.half {
                context.items.push(KIND.request(Direction::ToServer, half, absence));
            }
        }
    }
}
