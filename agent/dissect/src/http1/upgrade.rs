//! The end of HTTP/1 on a connection: `101 Switching Protocols` (RFC 9110, sections 7.8 and 15.2.2) and the tunnel behind a
//! CONNECT (section 9.3.6). What follows is handed to whoever reads it.

use super::connection::{Connection, Progress, State};
use super::head::Head;
use super::message::Request;
use super::start_line::{self, StartLine};
use crate::http::fields::Fields;
use crate::http::query;
use crate::item::Absence;
use crate::websocket::{self, Extensions, Handshake};
use crate::{Context, Direction, Probe, Successor, http2};

/// How a request asked to speak another protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asks {
    Upgrade,
    Connect,
}

/// Whether the request whose head `bytes` begin with asks to speak another protocol behind it.
pub(super) fn asks(head: &Head, bytes: &[u8]) -> Option<Asks> {
    match &head.start {
        StartLine::Request { method, .. } if &bytes[method.clone()] == b"CONNECT" => Some(Asks::Connect),
        StartLine::Request { .. } if head.upgrade => Some(Asks::Upgrade),
        _ => None,
    }
}

impl Connection {
    /// Bytes behind a request that asked for another protocol, which may be in that already. A client that goes on with
    /// HTTP does not wait to be told.
    pub(super) fn hold(
        &mut self,
        direction: Direction,
        asks: Asks,
        bytes: &[u8],
        context: &Context<'_>,
    ) -> Progress {
        let side = self.side(direction);
        side.since.get_or_insert(context.now);
        if asks == Asks::Upgrade && start_line::look_known(bytes) == Probe::Certain {
            side.state = State::Head;
            return Progress::Used(0);
        }
        Progress::Wait
    }

    /// HTTP goes on where the response that would have told otherwise did, or can't come any more.
    pub(super) fn go_on(&mut self, requests: Direction) {
        let awaits = self.pairing.awaits();
        let side = self.side(requests);
        if matches!(side.state, State::Switching(_)) && !awaits {
            side.state = State::Head;
        }
    }

    /// The response with the head `head`, which has just begun, ends HTTP on this connection.
    pub(super) fn leave(&mut self, direction: Direction, head: &[u8], context: &mut Context<'_>) {
        let successor = match self.sides[direction.reverse().index()].state {
            // The rest of the request would be taken for the other protocol.
            state if state.is_body() => None,
            _ => self.successor(direction, head, context),
        };
        self.finish(direction, context);
        self.sides.iter_mut().for_each(|side| side.state = State::Left);
        self.pairing.end_request();
        if let Some(successor) = successor {
            self.pairing.give_up_requests(Absence::Lost);
            self.pairing.give_up_responses(Absence::Lost);
            self.left = true;
            context.hand_over(successor);
        }
        self.emit(context);
    }

    /// Who reads on; `None` where nobody can.
    fn successor(&self, direction: Direction, head: &[u8], context: &Context<'_>) -> Option<Successor> {
        let request = self.pairing.answered_request();
        if request.is_some_and(|request| request.method() == b"CONNECT") {
            return Some(Successor::Probed);
        }
        let chosen = Fields::of_head(head).all(b"upgrade").next();
        let asked = || Fields::of_head(request?.stored.head()).all(b"upgrade").next();
        let token = chosen.or_else(asked)?.to_ascii_lowercase();
        match token.as_slice() {
            b"websocket" => Some(self.websocket(direction, head)),
            b"h2c" => Some(self.http2(context)),
            // RFC 2817.
            token if token.starts_with(b"tls/1.") => Some(Successor::Probed),
            _ => None,
        }
    }

    /// HTTP/2 begins here (RFC 7540, section 3.2); the request stands for its stream 1.
    fn http2(&self, context: &Context<'_>) -> Successor {
        match (self.pairing.answered_request(), self.pairing.answered_since()) {
            (Some(request), Some((time, size))) => {
                let fields = Fields::of_head(request.stored.head());
                let (method, target) = (request.method(), request.target());
                Successor::Known(http2::after_upgrade(method, target, fields, time, size, context.limits))
            }
            _ => Successor::Probed,
        }
    }

    fn websocket(&self, direction: Direction, head: &[u8]) -> Successor {
        let request = self.pairing.answered_request();
        let text = |head, name| Fields::of_head(head).all(name).next().map(websocket::shown);
        let client = direction.reverse();
        let side = &self.sides[client.index()];
        let placed = matches!(side.state, State::Switching(_)) || side.state == State::Head && side.seen == 0;
        Successor::Known(websocket::opened(Handshake {
            client,
            path: request.map(path).unwrap_or_default(),
            host: request.and_then(|request| text(request.stored.head(), b"host")),
            subprotocol: text(head, b"sec-websocket-protocol"),
            extensions: Extensions::parse(Fields::of_head(head).all(b"sec-websocket-extensions")),
            placed: placed && (side.asks.is_some() || request.is_some()),
        }))
    }
}

fn path(request: &Request) -> String {
    match &request.target()[query::path(request.target())] {
        b"" => "/".to_owned(),
        path => websocket::shown(path),
    }
}
