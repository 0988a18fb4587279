//! The client's packets: the login, commands, and what continues them.

use remora_packet::Timestamp;

use super::super::command::Command;
use super::super::login;
use super::super::{KIND, names};
use super::assembly::Packet;
use super::{Connection, Phase};
use crate::item::Absence;
use crate::{Context, Direction, Fields, Half, Tree};

impl Connection {
    pub(super) fn asked(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        if self.phase == Phase::Login && self.queue.is_empty() {
            return self.log_in(packet, context);
        }
        let first = packet.payload().first().copied();
        if packet.first_number() != Some(0) || first.is_none() {
            return self.continued(packet);
        }
        match first.filter(|&first| names::command(first).is_some()) {
            Some(number) => self.command(number, packet, context),
            None => self.unknown(packet, context),
        }
    }

    fn command(&mut self, number: u8, packet: &Packet<'_>, context: &mut Context<'_>) {
        let framed = &packet.framed;
        let mut command = Command::new(Some(number), framed.time);
        if command.wants_answer() {
            self.align(framed.time, context);
        }
        command.alone = !self.alignment.is_certain();
        command.count(packet.captured, framed.missing);
        command.sequence = packet.number.wrapping_add(1);
        if let Err(error) = command.read(packet.payload(), framed, self.session.capabilities, context.limits)
        {
            if !self.sure && packet.is_whole() {
                return context.withdraw();
            }
            command.fault(error.what);
        }
        if self.queue.len() >= context.limits.waiting_requests.max(1) {
            self.give_up(Absence::TooMany, context);
            self.alignment.doubt();
            command.alone = true;
        }
        self.queue.push(command);
        if !self.alignment.is_certain() {
            // Its answer can't be told.
            self.give_up(Absence::Lost, context);
        }
    }

    /// The client begins a command: whether both sides are at the same place again.
    fn align(&mut self, now: Timestamp, context: &mut Context<'_>) {
        let idle = self.assembly.is_between(Direction::ToClient) && self.held.is_none();
        let stray = self.alignment.command(now, idle);
        self.release_stray(stray, context);
    }

    fn unknown(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        if !self.sure {
            return context.withdraw();
        }
        let (time, offset) = (packet.framed.time, packet.framed.offset);
        let failure = KIND.failure(self.client(), time, packet.payload(), offset, "an unknown command");
        context.items.push(failure);
        self.assembly.lose(Direction::ToServer);
        self.lose(Direction::ToServer, context);
    }

    /// A file that the server asked for, or a step of an authentication.
    fn continued(&mut self, packet: &Packet<'_>) {
        let Some(last) = self.queue.last_mut() else { return };
        last.count(packet.captured, packet.framed.missing);
        last.sequence = packet.number.wrapping_add(1);
        if last.number == Some(names::QUERY) {
            last.file = Some(last.file.unwrap_or(0) + packet.length());
        }
    }

    fn log_in(&mut self, packet: &Packet<'_>, context: &mut Context<'_>) {
        let framed = &packet.framed;
        let mut command = Command::new(None, framed.time);
        command.count(packet.captured, framed.missing);
        command.sequence = packet.first_number().unwrap_or(0).wrapping_add(1);
        let (greeting, greeted) = self.greeting.take().unwrap_or_default();
        match login::login(packet.payload(), context.limits) {
            Ok(login) if login.encrypts => {
                let mut fields = Fields::new().with("command", "SSLRequest");
                fields.append(greeting.fields);
                let half = Half::new(framed.time, packet.captured, fields).missing(framed.missing);
                context.items.push(KIND.message(self.client(), half));
                self.encrypted = true;
                return;
            }
            Ok(login) => {
                let agreed = login.capabilities & greeting.capabilities;
                self.session.capabilities = Some(agreed);
                command.fields.push_some("user", login.user.clone());
                command.fields.push_some("database", login.database.clone());
                command.fields.append(login.fields);
                command.fields.push("capabilities", names::capabilities(agreed).collect::<Tree>());
                (command.user, command.schema) = (login.user, login.database);
            }
            Err(error) => {
                if packet.is_whole() {
                    command.fault(error.what);
                }
                self.session.capabilities = None;
            }
        }
        command.response.fields = greeting.fields;
        command.response.add_size(greeted);
        self.queue.push(command);
    }
}
