//! Reading conversations whose messages are packets.

use super::{Feed, Reader};
use crate::dissector::Verdict;
use crate::{Direction, End, Over, Probe};

impl Feed<'_> {
    /// Takes a packet's payload. `missing` bytes behind it were not captured.
    pub(crate) fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32) {
        self.dissection.carried_data = true;
        self.context.offset = 0;
        let before = self.context.items.len();
        loop {
            if let Reader::Datagrams(dissector) = &mut self.dissection.reader {
                dissector.datagram(direction, bytes, missing, &mut self.context);
                if !matches!(std::mem::take(&mut self.context.verdict), Verdict::Withdrawn) {
                    self.dissection.recognised = true;
                    return;
                }
                self.context.items.truncate(before);
                self.dissection.reader = Reader::None;
            }
            let Some(place) = self.recognise(direction, bytes) else {
                self.context.counters.undissected_bytes += bytes.len() as u64;
                return;
            };
            // Should it withdraw, it is not asked again.
            self.dissection.refused |= 1 << place;
            if let Over::Datagrams { create, .. } = self.context.registry[place].over {
                self.dissection.reader = Reader::Datagrams(create(self.context.limits));
            }
        }
    }

    /// Whose packet this is, if anyone's.
    fn recognise(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let tries = &mut self.dissection.tries[direction.index()];
        if *tries > 0 && is_stun(bytes) {
            // It only prepares the way for others on the same ports, with any number of packets.
            return None;
        }
        *tries = tries.checked_sub(1)?;
        let mut likely = None;
        for (place, registration) in self.context.registry.iter().enumerate() {
            let Over::Datagrams { transport, probe, .. } = registration.over else { continue };
            if transport != self.transport || self.dissection.refused & 1 << place != 0 {
                continue;
            }
            match probe(direction, self.context.server_port, bytes) {
                Probe::Certain => return Some(place),
                Probe::Likely if likely.is_none() => likely = Some(place),
                _ => {}
            }
        }
        likely
    }

    /// The time a dissector asked for may have come.
    pub(crate) fn elapse(&mut self) {
        if let Reader::Datagrams(dissector) = &mut self.dissection.reader
            && dissector.due().is_some_and(|due| due <= self.context.clock)
        {
            dissector.elapse(&mut self.context);
        }
    }

    pub(crate) fn end_datagrams(&mut self, end: End) {
        if let Reader::Datagrams(dissector) = &mut self.dissection.reader {
            dissector.end(end, &mut self.context);
            self.dissection.reader = Reader::None;
        }
        self.dissection.over = true;
    }
}

/// STUN has its magic cookie in a place of its own (RFC 8489, section 5).
fn is_stun(bytes: &[u8]) -> bool {
    matches!(bytes, [0..=3, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..])
}
