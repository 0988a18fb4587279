//! The streams of a connection: what their frames say, and when an item comes out.

use std::collections::{BTreeMap, VecDeque};

use remora_packet::Timestamp;

use super::fields::FieldList;
use super::frame;
use super::stream::{Role, Stream};
use crate::item::{Absence, ErrorKind};
use crate::{Context, Direction, End, Limits};

/// Streams remembered after they were reset, whose last frames may still be on their way.
const CLOSED: usize = 64;

/// Bytes shown of what a GOAWAY frame says besides its code.
const DEBUG_BYTES: usize = 64;

#[derive(Debug)]
pub(super) struct Streams {
    open: BTreeMap<u32, Box<Stream>>,
    /// Bytes of heap of all of them.
    memory: usize,
    closed: VecDeque<u32>,
    /// The direction that requests take.
    pub(super) requests: Direction,
    /// The highest stream that a request came on.
    highest: u32,
    orphans: usize,
    /// The first stream that a request came on; 0 before.
    first: u32,
    /// Requests may have been lost, or came before, and none has come since.
    requests_lost: bool,
    /// An endpoint said what it ends the connection for.
    farewell: Option<String>,
}

/// A header block with its place.
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) list: FieldList,
    pub(super) ends: bool,
    pub(super) time: Timestamp,
    /// Bytes of its frames.
    pub(super) size: u64,
}

