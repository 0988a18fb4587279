//! The server's packets: the greeting, what belongs to the response to the first command that waits, and what belongs
//! to none.

use super::super::response::{Progress, Response};
use super::super::{KIND, login, packets};
use super::assembly::Packet;
use super::{Connection, Phase};
use crate::item::Absence;
use crate::{Context, Direction, Fields, Half};

impl Connection {
    pub(super) fn answered(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        self.alignment.answered(context.now);
        if self.phase == Phase::Greeting {
            return self.greeted(packet, context);
        }
        let first = packet.payload().first().copied();
        if self.trailing.take() == Some(packet.number) && packet.length() == 5 && first == Some(0xfe) {
            return;
        }
        if !self.alignment.is_certain() {
            return self.stray(packet, context);
        }
        let Some(front) = self.queue.first_mut() else {
            if packet.number == 0 && first == Some(0xff) && packet.is_whole() {
                return self.unasked(packet, context);
            }
            return self.astray(packet, context);
        };
        // Inside of compressed packets the numbers do not count on.
        let counts = !self.assembly.is_compressed();
        if counts && packet.first_number().is_some_and(|first| first != front.sequence) {
            return self.astray(packet, context);
        }
        front.sequence = packet.number.wrapping_add(1);
        front.response.count(packet.framed.time, packet.captured, packet.framed.missing);
        let reading = self.session.reading(front.statement, context.limits);
        match front.response.take(packet.payload(), &packet.framed, &reading) {
            Ok(Progress::More) => {}
            Ok(progress) => {
                if progress == Progress::DoneOrEof {
                    self.trailing = Some(packet.number.wrapping_add(1));
                }
                self.complete_first(context);
            }
            Err(why) => {
                front.response.fault(why);
                self.misaligned(context);
            }
        }
    }

    /// The first command is answered.
    fn complete_first(&mut self, context: &mut Context<'_>) {
        let Some(mut command) = self.queue.pop() else { return };
        self.confirm(context);
        self.session.resolve(&mut command, context.limits);
        if command.number.is_none() {
            self.phase = Phase::Commands;
            self.assembly.compress(self.session.compresses() && command.response.error.is_none());
        }
        let session = self.session.fields();
        self.session.apply(&mut command, context.limits);
        let (request, response) = command.into_halves(&session);
        context.items.push(KIND.exchange(self.client(), request, response.into_half(context.limits)));
    }

    fn greeted(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        let payload = packet.payload();
        if packet.first_number() == Some(0) && payload.first() == Some(&0xff) {
            self.confirm(context);
            self.phase = Phase::Commands;
            return self.unasked(packet, context);
        }
        match login::greeting(payload, context.limits) {
            Ok(greeting) if packet.is_whole() => {
                self.greeting = Some((greeting, packet.captured));
                self.phase = Phase::Login;
            }
            _ => self.lose(Direction::ToClient, context),
        }
    }

    /// An error of the server's own accord: it does not let the client in, or ends the connection.
    fn unasked(&self, packet: &Packet<'_>, context: &mut Context<'_>) {
        let error = packets::error(packet.payload(), context.limits).unwrap_or_default();
        let fields = Fields::new().with("command", "ERR").with("error", error);
        let half = Half::new(packet.framed.time, packet.captured, fields).missing(packet.framed.missing);
        context.items.push(KIND.message(self.client().reverse(), half));
    }

    /// What came does not belong to what waits.
    fn astray(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        if !self.sure {
            return context.withdraw();
        }
        self.misaligned(context);
        self.stray(packet, context);
    }

    fn misaligned(&mut self, context: &mut Context<'_>) {
        self.give_up(Absence::Lost, context);
        self.alignment.shift();
        self.phase = Phase::Commands;
        self.session.lose(Direction::ToClient);
    }

    /// A packet of a response whose command is not known.
    fn stray(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        let ended = self.alignment.stray(packet, context.limits);
        self.release_stray(ended, context);
    }

    /// A response whose command is not known is over.
    pub(super) fn release_stray(&self, stray: Option<Response>, context: &mut Context<'_>) {
        if let Some(stray) = stray {
            let half = stray.into_half(context.limits);
            context.items.push(KIND.response(self.client(), half, Absence::Lost));
        }
    }
}
