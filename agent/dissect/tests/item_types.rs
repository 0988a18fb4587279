//! The type definitions of items say what items hold, no less and no more: `scripts/remora.d.ts` and
//! `scripts/remora-protocols.d.ts`, which editors complete and check scripts with.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod declarations;
mod golden_support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use declarations::{Declarations, OF_HTTP, Seen, Type};
use golden_support::{Public, captures, fixtures};
use remora_dissect::item::Node;
use remora_dissect::{Engine, Item, Limits, Options, Origin};
use remora_pcap::PcapReader;
use remora_variants::{OwnedPacket, Variant};
use serde_json::{Value, json};

/// What makes the items of a protocol, in `src`.
fn folders(item: &str) -> Vec<String> {
    let name = item.trim_end_matches("Item").to_ascii_lowercase();
    let more: &[&str] = match &*name {
        "http" => &["http1"],
        "http2" => &["http"],
        "graphql" | "grpc" => &["http", "http1", "http2"],
        "dtls" | "quic" => &["tls"],
        "tcp" | "udp" => return vec!["engine/conversation.rs".to_owned()],
        "websocket" => &["graphql"],
        _ => &[],
    };
    more.iter().map(|name| (*name).to_owned()).chain([name]).collect()
}

/// What makes the parts that items of all protocols have.
const SHARED: [&str; 4] = ["item", "protocol.rs", "exchange.rs", "peers.rs"];

/// The names of all items.
fn all_items(declarations: &Declarations) -> BTreeSet<String> {
    let Type::Union(all) = &declarations.aliases["AnyItem"] else { panic!("AnyItem is no union") };
    all.iter().map(|one| if let Type::Named(name) = one { name.clone() } else { panic!("{one:?}") }).collect()
}

/// What Kubernetes' API and the agent's captures give, not the dissectors.
const OF_OTHERS: [&str; 3] = ["ItemCapture", "KubernetesMetadata", "KubernetesObject"];

/// The name of an item's interface.
fn interface(item: &Value) -> String {
    let text = |name: &str| item["protocol"][name].as_str().unwrap();
    match (text("name"), text("abbr"), text("version")) {
        ("http", "HTTP/2", _) => "Http2Item".to_owned(),
        ("http", "gRPC", _) => "GrpcItem".to_owned(),
        ("http", "GQL", _) => "GraphqlItem".to_owned(),
        ("amqp", _, "1-0") => "Amqp1Item".to_owned(),
        ("ws", ..) => "WebsocketItem".to_owned(),
        ("tlsx", ..) => "TlsItem".to_owned(),
        (name, ..) => format!("{}{}Item", name[..1].to_ascii_uppercase(), &name[1..]),
    }
}

fn check(declarations: &Declarations, item: &Value, seen: &mut Seen) -> Result<(), String> {
    let name = interface(item);
    declarations.check(item, &Type::Named(name.clone()), &name, seen)
}

/// The golden files that hold whole items.
fn goldens() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|path| std::fs::read_dir(path).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_str().unwrap().ends_with(".golden.jsonl")).collect();
    paths.sort();
    paths
}

/// Items, each with the file it is in.
fn golden_items() -> impl Iterator<Item = (PathBuf, Value)> {
    goldens().into_iter().flat_map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let items: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        items.into_iter().map(move |item| (path.clone(), item))
    })
}

