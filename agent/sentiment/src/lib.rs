//! How positive or negative an English text is: VADER (Valence Aware Dictionary and sEntiment Reasoner).
//!
//! [`sentiment`] gives the scores that the reference implementation gives, the Python package vaderSentiment 3.3.2, from
//! its lexicons and by its rules, with what is odd in them:
//!
//! > Hutto, C.J. & Gilbert, E.E. (2014). VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
//! > Text. Eighth International Conference on Weblogs and Social Media (ICWSM-14). Ann Arbor, MI, June 2014.
//!
//! What a letter and a capital are is Rust's edition of Unicode here and Python's there. The two differ in letters that
//! came to Unicode after the older of them, none of which is in a lexicon.
#![forbid(unsafe_code)]

mod contrast;
mod emoji;
mod hash;
mod lexicon;
mod role;
mod rules;
mod score;
mod words;

pub use score::Score;

/// The most bytes of a text that are looked at. Of a longer text the score is that of its beginning, up to the last
/// white space within this many bytes.
///
/// The compound score is at its ends after some tens of words of one mind, so that more text has little to add. While
/// it is analysed, ordinary English takes two bytes of memory for each of its own. The most is taken by emojis, whose
/// descriptions are long: some 10 MB for a text of nothing else.
pub const MAX_TEXT_BYTES: usize = 256 << 10;

/// Scores a text. One without words scores 0 in everything.
///
/// ```
/// let score = remora_sentiment::sentiment("VADER is smart, handsome, and funny!");
/// assert_eq!((score.negative, score.neutral, score.positive), (0.0, 0.248, 0.752));
/// assert_eq!(score.compound, 0.8439);
/// ```
pub fn sentiment(text: &str) -> Score {
    let text = emoji::described(beginning(text));
    let words = words::words(&text);
    let emphasis = score::emphasis(&text);
    let valences = (0..words.len()).map(|at| rules::valence(&words, at));
    match words.but() {
        Some(but) => score::score(contrast::weighed(valences, but).into_iter(), emphasis),
        None => score::score(valences, emphasis),
    }
}

/// What is looked at of a text. A single word that is too long is cut between two characters.
fn beginning(text: &str) -> &str {
    if text.len() <= MAX_TEXT_BYTES {
        return text;
    }
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    text.rfind(words::is_space).map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_over_the_cap_scores_as_its_beginning() {
        let kept = "good ".repeat(MAX_TEXT_BYTES / 5);
        assert!(kept.len() <= MAX_TEXT_BYTES && kept.len() + 5 > MAX_TEXT_BYTES);
        let long = format!("{kept}awful {}", "bad ".repeat(100));
        assert_eq!(sentiment(&long), sentiment(&kept));
        assert_eq!(beginning(&long), kept.trim_end());
    }

    #[test]
    fn a_word_over_the_cap_is_cut_between_characters() {
        let long = format!("x{}", "é".repeat(MAX_TEXT_BYTES));
        assert_eq!(beginning(&long).len(), MAX_TEXT_BYTES - 1);
        assert_eq!(sentiment(&long).neutral, 1.0);
    }

    #[test]
    fn a_text_at_the_cap_is_kept_whole() {
        let text = format!("good {}", "x".repeat(MAX_TEXT_BYTES - 5));
        assert_eq!(beginning(&text), text);
    }
}
