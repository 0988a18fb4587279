//! Whatever the text, there is a score, and it is in range.

use proptest::prelude::*;
use remora_sentiment::{MAX_TEXT_BYTES, Score, sentiment};

fn in_range(score: &Score) -> bool {
    let shares = [score.negative, score.neutral, score.positive];
    let sum: f64 = shares.iter().sum();
    shares.iter().all(|share| (0.0..=1.0).contains(share))
        && (-1.0..=1.0).contains(&score.compound)
        && (*score == Score::default() || (sum - 1.0).abs() < 0.002)
}

const PARTS: [&str; 40] = [
    "good",
    "BAD",
    "no",
    "No",
    "never",
    "so",
    "this",
    "without",
    "doubt",
    "least",
    "at",
    "very",
    "kind",
    "of",
    "sort",
    "just",
    "enough",
    "the",
    "shit",
    "bad",
    "ass",
    "to",
    "die",
    "for",
    "but",
    "or",
    "nor",
    "isn't",
    "💘",
    "🆙",
    ":)",
    "!",
    "?",
    "\u{1c}",
    "\u{3000}",
    "\u{0}",
    "\u{212a}ind",
    "ǅ",
    "é",
    "\u{fe0f}",
];

proptest! {
    #[test]
    fn any_text_has_a_score_in_range(text in any::<String>()) {
        let score = sentiment(&text);
        prop_assert!(in_range(&score), "{score:?}");
    }

    #[test]
    fn any_row_of_special_words_has_a_score_in_range(
        parts in prop::collection::vec((prop::sample::select(&PARTS[..]), prop::bool::weighted(0.9)), 0..60),
    ) {
        let text: String = parts.iter().flat_map(|&(part, space)| [part, if space { " " } else { "" }]).collect();
        let score = sentiment(&text);
        prop_assert!(in_range(&score), "{score:?}");
    }
}

#[test]
fn very_long_texts_of_every_kind_have_a_score_in_range() {
    for part in [
        "good ",
        "but bad good ",
        "but VERY good great not bad awful nice ",
        "a ",
        "💘",
        "💘 but ",
        "isn't",
        "!",
        "é",
        "\u{3000}",
        ":) ",
        "A",
        "'n't ",
    ] {
        let text = part.repeat(2 * MAX_TEXT_BYTES / part.len());
        let score = sentiment(&text);
        assert!(in_range(&score), "{part:?}: {score:?}");
    }
}

#[test]
fn texts_without_words_score_zero() {
    for text in ["", " ", "\t\r\n\u{b}\u{c}", "\u{1c}\u{1d}\u{1e}\u{1f}\u{85}\u{a0}", "\u{2028}\u{3000}"] {
        assert_eq!(sentiment(text), Score::default(), "{text:?}");
    }
}

#[test]
fn texts_can_be_scored_on_any_thread() {
    let scores = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| sentiment("What a wonderful, horrible day!")));
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(scores.iter().all(|score| *score == scores[0] && score.compound != 0.0));
}
