//! When a segment was sent, as the two ends of a connection know it: by what either had of the other then.

use super::Sequence;

/// The place of a segment in both directions of its connection. Sequence numbers cover the whole of what is known, so that it
/// holds where the beginning of either direction was not seen, and however late the capture delivered the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    /// Its first byte.
    pub(crate) from: Sequence,
    /// Behind its last byte.
    pub(crate) upto: Sequence,
    /// Its sender had all before this of the other direction: the acknowledgment (RFC 9293 section 3.4).
    pub(crate) received: Sequence,
}

/// Whether a response whose head ends in the segment `response` may answer a request whose head ends in `request`: the server had that
/// when it sent the response, and the client did not have the response when it sent the request. `None` where it is not known.
///
/// A segment that is sent again acknowledges what came meanwhile. For a response that only makes the answer weaker, and no
/// client sends a request again whose response it has.
pub(crate) fn may_answer(response: Option<Sent>, request: Option<Sent>) -> Option<bool> {
    let (response, request) = (response?, request?);
    Some(response.received.from(request.upto) >= 0 && request.received.from(response.from) <= 0)
}

/// Whether the client had begun to receive a response when it sent a request: the response answers another one.
pub(crate) fn is_older(response: Option<Sent>, request: Option<Sent>) -> bool {
    let both = response.zip(request);
    both.is_some_and(|(response, request)| request.received.from(response.from) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn sent(from: u32, upto: u32, received: u32) -> Option<Sent> {
        Some(Sent { from: Sequence(from), upto: Sequence(upto), received: Sequence(received) })
    }

    #[test]
    fn a_response_is_sent_after_its_request_and_received_after_it() {
        let first = sent(u32::MAX - 9, 90, 500);
        assert_eq!(may_answer(sent(500, 700, 90), first), Some(true));
        // Another request came meanwhile: pipelined.
        assert_eq!(may_answer(sent(500, 700, 190), first), Some(true));
        // The server had a part of the request only.
        assert_eq!(may_answer(sent(500, 700, 89), first), Some(false));
        // The client had some of the response already.
        assert_eq!(may_answer(sent(500, 700, 190), sent(90, 190, 700)), Some(false));
        assert_eq!(may_answer(sent(700, 900, 190), sent(90, 190, 700)), Some(true));
        assert_eq!(may_answer(None, first), None);
    }
}
