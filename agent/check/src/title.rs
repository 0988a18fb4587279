//! The title of a script.

use crate::position;

/// Characters of a title; a longer one is cut and ends in an ellipsis.
pub const MAX_TITLE_CHARS: usize = 120;

/// The text of the comment a script begins with, on one line; `None` where something else comes first. A byte order
/// mark and a `#!` line do not count. Of a run of `//` lines, and of a `/* */` comment, it is the part up to the first
/// empty line.
#[must_use]
pub fn title(source: &str) -> Option<String> {
    let mut rest = source.strip_prefix('\u{feff}').unwrap_or(source);
    if rest.starts_with("#!") {
        rest = &rest[position::ends(rest).next()?.1..];
    }
    loop {
        rest = rest.trim_start();
        let mut words = Words::default();
        if rest.starts_with("//") {
            let mut ended = false;
            while let Some(comment) = rest.strip_prefix("//") {
                let (end, next) = position::ends(comment).next().unwrap_or((comment.len(), comment.len()));
                ended = ended || !words.add(comment[..end].trim_start_matches(['/', '!']));
                rest = comment[next..].trim_start_matches([' ', '\t']);
            }
        } else {
            let (comment, after) = rest.strip_prefix("/*")?.split_once("*/")?;
            let mut start = 0;
            let ends = position::ends(comment).chain([(comment.len(), comment.len())]);
            for (end, next) in ends {
                let line = comment[start..end].trim().trim_start_matches('*').trim_end_matches('*');
                start = next;
                if !words.add(line) {
                    break;
                }
            }
            rest = after;
        }
        if !words.text.is_empty() {
            return Some(words.text);
        }
    }
}

#[derive(Default)]
struct Words {
    text: String,
    chars: usize,
}

impl Words {
    /// False once the title is complete: an empty line after some text, or the cap.
    fn add(&mut self, line: &str) -> bool {
        let mut empty = true;
        for word in line.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
        {
            empty = false;
            let separator = if self.text.is_empty() { "" } else { " " };
            for c in separator.chars().chain(word.chars()) {
                if self.chars == MAX_TITLE_CHARS {
                    self.text.pop();
                    self.text.push('…');
                    return false;
                }
                self.chars += 1;
                self.text.push(c);
            }
        }
        !empty || self.text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_a_script_begins_with_is_its_title() {
        for (source, expected) in [
            ("// Count errors\n\nvar x;", Some("Count errors")),
            ("\u{feff}\n  //Count errors", Some("Count errors")),
            ("#!/usr/bin/env remora\n// Count\r\n// errors\nf()", Some("Count errors")),
            ("// Count\n//\n// not this", Some("Count")),
            ("//\n// Count", Some("Count")),
            ("// Count\n\n// not this", Some("Count")),
            ("/* Count errors */ f()", Some("Count errors")),
            ("/**\n * Count\n *\terrors\n *\n * @license MIT\n */", Some("Count errors")),
            ("/**/ /* */ // Count", Some("Count")),
            ("/////////\n// Count", Some("Count")),
            ("// a\u{1b}[31mb", Some("a [31mb")),
            ("f() // not this", None),
            ("/* no end", None),
            ("#!/usr/bin/env remora", None),
            ("// \n", None),
            ("", None),
        ] {
            assert_eq!(title(source).as_deref(), expected, "{source:?}");
        }
    }

    #[test]
    fn a_long_title_is_cut() {
        let text = title(&format!("// {}", "ä".repeat(1000))).unwrap();
        assert_eq!(text.chars().count(), MAX_TITLE_CHARS);
        assert!(text.ends_with("ä…"), "{text}");
        let exact = "x".repeat(MAX_TITLE_CHARS);
        assert_eq!(title(&format!("// {exact}")), Some(exact));
    }
}
