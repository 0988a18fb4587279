//! What is done where bytes are missing.

use super::subscriptions::Acks;
use super::{Connection, Mode, Replies, half_of};
use crate::item::Absence;
use crate::redis::KIND;
use crate::redis::message::Command;
use crate::redis::resp::Parser;
use crate::{Context, Direction, End, Half};

impl Connection {
    /// The place in a direction is not known any more.
    pub(super) fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        let of_requests = self.is_client(direction);
        let side = &mut self.sides[direction.index()];
        side.lost = true;
        side.parser = Parser::default();
        self.acks = Acks::default();
        self.subscriptions.doubtful = true;
        if of_requests {
            self.replies = Replies::All;
        } else {
            self.answer_lost = !self.sides[direction.reverse().index()].parser.is_idle();
        }
        if let Some((_, pairs)) = &mut self.pairs {
            pairs.lose(of_requests, context);
        }
    }

    /// The message that a hole, or the end, cut short.
    pub(super) fn cut(
        &mut self,
        direction: Direction,
        missing: u64,
        why: Option<End>,
        context: &mut Context<'_>,
    ) {
        let is_client = self.is_client(direction);
        let Some(parsed) = self.sides[direction.index()].parser.abandon(missing, context.limits) else {
            return;
        };
        let absence = why.map_or(Absence::Lost, Absence::Ended);
        let Some((client, pairs)) = &mut self.pairs else { return };
        if is_client {
            let (time, size, missing) = (parsed.time, parsed.size, parsed.missing);
            if let Some(command) = Command::new(parsed) {
                let half = Half::new(time, size, command).missing(missing).cut_short(why);
                context.items.push(KIND.request(*client, half, absence));
            }
            return;
        }
        let pushed = parsed.marker == b'>' || self.subscriptions.any() || self.mode != Mode::Normal;
        let half = half_of(parsed).cut_short(why);
        if pushed {
            context.items.push(KIND.message(direction, half));
        } else {
            pairs.response(half, context);
        }
    }

    /// The command that the hole cut comes out behind those that waited before it.
    pub(super) fn lose_keeping(&mut self, direction: Direction, missing: u64, context: &mut Context<'_>) {
        let parser = std::mem::take(&mut self.sides[direction.index()].parser);
        self.lose(direction, context);
        self.sides[direction.index()].parser = parser;
        self.cut(direction, missing, None, context);
        self.sides[direction.index()].parser = Parser::default();
    }
}
