//! Segments of one connection in any order, overlapping, contradicting, cut, with any flags and acknowledgments.
//!
//! Always: what a dissector is told (bytes, gaps, ends) tiles each direction from one place on, every byte was sent for
//! that place, and each direction ends once. In tame conversations (nothing acknowledged, no cap reached, both SYNs seen)
//! also: exactly what a naive reference says, in which the first byte that comes for a place stays.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use remora_dissect::{
    Context, Direction, Dissector, End, Engine, Limits, Options, Over, Probe, Registration, http1,
};
use remora_fuzz::{Input, origin};
use remora_packet::{LinkType, Packet, Timestamp};

/// What one dissector was told.
#[derive(Default, Debug)]
struct Told {
    /// Runs of each direction: bytes, or the length of a gap.
    runs: [Vec<Result<Vec<u8>, u64>>; 2],
    ends: [u32; 2],
}

thread_local! {
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

struct Recorder(usize);

impl Recorder {
    fn tell(&self, direction: Direction, run: Result<Vec<u8>, u64>) {
        TOLD.with_borrow_mut(|told| {
            assert_eq!(told[self.0].ends[direction.index()], 0, "nothing comes after the end");
            told[self.0].runs[direction.index()].push(run);
        });
    }
}

impl Dissector for Recorder {
    fn parse(&mut self, direction: Direction, bytes: &[u8], _: &mut Context<'_>) -> usize {
        assert!(!bytes.is_empty());
        self.tell(direction, Ok(bytes.to_vec()));
        bytes.len()
    }

    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], _: &mut Context<'_>) {
        assert!(unparsed.is_empty());
        self.tell(direction, Err(bytes));
    }

    fn overflow(&mut self, _: Direction, _: &[u8], _: &mut Context<'_>) {
        unreachable!("all bytes are used");
    }

    fn end(&mut self, direction: Direction, _: End, unparsed: &[u8], _: &mut Context<'_>) {
        assert!(unparsed.is_empty());
        TOLD.with_borrow_mut(|told| told[self.0].ends[direction.index()] += 1);
    }

    fn memory(&self) -> usize {
        0
    }
}

/// Nothing but what the dissector is given counts here.
const OPTIONS: Options = Options { conversations: false, connection_errors: false };

static REGISTRY: &[Registration] = &[Registration {
    protocol: &http1::HTTP_1_1,
    over: Over::Stream {
        probe: |_, _, _| Probe::Certain,
        create: |_| {
            TOLD.with_borrow_mut(|told| {
                told.push(Told::default());
                Box::new(Recorder(told.len() - 1))
            })
        },
    },
}];

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Segments begin at one of the first 4,096 places and have up to 255 bytes.
const PLACES: usize = 4_096 + 255;

/// Acknowledgments are for places below this.
const ACKNOWLEDGED: u16 = 4_500;

const FRAME_HEAD: usize = 14 + 20 + 20;

/// The byte that belongs at a place: different enough that a shifted stream does not pass for the right one.
fn byte_at(side: usize, place: u32) -> u8 {
    let mixed = (place ^ (side as u32) << 30).wrapping_mul(0x9e37_79b1);
    (mixed >> 24) as u8 ^ (mixed >> 15) as u8
}

/// One connection as the fuzzer's input describes it.
struct Conversation {
    tame: bool,
    first: [u32; 2],
    nanos: i64,
    engine: Engine,
    /// First byte that came for each place.
    sent: [Vec<Option<u8>>; 2],
    /// Places at which segments begin, and up to which the peer says that it has everything.
    starts: [Vec<u32>; 2],
    contradicted: bool,
    frame: Vec<u8>,
}

