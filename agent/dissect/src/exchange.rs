//! From messages to items, for protocols that see a message as a whole: the halves of an exchange, and what is made of
//! those that stay alone.

use remora_packet::Timestamp;

use crate::item::{Absence, ErrorKind, Message, Summary};
use crate::tree::{Fields, Tree};
use crate::{Direction, Draft, End, Gap, Item, ItemError, Protocol};

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
    pub error: Option<Box<ItemError>>,
}

impl Half {
    pub fn new(time: Timestamp, size: u64, message: impl Message + 'static) -> Self {
        Self { time, size, missing: 0, message: Box::new(message), error: None }
    }

    /// Bytes of it are missing. The item says so.
    #[must_use]
    #[inline]
    pub fn missing(mut self, bytes: u64) -> Self {
        self.missing += bytes;
        self
    }

    /// The first error stays.
    #[must_use]
    pub fn error(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.error.get_or_insert_with(|| Box::new(ItemError { kind, message: message.into() }));
        self
    }

    /// It came to its end early: where the direction ended in it, how that was. A hole is told by what is missing.
    #[must_use]
    pub(crate) fn cut_short(self, end: Option<End>) -> Self {
        let Some(end) = end else { return self };
        let kind = match end {
            End::Fin | End::Reset => ErrorKind::Connection,
            End::Evicted | End::Input => ErrorKind::Dissection,
        };
        self.error(kind, format!("{} within the message", Absence::Ended(end).as_str()))
    }

    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.message.memory()
    }
}

impl Kind {
    /// A request with its response.
    pub fn exchange(self, request_direction: Direction, request: Half, response: Half) -> Draft {
        let mut draft = self.draft(request_direction, request.time);
        draft.elapsed = Some(response.time.since(request.time));
        draft.ask(request);
        draft.answer(response);
        draft.tell_gap();
        draft
    }

    /// A message that wants no answer.
    pub fn message(self, direction: Direction, message: Half) -> Draft {
        let mut draft = self.draft(direction, message.time);
        draft.ask(message);
        draft.tell_gap();
        draft
    }

    /// A request whose response is not there.
    pub fn request(self, request_direction: Direction, request: Half, absence: Absence) -> Draft {
        let message = format!("no response: {}", absence.as_str());
        let kind = if absence == Absence::Late { ErrorKind::Timeout } else { ErrorKind::PairNotFound };
        let mut draft = self.draft(request_direction, request.time);
        draft.error = Some(Box::new(ItemError { kind, message }));
        draft.ask(request);
        draft.tell_gap();
        draft
    }

    /// A response whose request is not there.
    pub fn response(self, request_direction: Direction, response: Half, absence: Absence) -> Draft {
        let message = format!("no request: {}", absence.as_str());
        let mut draft = self.draft(request_direction, response.time);
        draft.error = Some(Box::new(ItemError { kind: ErrorKind::PairNotFound, message }));
        draft.answer(response);
        draft.tell_gap();
        draft
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

    /// One without sides yet.
    #[inline]
    fn draft(self, request_direction: Direction, timestamp: Timestamp) -> Draft {
        Draft {
            protocol: self.protocol,
            request_direction,
            timestamp,
            elapsed: None,
            request_size: 0,
            response_size: 0,
            request: None,
            response: None,
            error: None,
            gap: Gap::default(),
            tls: false,
            summarize: self.summarize,
        }
    }
}

/// Takes up halves in place: a draft is large, and there is one for each item.
impl Draft {
    #[inline]
    fn ask(&mut self, half: Half) {
        (self.request_size, self.gap.request) = (half.size, half.missing);
        self.request = Some(half.message);
        self.fail(half.error);
    }

    #[inline]
    fn answer(&mut self, half: Half) {
        (self.response_size, self.gap.response) = (half.size, half.missing);
        self.response = Some(half.message);
        self.fail(half.error);
    }

    #[inline]
    fn tell_gap(&mut self) {
        if !self.gap.is_none() {
            self.fail(gap_error(self.gap).map(Box::new));
        }
    }

    /// Errors come one behind the other; the first says what kind they are of.
    #[inline]
    fn fail(&mut self, more: Option<Box<ItemError>>) {
        let Some(more) = more else { return };
        match &mut self.error {
            Some(error) => {
                error.message.push_str("; ");
                error.message.push_str(&more.message);
            }
            None => self.error = Some(more),
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
