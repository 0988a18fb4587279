//! Which messages answer which.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::KIND;
use super::inbox::{self, Reply, Subscriptions};
use crate::item::Absence;
use crate::pair::ById;
use crate::{Context, Direction, Fields, Half, Tree};

/// Inboxes remembered whose further messages are no replies to something unknown.
const KNOWN_INBOXES: usize = 256;

fn hash(subject: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(subject)
}

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.field(name).and_then(Tree::as_text)
}

/// Consumers of JetStream that ask for their next messages: these come with the subject they were published to.
fn is_pull(subject: &str) -> bool {
    subject.starts_with("$JS.") && subject.contains(".CONSUMER.MSG.NEXT.")
}

/// Where a message belongs. Inboxes are known by their hash.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Nothing answers it, and it answers nothing.
    Alone,
    /// A reply will come to this inbox.
    Asks(u64),
    /// A reply may come, and can't be told from others.
    MayAsk,
    /// It came to this inbox. Where nothing waits there, it is alone, or it is not known whether it should be.
    Answers(u64, Option<Absence>),
}

#[derive(Debug)]
pub(super) struct Replies {
    /// Messages that ask for a reply, by the inbox it goes to.
    requests: ById<u64>,
    /// Inboxes that have had their reply, or that the client writes to itself.
    known_inboxes: VecDeque<u64>,
    subscriptions: Subscriptions,
}

impl Replies {
    pub(super) fn new() -> Self {
        Self {
            requests: ById::new(KIND, Direction::ToServer),
            known_inboxes: VecDeque::new(),
            subscriptions: Subscriptions::default(),
        }
    }

    /// A SUB or UNSUB.
    pub(super) fn subscription(&mut self, fields: &Fields) {
        self.subscriptions.note(fields);
    }

    /// Where a message of the client belongs. `doubt`: something of the connection was not seen.
    pub(super) fn asked(
        &mut self,
        fields: &Fields,
        doubt: Option<Absence>,
        context: &mut Context<'_>,
    ) -> Place {
        let subject = text(fields, "subject").unwrap_or_default();
        if inbox::is_inbox(subject) || inbox::is_likely(subject) {
            self.know(hash(subject));
        }
        let Some(reply) = text(fields, "replyTo") else { return Place::Alone };
        let inbox = hash(reply);
        let heard = (!inbox::is_inbox(reply)).then(|| self.subscriptions.hear(reply));
        let place = match heard {
            None => Place::Asks(inbox),
            // The subscription may have been missed. That a message comes there will tell.
            Some(Reply::Unheard) if doubt.is_some() && !reply.starts_with('$') => Place::Asks(inbox),
            Some(Reply::Unheard | Reply::Shared) => Place::Alone,
            Some(Reply::Doubtful) => Place::MayAsk,
            Some(Reply::Here) => match self.requests.remove(&inbox) {
                None => Place::Asks(inbox),
                Some((other, ())) => {
                    // Nobody can tell which of the two a message there answers.
                    self.subscriptions.share(reply);
                    context.items.push(KIND.message(Direction::ToServer, other));
                    Place::Alone
                }
            },
        };
        if is_pull(subject) && !matches!(place, Place::Alone) {
            self.know(inbox);
            return Place::Alone;
        }
        place
    }

    /// Where a message to the client belongs.
    pub(super) fn answered(&mut self, fields: &Fields, doubt: Option<Absence>) -> Place {
        let subject = text(fields, "subject").unwrap_or_default();
        if doubt.is_some()
            && !inbox::is_inbox(subject)
            && self.requests.note(&hash(subject)).is_some()
            && let Some(sid) = text(fields, "sid")
        {
            self.subscriptions.learn(sid);
        }
        let may_reply = inbox::is_inbox(subject)
            || self.subscriptions.has_replies(text(fields, "sid"))
            || doubt.is_some() && inbox::is_likely(subject);
        if may_reply { Place::Answers(hash(subject), doubt) } else { Place::Alone }
    }

    /// A message, whole.
    pub(super) fn message(
        &mut self,
        direction: Direction,
        half: Half,
        place: Place,
        context: &mut Context<'_>,
    ) {
        let draft = match place {
            Place::Asks(inbox) => return self.requests.request(inbox, half, (), context),
            Place::Answers(inbox, _) if self.requests.note(&inbox).is_some() => {
                self.know(inbox);
                return self.requests.response(&inbox, half, context);
            }
            Place::MayAsk => KIND.request(Direction::ToServer, half, Absence::Lost),
            Place::Answers(inbox, Some(absence)) if !self.known_inboxes.contains(&inbox) => {
                KIND.response(Direction::ToServer, half, absence)
            }
            // Where all that this client asked for was seen, it is of a stream of JetStream, or answers another client.
            Place::Answers(..) | Place::Alone => KIND.message(direction, half),
        };
        context.items.push(draft);
    }

    fn know(&mut self, inbox: u64) {
        if !self.known_inboxes.contains(&inbox) {
            if self.known_inboxes.len() >= KNOWN_INBOXES {
                self.known_inboxes.pop_front();
            }
            self.known_inboxes.push_back(inbox);
        }
    }

    /// Messages may be missing.
    pub(super) fn lose(&mut self, context: &mut Context<'_>) {
        self.give_up(Absence::Lost, context);
        self.known_inboxes.clear();
        self.subscriptions.lose();
    }

    /// Lets go what has waited long enough.
    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        self.requests.elapse(context);
    }

    /// All that waits comes out alone.
    pub(super) fn give_up(&mut self, absence: Absence, context: &mut Context<'_>) {
        self.requests.give_up(absence, context);
    }

    pub(super) fn memory(&self) -> usize {
        self.requests.memory()
            + self.known_inboxes.capacity() * size_of::<u64>()
            + self.subscriptions.memory()
    }
}
