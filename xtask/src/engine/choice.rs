//! The order in which an engine is chosen, as a function of what the machine has.

use anyhow::{Result, bail};

use super::Engine;

/// Where V8's static library comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum V8Archive {
    /// `RUSTY_V8_ARCHIVE`, a path or an address.
    Given(String),
    /// `RUSTY_V8_MIRROR`; the build script of the `v8` crate downloads from there.
    Mirror,
    /// An archive that `cargo xtask v8` built.
    Cached(String),
    /// The build script of the `v8` crate downloads its release.
    Release,
}

/// The outcome of the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    V8(V8Archive),
    /// Asked for.
    QuickJs,
    /// Nobody asked for it, but there is no V8.
    QuickJsForLackOfV8,
}

impl Choice {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::V8(_) => Engine::V8,
            Self::QuickJs | Self::QuickJsForLackOfV8 => Engine::QuickJs,
        }
    }
}

/// What the choice depends on. Each question is asked only when the ones before it gave no answer: the last one costs
/// seconds on a machine without a network.
pub(crate) trait Surroundings {
    fn given_archive(&self) -> Result<Option<String>>;
    fn mirror(&self) -> Result<Option<String>>;
    fn cached_archive(&self) -> Result<Option<String>>;
    fn release_reachable(&self) -> Result<bool>;
}

/// `--engine`; then V8 from a variable, from the cache, from its release; then QuickJS.
pub(crate) fn choose(asked: Option<Engine>, surroundings: &impl Surroundings) -> Result<Choice> {
    if asked == Some(Engine::QuickJs) {
        return Ok(Choice::QuickJs);
    }
    match (find_v8(surroundings)?, asked) {
        (Some(archive), _) => Ok(Choice::V8(archive)),
        (None, None) => Ok(Choice::QuickJsForLackOfV8),
        (None, Some(_)) => bail!(
            "V8 was asked for, but there is no archive of it here and its release download can't be reached: \
             build one with `cargo xtask v8`, or name one with RUSTY_V8_ARCHIVE"
        ),
    }
}

fn find_v8(surroundings: &impl Surroundings) -> Result<Option<V8Archive>> {
    if let Some(archive) = surroundings.given_archive()? {
        return Ok(Some(V8Archive::Given(archive)));
    }
    if surroundings.mirror()?.is_some() {
        return Ok(Some(V8Archive::Mirror));
    }
    if let Some(archive) = surroundings.cached_archive()? {
        return Ok(Some(V8Archive::Cached(archive)));
    }
    Ok(surroundings.release_reachable()?.then_some(V8Archive::Release))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[derive(Default)]
    struct Described {
        given: Option<&'static str>,
        mirror: Option<&'static str>,
        cached: Option<&'static str>,
        release: bool,
        probed: Cell<bool>,
    }

    impl Surroundings for Described {
        fn given_archive(&self) -> Result<Option<String>> {
            Ok(self.given.map(str::to_owned))
        }
        fn mirror(&self) -> Result<Option<String>> {
            Ok(self.mirror.map(str::to_owned))
        }
        fn cached_archive(&self) -> Result<Option<String>> {
            Ok(self.cached.map(str::to_owned))
        }
        fn release_reachable(&self) -> Result<bool> {
            self.probed.set(true);
            Ok(self.release)
        }
    }

    #[test]
    fn each_place_is_looked_at_in_its_turn() {
        let mut machine = Described {
            given: Some("/a.gz"),
            mirror: Some("m"),
            cached: Some("/c.gz"),
            release: true,
            ..Default::default()
        };
        assert_eq!(choose(None, &machine).unwrap(), Choice::V8(V8Archive::Given("/a.gz".into())));
        machine.given = None;
        assert_eq!(choose(None, &machine).unwrap(), Choice::V8(V8Archive::Mirror));
        machine.mirror = None;
        assert_eq!(choose(None, &machine).unwrap(), Choice::V8(V8Archive::Cached("/c.gz".into())));
        assert!(!machine.probed.get(), "the network is asked last only");
        machine.cached = None;
        assert_eq!(choose(None, &machine).unwrap(), Choice::V8(V8Archive::Release));
        machine.release = false;
        assert_eq!(choose(None, &machine).unwrap(), Choice::QuickJsForLackOfV8);
    }

    #[test]
    fn what_was_asked_for_wins() {
        let with_v8 = Described { given: Some("/a.gz"), ..Default::default() };
        assert_eq!(choose(Some(Engine::QuickJs), &with_v8).unwrap(), Choice::QuickJs);
        assert_eq!(choose(Some(Engine::V8), &with_v8).unwrap(), Choice::V8(V8Archive::Given("/a.gz".into())));
    }

    #[test]
    fn v8_is_never_quietly_replaced_when_it_was_asked_for() {
        let error = choose(Some(Engine::V8), &Described::default()).unwrap_err().to_string();
        assert!(error.contains("cargo xtask v8"), "{error}");
    }
}
