//! From a text to its words, each with all that the rules ask about it.

use crate::hash::hash;
use crate::lexicon::{self, MAX_TOKEN_BYTES};
use crate::role::Role;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// In tenths, where the lexicon has the word.
    valence: Option<i8>,
    pub(crate) role: Role,
    /// All its letters that come in two cases are capitals, and there is one.
    pub(crate) capitals: bool,
}

impl Word {
    pub(crate) fn valence(&self) -> Option<f64> {
        self.valence.map(|tenths| f64::from(tenths) / 10.0)
    }

    pub(crate) fn has_valence(&self) -> bool {
        self.valence.is_some()
    }
}

/// The words of a text.
pub(crate) struct Words {
    words: Vec<Word>,
    /// Some but not all words are in capitals, so that capitals mean emphasis.
    pub(crate) capitals_differ: bool,
}

impl std::ops::Deref for Words {
    type Target = [Word];

    fn deref(&self) -> &[Word] {
        &self.words
    }
}

impl Words {
    /// Where the first "but" is.
    pub(crate) fn but(&self) -> Option<usize> {
        self.iter().position(|word| word.role == Role::But)
    }
}

pub(crate) fn words(text: &str) -> Words {
    let words: Vec<_> = text.split(is_space).filter(|token| !token.is_empty()).map(word).collect();
    let capitals = words.iter().filter(|word| word.capitals).count();
    Words { capitals_differ: 0 < capitals && capitals < words.len(), words }
}

/// White space as Python's `str.split` has it: the Unicode property, and four separators of ASCII besides.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

fn word(token: &str) -> Word {
    let token = stripped(token);
    let mut buffer = [0; MAX_TOKEN_BYTES];
    let (valence, role) = match lower(token, &mut buffer) {
        Some(key) => {
            let hash = hash(key);
            (lexicon::valence(key, hash), Role::of(key, hash))
        }
        None => (None, Role::None),
    };
    let role = if role == Role::None && has_contracted_not(token) { Role::Negation } else { role };
    Word { valence, role, capitals: is_upper(token) }
}

/// The token without punctuation (ASCII's) around it, if three characters at least remain. What would be shorter is
/// taken for an emoticon.
fn stripped(token: &str) -> &str {
    let stripped = token.trim_matches(|character: char| character.is_ascii_punctuation());
    if stripped.chars().nth(2).is_some() { stripped } else { token }
}

/// The token in small letters, if these are ASCII and few enough for a lexicon to have it.
fn lower<'a>(token: &str, buffer: &'a mut [u8; MAX_TOKEN_BYTES]) -> Option<&'a [u8]> {
    let mut length = 0;
    for character in token.chars() {
        *buffer.get_mut(length)? = match character {
            // The Kelvin sign: the one character outside of ASCII whose small letter is inside.
            '\u{212a}' => b'k',
            _ if character.is_ascii() => character.to_ascii_lowercase() as u8,
            _ => return None,
        };
        length += 1;
    }
    Some(&buffer[..length])
}

fn has_contracted_not(token: &str) -> bool {
    let token = token.as_bytes();
    token.contains(&b'\'') && token.windows(3).any(|part| part.eq_ignore_ascii_case(b"n't"))
}

/// As Python's `str.isupper`.
fn is_upper(token: &str) -> bool {
    let mut upper = false;
    for character in token.chars() {
        if character.is_lowercase() || is_title(character) {
            return false;
        }
        upper |= character.is_uppercase();
    }
    upper
}

/// The general category Lt: digraphs with only their first letter a capital, and Greek capitals with a small iota.
fn is_title(character: char) -> bool {
    matches!(character,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_goes_unless_too_little_remains() {
        for (token, expected) in [
            ("(good)", "good"),
            ("\"don't!\"", "don't"),
            (":)", ":)"),
            ("no!", "no!"),
            ("ok.", "ok."),
            (":-D", ":-D"),
            ("!!!", "!!!"),
            ("“good”", "“good”"),
            ("éà!", "éà!"),
            ("éàü!", "éàü"),
        ] {
            assert_eq!(stripped(token), expected);
        }
    }

    #[test]
    fn small_letters_are_those_of_unicode() {
        for character in '\0'..=char::MAX {
            let expected: String = character.to_lowercase().collect();
            let mut buffer = [0; MAX_TOKEN_BYTES];
            let found = lower(character.encode_utf8(&mut [0; 4]), &mut buffer);
            assert_eq!(found, expected.is_ascii().then_some(expected.as_bytes()), "{character:?}");
        }
    }

    #[test]
    fn capitals_are_those_of_words_with_a_capital_and_no_small_letter() {
        for (token, expected) in [
            ("GOOD", true),
            ("A1!", true),
            ("ÉCOLE", true),
            ("ⅧⒶ", true),
            ("日本A", true),
            ("Good", false),
            ("123", false),
            ("日本", false),
            ("ǅ", false),
            ("AǅA", false),
            ("Aª", false),
            ("ΣΊΣς", false),
        ] {
            assert_eq!(is_upper(token), expected, "{token}");
        }
    }

    #[test]
    fn titlecase_letters_are_neither_capital_nor_small() {
        let both = ('\0'..=char::MAX).filter(|&c| {
            let changes = c.to_lowercase().ne([c]) && c.to_uppercase().ne([c]);
            changes && !c.is_lowercase() && !c.is_uppercase()
        });
        assert!(both.eq(('\0'..=char::MAX).filter(|&c| is_title(c))));
    }

    #[test]
    fn a_contracted_not_negates_in_whatever_case_and_place() {
        for (token, expected) in [
            ("isn't", Role::Negation),
            ("ISN'T", Role::Negation),
            ("wouldn't've", Role::Negation),
            ("supercalifragilisticisn't", Role::Negation),
            ("isnt", Role::Negation),
            ("isn’t", Role::None),
            ("Never", Role::Never),
        ] {
            assert_eq!(word(token).role, expected, "{token}");
        }
    }
}
