//! Bytes to lines and columns and back.

/// Where the lines of a text begin.
pub(crate) struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        let mut starts = vec![0];
        starts.extend(ends(source).map(|(_, next)| next));
        Self { source, starts }
    }

    /// Line and column of a byte, both from 1, the column in UTF-16 code units. A byte beyond the end is the end.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let at = self.source.floor_char_boundary(at);
        let line = self.starts.partition_point(|&start| start <= at);
        let start = self.starts[line - 1];
        (line, 1 + self.source[start..at].chars().map(char::len_utf16).sum::<usize>())
    }
}

/// The text of a line, counted from 1, without its end. `None` beyond the last.
pub(crate) fn line_text(source: &str, line: usize) -> Option<&str> {
    let mut start = 0;
    let mut number = 1;
    for (end, next) in ends(source) {
        if number == line {
            return Some(&source[start..end]);
        }
        start = next;
        number += 1;
    }
    (number == line).then(|| &source[start..])
}

/// Each line terminator (ECMA-262, section 12.3): where it begins and where the next line does.
pub(crate) fn ends(source: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(&byte) = bytes.get(at) {
            let length = match byte {
                b'\n' => 1,
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
                b'\r' => 1,
                0xe2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => 3,
                _ => {
                    at += 1;
                    continue;
                }
            };
            let end = at;
            at += length;
            return Some((end, at));
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_terminator_of_the_language_ends_a_line() {
        let source = "a\nb\r\nc\rd\u{2028}e\u{2029}";
        let lines = Lines::new(source);
        for (line, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e"), (6, "")] {
            assert_eq!(line_text(source, line), Some(text));
            if !text.is_empty() {
                assert_eq!(lines.position(source.find(text).unwrap()), (line, 1));
            }
        }
        assert_eq!(line_text(source, 7), None);
        assert_eq!(line_text(source, 0), None);
        assert_eq!(lines.position(usize::MAX), (6, 1));
    }

    #[test]
    fn columns_count_utf_16_code_units() {
        let source = "é🦈x";
        assert_eq!(Lines::new(source).position(source.find('x').unwrap()), (1, 4));
    }
}
