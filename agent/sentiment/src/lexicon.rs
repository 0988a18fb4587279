//! The lexicon: how positive or negative a word is by itself.
//!
//! The text of the lexicon is looked up in place, by a hash index that the compiler makes. Neither takes time at start
//! or memory of the process's own: both are pages of the binary, which the system reads when they are first touched.

use crate::hash::hash;

/// Lines of `token<tab>valence`, see `data/README.md`.
static LINES: &[u8] = include_bytes!("../data/lexicon.tsv");

/// The longest token, and so the longest word worth looking up.
pub(crate) const MAX_TOKEN_BYTES: usize = 19;

/// More than twice the lines, so that runs of taken places stay short.
const PLACES: usize = 1 << 14;

/// The bits of an index entry that say where a line starts. Those above are of the token's hash.
const START_BITS: u32 = 17;
const START: u32 = (1 << START_BITS) - 1;

/// For each token, in the first free place from that of its hash on: where its line starts in `LINES`, plus one, and
/// bits of its hash, which make most words that are not there known as such without a look at the line. 0 is a free
/// place.
#[allow(long_running_const_eval, reason = "a walk over 100 KB of text, under a second")]
static INDEX: [u32; PLACES] = {
    assert!(LINES.len() < START as usize);
    let mut index = [0; PLACES];
    let mut start = 0;
    while start < LINES.len() {
        let mut end = start;
        while LINES[end] != b'\t' {
            end += 1;
        }
        assert!(end - start <= MAX_TOKEN_BYTES);
        let (_, from_token) = LINES.split_at(start);
        let hash = hash(from_token.split_at(end - start).0);
        let mut place = hash as usize % PLACES;
        while index[place] != 0 {
            place = (place + 1) % PLACES;
        }
        index[place] = hash & !START | (start as u32 + 1);
        while LINES[end] != b'\n' {
            end += 1;
        }
        start = end + 1;
    }
    index
};

/// The mean valence of a token in tenths, from -39 to 34, by the token and its hash.
pub(crate) fn valence(token: &[u8], hash: u32) -> Option<i8> {
    let mut place = hash as usize % PLACES;
    while INDEX[place] != 0 {
        if (INDEX[place] ^ hash) & !START == 0 {
            let start = (INDEX[place] & START) as usize - 1;
            if let Some([b'\t', tenths @ ..]) = LINES[start..].strip_prefix(token) {
                return Some(tenths_of(tenths));
            }
        }
        place = (place + 1) % PLACES;
    }
    None
}

/// Reads `-1.5`: always one digit before the point and one behind it.
fn tenths_of(text: &[u8]) -> i8 {
    let digit = |byte: u8| (byte - b'0') as i8;
    match *text {
        [b'-', whole, b'.', tenth, ..] => -(10 * digit(whole) + digit(tenth)),
        [whole, b'.', tenth, ..] => 10 * digit(whole) + digit(tenth),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_found_with_its_valence() {
        let lines = str::from_utf8(LINES).unwrap();
        assert_eq!(lines.lines().count(), 7488);
        for line in lines.lines() {
            let (token, text) = line.split_once('\t').unwrap();
            let found = f64::from(valence(token.as_bytes(), hash(token.as_bytes())).unwrap()) / 10.0;
            assert_eq!(found, text.parse::<f64>().unwrap(), "{token}");
        }
    }

    #[test]
    fn other_words_are_not_found() {
        for token in ["", "goo", "goodd", "good\t", "good\t1.9", "Good", "\t", "\n", "but", "very", "1.9"] {
            assert_eq!(valence(token.as_bytes(), hash(token.as_bytes())), None, "{token}");
        }
    }

    #[test]
    fn runs_of_taken_places_are_short() {
        let run = INDEX.split(|&place| place == 0).map(<[u32]>::len).max();
        assert!(run < Some(48), "{run:?}");
    }
}
