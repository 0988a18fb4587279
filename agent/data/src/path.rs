//! Paths as scripts give them: relative to the data directory, with `/`.

use crate::error::Reason;

/// The most bytes of a path, as in Linux.
pub const MAX_PATH_BYTES: usize = 4095;

/// The most bytes of one name in it, as in Linux's file systems.
pub const MAX_NAME_BYTES: usize = 255;

/// How deep folders may be nested. Walks over a tree stay bounded by it.
pub const MAX_DEPTH: usize = 64;

/// A path without `.`, `..` or empty parts; empty for the data directory itself.
///
/// This is about clear errors and one spelling of every path; what keeps scripts inside is the directory's capability.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Relative(String);

impl Relative {
    /// Any place, the data directory itself included.
    pub(crate) fn place(path: &str) -> Result<Self, Reason> {
        if path.is_empty() {
            return Err(Reason::Empty);
        }
        if path.len() > MAX_PATH_BYTES {
            return Err(Reason::PathLength { bytes: path.len(), limit: MAX_PATH_BYTES });
        }
        if path.contains('\0') {
            return Err(Reason::Nul);
        }
        if path.starts_with('/') {
            return Err(Reason::Absolute);
        }
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(Reason::Outside)?;
                }
                _ if part.len() > MAX_NAME_BYTES => {
                    return Err(Reason::NameLength { bytes: part.len(), limit: MAX_NAME_BYTES });
                }
                _ => parts.push(part),
            }
        }
        if parts.len() > MAX_DEPTH {
            return Err(Reason::Depth { limit: MAX_DEPTH });
        }
        Ok(Self(parts.join("/")))
    }

    /// A place below the data directory.
    pub(crate) fn below(path: &str) -> Result<Self, Reason> {
        Self::place(path).and_then(|place| if place.is_root() { Err(Reason::Root) } else { Ok(place) })
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the system calls the place.
    pub(crate) fn open_name(&self) -> &str {
        if self.is_root() { "." } else { &self.0 }
    }

    pub(crate) fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned())
    }

    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    pub(crate) fn depth(&self) -> usize {
        if self.is_root() { 0 } else { 1 + self.0.matches('/').count() }
    }

    /// The first name of the path, and whether more follow.
    pub(crate) fn top(&self) -> (&str, bool) {
        self.0.split_once('/').map_or((&self.0, false), |(top, _)| (top, true))
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) fn join(&self, name: &str) -> Result<Self, Reason> {
        Self::below(&format!("{}/{name}", self.open_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_one_spelling() {
        let place = |path| Relative::place(path).unwrap().0;
        for path in ["a/b", "./a//b/", "a/./b", "x/../a/b", "a/b/c/.."] {
            assert_eq!(place(path), "a/b");
        }
        assert_eq!([".", "./", "a/.."].map(place), ["", "", ""]);
    }

    #[test]
    fn what_is_no_place_below_the_directory_is_named() {
        let reason = |path: &str| Relative::below(path).unwrap_err().to_string();
        assert!(reason("").contains("empty"));
        assert!(reason("a\0b").contains("NUL"));
        assert!(reason("/etc/passwd").contains("leading"));
        assert!(reason("../x").contains("out of"));
        assert!(reason("a/../../x").contains("out of"));
        assert!(reason("a/..").contains("itself"));
        assert!(reason(&"n".repeat(256)).contains("256"));
        assert!(reason(&"n/".repeat(2048)).contains("4096"));
        assert!(reason(&"n/".repeat(65)).contains("64 deep"));
    }

    #[test]
    fn a_name_that_begins_alike_is_not_within() {
        let within = |a, b| Relative::place(a).unwrap().is_within(&Relative::place(b).unwrap());
        assert!(within("a/b", "a") && within("a", "a") && within("a", "."));
        assert!(!within("ab", "a") && !within("a", "a/b"));
    }
}
