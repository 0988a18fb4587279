//! From text to a syntax tree, within limits.

use std::ops::ControlFlow;
use std::thread;

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::Severity;
use crate::collect::Findings;
use crate::facts::Facts;

/// Bytes of a source; longer ones are not checked.
pub const MAX_SOURCE_BYTES: usize = 256 << 10;

/// Steps of the parser, in hundreds. An ordinary source of [`MAX_SOURCE_BYTES`] takes a third of it or less; a text that has
/// the parser try many readings ends here.
pub const PARSE_BUDGET: usize = 50_000;

/// The parser keeps its readings of a text in a graph on the heap, but merges and frees parts of that graph by
/// recursion: at worst a level for each token, of which there are no more than bytes. A level takes about 130 bytes
/// without optimisation, measured; this is four times as much. Only what is used of it becomes memory.
const STACK_PER_SOURCE_BYTE: usize = 512;

/// Stack for everything else.
const STACK_BASE: usize = 1 << 20;

/// Why there is no tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotParsed {
    #[error("the script is longer than {MAX_SOURCE_BYTES} bytes and was not checked")]
    TooLong,
    #[error("the script takes too long to parse and was not checked")]
    TooHard,
    #[error("the script was not checked: the grammar cannot be loaded: {0}")]
    Grammar(#[from] tree_sitter::LanguageError),
    #[error("the script was not checked: no thread for it: {0}")]
    Thread(#[from] std::io::Error),
}

/// Parses on a thread of its own, whose stack is sized for the source.
pub(crate) fn parse(source: &str) -> Result<Tree, NotParsed> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(NotParsed::TooLong);
    }
    let stack = STACK_BASE + source.len() * STACK_PER_SOURCE_BYTE;
    thread::scope(|scope| {
        let parser = thread::Builder::new()
            .name("parse script".into())
            .stack_size(stack)
            .spawn_scoped(scope, || parse_here(source))?;
        parser.join().unwrap_or(Err(NotParsed::TooHard))
    })
}

fn parse_here(source: &str) -> Result<Tree, NotParsed> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_javascript::LANGUAGE.into())?;
    let mut steps = 0;
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps < PARSE_BUDGET { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut text = |at: usize, _| source.as_bytes().get(at..).unwrap_or_default();
    parser.parse_with_options(&mut text, None, Some(options)).ok_or(NotParsed::TooHard)
}

/// Says where the tree has holes. The engine knows better whether that is an error, so this is a note.
pub(crate) fn note(facts: &Facts<'_, '_>, findings: &mut Findings<'_>) {
    if let Some(at) = facts.not_understood {
        findings.push(Severity::Note, "not-understood", at, || {
            (
                "the syntax here is not understood or nested too deeply, and is checked in part only".into(),
                None,
            )
        });
    }
}
