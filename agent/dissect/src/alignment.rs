//! Whether both sides of a connection are known to be at the same exchange.

use crate::tcp::{self, Sent};

/// What was lost of a direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// The rest of a message that had begun, and perhaps others.
    Rest,
    /// At least one message of which nothing was seen.
    Message,
}

/// As long as every byte is seen, order alone pairs requests with responses. After a loss this counts what is seen of
/// both sides, until it is evident that a request is sent by someone who has got all responses to those before.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Alignment {
    requests_lost: bool,
    responses_lost: bool,
    /// Requests less responses since the loss, as far as they are known to belong together.
    balance: i32,
    /// Requests in a row that came when no response was due.
    turns: u8,
    /// How many of them it takes.
    turns_needed: u8,
    /// The client sends requests before the responses to those before have begun; it never shows where it is.
    pipelined: bool,
    /// Something was lost, now or before, or the conversation was joined: order alone proves nothing.
    torn: bool,
    /// How often, with nothing lost, a request came when no response was due.
    waits: u8,
}

/// A silence of both sides after a response, with nothing due as far as one can know: whoever sends a request after it
/// was not waiting for anything.
const SILENCE_NANOS: u64 = 1_000_000_000;

/// More turns than are counted.
const NEVER: u8 = u8::MAX;

/// So many requests that waited for the responses before them tell a client that does not pipeline.
const SURE_WAITS: u8 = 3;

impl Alignment {
    pub(crate) fn is_known(&self) -> bool {
        !self.requests_lost && !self.responses_lost
    }

    /// The conversation is joined in its middle, perhaps between two messages.
    pub(crate) fn join(&mut self) {
        self.torn = true;
    }

    /// Whether a response may answer a request, by when they were sent. `None` where that is not known, or where every
    /// byte was seen, so that it is not needed: hand-made captures need not have true acknowledgments.
    pub(crate) fn may_answer(&self, response: Option<Sent>, request: Option<Sent>) -> Option<bool> {
        if self.torn { tcp::may_answer(response, request) } else { None }
    }

    pub(crate) fn note_pipelining(&mut self) {
        self.pipelined = true;
    }

    /// Requests were lost while `due` responses were due to those seen before (fewer than none: there were responses
    /// whose requests had not come).
    pub(crate) fn lose_requests(&mut self, loss: Loss, due: i32) {
        if self.is_known() {
            self.balance = due;
        }
        self.requests_lost = true;
        self.torn = true;
        let turns = match loss {
            Loss::Message => {
                self.balance = self.balance.saturating_add(1);
                1
            }
            Loss::Rest => 2,
        };
        self.need(turns);
    }

    /// A request begins with nothing lost, while `due` says whether a response to one before is due.
    pub(crate) fn note_request(&mut self, due: bool) {
        if !due {
            self.waits = self.waits.saturating_add(1);
        }
    }

    /// Responses were lost while `due` were due: which of the requests seen before they answered is not known.
    pub(crate) fn lose_responses(&mut self, loss: Loss, due: i32) {
        if self.is_known() {
            self.balance = due;
        }
        self.responses_lost = true;
        self.torn = true;
        if loss == Loss::Message {
            self.balance = self.balance.saturating_sub(1).max(0);
        }
        if self.waits_for_responses() {
            self.balance = self.balance.min(1);
        }
        self.need(1);
    }

    fn waits_for_responses(&self) -> bool {
        !self.pipelined && self.waits >= SURE_WAITS
    }

    fn need(&mut self, turns: u8) {
        let turns = match (self.requests_lost, self.responses_lost) {
            _ if self.waits_for_responses() => 1,
            // A client that keeps requests on their way looks just the same, turn by turn.
            (true, true) => NEVER,
            _ => turns,
        };
        self.turns_needed = self.turns_needed.max(turns);
        self.turns = 0;
    }

