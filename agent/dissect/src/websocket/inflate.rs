//! permessage-deflate (RFC 7692): each message is a DEFLATE stream that may refer back to the messages before it.

use flate2::{Decompress, FlushDecompress, Status};

/// What the sender took off the end of each message (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes of heap of one inflater: its window and its tables.
const INFLATER_BYTES: usize = 48 << 10;

/// Output grows by so much at a time, beginning with several times the input: most messages are small.
const STEP_BYTES: usize = 16 << 10;
const LEAST_STEP_BYTES: usize = 256;
const USUAL_RATIO: usize = 4;

/// Why a compressed message stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stays {
    /// A message before it, to which it may refer, was not seen or not read whole.
    UnknownContext,
    Broken,
}

/// The inflater of one direction.
#[derive(Debug, Default)]
pub(super) struct Inflater {
    /// Made for the first compressed message.
    state: Option<Box<Decompress>>,
    /// The window is not the sender's.
    torn: bool,
}

pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    /// All of the message is there.
    pub(super) whole: bool,
}

impl Inflater {
    /// A message may have passed that was not inflated.
    pub(super) fn tear(&mut self) {
        self.torn = true;
        self.state = None;
    }

    pub(super) fn memory(&self) -> usize {
        if self.state.is_some() { INFLATER_BYTES } else { 0 }
    }

    /// Inflates a message, of which bytes behind those may be missing, up to `limit` bytes.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        whole: bool,
        takeover: bool,
        limit: usize,
    ) -> Result<Inflated, Stays> {
        if !takeover {
            self.torn = false;
            if let Some(state) = &mut self.state {
                state.reset(false);
            }
        } else if self.torn {
            return Err(Stays::UnknownContext);
        }
        let state = self.state.get_or_insert_with(|| Box::new(Decompress::new(false)));
        let mut bytes = Vec::new();
        let result = run(state, input, &mut bytes, limit).and_then(|complete| match whole && complete {
            true => run(state, &TAIL, &mut bytes, limit),
            false => Some(false),
        });
        if result != Some(true) {
            self.tear();
        }
        match result {
            None if bytes.is_empty() => Err(Stays::Broken),
            result => Ok(Inflated { bytes, whole: result == Some(true) }),
        }
    }
}

/// Whether all of the input was used; `None` where it is not DEFLATE.
fn run(state: &mut Decompress, mut input: &[u8], out: &mut Vec<u8>, limit: usize) -> Option<bool> {
    loop {
        let step = (input.len().saturating_mul(USUAL_RATIO)).clamp(LEAST_STEP_BYTES, STEP_BYTES);
        let room = limit.saturating_sub(out.len()).min(step);
        if room == 0 {
            return Some(input.is_empty());
        }
        out.reserve(room);
        // No more than the capacity is written.
        let (used, made) = (state.total_in(), state.total_out());
        let status = state.decompress_vec(input, out, FlushDecompress::Sync).ok()?;
        input = &input[usize::try_from(state.total_in() - used).ok()?..];
        let idle = state.total_out() == made && state.total_in() == used;
        if status == Status::StreamEnd {
            // A final block ends the stream, not the message (section 7.2.3.4).
            state.reset(false);
            if input.is_empty() || input == TAIL {
                return Some(true);
            }
            continue;
        }
        if out.len() > limit {
            out.truncate(limit);
            return Some(false);
        }
        if input.is_empty() && out.len() < out.capacity() || idle {
            return Some(input.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    const BIG: usize = 1 << 24;

    fn deflate(state: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1_000);
        state.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }

    fn text(inflated: Result<Inflated, Stays>) -> String {
        let inflated = inflated.map_err(|why| panic!("{why:?}")).unwrap_or_else(|()| unreachable!());
        assert!(inflated.whole);
        String::from_utf8(inflated.bytes).unwrap()
    }

    #[test]
    fn messages_refer_back_until_one_is_missing() {
        let mut sender = Compress::new(Compression::best(), false);
        let messages: Vec<String> = (0..4).map(|n| format!("the same words again and again {n}")).collect();
        let packed: Vec<Vec<u8>> =
            messages.iter().map(|text| deflate(&mut sender, text.as_bytes())).collect();
        assert!(packed[1].len() < packed[0].len());
        let mut reader = Inflater::default();
        for at in 0..3 {
            assert_eq!(text(reader.inflate(&packed[at], true, true, BIG)), messages[at]);
        }
        reader.tear();
        assert_eq!(reader.inflate(&packed[3], true, true, BIG).err(), Some(Stays::UnknownContext));
        // A sender that forgets needs no context.
        assert_eq!(text(reader.inflate(&packed[0], true, false, BIG)), messages[0]);
    }

    #[test]
    fn growth_is_capped_and_broken_input_is_told() {
        let mut sender = Compress::new(Compression::best(), false);
        let bomb = deflate(&mut sender, &vec![0; 4 << 20]);
        let mut reader = Inflater::default();
        let inflated = reader.inflate(&bomb, true, true, 100_000).map_err(|_| ()).unwrap();
        assert!(!inflated.whole && inflated.bytes.len() == 100_000);
        assert_eq!(reader.inflate(b"\x02\x00", true, true, BIG).err(), Some(Stays::UnknownContext));
        assert_eq!(Inflater::default().inflate(b"\xff\xff\xff", true, true, BIG).err(), Some(Stays::Broken));
        // "Hello" in a final block, from the RFC.
        assert_eq!(
            text(Inflater::default().inflate(
                &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
                true,
                true,
                BIG
            )),
            "Hello"
        );
        assert_eq!(text(Inflater::default().inflate(&[0x00], true, true, BIG)), "");
    }
}
