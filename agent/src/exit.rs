//! How the process ends.

use std::process::ExitCode;

/// Ordered by what wins when several hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    Fine,
    /// An item failed a test rule, or a script did not load.
    Failed,
    /// Wrong usage, or input or output that is unreadable, broken or unwritable.
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Fine => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Broken => Self::from(2),
        }
    }
}
