use super::*;
use crate::item::Summary;
use crate::tcp::Sequence;
use crate::tree::Fields;
use crate::{Counters, Draft, Limits};

static KIND: Kind = Kind { protocol: &crate::redis::PROTOCOL, summarize: |_| Summary::default() };

const NOW: Timestamp = Timestamp::from_nanos(9);

fn half(number: u8) -> Half {
    Half::new(NOW, 1, Fields::new().with("number", number))
}

/// A segment by its bytes and by what its sender had of the other side.
const fn sent(from: u32, upto: u32, received: u32) -> Option<Sent> {
    Some(Sent { from: Sequence(from), upto: Sequence(upto), received: Sequence(received) })
}

/// A queue that has seen a loss, so that order alone proves nothing, and the items of what it was told since.
struct Torn {
    queue: InOrder,
    items: Vec<Draft>,
}

impl Torn {
    fn new() -> Self {
        let mut torn = Self { queue: InOrder::new(KIND, Direction::ToServer), items: Vec::new() };
        torn.tell(None, |queue, context| queue.lose(false, context));
        torn
    }

    fn tell(&mut self, sent: Option<Sent>, what: impl FnOnce(&mut InOrder, &mut Context<'_>)) {
        let (limits, mut counters) = (Limits::default(), Counters::default());
        let mut context = Context::new(NOW, &limits, &mut counters, &mut self.items);
        context.sent = sent;
        what(&mut self.queue, &mut context);
    }

    fn request(&mut self, number: u8, sent: Option<Sent>) {
        self.tell(sent, |queue, context| queue.request(half(number), (), context));
    }

    fn response(&mut self, number: u8, sent: Option<Sent>) {
        self.tell(sent, |queue, context| queue.response(half(number), context));
    }

    /// The numbers of the sides of the items so far.
    fn pairs(&mut self) -> Vec<[Option<i64>; 2]> {
        let number = |side: &Option<Box<dyn crate::item::Message>>| match side.as_ref()?.get("number")? {
            crate::Value::Int(number) => Some(number),
            _ => None,
        };
        self.items.drain(..).map(|draft| [number(&draft.request), number(&draft.response)]).collect()
    }
}

#[test]
fn a_response_of_before_does_not_answer_the_request_that_waits() {
    let mut torn = Torn::new();
    torn.request(1, sent(100, 200, 500));
    // The server had nothing of the request, and the client had this when it asked.
    torn.response(7, sent(400, 500, 100));
    assert_eq!(torn.pairs(), [[None, Some(7)]]);
    torn.response(2, sent(500, 600, 200));
    assert_eq!(torn.pairs(), [[Some(1), Some(2)]]);
}

#[test]
fn a_response_of_before_is_no_sign_of_pipelining() {
    let two_that_wait = || {
        let mut torn = Torn::new();
        torn.request(1, sent(100, 200, 500));
        torn.request(2, sent(200, 300, 500));
        torn
    };
    for (response, is_sign) in [(sent(400, 500, 100), false), (sent(500, 600, 200), true)] {
        let mut torn = two_that_wait();
        torn.response(7, response);
        torn.tell(None, |queue, context| queue.lose(false, context));
        torn.response(8, None);
        // A client that pipelines never shows where it is.
        torn.request(3, sent(300, 400, 600));
        assert_eq!(torn.queue.is_known(), !is_sign);
    }
}
