//! What comes of a negotiation: its item, who reads on, and what a loss means.

use super::{Answer, BIND, CHOICE_BYTES, Connection};
use crate::exchange::Half;
use crate::item::{Absence, ErrorKind};
use crate::socks::fields::{Answered, Asked};
use crate::socks::message::{NO_METHOD, PASSWORD, Reply};
use crate::socks::{KIND, is_port};
use crate::{Context, Direction, Successor};

const CONNECT: u8 = 1;

/// Bytes of credentials; names and passwords are not empty.
const CREDENTIALS_BYTES: std::ops::RangeInclusive<u64> = 5..=513;

impl Connection {
    /// Makes the item once all that belongs to it is there.
    pub(super) fn settle(&mut self, context: &mut Context<'_>) {
        let refused = match (&self.method, &self.verdict) {
            (Answer::There(NO_METHOD), _) => true,
            (_, Answer::There(verdict)) => *verdict != 0 && (self.user.is_some() || self.user_is_lost),
            _ => false,
        };
        if refused {
            self.emit(None, context);
            self.finish(context);
            return;
        }
        let (Some(request), Some(reply)) = (&self.request, &self.reply) else { return };
        self.sure = true;
        if self.awaits_connection() {
            context.confirm();
            return;
        }
        let is_open = reply.is_granted()
            && matches!(request.command, CONNECT | BIND)
            && self.incoming.as_ref().is_none_or(Reply::is_granted);
        self.emit(None, context);
        if is_open {
            self.over = true;
            context.hand_over(Successor::Probed);
        } else {
            self.finish(context);
        }
    }

    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        self.over = true;
        context.confirm();
    }

    /// The item; `absence` says why a reply is not there.
    pub(super) fn emit(&mut self, absence: Option<Absence>, context: &mut Context<'_>) {
        let Some(client) = self.client else { return };
        let asked = Asked {
            version: self.version,
            methods: self.methods.as_deref(),
            user: self.user.as_deref(),
            request: self.request.as_ref(),
        };
        let mut request = Half::new(self.asked, self.sizes[client.index()], asked.fields());
        if self.version == 5 && self.methods.is_none() {
            request = request.error(ErrorKind::Dissection, "the greeting was not captured");
        }
        if self.user_is_lost {
            request = request.error(ErrorKind::Dissection, "the credentials are missing");
        }
        let answered = Answered {
            version: self.version,
            method: self.method.there().copied(),
            verdict: self.verdict.there().copied(),
            reply: self.reply.as_ref(),
            incoming: self.incoming.as_ref(),
        };
        let size = self.sizes[client.reverse().index()];
        let mut response = Half::new(self.answered, size, answered.fields());
        if self.method.is_lost() {
            response = response.error(ErrorKind::Dissection, "the choice of a method is missing");
        }
        if self.verdict.is_lost() {
            response = response.error(ErrorKind::Dissection, "the answer to the credentials is missing");
        }
        let draft = match absence {
            None => KIND.exchange(client, request, response),
            Some(absence) if self.awaits_connection() => {
                let why = format!("no second reply: {}", absence.as_str());
                KIND.exchange(client, request, response.error(ErrorKind::PairNotFound, why))
            }
            Some(absence) => KIND.request(client, request, absence),
        };
        context.items.push(draft);
    }

    /// Bytes that are no message of SOCKS.
    pub(super) fn invalid(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        what: &str,
        context: &mut Context<'_>,
    ) -> usize {
        if !self.sure {
            context.withdraw();
            return 0;
        }
        self.emit(Some(Absence::Lost), context);
        context.items.push(KIND.failure(direction, context.now, bytes, context.offset, what));
        self.finish(context);
        bytes.len()
    }

    /// Whether a hole of so many bytes is just the message that the server had to send, which then counts as lost.
    pub(super) fn lose_answer(&mut self, bytes: u64, context: &mut Context<'_>) -> bool {
        // Of all lengths that a reply may have, that of nearly all.
        let reply = if self.version == 4 { 8 } else { 10 };
        if self.reply.is_none() && self.methods.is_some() && self.method.is_awaited() && bytes == CHOICE_BYTES
        {
            self.method = Answer::Lost;
        } else if self.user.is_some() && self.verdict.is_awaited() && bytes == CHOICE_BYTES {
            self.verdict = Answer::Lost;
        } else if self.reply.is_none() && bytes == reply && self.request.is_some() {
            let connects = self.request.as_ref().is_some_and(|request| request.command == CONNECT);
            self.emit(Some(Absence::Lost), context);
            self.over = true;
            if connects {
                context.hand_over(Successor::Probed);
            } else {
                context.confirm();
            }
        } else {
            return false;
        }
        true
    }

    /// Whether a hole of so many bytes may be the credentials that are awaited, which then count as lost.
    pub(super) fn lose_credentials(&mut self, bytes: u64, context: &mut Context<'_>) -> bool {
        let are_awaited = self.method.there() == Some(&PASSWORD)
            && self.user.is_none()
            && !self.user_is_lost
            && self.request.is_none();
        if are_awaited && CREDENTIALS_BYTES.contains(&bytes) {
            self.user_is_lost = true;
            self.settle(context);
            return true;
        }
        false
    }

    /// What is there of an item will not get more.
    pub(super) fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        if self.sure || self.client.is_some() && is_port(context.server_port) {
            self.emit(Some(absence), context);
            self.finish(context);
        } else {
            context.withdraw();
        }
    }
}
