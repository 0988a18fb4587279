//! `cargo xtask new-protocol`: lays down what a protocol consists of, in a form that compiles and passes.

mod capture;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::process::{self, say};
use crate::workspace::Workspace;

/// Lays down the files of a new dissector: code, registration, fixture, tests, fuzz target, page
#[derive(Args, Debug)]
#[command(
    after_help = "What is laid down reads lines that begin with the protocol's name; it compiles and its tests pass. Put the real \
                  protocol in its place, as docs/adding-a-protocol.md says.\nExample: cargo xtask new-protocol gopher --port 70"
)]
pub(crate) struct Arguments {
    /// Lower-case letters and digits, as filters will write it
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// The port its servers usually have
    #[arg(long, value_name = "PORT", default_value_t = 9)]
    port: u16,
}

/// Names that Rust or the crate has taken.
const TAKEN: [&str; 12] =
    ["self", "super", "crate", "type", "match", "mod", "item", "value", "engine", "stream", "tcp", "limits"];

fn name(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|char: char| char.is_ascii_lowercase())
        && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        && (2..=20).contains(&text.len());
    if !fits {
        return Err("2 to 20 lower-case letters and digits, a letter first".to_owned());
    }
    if TAKEN.contains(&text) {
        return Err("that word is taken".to_owned());
    }
    Ok(text.to_owned())
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let Arguments { name, port } = arguments;
    let layout = Layout { root: &workspace.root, name, port: *port };
    layout.lay_down()?;
    let mut golden = workspace.cargo();
    golden.args(["test", "--quiet", "--package", "remora-dissect", "--test", "golden"]);
    process::run(golden.env("REMORA_BLESS", name))?;
    say!("what belongs to {name} now; next: docs/adding-a-protocol.md");
    for path in layout.files() {
        println!("{}", path.display());
    }
    Ok(())
}

/// Where a protocol's files go.
struct Layout<'a> {
    root: &'a Path,
    name: &'a str,
    port: u16,
}

/// A file of its own, and what it is made of.
const TEMPLATES: [(&str, &str); 6] = [
    ("agent/dissect/src/@NAME@/mod.rs", include_str!("templates/mod.rs.txt")),
    ("agent/dissect/src/@NAME@/message.rs", include_str!("templates/message.rs.txt")),
    ("agent/dissect/src/@NAME@/connection.rs", include_str!("templates/connection.rs.txt")),
    ("agent/dissect/tests/@NAME@.rs", include_str!("templates/test.rs.txt")),
    ("fuzz/targets/@NAME@.rs", include_str!("templates/fuzz.rs.txt")),
    ("docs/protocols/@NAME@.md", include_str!("templates/page.md.txt")),
];

/// Its item as scripts' editors know it.
const TYPES: &str = include_str!("templates/types.d.ts.txt");

