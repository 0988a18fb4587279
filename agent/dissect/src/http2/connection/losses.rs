//! What a connection knows after bytes that are wrong or missing.

use super::{Connection, KIND, Progress, State};
use crate::http2::frame::{self, Head};
use crate::{Context, Direction};

impl Connection {
    /// Bytes that HTTP/2 does not allow: looks for frames again.
    pub(super) fn fail(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        why: &str,
        context: &mut Context<'_>,
    ) -> Progress {
        if self.confirmed {
            let time = self.side(direction).since.unwrap_or(context.now);
            context.items.push(KIND.failure(direction, time, bytes, context.offset, why));
            self.lose(direction, context);
            // Not the same place again.
            context.counters.undissected_bytes += 1;
            return Progress::Used(1);
        }
        self.side(direction).state = State::Left;
        context.withdraw();
        Progress::Wait
    }

    /// The place in a direction is not known, nor which messages lost bytes.
    pub(super) fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        if let Some(block) = self.side(direction).block.take() {
            self.broken(direction, &block, "header fields are missing", context);
        }
        let side = self.side(direction);
        side.state = State::Lost;
        side.since = None;
        side.decoder.forget();
        self.streams.lose(direction);
    }

    /// A frame of which `left` bytes are passed over, `missing` of them because they were not captured.
    pub(super) fn lose_frame(
        &mut self,
        direction: Direction,
        head: Head,
        left: u64,
        missing: u64,
        context: &mut Context<'_>,
    ) {
        let side = self.side(direction);
        side.state = if left == 0 { State::Frames } else { State::Skip(left) };
        side.since = None;
        if !head.carries_fields() {
            return;
        }
        side.decoder.forget();
        let size = head.total() - missing;
        let ends = match self.side(direction).block.take() {
            Some(block) => block.ends,
            None => head.ends_stream(),
        };
        if head.kind == frame::PUSH_PROMISE {
            self.streams.lose_promise();
        } else {
            let why = "header fields are missing";
            self.streams.broken_headers(direction, head.stream, ends, (size, missing), why, context);
        }
    }

    /// Of `missing` bytes, those that are in a frame whose beginning is known; `None` where it is not.
    pub(super) fn bridge(
        &mut self,
        direction: Direction,
        missing: u64,
        unparsed: &[u8],
        context: &mut Context<'_>,
    ) -> Option<u64> {
        let kept = unparsed.len() as u64;
        match self.sides[direction.index()].state {
            State::Data(mut data) => {
                let body = data.body.min(missing);
                let padding = data.padding.min(missing - body);
                data.body -= body;
                data.padding -= padding;
                self.streams.skip(direction, data.stream, body + padding, body);
                self.move_on(direction, data, context);
                Some(body + padding)
            }
            State::Skip(left) => {
                let inside = left.min(missing);
                self.side(direction).skip(inside);
                Some(inside)
            }
            State::Frames => {
                let head = Head::parse(unparsed).filter(|head| head.fault().is_none())?;
                if head.kind == frame::DATA {
                    // Only the length of its padding is missing.
                    return None;
                }
                let inside = missing.min(head.total().checked_sub(kept)?);
                self.lose_frame(direction, head, head.total() - kept - inside, inside, context);
                Some(inside)
            }
            State::Start | State::Lost | State::Left => None,
        }
    }
}
