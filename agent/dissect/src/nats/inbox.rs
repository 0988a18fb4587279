//! Where a client listens for replies.

use std::collections::VecDeque;

use crate::{Fields, Tree};

/// Where clients listen that were not told another prefix.
const PREFIX: &str = "_INBOX.";

/// Subscriptions remembered for replies. Above it the oldest that had none is forgotten.
const KNOWN_SUBSCRIPTIONS: usize = 256;

/// The length of a NUID, which libraries make inboxes of: digits and letters of both cases.
const NUID: usize = 22;

/// Whether a subject says of itself that it is an inbox.
pub(super) fn is_inbox(subject: &str) -> bool {
    subject.starts_with(PREFIX)
}

/// Whether a subject looks like an inbox below a prefix of the client's own. Those with `$` are the server's.
pub(super) fn is_likely(subject: &str) -> bool {
    let is_nuid = |token: &str| {
        let bytes = token.as_bytes();
        let kinds: [fn(&u8) -> bool; 3] =
            [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
        bytes.len() == NUID
            && bytes.iter().all(u8::is_ascii_alphanumeric)
            && kinds.iter().filter(|kind| bytes.iter().any(kind)).count() > 1
    };
    !subject.starts_with('$') && subject.split('.').any(is_nuid)
}

#[derive(Debug)]
struct Subscription {
    sid: Box<str>,
    subject: Box<str>,
    /// Replies to messages of the client go there.
    replies: bool,
    /// It is for one of many, or more than one message waits for its reply at the same subject: a message there does not
    /// tell what it answers.
    shared: bool,
    /// All that was sent since it began was seen.
    known: bool,
}

/// What becomes of a message with a reply subject.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Reply {
    /// No subscription to it was seen.
    Unheard,
    /// Its reply can't be told from others.
    Shared,
    /// Whether others wait at the same subject is not known.
    Doubtful,
    /// Its reply comes here.
    Here,
}

/// The client's subscriptions that replies may come to.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    list: VecDeque<Subscription>,
    /// Bytes of the texts.
    text: usize,
    /// How many have replies.
    replying: usize,
}

impl Subscriptions {
    /// Takes note of a SUB or UNSUB.
    pub(super) fn note(&mut self, fields: &Fields) {
        let text = |name| fields.field(name).and_then(Tree::as_text);
        let Some(sid) = text("sid") else { return };
        match text("subject") {
            Some(subject) => self.add(sid, subject).shared = text("queueGroup").is_some(),
            // A limit lets it stay until that is reached.
            None if fields.field("maxMessages").is_some() => {}
            None => {
                if let Some(at) = self.list.iter().position(|subscription| *subscription.sid == *sid) {
                    self.remove(at);
                }
            }
        }
    }

    fn add(&mut self, sid: &str, subject: &str) -> &mut Subscription {
        if self.list.len() >= KNOWN_SUBSCRIPTIONS {
            self.remove(self.list.iter().position(|subscription| !subscription.replies).unwrap_or(0));
        }
        self.text += sid.len() + subject.len();
        let (sid, subject) = (sid.into(), subject.into());
        let added = Subscription { sid, subject, replies: false, shared: false, known: true };
        let at = self.list.len();
        self.list.push_back(added);
        &mut self.list[at]
    }

    fn remove(&mut self, at: usize) {
        if let Some(old) = self.list.remove(at) {
            self.text -= old.sid.len() + old.subject.len();
            self.replying -= usize::from(old.replies);
        }
    }

    /// Where the reply to this subject goes. A subject that is not the only one of its subscription is taken for unique.
    pub(super) fn hear(&mut self, reply: &str) -> Reply {
        let Some(subscription) =
            self.list.iter_mut().find(|subscription| matches(&subscription.subject, reply))
        else {
            return Reply::Unheard;
        };
        if !subscription.shared && !subscription.replies {
            subscription.replies = true;
            self.replying += 1;
        }
        match subscription.shared {
            true => Reply::Shared,
            false if !subscription.known && *subscription.subject == *reply && !is_likely(reply) => {
                Reply::Doubtful
            }
            false => Reply::Here,
        }
    }

    /// A reply came to a subscription, which may have been missed.
    pub(super) fn learn(&mut self, sid: &str) {
        let at = self.list.iter().position(|subscription| *subscription.sid == *sid);
        let subscription = match at {
            Some(at) => &mut self.list[at],
            None => self.add(sid, ""),
        };
        if !std::mem::replace(&mut subscription.replies, true) {
            self.replying += 1;
        }
    }

    /// Messages may have been missed.
    pub(super) fn lose(&mut self) {
        self.list.iter_mut().for_each(|subscription| subscription.known = false);
    }

    /// A subject is one for several replies.
    pub(super) fn share(&mut self, reply: &str) {
        for subscription in &mut self.list {
            subscription.shared |= *subscription.subject == *reply;
        }
    }

    /// Whether a message to this subscription may be a reply.
    pub(super) fn has_replies(&self, sid: Option<&str>) -> bool {
        self.replying > 0
            && self.list.iter().any(|subscription| subscription.replies && sid == Some(&*subscription.sid))
    }

    pub(super) fn memory(&self) -> usize {
        self.list.capacity() * size_of::<Subscription>() + self.text
    }
}

/// `*` stands for a token, `>` for all that are left.
fn matches(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in pattern.split('.') {
        match (wanted, tokens.next()) {
            (_, None) => return false,
            (">", Some(_)) => return true,
            (wanted, Some(token)) if wanted == "*" || wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_tokens() {
        for (pattern, subject, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.b.c", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("*.b", "a.b", true),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            (">", "a", true),
        ] {
            assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[test]
    fn inboxes_are_told_by_their_unique_part() {
        assert!(is_likely("mine.t3PaJkkaS615EB28zEYaYL.1"));
        assert!(!is_likely("orders.created.internationally") && !is_likely("a.0123456789012345678901"));
        assert!(!is_likely("$JS.ACK.t3PaJkkaS615EB28zEYaYL"));
    }
}