impl Streams {
    pub(super) const fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            memory: 0,
            closed: VecDeque::new(),
            requests: Direction::ToServer,
            highest: 0,
            orphans: 0,
            first: 0,
            requests_lost: false,
            farewell: None,
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.memory + self.closed.capacity() * size_of::<u32>()
    }

    pub(super) fn is_open(&self, stream: u32) -> bool {
        self.open.contains_key(&stream)
    }

    pub(super) fn role(&self, direction: Direction) -> Role {
        if direction == self.requests { Role::Request } else { Role::Response }
    }

    const fn who(&self, role: Role) -> &'static str {
        match role {
            Role::Request => "client",
            Role::Response => "server",
        }
    }

    /// Changes a stream that is open.
    fn change<T>(&mut self, id: u32, change: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        let stream = self.open.get_mut(&id)?;
        self.memory -= stream.memory();
        let result = change(stream);
        self.memory += stream.memory();
        Some(result)
    }

    /// Opens a stream, unless it is. The oldest above the cap comes out as it is.
    fn open(&mut self, id: u32, context: &mut Context<'_>) {
        if self.open.contains_key(&id) {
            return;
        }
        while self.open.len() >= context.limits.http_pipelined.max(1) {
            let Some((&oldest, _)) = self.open.first_key_value() else { break };
            self.close(oldest, Some(Absence::TooMany), context);
        }
        let stream = Box::<Stream>::default();
        self.memory += stream.memory();
        self.open.insert(id, stream);
    }

    /// Ends a stream; an item comes out where there is something to show.
    fn close(&mut self, id: u32, absence: Option<Absence>, context: &mut Context<'_>) {
        let Some(mut stream) = self.open.remove(&id).map(|stream| *stream) else { return };
        self.memory -= stream.memory();
        self.orphans -= usize::from(stream.orphan);
        if let Some(absence) = absence {
            stream.lack(absence);
        }
        context.items.extend(stream.into_draft(self.requests, context.limits));
    }

    /// Makes an item of a stream that needs no more.
    fn finish(&mut self, id: u32, context: &mut Context<'_>) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        if !stream.is_finished() {
            return;
        }
        if !stream.lacks_request() {
            self.close(id, None, context);
        } else if self.requests_lost || id <= self.highest || id.is_multiple_of(2) {
            let absence = self.no_request(id);
            self.close(id, Some(absence), context);
        } else if !stream.orphan {
            // The capture has the response before its request: packets of the two directions may change places.
            stream.orphan = true;
            self.orphans += 1;
        }
    }

    /// Why a stream has no request.
    const fn no_request(&self, id: u32) -> Absence {
        if self.first != 0 && id > self.first { Absence::Lost } else { Absence::BeforeCapture }
    }

    /// The first request, which came before the connection was HTTP/2 (RFC 7540, section 3.2).
    pub(super) fn upgraded(&mut self, list: FieldList, time: Timestamp, size: u64, limits: &Limits) {
        let mut stream = Box::<Stream>::default();
        let request = stream.half(Role::Request);
        request.begin(list, time, size, limits);
        request.done = true;
        self.memory += stream.memory();
        self.open.insert(1, stream);
        (self.first, self.highest) = (1, 1);
    }

    pub(super) fn headers(&mut self, direction: Direction, block: Block, context: &mut Context<'_>) {
        let role = self.role(direction);
        let (id, ends) = (block.stream, block.ends);
        if self.closed.contains(&id) {
            return;
        }
        let is_head = block.list.is_head();
        if role == Role::Request && is_head {
            self.requests_lost = false;
            if self.first == 0 {
                self.first = id;
            }
        }
        if !self.is_open(id) {
            if role == Role::Request && !is_head {
                // Trailers of a request that began before the capture.
                return;
            }
            self.open(id, context);
        }
        self.change(id, |stream| match role {
            Role::Response if block.list.status.is_some_and(|status| status < 200) && !ends => {
                // An interim response (RFC 9110, section 15.2): only its bytes count.
                stream.half(role).size += block.size;
            }
            _ => message(stream, role, is_head, block, context),
        });
        if ends {
            self.end(direction, id, context);
        }
        if role == Role::Request && is_head && id > self.highest {
            self.highest = id;
            self.release_orphans(id, context);
        }
    }

    /// Streams are opened in the order of their numbers: the requests of those before this one will not come.
    fn release_orphans(&mut self, before: u32, context: &mut Context<'_>) {
        if self.orphans == 0 {
            return;
        }
        let orphans: Vec<u32> =
            self.open.range(..before).filter(|(_, stream)| stream.orphan).map(|(&id, _)| id).collect();
        for id in orphans {
            let absence = self.no_request(id);
            self.close(id, Some(absence), context);
        }
    }

    /// The server makes a request by itself, to answer it on a stream of its own.
    pub(super) fn promise(&mut self, promised: Block, context: &mut Context<'_>) {
        let id = promised.stream;
        self.close(id, None, context);
        self.open(id, context);
        self.change(id, |stream| {
            stream.pushed = true;
            let request = stream.half(Role::Request);
            request.begin(promised.list, promised.time, promised.size, context.limits);
            request.done = true;
        });
    }

    /// A header block that could not be read, because bytes of it are missing or make no sense.
    pub(super) fn broken_headers(
        &mut self,
        direction: Direction,
        id: u32,
        ends: bool,
        (size, missing): (u64, u64),
        why: &str,
        context: &mut Context<'_>,
    ) {
        let role = self.role(direction);
        self.change(id, |stream| {
            let half = stream.half(role);
            half.size += size;
            half.skip(missing, 0);
            stream.fail(ErrorKind::Dissection, why);
            stream.lack(Absence::Lost);
        });
        if ends {
            self.end(direction, id, context);
        }
    }

    /// So many bytes of a frame belong to a stream's message.
    pub(super) fn count(&mut self, direction: Direction, id: u32, bytes: u64) {
        let role = self.role(direction);
        if let Some(stream) = self.open.get_mut(&id) {
            stream.half(role).size += bytes;
        }
    }

    pub(super) fn data(&mut self, direction: Direction, id: u32, bytes: &[u8], context: &mut Context<'_>) {
        let role = self.role(direction);
        let cut = self.change(id, |stream| {
            let half = stream.half(role);
            half.size += bytes.len() as u64;
            half.append(bytes)
        });
        match cut {
            Some(true) => context.counters.cut_bodies += 1,
            Some(false) => {}
            None => context.counters.undissected_bytes += bytes.len() as u64,
        }
    }

    /// Bytes of a DATA frame are missing, `body` of them of the body.
    pub(super) fn skip(&mut self, direction: Direction, id: u32, bytes: u64, body: u64) {
        let role = self.role(direction);
        self.change(id, |stream| stream.half(role).skip(bytes, body));
    }

    /// A message is over.
    pub(super) fn end(&mut self, direction: Direction, id: u32, context: &mut Context<'_>) {
        let role = self.role(direction);
        self.change(id, |stream| stream.half(role).done = true);
        if role == Role::Response
            && self.open.get_mut(&id).is_some_and(|stream| !stream.half(Role::Response).has_head())
        {
            // Its head was lost, and with it all that could be shown.
            self.close(id, Some(Absence::Lost), context);
            return;
        }
        self.finish(id, context);
    }

    pub(super) fn reset(&mut self, direction: Direction, id: u32, code: u32, context: &mut Context<'_>) {
        let by = self.role(direction);
        let who = self.who(by);
        let open = self.change(id, |stream| {
            // A server that has answered may say that it wants no more of the request (RFC 9113, section 8.1).
            let answered = by == Role::Response && stream.half(Role::Response).done;
            let what = if answered { "wanted no more of the request" } else { "reset the stream" };
            stream.fail(
                ErrorKind::Connection,
                format!("the {who} {what}: {} ({code})", frame::error_name(code)),
            );
        });
        if open.is_some() {
            self.close(id, None, context);
        }
        self.remember_closed(id);
    }

    fn remember_closed(&mut self, id: u32) {
        if self.closed.len() == CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back(id);
    }

    /// An endpoint opens no more streams, and has not read those that the other one opened after `last` (section 6.8).
    pub(super) fn go_away(&mut self, direction: Direction, content: &[u8], context: &mut Context<'_>) {
        let by = self.role(direction);
        let Some((last, rest)) = content.split_first_chunk() else { return };
        let Some((code, debug)) = rest.split_first_chunk() else { return };
        let (last, code) = (u32::from_be_bytes(*last) & 0x7fff_ffff, u32::from_be_bytes(*code));
        let debug = &debug[..debug.len().min(DEBUG_BYTES)];
        let mut what =
            format!("the {} ended the connection: {} ({code})", self.who(by), frame::error_name(code));
        if !debug.is_empty() {
            what = format!("{what}: {}", crate::text::lossy(debug));
        }
        // Clients open the odd streams.
        let parity = u32::from(by == Role::Response);
        let refused: Vec<u32> = self
            .open
            .range(last.saturating_add(1)..)
            .map(|(&id, _)| id)
            .filter(|id| id % 2 == parity)
            .collect();
        for id in refused {
            self.change(id, |stream| {
                stream.fail(ErrorKind::Connection, format!("{what}; it read streams up to {last}"));
            });
            self.close(id, None, context);
            self.remember_closed(id);
        }
        if code != 0 {
            self.farewell.get_or_insert(what);
        }
    }

    /// Bytes are missing, and nobody knows of which streams.
    pub(super) fn lose(&mut self, direction: Direction) {
        let role = self.role(direction);
        self.requests_lost |= role == Role::Request;
        for stream in self.open.values_mut() {
            let half = stream.half(role);
            if half.is_open() {
                half.skip(0, 0);
                let what = if role == Role::Request { "request" } else { "response" };
                stream.fail(ErrorKind::Dissection, format!("bytes of the {what} may be missing"));
            } else if !half.has_head() {
                stream.lack(Absence::Lost);
            }
        }
    }

    /// A promise that could not be read: its stream will have no request.
    pub(super) fn lose_promise(&mut self) {
        self.requests_lost = true;
    }

    /// Nothing more comes in a direction, or in both.
    pub(super) fn end_direction(
        &mut self,
        direction: Direction,
        end: End,
        both: bool,
        context: &mut Context<'_>,
    ) {
        let role = self.role(direction);
        let ids: Vec<u32> = self.open.keys().copied().collect();
        let why = Absence::Ended(end);
        let kind = match end {
            End::Fin | End::Reset => ErrorKind::Connection,
            End::Evicted | End::Input => ErrorKind::Dissection,
        };
        for id in ids {
            let farewell = self.farewell.clone();
            let over = self.change(id, |stream| {
                for role in [Role::Request, Role::Response] {
                    if let (true, Some(farewell)) = (!stream.half(role).done, &farewell) {
                        stream.fail(ErrorKind::Connection, farewell.as_str());
                    }
                }
                for (at, what) in [(Role::Request, "request"), (Role::Response, "response")] {
                    if (both || at == role) && stream.half(at).is_open() {
                        stream.fail(kind, format!("the {what} is cut short: {}", why.as_str()));
                    }
                }
                let half = stream.half(role);
                half.done |= half.has_head();
                both || role == Role::Response || stream.is_finished()
            });
            if over == Some(true) {
                let absence = match self.open.get_mut(&id) {
                    Some(stream) if stream.lacks_request() => Absence::BeforeCapture,
                    _ => why,
                };
                self.close(id, Some(absence), context);
            }
        }
    }
}

/// Puts a header block into its message: as its head, or as its trailers.
fn message(stream: &mut Stream, role: Role, is_head: bool, block: Block, context: &Context<'_>) {
    let half = stream.half(role);
    if half.has_head() {
        half.trailers(&block.list, block.size);
        if is_head && block.list.unknown == 0 {
            stream.fail(ErrorKind::Dissection, "a second head in place of trailers");
        }
        return;
    }
    if is_head {
        let complete = match role {
            Role::Request => block.list.method.is_some(),
            Role::Response => block.list.status.is_some(),
        };
        let certain = complete || block.list.unknown != 0 || block.list.cut != 0;
        half.begin(block.list, block.time, block.size, context.limits);
        if !certain {
            stream.fail(ErrorKind::Dissection, "a pseudo-header field is missing");
        }
        return;
    }
    // Trailers of a message that began before the capture, or whose head was lost.
    half.begin(FieldList::new(0, 0), block.time, 0, context.limits);
    half.trailers(&block.list, block.size);
    half.skip(0, 0);
    stream.fail(ErrorKind::Dissection, "only the trailers of the response were captured");
}
