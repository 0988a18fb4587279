//! Emojis are replaced by their descriptions, whose words then count as any others.

use std::borrow::Cow;

/// Lines of `character<tab>description`, sorted; see `data/README.md`.
static LINES: &str = include_str!("../data/emoji.tsv");

const COUNT: usize = 1212;

/// The emojis, sorted, with the place of the description in `LINES`. Made by the compiler.
#[allow(long_running_const_eval, reason = "a walk over 22 KB of text, under a second")]
static EMOJIS: [(char, u16, u16); COUNT] = {
    let lines = LINES.as_bytes();
    let mut emojis = [('\0', 0, 0); COUNT];
    let (mut at, mut start) = (0, 0);
    while start < lines.len() {
        let mut tab = start;
        let mut code = 0;
        while lines[tab] != b'\t' {
            // The first byte of a character of UTF-8 has its upper bits behind the mark of its length (RFC 3629).
            code = match lines[tab] {
                byte @ 0x80..0xc0 => code << 6 | (byte & 0x3f) as u32,
                byte @ 0xc0..0xe0 => (byte & 0x1f) as u32,
                byte @ 0xe0..0xf0 => (byte & 0x0f) as u32,
                byte => (byte & 0x07) as u32,
            };
            tab += 1;
        }
        let mut end = tab;
        while lines[end] != b'\n' {
            end += 1;
        }
        let Some(emoji) = char::from_u32(code) else {
            panic!("a line of emoji.tsv begins with no character")
        };
        assert!(end <= u16::MAX as usize);
        emojis[at] = (emoji, tab as u16 + 1, end as u16);
        at += 1;
        start = end + 1;
    }
    assert!(at == COUNT);
    emojis
};

fn description(character: char) -> Option<&'static str> {
    let at = EMOJIS.binary_search_by_key(&character, |emoji| emoji.0).ok()?;
    let (_, start, end) = EMOJIS[at];
    Some(&LINES[start as usize..end as usize])
}

/// The text with each emoji as its description, after a space unless there is one. None follows it: what comes behind
/// an emoji becomes part of the description's last word.
pub(crate) fn described(text: &str) -> Cow<'_, str> {
    let emojis = || text.char_indices().filter_map(|(at, emoji)| Some((at, emoji, description(emoji)?)));
    if text.is_ascii() || emojis().next().is_none() {
        return Cow::Borrowed(text);
    }
    let mut described = String::with_capacity(text.len() + text.len() / 2);
    let mut rest = 0;
    for (at, emoji, description) in emojis() {
        described.push_str(&text[rest..at]);
        if at > 0 && !text[..at].ends_with(' ') {
            described.push(' ');
        }
        described.push_str(description);
        rest = at + emoji.len_utf8();
    }
    described.push_str(&text[rest..]);
    Cow::Owned(described)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emoji_is_found_with_its_description() {
        assert!(EMOJIS.is_sorted());
        for line in LINES.lines() {
            let (emoji, text) = line.split_once('\t').unwrap();
            assert_eq!(description(emoji.chars().next().unwrap()), Some(text), "{emoji}");
        }
    }

    #[test]
    fn other_characters_are_not_found() {
        for character in ['\0', 'a', 'é', '本', '\u{fe0f}', '\u{10ffff}'] {
            assert_eq!(description(character), None, "{character}");
        }
    }

    #[test]
    fn a_space_is_put_before_a_description_only() {
        for (text, expected) in [
            ("💘", "heart with arrow"),
            ("a💘b", "a heart with arrowb"),
            ("a 💘 b", "a heart with arrow b"),
            ("a\t💘", "a\t heart with arrow"),
            ("💘💘", "heart with arrow heart with arrow"),
            ("é", "é"),
        ] {
            assert_eq!(described(text), expected);
        }
    }

    #[test]
    fn a_text_without_emojis_is_not_copied() {
        assert!(matches!(described("naïve 日本語 :)"), Cow::Borrowed(_)));
    }
}
