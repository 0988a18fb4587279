//! What a protocol implements, and what it is given.

use crate::item::Draft;
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

/// What a dissector may use and where its items go.
pub struct Context<'a> {
    /// Time of the packet whose bytes are being handed over.
    pub now: Timestamp,
    pub limits: &'a Limits,
    pub counters: &'a mut Counters,
    /// Finished items, without what only the stream knows (addresses, number); the engine adds that.
    pub items: &'a mut Vec<Draft>,
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

/// The one line by which a protocol joins the agent.
pub struct Registration {
    pub protocol: &'static crate::Protocol,
    /// Looks at the first bytes of one direction. `server_port` is a hint only.
    pub probe: fn(direction: Direction, server_port: u16, bytes: &[u8]) -> Probe,
    pub create: fn(limits: &Limits) -> Box<dyn Dissector>,
}