impl Layout<'_> {
    fn fill(&self, text: &str) -> String {
        let upper = self.name.to_ascii_uppercase();
        let named = format!("{}{}", &upper[..1], &self.name[1..]);
        // Something that is as long as the mark and is not it.
        let other: String = self.name.chars().rev().chain(['x']).collect();
        text.replace("@NAME@", self.name)
            .replace("@UPPER@", &upper)
            .replace("@NAMED@", &named)
            .replace("@PORT@", &self.port.to_string())
            .replace("@LOWER_OTHER@", &other)
    }

    fn path(&self, template: &str) -> PathBuf {
        self.root.join(self.fill(template))
    }

    fn files(&self) -> Vec<PathBuf> {
        let own = TEMPLATES.iter().map(|(path, _)| *path);
        let data = [
            "tests/fixtures/@NAME@/example.pcap",
            "tests/fixtures/@NAME@/example.golden.jsonl",
            "fuzz/seeds/@NAME@/exchange",
        ];
        own.chain(data).map(|path| self.path(path)).collect()
    }

    /// Writes the new files and the lines in those that are there; nothing where a file is in the way.
    fn lay_down(&self) -> Result<()> {
        if let Some(path) = self.files().iter().find(|path| path.exists()) {
            bail!("{} is there already", path.display());
        }
        let edits = self.edits()?;
        for (path, text) in TEMPLATES {
            write(&self.path(path), self.fill(text).as_bytes())?;
        }
        write(&self.path("tests/fixtures/@NAME@/example.pcap"), &capture::example(self.name, self.port)?)?;
        write(&self.path("fuzz/seeds/@NAME@/exchange"), &capture::seed(self.name))?;
        for (path, text) in edits {
            write(&path, text.as_bytes())?;
        }
        let mut format = Command::new("rustfmt");
        format.args(["--edition", "2024", "--config-path"]).arg(self.root.join("rustfmt.toml"));
        let rust = self.files().into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
        process::run(format.args(rust))
    }

    /// The files that every protocol has a line in, with the new line.
    fn edits(&self) -> Result<Vec<(PathBuf, String)>> {
        let name = self.name;
        let read = |path: &str| -> Result<(PathBuf, String)> {
            let path = self.root.join(path);
            let text =
                fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
            Ok((path, text))
        };
        let mut edits = Vec::new();

        let (path, text) = read("agent/dissect/src/lib.rs")?;
        ensure!(!text.contains(&format!("mod {name};")), "the crate has a module {name}");
        edits.push((path, insert_sorted(&text, "pub mod ", &format!("pub mod {name};"))?));

        let (path, text) = read("agent/dissect/src/registry.rs")?;
        let end = text.rfind("];").context("registry.rs has no list")?;
        let (list, rest) = text.split_at(end);
        let comma = if list.trim_end().ends_with([',', '[']) { "" } else { "," };
        let registered = format!("{}{comma}\n    {name}::REGISTRATION,\n{rest}", list.trim_end());
        let registered = registered.replacen("use crate::{", &format!("use crate::{{{name}, "), 1);
        edits.push((path, registered));

        let (path, text) = read("agent/kfl/src/macros.rs")?;
        if !text.contains(&format!("(\"{name}\", ")) {
            edits.push((path, add_macro(&text, name)?));
            let (path, text) = read("docs/kfl.md")?;
            edits.push((
                path,
                add_before(&text, " | `protocol.name == ` the same word", &format!(", `{name}`"))?,
            ));
        }

        let (path, text) = read("fuzz/Cargo.toml")?;
        let target = format!(
            "\n[[bin]]\nname = \"{name}\"\npath = \"targets/{name}.rs\"\ntest = false\nbench = false\ndoc = false\n"
        );
        edits.push((path, text + &target));

        let (path, text) = read("docs/protocols/README.md")?;
        let row = format!(
            "| [{name}]({name}.md) | | responses with requests, by order | lines | length of a text | see its page |"
        );
        edits.push((path, add_row(&text, &row)?));

        let (path, text) = read("scripts/remora-protocols.d.ts")?;
        edits.push((path, add_item(&text, &self.fill("@NAMED@Item"))? + &self.fill(TYPES)));

        let (path, text) = read("scripts/remora.d.ts")?;
        edits.push((path, add_before(&text, "(string & {});", &format!("\"{name}\" | "))?));
        Ok(edits)
    }
}

/// Puts a line among those that begin with `start`, in the order of the alphabet.
fn insert_sorted(text: &str, start: &str, line: &str) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let last =
        lines.iter().rposition(|known| known.starts_with(start)).context("the file has no such lines")?;
    let at = lines.iter().position(|known| known.starts_with(start) && *known > line).unwrap_or(last + 1);
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

/// Puts text before the first place of another.
fn add_before(text: &str, place: &str, new: &str) -> Result<String> {
    let at = text.find(place).with_context(|| format!("the file has no `{place}`"))?;
    let (head, tail) = text.split_at(at);
    Ok([head, new, tail].concat())
}

/// Puts a row behind the last of the table of pages.
fn add_row(text: &str, row: &str) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let last =
        lines.iter().rposition(|line| line.starts_with("| [")).context("the file has no table of pages")?;
    lines.insert(last + 1, row);
    Ok(lines.join("\n") + "\n")
}

/// Adds a built-in filter macro; their number is part of the list's type.
fn add_macro(text: &str, name: &str) -> Result<String> {
    const HEAD: &str = "BUILT_IN: [(&str, &str, &str); ";
    let at = text.find(HEAD).context("macros.rs has no list of built-in macros")? + HEAD.len();
    let (head, rest) = text.split_at(at);
    let (count, rest) = rest.split_once(']').context("the list has no length")?;
    let count: usize = count.parse().context("the list's length is no number")?;
    let (list, tail) = rest.split_once("\n];").context("the list does not end")?;
    Ok(format!("{head}{}]{list}\n    (\"{name}\", \"name\", \"{name}\"),\n];{tail}", count + 1))
}

/// Adds an item to the type of all items.
fn add_item(text: &str, item: &str) -> Result<String> {
    let at = text.find("\ntype AnyItem = ").context("remora-protocols.d.ts has no AnyItem")?;
    let (head, rest) = text.split_at(at);
    Ok(head.to_owned() + &rest.replacen(';', &format!(" | {item};"), 1))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests;
