//! Inline commands: words on a line, typed by hand, with the quotes and escapes that Redis undoes (`sdssplitargs`).

/// The words of an inline command, with quotes and escapes undone.
pub(super) fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    loop {
        while bytes.next_if(|byte| byte.is_ascii_whitespace()).is_some() {}
        if bytes.peek().is_none() {
            return words;
        }
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(byte) = bytes.next() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, byte) if byte.is_ascii_whitespace() => break,
                (Some(open), byte) if byte == open => quote = None,
                (Some(b'"'), b'\\') => {
                    let escaped = bytes.next().unwrap_or(b'\\');
                    word.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'a' => 7,
                        b'x' => {
                            let mut digit = || bytes.next_if(u8::is_ascii_hexdigit);
                            let (high, low) = (digit(), digit());
                            let value = |digit: Option<u8>| {
                                digit.and_then(|digit| char::from(digit).to_digit(16)).unwrap_or(0) as u8
                            };
                            value(high) << 4 | value(low)
                        }
                        other => other,
                    });
                }
                (Some(b'\''), b'\\') if bytes.peek() == Some(&b'\'') => {
                    word.extend(bytes.next());
                }
                (_, byte) => word.push(byte),
            }
        }
        words.push(word);
    }
}
