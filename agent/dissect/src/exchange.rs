//! From messages to items, for protocols that see a message as a whole: the halves of an exchange, and what is made of
//! those that stay alone.

use remora_packet::Timestamp;

use crate::item::{Absence, ErrorKind, Message, Summary};
use crate::tree::{Fields, Tree};
use crate::{Direction, Draft, Gap, Item, ItemError, Protocol};

/// Bytes shown of what could not be understood.
const SHOWN_BYTES: usize = 64;

/// What all items of a dissector have in common.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub protocol: &'static Protocol,
    pub summarize: fn(&Item) -> Summary<'_>,
}

/// One message on its way to become a side of an item.
#[derive(Debug)]
pub struct Half {
    /// When its first byte was captured.
    pub time: Timestamp,
    /// Bytes as captured, framing included.
    pub size: u64,
    /// Bytes of it that the capture does not have.
    pub missing: u64,
    pub message: Box<dyn Message>,
    pub error: Option<ItemError>,
}

impl Half {
    pub fn new(time: Timestamp, size: u64, message: impl Message + 'static) -> Self {
        Self { time, size, missing: 0, message: Box::new(message), error: None }
    }

    /// Bytes of it are missing. The item says so.
    #[must_use]
    pub fn missing(mut self, bytes: u64) -> Self {
        self.missing += bytes;
        self
    }

    /// The first error stays.
    #[must_use]
    pub fn error(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.error.get_or_insert_with(|| ItemError { kind, message: message.into() });
        self
    }

    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.message.memory()
    }
}

impl Kind {
    /// A request with its response.
    pub fn exchange(self, request_direction: Direction, request: Half, response: Half) -> Draft {
        self.draft(request_direction, Some(request), Some(response), None)
    }

    /// A message that wants no answer.
    pub fn message(self, direction: Direction, message: Half) -> Draft {
        self.draft(direction, Some(message), None, None)
    }

    /// A request whose response is not there.
    pub fn request(self, request_direction: Direction, request: Half, absence: Absence) -> Draft {
        let why = format!("no response: {}", absence.as_str());
        let kind = if absence == Absence::Late { ErrorKind::Timeout } else { ErrorKind::PairNotFound };
        self.draft(request_direction, Some(request), None, Some((kind, why)))
    }

    /// A response whose request is not there.
    pub fn response(self, request_direction: Direction, response: Half, absence: Absence) -> Draft {
        let why = format!("no request: {}", absence.as_str());
        self.draft(request_direction, None, Some(response), Some((ErrorKind::PairNotFound, why)))
    }

    /// Bytes that the protocol does not allow: `offset` counts from the beginning of the direction's stream, or of the
    /// datagram. The item shows the first of them as `request.data`.
    pub fn failure(
        self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        offset: u64,
        what: &str,
    ) -> Draft {
        let shown = bytes[..bytes.len().min(SHOWN_BYTES)].to_vec();
        let message = Fields::new().with("data", Tree::Bytes(shown));
        let half = Half::new(time, bytes.len() as u64, message)
            .error(ErrorKind::Dissection, format!("{what} at byte {offset} of the stream"));
        self.message(direction, half)
    }

    fn draft(
        self,
        request_direction: Direction,
        request: Option<Half>,
        response: Option<Half>,
        absent: Option<(ErrorKind, String)>,
    ) -> Draft {
        let missing = |half: &Option<Half>| half.as_ref().map_or(0, |half| half.missing);
        let gap = Gap { request: missing(&request), response: missing(&response) };
        let times = (request.as_ref().map(|half| half.time), response.as_ref().map(|half| half.time));
        let elapsed = if let (Some(from), Some(to)) = times { Some(to.since(from)) } else { None };
        let mut error = absent.map(|(kind, message)| ItemError { kind, message });
        let mut split = |half: Option<Half>| {
            half.map(|half| {
                add(&mut error, half.error);
                (half.size, half.message)
            })
            .unzip()
        };
        let (request_size, request): (Option<u64>, _) = split(request);
        let (response_size, response): (Option<u64>, _) = split(response);
        add(&mut error, gap_error(gap));
        Draft {
            protocol: self.protocol,
            request_direction,
            timestamp: times.0.or(times.1).unwrap_or_default(),
            elapsed,
            request_size: request_size.unwrap_or(0),
            response_size: response_size.unwrap_or(0),
            request,
            response,
            error,
            gap,
            tls: false,
            summarize: self.summarize,
        }
    }
}

/// Says what bytes of an item are missing.
pub fn gap_error(gap: Gap) -> Option<ItemError> {
    let message = match gap {
        Gap { request: 0, response: 0 } => return None,
        Gap { request, response: 0 } => format!("{request} request bytes missing"),
        Gap { request: 0, response } => format!("{response} response bytes missing"),
        Gap { request, response } => format!("{request} request and {response} response bytes missing"),
    };
    Some(ItemError { kind: ErrorKind::Dissection, message })
}

fn add(error: &mut Option<ItemError>, more: Option<ItemError>) {
    match (error.as_mut(), more) {
        (Some(error), Some(more)) => {
            error.message.push_str("; ");
            error.message.push_str(&more.message);
        }
        (None, more) => *error = more,
        (Some(_), None) => {}
    }
}
