//! What a protocol implements, and what it is given.

use crate::item::{Draft, Transport};
use crate::tcp::Sent;
use crate::{Counters, Limits};
use remora_packet::Timestamp;

/// Which way bytes flow, seen from whoever opened the conversation (the SYN's sender; where the capture joined later,
/// the better guess by ports and content).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    ToServer,
    ToClient,
}

impl Direction {
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    pub const fn reverse(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// For a pair of per-direction states.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A protocol's answer to the first bytes of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probe {
    /// It is this protocol.
    Certain,
    /// It looks like this protocol, and so may others. The dissector is tried on the first [`TRIAL_BYTES`] of the stream,
    /// until it calls [`Context::confirm`] or [`Context::withdraw`]; its items wait as long.
    Likely,
    /// Nothing speaks against it yet; ask again with more bytes.
    Unsure,
    No,
}

/// Why no more bytes will come in a direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// FIN: the sender said so, and all before it arrived.
    Fin,
    /// RST, from either side.
    Reset,
    /// The stream was let go to stay under a cap, after a long silence, or because a new conversation took its ports.
    Evicted,
    /// The capture ended.
    Input,
}

/// Bytes of a stream that are kept while a dissector is on trial. After them it is believed.
pub const TRIAL_BYTES: usize = 4096;

/// What a dissector may use and where its items go.
pub struct Context<'a> {
    /// Time of the packet whose bytes are being handed over.
    pub now: Timestamp,
    /// Nanoseconds on a clock that does not run backwards, for deadlines; counted from the engine's first packet.
    pub clock: u64,
    /// Where the first of the bytes being handed over lies in the stream of its direction, holes included.
    pub offset: u64,
    /// The packets are IPv6, not IPv4.
    pub ipv6: bool,
    pub limits: &'a Limits,
    pub counters: &'a mut Counters,
    /// Finished items, without what only the stream knows (addresses, number); the engine adds that.
    pub items: &'a mut Vec<Draft>,
    /// When what is being handed over was sent, by what its sender had received; none where no segment says it, and for
    /// other calls than [`Dissector::parse`].
    pub(crate) sent: Option<Sent>,
    pub(crate) verdict: Verdict,
    /// For streams that this one carries: who may read them, the port that hints at it, and how many carry this one.
    pub(crate) registry: &'static [Registration],
    pub(crate) server_port: u16,
    pub(crate) layers: u8,
}

/// What a dissector says of its own place.
#[derive(Default)]
pub(crate) enum Verdict {
    #[default]
    None,
    Confirmed,
    Withdrawn,
    HandedOver(Successor),
}

/// Who reads on.
pub enum Successor {
    /// Whoever recognises what follows, as at the beginning of a stream.
    Probed,
    Known(Box<dyn Dissector>),
}

impl<'a> Context<'a> {
    /// What an engine hands to a dissector at time 0 of its clock. For tests of a dissector alone.
    pub fn new(
        now: Timestamp,
        limits: &'a Limits,
        counters: &'a mut Counters,
        items: &'a mut Vec<Draft>,
    ) -> Self {
        Self {
            now,
            clock: 0,
            offset: 0,
            ipv6: false,
            limits,
            counters,
            items,
            sent: None,
            verdict: Verdict::None,
            registry: &[],
            server_port: 0,
            layers: 0,
        }
    }

    /// It is certainly this protocol; ends a trial.
    pub fn confirm(&mut self) {
        if matches!(self.verdict, Verdict::None) {
            self.verdict = Verdict::Confirmed;
        }
    }

    /// It is not this protocol after all. On trial: the dissector and its items are dropped, and the stream is offered to
    /// the others from its beginning. Later: what is still to come is not read.
    pub fn withdraw(&mut self) {
        if !matches!(self.verdict, Verdict::HandedOver(_)) {
            self.verdict = Verdict::Withdrawn;
        }
    }

