//! From messages to what they say of a handshake.

use super::open::{Open, is_1_3};
use super::{Handed, Handshake, State, kind};
use crate::item::ErrorKind;
use crate::tls::fingerprint::Carrier;
use crate::tls::hello::{ClientHello, ServerHello};
use crate::tls::kept::{Caps, Kept};
use crate::tls::{certificate, names};
use crate::{Context, Direction, Fields};

impl Handshake {
    pub(crate) fn client_hello(
        &mut self,
        direction: Direction,
        hello: &ClientHello<'_>,
        error: Option<crate::ParseError>,
        handed: Handed<'_>,
        context: &Context<'_>,
    ) {
        self.repeated |= !hello.cookie.is_empty();
        let known = match &mut self.state {
            // The second, which answers a HelloRetryRequest, says little more than the first.
            State::Over => return,
            State::Open(open) if open.client != direction || open.has(direction) => return,
            // Its ServerHello came first: that happens where one direction has a hole.
            State::Open(_) => true,
            State::Awaited => false,
        };
        if !known {
            self.state = State::Open(Box::new(Open::new(direction)));
        }
        let State::Open(open) = &mut self.state else { return };
        let whole = handed.whole && error.is_none();
        open.sessions[direction.index()] = hello.session_id.to_vec();
        let kept = Kept::client(hello, handed.body, self.carrier, whole, context.limits);
        let side = open.side(direction);
        side.message = Some(kept);
        side.time = handed.time;
        if let Some(error) = error
            && handed.whole
        {
            side.fail(ErrorKind::Dissection, format!("ClientHello: {error}"));
        }
        if hello.extension_data(44).is_some() || !hello.cookie.is_empty() {
            // A cookie repeats what the server said before, so this is not the first.
            side.fail(ErrorKind::Dissection, "the first ClientHello was not captured");
        }
    }

    pub(super) fn server_hello(&mut self, direction: Direction, handed: Handed<'_>, context: &Context<'_>) {
        if let State::Awaited = self.state {
            self.state = State::Open(Box::new(Open::new(direction.reverse())));
        }
        let State::Open(open) = &mut self.state else { return };
        if direction == open.client || open.has(direction) {
            return;
        }
        let (hello, result) = ServerHello::parse(handed.body);
        if handed.whole && result.is_ok() && (hello.is_retry || handed.kind == kind::HELLO_RETRY_REQUEST) {
            open.retried = Some(hello.group);
            // What looked like the end of the handshake was for middleboxes.
            open.sides.iter_mut().for_each(|side| side.encrypted = false);
            return;
        }
        let whole = handed.whole && result.is_ok();
        let mut kept = Kept::server(handed.body, whole, context.limits);
        if whole {
            open.version = Some(hello.version);
            if is_1_3(hello.version) {
                kept.set("resumed", hello.pre_shared_key);
                kept.set("helloRetryRequest", open.retried.is_some() || self.repeated);
                if let Some(group) = open.retried.flatten() {
                    kept.set("retryGroup", names::group(group));
                }
            } else if self.carrier == Carrier::Dtls {
                kept.set("helloVerifyRequest", open.verify.is_some() || self.repeated);
            }
            open.sessions[direction.index()] = hello.session_id.to_vec();
        }
        // It may have asked for a group.
        let is_missing = open.is_1_3() && self.repeated && open.retried.is_none();
        let side = open.side(direction);
        side.message = Some(kept);
        side.time = handed.time;
        if is_missing {
            side.fail(ErrorKind::Dissection, "the HelloRetryRequest was not captured");
        }
        if let Err(error) = result
            && handed.whole
        {
            side.fail(ErrorKind::Dissection, format!("ServerHello: {error}"));
        }
    }

    /// The server wants to see that the client is where it says it is (RFC 6347, section 4.2.1).
    pub(super) fn verify_request(&mut self, direction: Direction, handed: Handed<'_>) {
        let State::Open(open) = &mut self.state else { return };
        if let [high, low, size, ..] = *handed.body
            && direction != open.client
            && open.verify.is_none()
        {
            let fields = Fields::new()
                .with("type", "HelloVerifyRequest")
                .with("version", names::version(u16::from_be_bytes([high, low])))
                .with("cookieSize", size);
            open.verify = Some((fields, handed.time));
        }
    }

    pub(super) fn certificates(&mut self, direction: Direction, handed: Handed<'_>, context: &Context<'_>) {
        let State::Open(open) = &mut self.state else { return };
        if open.is_1_3() || !open.has(direction) {
            return;
        }
        let side = open.side(direction);
        let Some(kept) = &mut side.message else { return };
        if !handed.whole {
            return;
        }
        let (body, limits) = (handed.body, context.limits);
        match certificate::count(body) {
            Ok(count) if count > limits.list_entries || body.len() > limits.value_bytes => {
                kept.set("certificates", certificate::list(body, Caps::of(limits)));
                if count > limits.list_entries {
                    kept.set("certificateCount", count);
                }
            }
            Ok(_) => kept.set_later("certificates", body, limits, certificate::list),
            Err(error) => side.fail(ErrorKind::Dissection, format!("Certificate: {error}")),
        }
    }

    /// The group of an ephemeral key, where it is a named curve (RFC 8422, section 5.4).
    pub(super) fn key_exchange(&mut self, direction: Direction, body: &[u8]) {
        let (State::Open(open), [3, high, low, ..]) = (&mut self.state, body) else { return };
        if open.is_1_3() || direction == open.client {
            return;
        }
        let Some(kept) = &mut open.side(direction).message else { return };
        let suite = kept.cipher_suite();
        if suite.is_some_and(|suite| suite.starts_with("TLS_ECDHE_") || suite.starts_with("TLS_ECDH_anon")) {
            kept.set("group", names::group(u16::from_be_bytes([*high, *low])));
        }
    }
}