impl Conversation {
    fn segment(&mut self, side: usize, place: Option<u32>, flags: u8, ack: u16, payload: &[u8], kept: usize) {
        // Places count from the byte after the SYN.
        let sequence = match place {
            Some(place) => self.first[side].wrapping_add(1).wrapping_add(place),
            None => self.first[side],
        };
        let acknowledgment = self.first[1 - side].wrapping_add(1).wrapping_add(ack.into());
        let ports = [[40_000u16, 80], [80, 40_000]][side];
        let addresses = [[[10, 0, 0, 1], [10, 0, 0, 2]], [[10, 0, 0, 2], [10, 0, 0, 1]]][side];
        let frame = &mut self.frame;
        frame.clear();
        frame.extend([0; 12]);
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend(((40 + payload.len()) as u16).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        frame.extend(addresses.concat());
        frame.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        frame.extend(sequence.to_be_bytes());
        frame.extend(acknowledgment.to_be_bytes());
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        let packet = Packet {
            timestamp: Timestamp::from_nanos(self.nanos),
            link: LinkType::ETHERNET,
            interface: 0,
            length: frame.len() as u32,
            data: &frame[..FRAME_HEAD + kept],
        };
        let mut items = Vec::new();
        self.engine.packet(&packet, &mut items);
        assert!(items.is_empty());
    }

    /// One step of the input: a segment.
    fn step(&mut self, input: &mut Input<'_>) {
        let (what, place, length, ack) =
            (input.u8(), u32::from(input.u16() % 4_096), input.u8(), input.u16());
        let side = usize::from(what & 1);
        let mut flags = 0;
        if !self.tame {
            self.nanos += i64::from(what & 0x80) * 10_000_000;
            flags = what & ACK;
            if what & 0x1e == 0x1e {
                flags |= SYN;
            }
            // Rarer, or few conversations would live long.
            if what & 0x0c == 0x0c && ack % 16 == 0 {
                flags |= FIN;
            } else if what & 0x0c == 0x0c && ack % 64 == 1 {
                flags |= RST;
            }
        }
        // What a SYN carries are the first bytes.
        let place = if flags & SYN == 0 { place } else { 0 };
        let mut payload: Vec<u8> =
            (place..place + u32::from(length)).map(|place| byte_at(side, place)).collect();
        if what & 0x20 != 0 {
            self.contradicted = true;
            payload.iter_mut().for_each(|byte| *byte ^= 0xff);
        }
        let kept = if !self.tame && what & 0x40 != 0 { payload.len() / 2 } else { payload.len() };
        for (place, byte) in (place..).zip(&payload[..kept]) {
            self.sent[side][place as usize].get_or_insert(*byte);
        }
        self.starts[side].push(place);
        if flags & ACK != 0 {
            self.starts[1 - side].push((ack % ACKNOWLEDGED).into());
        }
        let place = (flags & SYN == 0).then_some(place);
        self.segment(side, place, flags, ack % ACKNOWLEDGED, &payload, kept);
    }
}

/// Whether what was told of a direction fits a side's bytes when it begins at `start`.
fn tiles(
    runs: &[Result<Vec<u8>, u64>],
    sent: &[Option<u8>],
    side: usize,
    start: u32,
    contradicted: bool,
) -> bool {
    let mut place = start;
    for run in runs {
        match run {
            Err(missing) => place += u32::try_from(*missing).expect("no gap is larger than the window"),
            Ok(bytes) => {
                for byte in bytes {
                    let right = byte_at(side, place);
                    let known = sent.get(place as usize).is_some_and(Option::is_some);
                    if !known || *byte != right && !(contradicted && *byte == !right) {
                        return false;
                    }
                    place += 1;
                }
            }
        }
    }
    true
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mode = input.u8();
    let tame = mode & 1 == 0;
    let mut limits =
        Limits { reorder_bytes: 512, reorder_segments: 8, hole_wait_millis: 3_000, ..Limits::default() };
    if tame {
        limits.reorder_bytes = usize::MAX;
        limits.reorder_segments = usize::MAX;
        limits.hole_wait_millis = u32::MAX;
    }
    TOLD.with_borrow_mut(Vec::clear);
    let mut conversation = Conversation {
        tame,
        first: [input.u32(), input.u32()],
        nanos: 0,
        engine: Engine::with_registry(limits, origin(), REGISTRY).with_options(OPTIONS),
        sent: [vec![None; PLACES], vec![None; PLACES]],
        starts: [vec![0], vec![0]],
        contradicted: false,
        frame: Vec::new(),
    };
    if mode & 2 == 0 || tame {
        conversation.segment(0, None, SYN, 0, &[], 0);
        conversation.segment(1, None, SYN | ACK, 0, &[], 0);
    }
    while !input.is_empty() {
        conversation.step(&mut input);
    }
    conversation.engine.finish(&mut Vec::new());
    assert_eq!(conversation.engine.streams_open(), 0);

    let told = TOLD.take();
    for told in &told {
        assert_eq!(told.ends, [1, 1]);
        // Without a SYN either side may have been taken for the client.
        let fits = [[0, 1], [1, 0]].iter().any(|sides| {
            sides.iter().zip(&told.runs).all(|(&side, runs)| {
                let (sent, starts) = (&conversation.sent[side], &conversation.starts[side]);
                starts.iter().any(|start| tiles(runs, sent, side, *start, conversation.contradicted))
            })
        });
        assert!(fits, "{told:?}");
    }
    if tame {
        assert!(told.len() <= 1);
        for side in 0..2 {
            let mut place = 0;
            let mut got = vec![None; PLACES];
            for run in told.iter().flat_map(|told| &told.runs[side]) {
                match run {
                    Err(missing) => place += *missing as usize,
                    Ok(bytes) => {
                        for byte in bytes {
                            got[place] = Some(*byte);
                            place += 1;
                        }
                    }
                }
            }
            assert_eq!(got, conversation.sent[side], "side {side}");
        }
    }
});