    /// A response begins after a loss.
    pub(crate) fn respond(&mut self) {
        // Before it, no response is missing that is not known of; so two requests went before the first was answered.
        self.pipelined |= self.balance >= 2;
        self.balance = self.balance.saturating_sub(1);
    }

    /// A request begins after a loss, `silence` nanoseconds after the latest response ended; `None` while one is still
    /// arriving. True when from here on the sides are at the same exchange.
    pub(crate) fn request(&mut self, silence: Option<u64>) -> bool {
        if silence.is_some() && (self.balance <= 0 || self.waits_for_responses()) {
            self.turns = self.turns.saturating_add(1).min(NEVER - 1);
        } else {
            self.turns = 0;
        }
        // Responses beyond what was asked for answered requests that were lost.
        self.balance = self.balance.max(0).saturating_add(1);
        let quiet = self.turns > 0 && silence >= Some(SILENCE_NANOS);
        let known = (quiet || self.turns >= self.turns_needed) && !self.pipelined;
        if known {
            let Self { pipelined, waits, torn, .. } = *self;
            *self = Self { pipelined, waits, torn, ..Self::default() };
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<u64> = Some(1_000);

    fn after(loss: impl FnOnce(&mut Alignment)) -> Alignment {
        let mut alignment = Alignment::default();
        loss(&mut alignment);
        assert!(!alignment.is_known());
        alignment
    }

    #[test]
    fn a_lost_response_costs_no_further_exchange() {
        assert!(after(|alignment| alignment.lose_responses(Loss::Message, 1)).request(SOON));
        // The loss may be told only after the next request came.
        let mut alignment = after(|alignment| alignment.lose_responses(Loss::Message, 2));
        alignment.respond();
        assert!(alignment.request(SOON));
    }

    #[test]
    fn a_lost_request_is_over_with_its_response() {
        let mut alignment = after(|alignment| alignment.lose_requests(Loss::Message, 0));
        alignment.respond();
        assert!(alignment.request(SOON) && alignment.is_known());
        // Its response may have come before the loss was told.
        assert!(after(|alignment| alignment.lose_requests(Loss::Message, -1)).request(SOON));
        // A request that comes before any response is no sign.
        let mut alignment = after(|alignment| alignment.lose_requests(Loss::Message, 0));
        assert!(!alignment.request(SOON));
        alignment.respond();
        assert!(!alignment.request(SOON));
    }

    #[test]
    fn what_was_due_before_the_loss_does_not_count() {
        let mut alignment = after(|alignment| alignment.lose_requests(Loss::Message, 1));
        alignment.respond();
        assert!(!alignment.request(SOON));
    }

    #[test]
    fn pipelining_gives_no_sign() {
        let mut alignment = after(|alignment| alignment.lose_requests(Loss::Message, 0));
        assert!(!alignment.request(SOON));
        alignment.respond();
        for _ in 0..100 {
            assert!(!alignment.request(SOON));
            alignment.respond();
        }
        let mut alignment = after(|alignment| alignment.lose_responses(Loss::Message, 5));
        for _ in 0..100 {
            alignment.respond();
            assert!(!alignment.request(SOON));
        }
    }

    #[test]
    fn a_client_known_to_wait_is_believed_at_once() {
        let mut alignment = Alignment::default();
        (0..SURE_WAITS).for_each(|_| alignment.note_request(false));
        alignment.lose_requests(Loss::Message, 1);
        alignment.lose_responses(Loss::Message, 0);
        assert!(!alignment.request(None));
        assert!(alignment.request(SOON));
    }

    #[test]
    fn with_both_sides_torn_only_silence_tells() {
        let mut alignment = after(|alignment| alignment.lose_requests(Loss::Message, 0));
        alignment.lose_responses(Loss::Message, 0);
        for _ in 0..1_000 {
            assert!(!alignment.request(SOON));
            alignment.respond();
        }
        assert!(alignment.request(Some(SILENCE_NANOS)));
    }
}
