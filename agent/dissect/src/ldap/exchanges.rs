//! Which messages belong together: by message id, all of a search's answer as one response.

use remora_packet::Timestamp;

use super::answer::{Answer, SEARCH, answer_fields};
use super::framing::{Head, Look, look};
use super::kept::Kept;
use super::message::{self, Decoded};
use super::names::{self, op};
use crate::exchange::{Half, Kind};
use crate::frame::Framed;
use crate::item::{Absence, ErrorKind};
use crate::on_demand::OnDemand;
use crate::pair::ById;
use crate::tree::{Fields, Tree};
use crate::{Context, Direction};

/// Message ids that are remembered as abandoned. Older ones come out as unanswered.
const ABANDONED: usize = 64;

/// What a message means for those below and above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    Nothing,
    /// TLS was asked for: whatever the client sends next is read once it is known whether it is TLS.
    AsksForTls(i64),
    /// A SASL bind was asked for.
    AsksForSasl,
    Result {
        id: i64,
        success: bool,
    },
}

pub(super) struct Exchanges {
    kind: Kind,
    /// The direction of requests; known from the first message on.
    client: Option<Direction>,
    /// With each request, how often bytes of the server had been lost when it was sent.
    pairs: ById<i64, u32>,
    /// Responses of several messages that are not finished.
    answers: Vec<Answer>,
    answer_bytes: usize,
    losses: u32,
    /// Bytes of the server were lost, and since then no request was sent by a client that had its answers: the answer to a
    /// request that is seen may have begun in what was lost.
    doubtful: bool,
    /// A request was answered since the latest loss.
    answered: bool,
    abandoned: Vec<i64>,
    latest_id: i64,
    /// Message ids were seen to grow, and nothing else.
    grows: bool,
    repeats: bool,
}

