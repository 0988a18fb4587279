//! Several runs, merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use remora_packet::Timestamp;

use super::input::PACKETS_PER_QUESTION;
use super::run::{Header, RunReader, Sink};
use crate::error::Reason;
use crate::files::GoOn;

/// Hands out the packets of all runs in order of time; of the same time, those of an earlier run first.
pub(super) fn merge(mut runs: Vec<RunReader>, go_on: GoOn<'_>, sink: Sink<'_>) -> Result<(), Reason> {
    let mut heads: Vec<Option<Header>> = Vec::with_capacity(runs.len());
    let mut queue = BinaryHeap::<Reverse<(Timestamp, usize)>>::with_capacity(runs.len());
    for (at, run) in runs.iter_mut().enumerate() {
        let head = run.next()?;
        queue.extend(head.as_ref().map(|head| Reverse((head.timestamp, at))));
        heads.push(head);
    }
    let mut packets = 0u64;
    while let Some(mut first) = queue.peek_mut() {
        let Reverse((_, at)) = *first;
        if let Some(head) = &heads[at] {
            sink(&runs[at].packet(head))?;
        }
        heads[at] = runs[at].next()?;
        match &heads[at] {
            Some(head) => *first = Reverse((head.timestamp, at)),
            None => drop(std::collections::binary_heap::PeekMut::pop(first)),
        }
        packets += 1;
        if packets.is_multiple_of(PACKETS_PER_QUESTION) && !go_on() {
            return Err(Reason::Cancelled);
        }
    }
    Ok(())
}
