use regex_lite::Regex;

use crate::CaptureError;

/// The interfaces asked for: exact names, or regular expressions that must match a whole name.
pub(crate) struct Patterns {
    patterns: Vec<(String, Option<Regex>)>,
}

impl Patterns {
    pub(crate) fn new(interfaces: &[String]) -> Result<Self, CaptureError> {
        if interfaces.is_empty() {
            return Err(CaptureError::NoInterface);
        }
        let patterns = interfaces
            .iter()
            .map(|pattern| {
                let regex = match Regex::new(&format!("^(?:{pattern})$")) {
                    Ok(regex) => Some(regex),
                    // A name may hold any character but a slash, a colon and white space: `veth+` is one.
                    Err(_) if could_be_a_name(pattern) => None,
                    Err(error) => return Err(CaptureError::Pattern { pattern: pattern.clone(), error }),
                };
                Ok((pattern.clone(), regex))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.patterns
            .iter()
            .any(|(exact, regex)| exact == name || regex.as_ref().is_some_and(|regex| regex.is_match(name)))
    }
}

/// `IFNAMSIZ` is 16 with the terminating zero.
fn could_be_a_name(text: &str) -> bool {
    text.len() < 16 && !text.contains(['/', ':', '(', '[', '\\']) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Patterns::new(&[pattern.to_owned()]).unwrap().matches(name)
    }

    #[test]
    fn a_pattern_matches_the_whole_name() {
        assert!(matches("eth0", "eth0"));
        assert!(!matches("eth0", "veth0"));
        assert!(!matches("eth0", "eth01"));
        assert!(matches("eth.*|veth[0-9a-f]+", "veth12ab"));
        assert!(!matches("eth.*|veth[0-9a-f]+", "xeth"));
        assert!(matches("eth0.100", "eth0.100"));
    }

    #[test]
    fn a_name_that_is_no_pattern_is_a_name() {
        assert!(matches("veth+", "veth+"));
        assert!(matches("+", "+"));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let Err(error) = Patterns::new(&["eth(".to_owned()]) else { panic!("accepted") };
        assert!(error.to_string().contains("eth("), "{error}");
        assert!(matches!(Patterns::new(&[]), Err(CaptureError::NoInterface)));
    }
}
