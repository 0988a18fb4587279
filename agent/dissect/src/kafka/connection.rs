//! One connection, from before it is known who asks.

use super::header::{Look, look};
use super::note::is_beyond_doubt;
use super::session::Session;
use crate::{Context, Direction, Dissector, End};

#[derive(Default)]
pub(super) struct Connection {
    session: Option<Session>,
    /// Directions with a hole before anything was understood.
    torn: [bool; 2],
    ended: [bool; 2],
}

impl Dissector for Connection {
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize {
        if self.session.is_none() && matches!(look(bytes, true), Look::Header(_)) {
            let mut session = Session::new(direction, self.ended);
            if is_beyond_doubt(bytes) {
                session.confirm(context);
            }
            if self.torn[direction.reverse().index()] {
                session.lose(direction.reverse());
            }
            self.session = Some(session);
        }
        match &mut self.session {
            Some(session) => session.parse(direction, bytes, context),
            // Until a request tells who asks, nothing can be read.
            None => 0,
        }
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>) {
        match &mut self.session {
            Some(session) => session.gap(direction, bytes, unparsed, context),
            None => {
                self.torn[direction.index()] = true;
                context.counters.undissected_bytes += unparsed.len() as u64;
            }
        }
    }

    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>) {
        context.counters.undissected_bytes += unparsed.len() as u64;
        match &mut self.session {
            Some(session) => session.lose(direction),
            None => context.withdraw(),
        }
    }

    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>) {
        self.ended[direction.index()] = true;
        match &mut self.session {
            Some(session) => session.end(direction, end, unparsed, context),
            None => context.counters.undissected_bytes += unparsed.len() as u64,
        }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.session.as_ref().map_or(0, Session::memory)
    }
}