impl Exchanges {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            client: None,
            pairs: ById::new(kind, Direction::ToServer),
            answers: Vec::new(),
            answer_bytes: 0,
            losses: 0,
            doubtful: false,
            answered: false,
            abandoned: Vec::new(),
            latest_id: 0,
            grows: false,
            repeats: false,
        }
    }

    pub(super) fn client(&self) -> Option<Direction> {
        self.client
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.pairs.due()
    }

    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        self.pairs.elapse(context);
        if self.pairs.is_empty() {
            self.let_go(Absence::Late, context);
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.pairs.memory()
            + self.answers.capacity() * size_of::<Answer>()
            + self.abandoned.capacity() * size_of::<i64>()
            + self.answer_bytes
    }

    /// Takes a message.
    pub(super) fn message(
        &mut self,
        direction: Direction,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) -> Meaning {
        let Look::Head(head) = look(&framed.bytes) else {
            context.counters.undissected_bytes += framed.size;
            return Meaning::Nothing;
        };
        let Some((of_client, _)) = names::operation(head.op) else { return Meaning::Nothing };
        if self.client.is_none() {
            let client = if of_client { direction } else { direction.reverse() };
            self.client = Some(client);
            self.pairs = ById::new(self.kind, client);
        }
        let is_astray = of_client != (self.client == Some(direction));
        if framed.is_whole()
            && !is_astray
            && let Some(meaning) = self.kept(of_client, &head, framed, context)
        {
            return meaning;
        }
        let decoded = message::decode(&head, &framed.bytes, framed.is_whole(), context.limits.of_values());
        if is_astray {
            let half = half(framed, decoded).error(ErrorKind::Dissection, "sent by the wrong side");
            context.items.push(self.kind.message(direction, half));
            return Meaning::Nothing;
        }
        if of_client {
            self.request(direction, &head, framed, decoded, context)
        } else {
            self.response(direction, &head, framed, decoded, context)
        }
    }

    fn answer_to(&self, id: i64) -> Option<usize> {
        self.answers.iter().position(|answer| answer.id == id)
    }

    /// Takes a whole message without decoding it, where that can be.
    fn kept(
        &mut self,
        of_client: bool,
        head: &Head,
        framed: &Framed<'_>,
        context: &mut Context<'_>,
    ) -> Option<Meaning> {
        if of_client {
            let kept = Kept::read(head, &framed.bytes, context.limits)?;
            self.see_id(head.id);
            self.ask(head.id, Half::new(framed.time, framed.size, OnDemand::new(kept)), context);
            return Some(Meaning::Nothing);
        }
        if head.id == 0 {
            return None;
        }
        if head.op == op::SEARCH_ENTRY {
            let answer = self.answer(head.id, framed.time, context);
            let before = answer.memory();
            let is_kept = answer.keep_entry(head, framed, context.limits);
            let more = answer.memory() - before;
            self.answer_bytes += more;
            return is_kept.then_some(Meaning::Nothing);
        }
        if self.answer_to(head.id).is_some_and(|at| !self.answers[at].is_kept()) {
            return None;
        }
        let kept = Kept::read(head, &framed.bytes, context.limits)?;
        let code = kept.result()?;
        let half = match self.take(head.id) {
            Some(mut answer) => {
                let kept = kept.behind(answer.take_entries());
                let size = framed.size + answer.size;
                let half = Half::new(answer.time, size, OnDemand::new(kept)).missing(answer.missing);
                match answer.error {
                    Some(error) => half.error(ErrorKind::Dissection, error),
                    None => half,
                }
            }
            None => Half::new(framed.time, framed.size, OnDemand::new(kept)),
        };
        self.respond(head.id, half, context);
        Some(Meaning::Result { id: head.id, success: code == 0 })
    }

    fn see_id(&mut self, id: i64) {
        if id > self.latest_id {
            self.grows |= self.latest_id > 0;
        } else {
            self.repeats = true;
        }
        self.latest_id = id;
    }

    fn request(
        &mut self,
        direction: Direction,
        head: &Head,
        framed: &Framed<'_>,
        decoded: Decoded,
        context: &mut Context<'_>,
    ) -> Meaning {
        self.see_id(head.id);
        let meaning = match (head.op, decoded.oid.as_deref()) {
            (op::EXTENDED_REQUEST, Some(names::START_TLS)) => Meaning::AsksForTls(head.id),
            (op::BIND_REQUEST, _) if decoded.is_sasl => Meaning::AsksForSasl,
            _ => Meaning::Nothing,
        };
        if let Some(id) = decoded.abandons {
            if self.abandoned.len() >= ABANDONED {
                self.abandoned.remove(0);
            }
            self.abandoned.push(id);
        }
        let half = half(framed, decoded);
        if matches!(head.op, op::UNBIND_REQUEST | op::ABANDON_REQUEST) {
            context.items.push(self.kind.message(direction, half));
            return meaning;
        }
        self.ask(head.id, half, context);
        meaning
    }

    /// A request waits for its response.
    fn ask(&mut self, id: i64, half: Half, context: &mut Context<'_>) {
        self.finish(id, Absence::Lost, context);
        self.doubtful &= !(self.answered && self.pairs.is_empty());
        let losses = if self.doubtful { self.losses.wrapping_sub(1) } else { self.losses };
        self.pairs.request(id, half, losses, context);
    }

    fn response(
        &mut self,
        direction: Direction,
        head: &Head,
        framed: &Framed<'_>,
        decoded: Decoded,
        context: &mut Context<'_>,
    ) -> Meaning {
        // A notice that nobody asked for (section 4.4).
        if head.id == 0 {
            context.items.push(self.kind.message(direction, half(framed, decoded)));
            return Meaning::Nothing;
        }
        let list = match head.op {
            op::SEARCH_ENTRY => 0,
            op::SEARCH_REFERENCE => 1,
            op::INTERMEDIATE_RESPONSE => 2,
            _ => {
                let success = decoded.result_code == Some(0);
                self.result(head.id, framed, decoded, context);
                return Meaning::Result { id: head.id, success };
            }
        };
        let answer = self.answer(head.id, framed.time, context);
        let before = answer.memory();
        answer.add(list, framed, decoded, context.limits);
        let after = answer.memory();
        self.answer_bytes = self.answer_bytes - before + after;
        Meaning::Nothing
    }

    /// The answer that a message belongs to, which it may begin.
    fn answer(&mut self, id: i64, time: Timestamp, context: &mut Context<'_>) -> &mut Answer {
        let at = match self.answer_to(id) {
            Some(at) => at,
            None => {
                if self.answers.len() >= context.limits.waiting_requests.max(1) {
                    let oldest = self.answers[0].id;
                    self.finish(oldest, Absence::TooMany, context);
                }
                self.answers.push(Answer::new(id, time));
                self.answers.len() - 1
            }
        };
        &mut self.answers[at]
    }

    /// The last message of a response.
    fn result(&mut self, id: i64, framed: &Framed<'_>, decoded: Decoded, context: &mut Context<'_>) {
        let is_search = decoded.fields.field("type").and_then(Tree::as_text) == Some(SEARCH);
        let mut last = half_of(framed, &decoded);
        let mut fields = decoded.fields;
        if let Some(mut answer) = self.take(id) {
            answer.settle(context.limits);
            last.time = answer.time;
            last.size += answer.size;
            last.missing += answer.missing;
            last.error = answer.error.or(last.error);
            answer_fields(&mut fields, answer.lists, answer.truncated, is_search);
        } else if is_search {
            answer_fields(&mut fields, Default::default(), false, true);
        }
        self.respond(id, last.half(fields), context);
    }

    /// A response that is whole.
    fn respond(&mut self, id: i64, mut half: Half, context: &mut Context<'_>) {
        let losses = self.pairs.note(&id).copied();
        self.answered |= losses.is_some();
        if losses.is_some_and(|losses| losses != self.losses) {
            half = half.error(ErrorKind::Dissection, "messages of the response may be missing");
        }
        self.pairs.response(&id, half, context);
    }

    fn take(&mut self, id: i64) -> Option<Answer> {
        let at = self.answer_to(id)?;
        let answer = self.answers.remove(at);
        self.answer_bytes -= answer.memory();
        Some(answer)
    }

    /// An answer that will not be finished comes out, with its request.
    fn finish(&mut self, id: i64, absence: Absence, context: &mut Context<'_>) {
        let Some(mut answer) = self.take(id) else { return };
        answer.settle(context.limits);
        let is_search = answer.name == SEARCH;
        let abandoned = self.abandoned.contains(&id);
        let mut fields = Fields::new().with("type", answer.name).with("messageId", id);
        answer_fields(&mut fields, answer.lists, answer.truncated, is_search);
        let mut half = Half::new(answer.time, answer.size, fields).missing(answer.missing);
        if let Some(error) = answer.error {
            half = half.error(ErrorKind::Dissection, error);
        }
        if !abandoned || absence == Absence::Lost {
            half = half.error(ErrorKind::PairNotFound, format!("no result: {}", absence.as_str()));
        }
        self.pairs.response(&id, half, context);
    }

    /// Bytes of a direction are missing, or made no sense.
    pub(super) fn lose(&mut self, direction: Direction, context: &mut Context<'_>) {
        if self.client != Some(direction) {
            self.losses = self.losses.wrapping_add(1);
            (self.doubtful, self.answered) = (true, false);
            for answer in &mut self.answers {
                let message = "messages of the response may be missing";
                answer.error.get_or_insert_with(|| message.to_owned());
            }
        }
        // Where ids come again, a response may be to a request that was not seen.
        if self.repeats || !self.grows {
            self.let_go(Absence::Lost, context);
        }
    }

    /// Everything that waits comes out.
    pub(super) fn let_go(&mut self, absence: Absence, context: &mut Context<'_>) {
        while let Some(id) = self.answers.first().map(|answer| answer.id) {
            self.finish(id, absence, context);
        }
        for id in std::mem::take(&mut self.abandoned) {
            if let (Some((half, _)), Some(client)) = (self.pairs.remove(&id), self.client) {
                context.items.push(self.kind.message(client, half));
            }
        }
        self.pairs.give_up(absence, context);
    }
}

/// A half whose fields are not settled.
struct Unfinished {
    time: Timestamp,
    size: u64,
    missing: u64,
    error: Option<String>,
}

impl Unfinished {
    fn half(self, fields: Fields) -> Half {
        let half = Half::new(self.time, self.size, fields).missing(self.missing);
        match self.error {
            Some(error) => half.error(ErrorKind::Dissection, error),
            None => half,
        }
    }
}

fn half_of(framed: &Framed<'_>, decoded: &Decoded) -> Unfinished {
    Unfinished {
        time: framed.time,
        size: framed.size,
        missing: framed.missing,
        error: decoded.error.map(|error| place(error, framed)),
    }
}

fn half(framed: &Framed<'_>, decoded: Decoded) -> Half {
    half_of(framed, &decoded).half(decoded.fields)
}

pub(super) fn place(error: crate::ParseError, framed: &Framed<'_>) -> String {
    format!("{} at byte {} of the stream", error.what, framed.offset + error.offset as u64)
}
