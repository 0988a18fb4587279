//! What a client is subscribed to, and what acknowledges that.

use remora_packet::Timestamp;

use super::{Connection, half_of};
use crate::item::{Absence, ErrorKind};
use crate::redis::KIND;
use crate::redis::commands::Answer;
use crate::redis::resp::Parsed;
use crate::{Context, Tree};

/// What a client is subscribed to, as the acknowledgements count it.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// Channels and patterns, and by sharded channels apart.
    by_kind: [u64; 3],
    /// Bytes are missing; the counts may be wrong.
    pub(super) doubtful: bool,
}

/// Acknowledgements of the first command that waits, until all are there.
#[derive(Debug, Default)]
pub(super) struct Acks {
    list: Vec<Tree>,
    count: u64,
    heap: usize,
    size: u64,
    time: Option<Timestamp>,
}

impl Subscriptions {
    fn kind(ack: &str) -> usize {
        match ack.as_bytes().first() {
            Some(b'p') => 1,
            _ if ack.starts_with("ss") || ack.starts_with("sun") => 2,
            _ => 0,
        }
    }

    /// Of an acknowledgement, with the count in it: channels and patterns together, or sharded ones.
    fn acknowledge(&mut self, ack: &str, count: i64) {
        let kind = Self::kind(ack);
        let count = u64::try_from(count).unwrap_or(0);
        self.by_kind[kind] = match kind {
            2 => count,
            _ => count.saturating_sub(self.by_kind[1 - kind]),
        };
    }

    pub(super) fn any(&self) -> bool {
        self.by_kind.iter().any(|&count| count > 0)
    }
}

impl Acks {
    /// Bytes of heap held.
    pub(super) const fn memory(&self) -> usize {
        self.heap + self.list.capacity() * size_of::<Tree>()
    }
}

impl Connection {
    pub(super) fn acknowledgement(
        &mut self,
        ack: &'static str,
        mut parsed: Parsed,
        context: &mut Context<'_>,
    ) {
        let before = self.subscriptions.by_kind[Subscriptions::kind(ack)];
        let count = parsed.tree.as_list().and_then(|list| list.get(2)?.as_int()).unwrap_or(0);
        self.subscriptions.acknowledge(ack, count);
        let Some((client, pairs)) = &mut self.pairs else { return };
        let Some(note) = pairs.note_mut().filter(|note| note.answer == Answer::Acks(ack)) else {
            let half = half_of(parsed);
            if self.subscriptions.doubtful || !pairs.is_empty() {
                // Of a command that named no channels, and of which the number of answers is not known.
                context.items.push(KIND.response(*client, half, Absence::BeforeCapture));
            } else {
                pairs.response(half, context);
            }
            return;
        };
        let unknown = note.channels == 0 && self.subscriptions.doubtful;
        if note.channels == 0 {
            note.channels = if unknown { 1 } else { before.max(1) };
        }
        let acks = &mut self.acks;
        acks.count += 1;
        acks.size += parsed.size;
        acks.time.get_or_insert(parsed.time);
        if acks.count < note.channels {
            if acks.list.len() < context.limits.list_entries && acks.heap < context.limits.message_bytes {
                acks.heap += size_of::<Tree>() + parsed.tree.heap();
                acks.list.push(parsed.tree);
            }
            return;
        }
        let mut acks = std::mem::take(&mut self.acks);
        if acks.count > 1 {
            acks.list.push(std::mem::take(&mut parsed.tree));
            parsed.truncated |= acks.list.len() as u64 != acks.count;
            parsed.tree = Tree::List(acks.list);
            parsed.count = acks.count;
            parsed.size = acks.size;
            parsed.time = acks.time.unwrap_or(parsed.time);
        }
        let mut half = half_of(parsed);
        if unknown {
            let why = "how many acknowledgements belong to it is not known";
            half = half.error(ErrorKind::Dissection, why);
        }
        pairs.response(half, context);
    }
}
