//! Captures of other people's, where the folder with them lies beside the repository: each gives as many messages as the
//! listing says of each protocol, and none of protocols that it does not have.

mod golden_support;
mod listing_exceptions;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use golden_support::{Public, replay};
use listing_exceptions::EXCEPTIONS;
use remora_dissect::{Limits, Protocol};

use Count::{Each, Half, Once};
use Is::{Messages, Silent, Unlisted};

/// How the frames that tshark finds a protocol in compare with messages, each of which is a side of an item.
#[derive(Clone, Copy, PartialEq)]
enum Count {
    /// Each frame is a message.
    Each,
    /// Most frames are messages or hold several. Others hold a part, or what has no item.
    Half,
    /// An item is a handshake or a transaction of many frames.
    Once,
}

impl Count {
    fn holds(self, frames: usize, messages: usize) -> bool {
        match self {
            Each => messages == frames,
            Half => messages > 0 && messages * 2 >= frames,
            Once => messages > 0,
        }
    }
}

/// Protocols as tshark calls them, and how they are counted.
const PROTOCOLS: [(&str, Count); 27] = [
    ("amqp", Half),
    ("cldap", Each),
    ("cql", Half),
    ("diameter", Each),
    ("dns", Each),
    ("dtls", Once),
    ("http", Half),
    ("http2", Once),
    ("icmp", Each),
    ("icmpv6", Each),
    ("kafka", Each),
    ("ldap", Half),
    ("llmnr", Each),
    ("mdns", Each),
    ("memcache", Each),
    ("mongo", Half),
    ("mqtt", Half),
    ("mysql", Half),
    ("pgsql", Half),
    ("quic", Once),
    ("radius", Each),
    ("resp", Half),
    ("sctp", Each),
    // A mail is a frame for each line of it, or even more.
    ("smtp", Once),
    // Each frame through it is one too.
    ("socks", Once),
    ("tls", Once),
    ("websocket", Half),
];

/// What tshark calls an item's protocol. None for conversations themselves.
fn listed_name(protocol: &Protocol) -> Option<&'static str> {
    Some(match protocol.name {
        "http" if protocol.version == "2.0" => "http2",
        "http" => "http",
        "tlsx" => "tls",
        "ws" => "websocket",
        "redis" => "resp",
        "postgresql" => "pgsql",
        "cassandra" => "cql",
        "memcached" => "memcache",
        "mongodb" => "mongo",
        "dns" => match protocol.long_name {
            "Multicast DNS" => "mdns",
            "Link-Local Multicast Name Resolution" => "llmnr",
            _ => "dns",
        },
        "icmp" if protocol.abbr == "ICMPv6" => "icmpv6",
        "ldap" if protocol.abbr == "CLDAP" => "cldap",
        "tcp" | "udp" => return None,
        name => name,
    })
}

/// The listing has the seven protocols that most frames have, after which there may be more.
const LISTED_AT_MOST: usize = 7;

/// How a capture differs from what is listed.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Is {
    /// It has no item of a listed protocol.
    Silent,
    /// It has another number of messages than would be expected for the frames.
    Messages(usize),
    /// It has items of a protocol that is not listed.
    Unlisted,
}

/// A capture's place in the folder, the protocol as tshark calls it, and how they differ.
type Difference<'a> = (&'a str, &'static str, Is);

/// The frames that a capture is listed with, by protocol.
fn frames(protocols: &str) -> BTreeMap<&str, usize> {
    let entries = protocols.split(' ').filter_map(|entry| entry.split_once(':'));
    let mut frames: BTreeMap<_, _> = entries
        .filter(|(name, _)| PROTOCOLS.iter().any(|(known, _)| known == name))
        .map(|(name, count)| (name, count.parse().expect("it is a number")))
        .collect();
    // Frames of what came after an upgrade are listed as HTTP's too.
    let after = ["websocket", "http2"].map(|name| frames.get(name).copied().unwrap_or(0));
    if let Some(http) = frames.get_mut("http") {
        *http -= after.iter().sum::<usize>();
        if *http == 0 {
            frames.remove("http");
        }
    }
    frames
}

/// The differences between what a capture is listed with and what came of it.
fn compare(protocols: &str, messages: &BTreeMap<&'static str, usize>) -> Vec<(&'static str, Is)> {
    let frames = frames(protocols);
    let mut differences = Vec::new();
    for (name, count) in PROTOCOLS {
        let found = messages.get(name).copied().unwrap_or(0);
        match frames.get(name) {
            Some(_) if found == 0 => differences.push((name, Silent)),
            Some(frames) if !count.holds(*frames, found) => {
                differences.push((name, Messages(found)));
            }
            _ => {}
        }
    }
    if protocols.split(' ').count() < LISTED_AT_MOST {
        let unlisted = messages.keys().filter(|name| !frames.contains_key(*name));
        differences.extend(unlisted.map(|name| (*name, Unlisted)));
    }
    differences
}

/// The messages in a capture, by what tshark calls their protocol.
fn messages(public: &Public, path: &str) -> BTreeMap<&'static str, usize> {
    let mut messages = BTreeMap::new();
    for item in replay(&public.folder.join(path), Limits::default()).items {
        if let Some(name) = listed_name(item.draft.protocol) {
            let sides = [&item.draft.request, &item.draft.response];
            let sides = sides.iter().filter(|side| side.is_some()).count();
            assert!(sides > 0, "{path}: {} has neither request nor response", item.id());
            *messages.entry(name).or_insert(0) += sides;
        }
    }
    messages
}

/// What differs in all captures, in the order of the listing.
fn differences<'a>(public: &Public, captures: &[(&'a str, &'a str)]) -> Vec<Difference<'a>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, protocols)) = captures.get(at) else { return found };
            let differences = compare(protocols, &messages(public, path));
            found.extend(differences.into_iter().map(|(protocol, is)| (at, *path, protocol, is)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut found = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect::<Vec<_>>()
    });
    found.sort_unstable_by_key(|(at, _, protocol, _)| (*at, *protocol));
    found.into_iter().map(|(_, path, protocol, is)| (path, protocol, is)).collect()
}

#[test]
fn captures_give_what_they_are_listed_with() {
    let Some(public) = Public::open() else { return };
    let captures: Vec<(&str, &str)> = public.captures().collect();
    let found = differences(&public, &captures);
    let excepted: Vec<_> = EXCEPTIONS.iter().flat_map(|(_, captures)| *captures).copied().collect();
    let new = found.iter().filter(|difference| !excepted.contains(difference));
    let gone = excepted.iter().filter(|exception| !found.contains(exception));
    let problems: Vec<String> = new
        .map(|difference| format!("a difference: {difference:?}"))
        .chain(gone.map(|exception| format!("no exception any more: {exception:?}")))
        .collect();
    eprintln!("{} captures, {} differences", captures.len(), found.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
