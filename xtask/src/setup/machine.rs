//! What kind of machine this is.

use std::fs;

use crate::workspace::Workspace;

/// Whether the effective user is root.
pub(crate) fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| effective_user(&status) == Some(0))
}

pub(crate) fn has_apt(workspace: &Workspace) -> bool {
    workspace.program("apt-get").is_some()
}

/// The second number of the `Uid:` line (real, effective, saved, file system), proc_pid_status(5).
fn effective_user(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_user_is_the_second_number() {
        assert_eq!(effective_user("Name:\txtask\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\n"), Some(0));
        assert_eq!(effective_user("Name:\txtask\n"), None);
    }
}
