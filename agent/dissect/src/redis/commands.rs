//! What has to be known of single commands: which words are secret, and how they are answered.

use crate::Tree;

/// What stands in the place of a secret.
pub(super) const SECRET: &str = "***";

/// How the server answers a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// By one value.
    Value,
    /// By one acknowledgement for each channel, of this name; at least one.
    Acks(&'static str),
    /// By one value, after which the commands of others are shown.
    Monitor,
    /// By one value, after which a replication may begin.
    Replication,
}

const ACKS: [&str; 6] =
    ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"];

/// What a server sends unasked, as the first word of an array.
const MESSAGES: [&str; 3] = ["message", "pmessage", "smessage"];

pub(super) fn answer(command: &str) -> Answer {
    match command {
        "MONITOR" => Answer::Monitor,
        "PSYNC" | "SYNC" => Answer::Replication,
        _ => ack(command.as_bytes()).map_or(Answer::Value, Answer::Acks),
    }
}

fn ack(word: &[u8]) -> Option<&'static str> {
    ACKS.into_iter().find(|ack| ack.as_bytes().eq_ignore_ascii_case(word))
}

/// What a value is in the talk of a subscriber.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Publication {
    Message,
    Ack(&'static str),
}

/// Whether a value looks like a message to a subscriber, or an acknowledgement.
pub(super) fn publication(tree: &Tree) -> Option<Publication> {
    let list = tree.as_list()?;
    let word = list.first()?.as_text()?;
    if MESSAGES.contains(&word) && list.len() == if word == "pmessage" { 4 } else { 3 } {
        return Some(Publication::Message);
    }
    let ack = ack(word.as_bytes())?;
    (list.len() == 3 && list.get(2)?.as_int().is_some()).then_some(Publication::Ack(ack))
}

/// Whether a list that begins with this word may be in the talk of a subscriber.
pub(super) fn is_of_publication(word: &[u8]) -> bool {
    MESSAGES.into_iter().any(|message| message.as_bytes() == word) || ack(word).is_some()
}

/// Whether a command says nothing of how it or others are answered, and has no secret in it.
pub(super) fn is_plain(command: &str) -> bool {
    let is_special = matches!(
        command,
        "ACL" | "AUTH" | "CLIENT" | "CONFIG" | "HELLO" | "MIGRATE" | "REPLCONF" | "SENTINEL"
    );
    !is_special && answer(command) == Answer::Value
}

/// The statuses that come most.
pub(super) fn status(text: &[u8]) -> Option<&'static str> {
    Some(match text {
        b"OK" => "OK",
        b"PONG" => "PONG",
        b"QUEUED" => "QUEUED",
        _ => return None,
    })
}

/// Commands whose first argument is a command of its own.
const CONTAINERS: [&str; 18] = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY", "MODULE",
    "OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO", "REPLCONF",
];

pub(super) fn is_container(command: &str) -> bool {
    CONTAINERS.contains(&command)
}

/// Settings that are passwords.
const SECRET_SETTINGS: [&str; 6] = [
    "requirepass",
    "masterauth",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "sentinel-pass",
    "auth-pass",
];

/// Hides passwords.
pub(super) fn redact(command: &str, args: &mut [Tree]) {
    let is = |tree: Option<&Tree>, word: &str| {
        tree.and_then(Tree::as_text).is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    match command {
        "AUTH" => args.iter_mut().skip(1).last().into_iter().for_each(hide),
        "HELLO" | "MIGRATE" => {
            let words = args.len();
            for at in 1..words {
                // AUTH user password; MIGRATE also has AUTH password, and AUTH2 user password.
                let secrets = match () {
                    () if is(args.get(at), "AUTH2") || command == "HELLO" && is(args.get(at), "AUTH") => 2,
                    () if is(args.get(at), "AUTH") => 1,
                    () => continue,
                };
                args.get_mut(at + secrets).into_iter().for_each(hide);
                break;
            }
        }
        "CONFIG" if is(args.get(1), "SET") => {
            for at in (2..args.len()).step_by(2) {
                if SECRET_SETTINGS.into_iter().any(|setting| is(args.get(at), setting)) {
                    args.get_mut(at + 1).into_iter().for_each(hide);
                }
            }
        }
        "ACL" if is(args.get(1), "SETUSER") => {
            let secret = |tree: &&mut Tree| super::message::text(tree).starts_with(['>', '<', '#', '!']);
            args.iter_mut().skip(3).filter(secret).for_each(hide);
        }
        "SENTINEL" if is(args.get(1), "SET") || is(args.get(1), "CONFIG") => {
            for at in 2..args.len() {
                if SECRET_SETTINGS.into_iter().any(|setting| is(args.get(at), setting)) {
                    args.get_mut(at + 1).into_iter().for_each(hide);
                }
            }
        }
        _ => {}
    }
}

fn hide(tree: &mut Tree) {
    *tree = SECRET.into();
}
