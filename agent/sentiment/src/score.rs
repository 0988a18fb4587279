//! From valences to a score.

/// How negative, neutral and positive a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The share of the text that is negative: from 0 to 1, with 3 decimals. The three shares add up to 1, but for
    /// rounding.
    pub negative: f64,
    /// The share of the text that is neither, in the same way.
    pub neutral: f64,
    /// The share of the text that is positive, in the same way.
    pub positive: f64,
    /// All of it in one number: from -1, most negative, to 1, most positive, with 4 decimals. Usual thresholds are 0.05
    /// and -0.05.
    pub compound: f64,
}

/// Makes the compound score of a sum of usual size neither too small nor 1: "approximates the max expected value".
const ALPHA: f64 = 15.0;

/// What the exclamation and question marks of a text add to whichever feeling prevails.
pub(crate) fn emphasis(text: &str) -> f64 {
    let count = |mark| text.bytes().filter(|&byte| byte == mark).count();
    let exclamation = count(b'!').min(4) as f64 * 0.292;
    let question = match count(b'?') {
        0 | 1 => 0.0,
        marks @ 2..=3 => marks as f64 * 0.18,
        _ => 0.96,
    };
    exclamation + question
}

/// The score of a text by the valences of its words.
pub(crate) fn score(valences: impl Iterator<Item = f64>, emphasis: f64) -> Score {
    let (mut sum, mut positive, mut negative, mut neutral) = (0.0, 0.0, 0.0, 0.0);
    let mut words = false;
    for valence in valences {
        words = true;
        sum += valence;
        // One more, as a neutral word counts as one.
        if valence > 0.0 {
            positive += valence + 1.0;
        } else if valence < 0.0 {
            negative += valence - 1.0;
        } else {
            neutral += 1.0;
        }
    }
    if !words {
        return Score::default();
    }
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let mut negative = f64::abs(negative);
    if positive > negative {
        positive += emphasis;
    } else if positive < negative {
        negative += emphasis;
    }
    let total = positive + negative + neutral;
    Score {
        negative: rounded(negative / total, 1e3),
        neutral: rounded(neutral / total, 1e3),
        positive: rounded(positive / total, 1e3),
        compound: rounded(sum / (sum * sum + ALPHA).sqrt(), 1e4),
    }
}

/// The nearest number of so many steps to one, as Python's `round`: by the exact value, and of two as near the even one.
fn rounded(value: f64, steps: f64) -> f64 {
    let size = value.abs();
    let scaled = size * steps;
    // What the product lost by its own rounding.
    let lost = size.mul_add(steps, -scaled);
    let whole = scaled.floor();
    let half = scaled - whole - 0.5;
    let up = half > 0.0 || half == 0.0 && (lost > 0.0 || lost == 0.0 && whole % 2.0 == 1.0);
    // Of two whole numbers, the quotient is the number nearest to the decimal one.
    ((if up { whole + 1.0 } else { whole }) / steps).copysign(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!(rounded(0.0625, 1e3), 0.062);
        assert_eq!(rounded(0.1875, 1e3), 0.188);
        assert_eq!(rounded(-0.0625, 1e3), -0.062);
        assert_eq!(rounded(0.03125, 1e4), 0.0312);
    }

    #[test]
    fn what_only_looks_like_a_half_goes_where_it_is_nearer() {
        for thousandths in 0..1000 {
            let text = format!("{}.{thousandths:03}5", 0);
            let value: f64 = text.parse().unwrap();
            assert_eq!(rounded(value, 1e3).to_string(), trimmed(&format!("{value:.3}")), "{text}");
        }
    }

    /// Without zeros at the end.
    fn trimmed(text: &str) -> &str {
        text.trim_end_matches('0').trim_end_matches('.')
    }

    proptest! {
        #[test]
        fn rounding_is_that_of_exact_decimals(value in -1.0..=1.0, close in 0..1000, ulps in -2i64..=2) {
            let near = f64::from_bits(((f64::from(close) + 0.5) / 1e3).to_bits().wrapping_add_signed(ulps));
            for value in [value, near] {
                prop_assert_eq!(rounded(value, 1e3), format!("{value:.3}").parse::<f64>().unwrap());
                prop_assert_eq!(rounded(value, 1e4), format!("{value:.4}").parse::<f64>().unwrap());
            }
        }
    }
}
