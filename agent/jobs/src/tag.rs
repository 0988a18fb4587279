//! Tags: the names of jobs, unique on a node.

use std::sync::Arc;

use crate::error::TagError;

/// Bytes of a tag.
pub const TAG_LIMIT: usize = 256;

/// The form in which tags are kept and compared: lower case, each space a `-`.
///
/// # Errors
/// The tag is empty, too long, or has a control character, which would break up console lines.
pub fn normalise(tag: &str) -> Result<Arc<str>, TagError> {
    // Lower case may be longer; a text this long is refused before it is converted.
    if tag.len() > TAG_LIMIT {
        return Err(TagError::TooLong { limit: TAG_LIMIT });
    }
    if tag.is_empty() {
        return Err(TagError::Empty);
    }
    if tag.chars().any(char::is_control) {
        return Err(TagError::Control);
    }
    let tag = tag.to_lowercase().replace(' ', "-");
    if tag.len() > TAG_LIMIT { Err(TagError::TooLong { limit: TAG_LIMIT }) } else { Ok(tag.into()) }
}

/// The number of runs that a script's number asks for: whole and above zero, or unlimited.
pub fn limit_of(number: f64) -> Option<u64> {
    // The conversion saturates, and makes zero of NaN and of all that is negative.
    Some(number as u64).filter(|&limit| limit > 0)
}

#[cfg(test)]
mod tests {
    use super::{TAG_LIMIT, limit_of, normalise};
    use crate::error::TagError;

    #[test]
    fn tags_are_lower_case_with_dashes_for_spaces() {
        assert_eq!(&*normalise("Push Data  To X").unwrap(), "push-data--to-x");
        assert_eq!(&*normalise("\u{c4}RGER").unwrap(), "\u{e4}rger");
        assert_eq!(&*normalise(" ").unwrap(), "-");
    }

    #[test]
    fn tags_that_name_nothing_are_refused() {
        assert_eq!(normalise(""), Err(TagError::Empty));
        assert_eq!(normalise("a\nb"), Err(TagError::Control));
        assert_eq!(normalise("\u{9b}31m"), Err(TagError::Control));
        assert!(normalise(&"x".repeat(TAG_LIMIT)).is_ok());
        assert_eq!(normalise(&"x".repeat(TAG_LIMIT + 1)), Err(TagError::TooLong { limit: TAG_LIMIT }));
        // Each of these letters becomes longer in lower case.
        assert_eq!(normalise(&"\u{23a}".repeat(TAG_LIMIT / 2)), Err(TagError::TooLong { limit: TAG_LIMIT }));
    }

    #[test]
    fn only_whole_numbers_above_zero_limit() {
        assert_eq!(limit_of(3.0), Some(3));
        assert_eq!(limit_of(2.9), Some(2));
        for unlimited in [0.0, 0.9, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(limit_of(unlimited), None, "{unlimited}");
        }
        assert_eq!(limit_of(f64::INFINITY), Some(u64::MAX));
    }
}
