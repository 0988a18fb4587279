//! What is delivered to scripts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use remora_dissect::Item;
use remora_packet::{Packet, Timestamp};

/// The argument of `onPacketCaptured`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketInfo {
    pub timestamp: Timestamp,
    /// Bytes captured.
    pub capture_length: u32,
    /// Bytes on the wire.
    pub length: u32,
    pub truncated: bool,
    /// The packet is an IP fragment whose datagram is not complete yet.
    pub fragmented: bool,
}

impl PacketInfo {
    pub fn new(packet: &Packet<'_>, fragmented: bool) -> Self {
        Self {
            timestamp: packet.timestamp,
            capture_length: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
            length: packet.length,
            truncated: packet.truncated(),
            fragmented,
        }
    }
}

/// A look at an item by whoever sees the output, for `onItemQueried`.
#[derive(Debug)]
pub struct Query {
    pub(crate) item: Arc<Item>,
    pub(crate) filter: Arc<str>,
    /// What the item is replaced by, as JSON text, and the place of the script that says so among the scripts.
    reply: Mutex<Option<(u32, String)>>,
    /// Scripts that were asked, whatever came of it.
    asked: AtomicUsize,
}

/// What scripts have to say of an item that is about to be shown.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reply {
    /// The JSON text of what is shown in its place.
    pub text: Option<String>,
    /// A script that would have been asked was ended before. What it redacts is still there.
    pub unasked: bool,
}

impl Query {
    pub(crate) fn new(item: Arc<Item>, filter: Arc<str>) -> Self {
        Self { item, filter, reply: Mutex::default(), asked: AtomicUsize::new(0) }
    }

    pub(crate) fn note_asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Of several scripts' replies the one of the last script stays, whichever came first.
    pub(crate) fn reply(&self, place: u32, text: String) {
        let mut reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        if reply.as_ref().is_none_or(|(other, _)| *other <= place) {
            *reply = Some((place, text));
        }
    }

    pub(crate) fn take_reply(&self) -> Option<String> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).take().map(|(_, text)| text)
    }
}

#[derive(Clone, Debug)]
pub enum Event {
    Packet(PacketInfo),
    Item(Arc<Item>),
    Query(Arc<Query>),
}

impl Event {
    /// Bytes it holds while it waits.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Packet(_) => size_of::<Self>(),
            Self::Item(item) => size_of::<Self>() + item.memory(),
            Self::Query(query) => size_of::<Self>() + size_of::<Query>() + query.item.memory(),
        }
    }
}
