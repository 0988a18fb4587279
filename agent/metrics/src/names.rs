//! Which names Prometheus takes, and which of them are taken already.

/// The names of the agent's own metrics begin with this.
pub(crate) const OWN_PREFIX: &str = "remora_";

/// Names that begin with this belong to Prometheus.
pub(crate) const RESERVED_PREFIX: &str = "__";

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
pub(crate) fn is_metric(name: &str) -> bool {
    is_name(name, b":")
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub(crate) fn is_label(name: &str) -> bool {
    is_name(name, b"")
}

fn is_name(name: &str, also: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_' || also.contains(byte);
    let bytes = name.as_bytes();
    bytes.first().is_some_and(word) && bytes.iter().all(|byte| word(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_underscores_and_begins_with_no_digit() {
        for name in ["a", "_", "http_requests_total", "A9", "_0"] {
            assert!(is_metric(name) && is_label(name), "{name}");
        }
        for name in ["", "0a", "a-b", "a b", "a.b", "é", "a\n", "a{", "\0"] {
            assert!(!is_metric(name) && !is_label(name), "{name}");
        }
        assert!(is_metric("job:rate") && is_metric(":") && !is_label("job:rate"));
    }
}