    /// Whether the dissector has given its place up, so that it need not read on.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.verdict, Verdict::Withdrawn | Verdict::HandedOver(_))
    }

    /// From behind the bytes that this call uses the stream speaks another protocol, in both directions (STARTTLS,
    /// `Upgrade`, a tunnel). The dissector is dropped, so its items must be out. What the other direction sent and was not
    /// used goes to the successor too: a dissector that expects a switch leaves it lying.
    pub fn hand_over(&mut self, successor: Successor) {
        self.verdict = Verdict::HandedOver(successor);
    }
}

/// One conversation's state in one protocol. Created by the protocol's registration when its probe is certain.
///
/// Bytes come in order, each once. A dissector must not trust them: any content is possible, and it must neither panic
/// nor keep more than the caps in [`Limits`] allow.
pub trait Dissector: Send {
    /// Takes in-order bytes of one direction and returns how many were used. The rest is kept by the stream and
    /// presented again, at the front, once more bytes have come. Returning less than `bytes.len()` is for message
    /// heads that are not whole yet; body bytes are consumed as they come. The stream keeps at most
    /// [`Limits::pending_bytes`]; above that it calls [`Dissector::overflow`].
    fn parse(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> usize;

    /// `bytes` went missing at this point of the direction's stream. What the stream kept unconsumed is `unparsed`
    /// and will not be presented again.
    ///
    /// Also called right after creation for a direction whose beginning was not seen or whose bytes so far went
    /// missing or were not understood: what follows may be in the middle of a message, unless it is what the probe was
    /// certain of. `bytes` is then what was passed over, 0 where not known.
    fn gap(&mut self, direction: Direction, bytes: u64, unparsed: &[u8], context: &mut Context<'_>);

    /// More than [`Limits::pending_bytes`] came without being consumed; `unparsed` is dropped after this call.
    fn overflow(&mut self, direction: Direction, unparsed: &[u8], context: &mut Context<'_>);

    /// No more bytes in this direction. Called once for each direction. `unparsed` is what was never consumed.
    fn end(&mut self, direction: Direction, end: End, unparsed: &[u8], context: &mut Context<'_>);

    /// Bytes of heap this conversation holds, for the total cap. Asked after every packet: must not have to count.
    fn memory(&self) -> usize;
}

/// The same for protocols whose messages are packets: over UDP, ICMP, SCTP.
pub trait DatagramDissector: Send {
    /// Takes a whole packet's payload. `missing` bytes behind it were not captured.
    fn datagram(&mut self, direction: Direction, bytes: &[u8], missing: u32, context: &mut Context<'_>);

    /// When [`Self::elapse`] is to be called, on [`Context::clock`].
    fn due(&self) -> Option<u64> {
        None
    }

    /// The time asked for has come.
    fn elapse(&mut self, context: &mut Context<'_>) {
        let _ = context;
    }

    /// Nothing more comes.
    fn end(&mut self, end: End, context: &mut Context<'_>);

    /// Bytes of heap this conversation holds.
    fn memory(&self) -> usize;
}

/// The one line by which a protocol joins the agent.
pub struct Registration {
    pub protocol: &'static crate::Protocol,
    pub over: Over,
}

impl Registration {
    /// A dissector for a stream; `None` for a protocol over datagrams.
    pub fn dissector(&self, limits: &Limits) -> Option<Box<dyn Dissector>> {
        if let Over::Stream { create, .. } = self.over { Some(create(limits)) } else { None }
    }
}

/// What carries a protocol, how it is recognised, and who reads it. `server_port` is a hint only.
pub enum Over {
    Stream {
        /// Looks at the first bytes of one direction.
        probe: fn(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe,
        create: fn(limits: &Limits) -> Box<dyn Dissector>,
    },
    Datagrams {
        transport: Transport,
        /// Looks at a whole packet's payload; `Unsure` is `No`.
        probe: fn(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe,
        create: fn(limits: &Limits) -> Box<dyn DatagramDissector>,
    },
}
