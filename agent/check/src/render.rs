//! A finding as text.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use crate::Finding;
use crate::position::line_text;

/// Columns of a source line that are shown; of a longer one, the part around the place.
pub const MAX_RENDERED_WIDTH: usize = 120;

const TAB: &str = "    ";

/// A finding with its source line and a caret under the place, each line ended by a line feed:
///
/// ```text
/// rules.js:3:9: error: console has no member wran [unknown-member]
///   console.wran("x");
///           ^
///   did you mean console.error?
/// ```
///
/// Tabs are shown as four spaces, wide characters count as wide, and control characters are replaced, so that a script
/// cannot write to the terminal's controls. `path` is printed as given.
#[must_use]
pub fn render(path: &str, source: &str, finding: &Finding) -> String {
    let Finding { severity, line, column, code, message, suggestion } = finding;
    let mut text = format!("{path}:{line}:{column}: {severity}: {} [{code}]\n", printable(message));
    if let Some(source_line) = line_text(source, *line) {
        let (shown, caret) = excerpt(source_line, *column);
        let _ = writeln!(text, "  {shown}\n  {:caret$}^", "");
    }
    if let Some(suggestion) = suggestion {
        let _ = writeln!(text, "  {}", printable(suggestion));
    }
    text
}

fn printable(text: &str) -> String {
    text.chars().map(|c| shown(c).0).collect()
}

/// What stands for a character, and its width.
fn shown(c: char) -> (char, usize) {
    match c {
        // Marks that turn the direction of text, and would make a line look like another one.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ('\u{fffd}', 1),
        _ => c.width().map_or(('\u{fffd}', 1), |width| (c, width)),
    }
}

/// The part of a line to show, and the width before the column in it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let mut units = 1;
    let place = line
        .char_indices()
        .find(|(_, c)| {
            let is_there = units >= column;
            units += c.len_utf16();
            is_there
        })
        .map_or(line.len(), |(at, _)| at);
    let width = |c: char| if c == '\t' { TAB.len() } else { shown(c).1 };
    // Two thirds before the place, what is left after it.
    let mut before = 0;
    let mut start = place;
    for (at, c) in line[..place].char_indices().rev() {
        if before + width(c) > MAX_RENDERED_WIDTH * 2 / 3 {
            break;
        }
        before += width(c);
        start = at;
    }
    let mut after = 0;
    let mut end = place;
    for (at, c) in line[place..].char_indices() {
        if before + after + width(c) > MAX_RENDERED_WIDTH {
            break;
        }
        after += width(c);
        end = place + at + c.len_utf8();
    }
    let mut text = String::new();
    if start > 0 {
        text.push('…');
        before += 1;
    }
    for c in line[start..end].chars() {
        match c {
            '\t' => text.push_str(TAB),
            c => text.push(shown(c).0),
        }
    }
    if end < line.len() {
        text.push('…');
    }
    (text.trim_end().to_owned(), before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn at(line: usize, column: usize) -> Finding {
        let (message, suggestion) = ("bad".to_owned(), Some("do it well".to_owned()));
        Finding { severity: Severity::Error, line, column, code: "c", message, suggestion }
    }

    #[test]
    fn the_caret_is_under_the_place_behind_tabs_and_wide_characters() {
        assert_eq!(
            render("a.js", "x\n\tf(\"日本🦈\", y)\n", &at(2, 10)),
            "a.js:2:10: error: bad [c]\n      f(\"日本🦈\", y)\n                ^\n  do it well\n"
        );
        let composed = render("a.js", "e\u{301}x", &at(1, 3));
        assert!(composed.contains("\n  e\u{301}x\n   ^\n"), "{composed}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut finding = at(1, 2);
        finding.message = "a\u{1b}[31m\n".into();
        let text = render("a.js", "\u{1b}]0;x\u{7}\u{202e}y", &finding);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let line = format!("{}HERE{}", "a".repeat(100_000), "b".repeat(100_000));
        let text = render("a.js", &line, &at(1, 100_001));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].chars().count() <= MAX_RENDERED_WIDTH + 4, "{text}");
        let caret = lines[2].find('^').unwrap();
        let under: String = lines[1].chars().skip(caret).take(4).collect();
        assert_eq!(under, "HERE");
    }

    #[test]
    fn places_outside_of_the_source_are_harmless() {
        for (line, column) in [(0, 0), (1, 0), (1, 99), (9, 9), (usize::MAX, usize::MAX)] {
            assert!(render("a.js", "ab", &at(line, column)).starts_with("a.js:"));
        }
    }
}
