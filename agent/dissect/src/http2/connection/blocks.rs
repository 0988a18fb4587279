//! Frames that arrive whole, header blocks foremost: those may go over several (RFC 9113, section 4.3).

use remora_packet::Timestamp;

use super::{Connection, State};
use crate::http2::fields::FieldList;
use crate::http2::frame::{self, Head};
use crate::http2::streams::Block;
use crate::{Context, Direction};

#[derive(Debug)]
pub(super) struct Unfinished {
    stream: u32,
    /// The stream a PUSH_PROMISE announces.
    promised: Option<u32>,
    pub(super) fragments: Vec<u8>,
    pub(super) ends: bool,
    time: Timestamp,
    size: u64,
    /// Fragments were dropped: it is longer than the cap.
    cut: bool,
}

impl Unfinished {
    const fn new(head: Head, promised: Option<u32>, time: Timestamp) -> Self {
        Self {
            stream: head.stream,
            promised,
            fragments: Vec::new(),
            ends: head.ends_stream(),
            time,
            size: head.total(),
            cut: false,
        }
    }
}

impl Connection {
    /// Gives up a header block that another frame interrupts; true where there was one.
    pub(super) fn interrupted(
        &mut self,
        direction: Direction,
        head: Head,
        context: &mut Context<'_>,
    ) -> bool {
        let continues = |block: &Unfinished| head.kind == frame::CONTINUATION && block.stream == head.stream;
        match self.side(direction).block.take_if(|block| !continues(block)) {
            Some(block) => {
                let sizes = (block.size, 0);
                let why = "a header block does not end";
                self.streams.broken_headers(direction, block.stream, block.ends, sizes, why, context);
                true
            }
            None => false,
        }
    }

    pub(super) fn content(
        &mut self,
        direction: Direction,
        head: Head,
        content: &[u8],
        time: Timestamp,
        context: &mut Context<'_>,
    ) -> Result<(), &'static str> {
        let word = |at: usize| content.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word));
        match head.kind {
            frame::HEADERS => {
                // The priority that may stand before the fields is of no interest: a stream and a weight.
                let fields = unpad(head, content, if head.flags & 0x20 != 0 { 5 } else { 0 })?;
                let block = Unfinished::new(head, None, time);
                self.fragment(direction, head, block, fields, context);
            }
            frame::PUSH_PROMISE => {
                let inside = unpad(head, content, 0)?;
                let (promised, fields) =
                    inside.split_first_chunk().ok_or("a PUSH_PROMISE frame that is too short")?;
                let block = Unfinished::new(head, Some(u32::from_be_bytes(*promised) & 0x7fff_ffff), time);
                self.fragment(direction, head, block, fields, context);
            }
            frame::CONTINUATION => match self.side(direction).block.take() {
                Some(mut block) => {
                    block.size += head.total();
                    self.fragment(direction, head, block, content, context);
                }
                // Its beginning was lost.
                None => self.side(direction).decoder.forget(),
            },
            frame::RST_STREAM => {
                self.streams.count(direction, head.stream, head.total());
                self.streams.reset(direction, head.stream, word(0).unwrap_or(0), context);
            }
            frame::GOAWAY => self.streams.go_away(direction, content, context),
            _ => {}
        }
        Ok(())
    }

    /// A part of a header block, which ends with it or goes on.
    fn fragment(
        &mut self,
        direction: Direction,
        head: Head,
        mut block: Unfinished,
        fields: &[u8],
        context: &mut Context<'_>,
    ) {
        if head.ends_headers() && block.fragments.is_empty() && !block.cut {
            self.block(direction, &block, fields, context);
            return;
        }
        if block.fragments.len() + fields.len() > context.limits.pending_bytes {
            block.cut = true;
            block.fragments = Vec::new();
        } else if !block.cut {
            block.fragments.extend_from_slice(fields);
        }
        if !head.ends_headers() {
            self.side(direction).block = Some(block);
        } else if block.cut {
            self.broken(direction, &block, "a header block is too long", context);
        } else {
            let fields = std::mem::take(&mut block.fragments);
            self.block(direction, &block, &fields, context);
        }
    }

    pub(super) fn broken(
        &mut self,
        direction: Direction,
        block: &Unfinished,
        why: &str,
        context: &mut Context<'_>,
    ) {
        self.side(direction).decoder.forget();
        let sizes = (block.size, 0);
        self.streams.broken_headers(direction, block.stream, block.ends, sizes, why, context);
    }

    /// A whole header block.
    fn block(&mut self, direction: Direction, block: &Unfinished, fields: &[u8], context: &mut Context<'_>) {
        let mut list = FieldList::new(context.limits.http_headers, context.limits.pending_bytes);
        if let Err(why) = self.side(direction).decoder.decode(fields, &mut list) {
            if self.confirmed {
                self.broken(direction, block, why, context);
            } else {
                self.side(direction).state = State::Left;
                context.withdraw();
            }
            return;
        }
        if list.of_response {
            self.settle(direction.reverse(), context);
        } else if list.of_request {
            // A promised request comes from the server.
            let by_client = block.promised.is_none();
            self.settle(if by_client { direction } else { direction.reverse() }, context);
        }
        let Unfinished { stream, promised, ends, time, size, .. } = *block;
        match promised {
            Some(stream) => self.streams.promise(Block { stream, list, ends, time, size }, context),
            None => self.streams.headers(direction, Block { stream, list, ends, time, size }, context),
        }
    }
}

/// What a frame carries between its padding's length and its padding, without `prefix` bytes at its front.
fn unpad(head: Head, content: &[u8], prefix: usize) -> Result<&[u8], &'static str> {
    let (padding, content) = match content.split_first() {
        Some((&padding, rest)) if head.is_padded() => (usize::from(padding), rest),
        _ if head.is_padded() => return Err("a padded frame that is empty"),
        _ => (0, content),
    };
    let end = content.len().checked_sub(padding).ok_or("padding longer than its frame")?;
    content.get(prefix..end).ok_or("a HEADERS frame that is too short")
}
