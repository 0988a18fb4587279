//! The items that hooks are called for.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use remora_dissect::{Engine, Item, Limits};
use remora_pcap::PcapReader;

use crate::common;

/// Of a capture. More than the caches of the processor hold, as in a running agent.
const MOST: usize = 20_000;
const MADE: u32 = 500;

pub(crate) fn items(capture: Option<&Path>) -> Vec<Arc<Item>> {
    match capture {
        None => (0..MADE).map(|index| common::items::http(index, "/api/v2/write", 200)).collect(),
        Some(path) => dissected(path),
    }
}

fn dissected(path: &Path) -> Vec<Arc<Item>> {
    let mut reader = PcapReader::new(File::open(path).unwrap()).unwrap();
    let origin = Arc::clone(&common::items::http(0, "/", 200).origin);
    let mut engine = Engine::new(Limits::default(), origin);
    let mut items = Vec::new();
    while let Some(packet) = reader.next().unwrap() {
        engine.packet(&packet, &mut items);
        if items.len() >= MOST {
            break;
        }
    }
    // Only the messages that the hooks are made for.
    items.retain(|item| item.draft.request.is_some() && item.draft.response.is_some());
    items.into_iter().map(Arc::new).collect()
}

/// Bytes of JSON of an item, on average.
pub(crate) fn mean_text(items: &[Arc<Item>]) -> usize {
    let mut text = Vec::new();
    items.iter().for_each(|item| remora_dissect::json::write_object(item.as_ref(), &mut text));
    text.len() / items.len()
}
