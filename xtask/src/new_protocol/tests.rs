//! What is laid down compiles and passes: tried in a copy of the crates it goes into.

use super::*;

/// What the copy needs of the repository.
const COPIED: [&str; 12] = [
    "agent/dissect",
    "agent/kfl",
    "agent/packet",
    "agent/pcap",
    "docs/kfl.md",
    "docs/protocols/README.md",
    "fuzz/Cargo.toml",
    "rustfmt.toml",
    "scripts/remora-protocols.d.ts",
    "scripts/remora.d.ts",
    "tests/fixtures/http1.pcap",
    "tests/variants",
];

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("the folder can be made");
        for entry in fs::read_dir(from).expect("the folder can be read") {
            let entry = entry.expect("the folder can be read");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().expect("files lie in folders")).expect("the folder can be made");
        fs::copy(from, to).expect("the file can be copied");
    }
}

/// The workspace's manifest with only the members that were copied.
fn manifest(text: &str) -> String {
    let (head, rest) = text.split_once("members = [").expect("the workspace has members");
    let (_, tail) = rest.split_once(']').expect("the list ends");
    let kept = ["agent/dissect", "agent/kfl", "agent/packet", "agent/pcap", "tests/variants"];
    format!("{head}members = {kept:?}{tail}")
}

#[test]
fn a_new_protocol_compiles_and_passes() {
    let workspace = Workspace::find().expect("the test runs in the repository");
    // Beside the target directory, so that it is compiled once and then only what changed.
    let place = workspace.target.join("new-protocol");
    let root = place.join("workspace");
    let _ = fs::remove_dir_all(&root);
    for path in COPIED {
        copy(&workspace.root.join(path), &root.join(path));
    }
    let text = fs::read_to_string(workspace.root.join("Cargo.toml")).expect("the manifest can be read");
    fs::write(root.join("Cargo.toml"), manifest(&text)).expect("the manifest can be written");
    copy(&workspace.root.join("Cargo.lock"), &root.join("Cargo.lock"));

    let layout = Layout { root: &root, name: "parley", port: 7_777 };
    layout.lay_down().expect("it is laid down");
    let again = layout.lay_down().expect_err("it is there already").to_string();
    assert!(again.contains("is there already"), "{again}");

    let cargo = |arguments: &[&str], bless: bool| {
        let mut command = workspace.cargo();
        command.current_dir(&root).args(arguments).env("CARGO_TARGET_DIR", place.join("target"));
        if bless {
            command.env("REMORA_BLESS", "parley");
        }
        let output = command.output().expect("cargo starts");
        let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "cargo {arguments:?}: {text}");
    };
    let dissect = ["test", "--offline", "--package", "remora-dissect"];
    let golden = [&dissect[..], &["--test", "golden", "captures_give"]].concat();
    for folder in fs::read_dir(root.join("tests/fixtures")).expect("the fixtures are there") {
        let name = folder.expect("the folder can be read").file_name();
        assert!(name == "parley" || name == "http1.pcap", "{name:?}");
    }
    // The golden test wants a folder for HTTP/1 too, as it has in the repository.
    copy(&workspace.root.join("tests/fixtures/http1"), &root.join("tests/fixtures/http1"));
    cargo(&golden, true);
    let items =
        fs::read_to_string(root.join("tests/fixtures/parley/example.golden.jsonl")).expect("it was written");
    assert_eq!(items.lines().count(), 2, "{items}");
    assert!(items.contains(r#""command":"hello","text":"there""#), "{items}");
    cargo(&golden, false);
    cargo(&[&dissect[..], &["--test", "parley"]].concat(), false);
    cargo(&[&dissect[..], &["--test", "item_types", "lost_or_cut"]].concat(), false);
    cargo(&["test", "--offline", "--package", "remora-kfl", "--lib", "--test", "docs"], false);
}

#[test]
fn names_are_checked() {
    assert_eq!(name("gopher"), Ok("gopher".to_owned()));
    for bad in ["", "x", "Gopher", "9p", "type", "with space", "a_b", "muchtoolongforaprotocolname"] {
        assert!(name(bad).is_err(), "{bad}");
    }
}

#[test]
fn lines_go_where_they_belong() {
    let text = "pub mod alpha;\npub mod gamma;\nmod other;\n";
    let with = insert_sorted(text, "pub mod ", "pub mod beta;").expect("there are such lines");
    assert_eq!(with, "pub mod alpha;\npub mod beta;\npub mod gamma;\nmod other;\n");
    let with = insert_sorted(text, "pub mod ", "pub mod omega;").expect("there are such lines");
    assert_eq!(with, "pub mod alpha;\npub mod gamma;\npub mod omega;\nmod other;\n");
    let types = "/** Any. */\ntype AnyItem = AItem | BItem;\n\ninterface One {\n";
    let with = add_item(types, "CItem").expect("there is the type");
    assert_eq!(with, "/** Any. */\ntype AnyItem = AItem | BItem | CItem;\n\ninterface One {\n");
    let macros = "BUILT_IN: [(&str, &str, &str); 1] = [\n    (\"a\", \"name\", \"a\"),\n];\nrest";
    let with = add_macro(macros, "b").expect("there is a list");
    assert_eq!(
        with,
        "BUILT_IN: [(&str, &str, &str); 2] = [\n    (\"a\", \"name\", \"a\"),\n    (\"b\", \"name\", \"b\"),\n];\nrest"
    );
}