/// Fails with the first of each kind of problem.
#[track_caller]
fn report(problems: BTreeMap<String, String>) {
    let lines: Vec<_> =
        problems.into_iter().map(|(problem, place)| format!("{problem}\n    in {place}")).collect();
    assert!(lines.is_empty(), "{} problems\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn items_hold_what_is_declared() {
    let declarations = Declarations::read();
    let (mut problems, mut seen, mut kinds) = (BTreeMap::new(), Seen::new(), BTreeSet::new());
    for (path, item) in golden_items() {
        kinds.insert(interface(&item));
        if let Err(problem) = check(&declarations, &item, &mut seen) {
            problems.entry(problem).or_insert_with(|| format!("{}: {}", path.display(), item["id"]));
        }
    }
    report(problems);
    assert!(kinds.len() > 20, "{kinds:?}");
}

/// The text of source files, and of those in folders.
fn sources(names: impl IntoIterator<Item = String>) -> String {
    let (mut text, src) = (String::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut paths: Vec<_> = names.into_iter().map(|name| src.join(name)).collect();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
    text
}

#[test]
fn what_is_declared_is_in_items() {
    let declarations = Declarations::read();
    let mut seen = Seen::new();
    golden_items().for_each(|(_, item)| drop(check(&declarations, &item, &mut seen)));
    let reach = |name: &str| {
        let mut interfaces = BTreeSet::new();
        declarations.reach(&Type::Named(name.to_owned()), &mut interfaces);
        interfaces
    };
    // By what an interface has: whether that is in no item. One of the items that it is in is enough.
    let mut invented: BTreeMap<String, bool> = BTreeMap::new();
    let mut shared = reach("ItemBase");
    shared.append(&mut reach("Unread"));
    let mut look = |interfaces: &mut dyn Iterator<Item = &String>, text: &str| {
        let known = |name: &str| text.contains(&format!("\"{name}\""));
        // Items have what the test of their union and of their sides says.
        let looked = |name: &&String| !name.ends_with("Item") && !OF_OTHERS.contains(&name.as_str());
        for name in interfaces.filter(looked) {
            let interface = &declarations.interfaces[name];
            for member in &interface.members {
                let found = known(&member.name) || seen.contains(&(name.clone(), member.name.clone()));
                *invented.entry(format!("{name}.{}", member.name)).or_insert(true) &= !found;
            }
            let mut literal = |is: &Type| {
                if let Type::Literal(Value::String(literal)) = is {
                    *invented.entry(format!("{name}: \"{literal}\"")).or_insert(true) &= !known(literal);
                }
            };
            interface.types().for_each(|is| is.each(&mut literal));
        }
    };
    let items = all_items(&declarations);
    let everything = items.iter().flat_map(|item| folders(item));
    look(&mut shared.iter(), &sources(everything.chain(SHARED.map(str::to_owned))));
    for item in items {
        look(&mut reach(&item).difference(&shared), &sources(folders(&item)));
    }
    let invented: Vec<_> = invented.iter().filter(|(_, invented)| **invented).map(|(name, _)| name).collect();
    assert!(invented.is_empty(), "neither in a golden file nor in the code: {invented:#?}");
}

#[test]
fn any_item_is_an_item_of_any_protocol() {
    let declarations = Declarations::read();
    let is_item = |name: &&String| name.ends_with("Item") && *name != "ItemBase";
    let declared: BTreeSet<String> = declarations.interfaces.keys().filter(is_item).cloned().collect();
    assert_eq!(all_items(&declarations), declared);
    let mut reached = BTreeSet::new();
    declarations.reach(&Type::Named("AnyItem".to_owned()), &mut reached);
    let own = Declarations::of(&declarations::text("remora-protocols.d.ts")).unwrap();
    let unused: Vec<_> = own.interfaces.keys().filter(|name| !reached.contains(*name)).collect();
    assert!(unused.is_empty(), "no item leads to {unused:?}");
}

#[test]
fn a_request_that_could_not_be_read_has_nothing_else() {
    let declarations = Declarations::read();
    for name in declarations.interfaces.keys() {
        let (line, members) = (declarations.line(name), declarations.members(name));
        let of = |parent: &str| line.iter().any(|(name, _)| *name == parent);
        if of("Unread") && !of(OF_HTTP) {
            let required: Vec<_> = members
                .iter()
                .filter(|(_, member)| !member.optional)
                .map(|(_, member)| &member.name)
                .collect();
            assert!(required.is_empty(), "{name} has always {required:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_found() {
    let declarations = Declarations::of(
        "/** One. */
interface One extends Base {
  /** A list. */
  list: (string | Part)[] | null;
  /** A word. */
  word?: \"a\" | \"b\";
}
/** What others extend. */
interface Base {
  /** A number. */
  base: number;
  [count: `${string}Count`]: number;
}
/** A part. */
interface Part {
  /** A flag. */
  flag?: true;
}",
    )
    .unwrap();
    let check = |value: Value| {
        let is = Type::Named("One".to_owned());
        declarations.check(&value, &is, "one", &mut Seen::new()).err().unwrap_or_default()
    };
    for right in [
        json!({ "base": 1, "list": null, "listCount": 7 }),
        json!({ "base": 0.5, "list": ["x", {}, { "flag": true }], "word": "b" }),
    ] {
        assert_eq!(check(right), "");
    }
    for (wrong, why) in [
        (json!({ "base": 1 }), "one: One has list, which is not there"),
        (json!({ "list": [] }), "one: One has base, which is not there"),
        (json!({ "base": "1", "list": [] }), "one.base: no Number, but \"1\""),
        (json!({ "base": 1, "list": [], "more": 1 }), "one.more: One does not declare it"),
        (json!({ "base": 1, "list": [], "listCount": null }), "one.listCount: no Number, but null"),
        (json!({ "base": 1, "list": [{ "flags": true }] }), "one.list[].flags: Part does not declare it"),
    ] {
        assert_eq!(check(wrong), why);
    }
    for wrong in [json!([1]), json!([{ "flag": false }]), json!({})] {
        assert!(check(json!({ "base": 1, "list": wrong })).starts_with("one.list"));
    }
    assert!(check(json!({ "base": 1, "list": [], "word": "c" })).starts_with("one.word"));
    let unexplained = "/** One. */\ninterface One {\n  list: string;\n}";
    assert!(Declarations::of(unexplained).is_err_and(|why| why.contains("line 3: no comment above it")));
}

fn items(packets: &[OwnedPacket], limits: Limits) -> Vec<Value> {
    let origin = Origin {
        worker: "w".to_owned(),
        node: Node { ip: "192.0.2.1".to_owned(), name: "n".to_owned() },
        backend: "pcap",
        source: "file",
    };
    let options = Options { conversations: true, connection_errors: true };
    let mut engine = Engine::new(limits, Arc::new(origin)).with_options(options);
    let mut items = Vec::new();
    for packet in packets {
        engine.packet(&packet.as_packet(), &mut items);
    }
    engine.finish(&mut items);
    let mut out = Vec::new();
    let as_json = |item: &Item| {
        out.clear();
        remora_dissect::json::write_object(item, &mut out);
        serde_json::from_slice(&out).unwrap()
    };
    items.iter().map(as_json).collect()
}

fn packets(path: &Path) -> Vec<OwnedPacket> {
    let mut packets = Vec::new();
    if let Ok(mut reader) = PcapReader::new(File::open(path).unwrap()) {
        while let Ok(Some(packet)) = reader.next() {
            packets.push(OwnedPacket::from(&packet));
        }
    }
    packets
}

/// Caps that are reached.
fn tight() -> Limits {
    Limits {
        message_bytes: 512,
        value_bytes: 8,
        list_entries: 2,
        nesting: 4,
        waiting_requests: 2,
        ..Limits::default()
    }
}

#[test]
fn what_is_lost_or_cut_is_declared_as_what_may_be_missing() {
    let declarations = Declarations::read();
    let (mut problems, mut seen) = (BTreeMap::new(), Seen::new());
    let folders = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir() && !path.ends_with("make"));
    for path in folders.flat_map(|folder| captures(&folder)) {
        let packets = packets(&path);
        let damaged =
            Variant::EACH.map(|variant| (variant.to_string(), variant.apply(&packets, 0), Limits::default()));
        for (variant, packets, limits) in damaged.into_iter().chain([("caps".to_owned(), packets, tight())]) {
            for item in items(&packets, limits) {
                if let Err(problem) = check(&declarations, &item, &mut seen) {
                    problems
                        .entry(problem)
                        .or_insert_with(|| format!("{} {variant}: {}", path.display(), item["id"]));
                }
            }
        }
    }
    report(problems);
}

#[test]
fn items_of_other_peoples_captures_hold_what_is_declared() {
    let Some(public) = Public::open() else { return };
    let declarations = Declarations::read();
    let (mut problems, mut seen) = (BTreeMap::new(), Seen::new());
    for (path, _) in public.captures() {
        for item in items(&packets(&public.folder.join(path)), Limits::default()) {
            if let Err(problem) = check(&declarations, &item, &mut seen) {
                problems.entry(problem).or_insert_with(|| format!("{path}: {}", item["id"]));
            }
        }
    }
    report(problems);
}
