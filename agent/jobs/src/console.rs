//! The lines that the console shows about jobs, in the words that scripts' users know.

/// After [`Cluster::remove_all`](crate::Cluster::remove_all).
pub const ALL_REMOVED: &str = "All jobs are removed.";
/// After [`Cluster::run_all`](crate::Cluster::run_all).
pub const ALL_TRIGGERED: &str = "All jobs are triggered.";

/// After a job was scheduled. `tag` is the normalised one.
pub fn scheduled(tag: &str, cron: &str, limit: Option<u64>) -> String {
    match limit {
        Some(limit) => format!("Scheduled the job: \"{tag}\" for cron: \"{cron}\" (limit: {limit})"),
        None => format!("Scheduled the job: \"{tag}\" for cron: \"{cron}\" (limit: infinite)"),
    }
}

/// After one job was removed, whether asked for or because its limit was reached.
pub fn removed(tag: &str) -> String {
    format!("Removed the job: \"{tag}\"")
}

/// After one job was made to run.
pub fn triggered(tag: &str) -> String {
    format!("Triggered the job: \"{tag}\"")
}

#[cfg(test)]
mod tests {
    #[test]
    fn console_lines_have_the_known_words() {
        assert_eq!(
            super::scheduled("push", "*/5 * * * * *", None),
            r#"Scheduled the job: "push" for cron: "*/5 * * * * *" (limit: infinite)"#
        );
        assert_eq!(
            super::scheduled("push", "@hourly", Some(3)),
            r#"Scheduled the job: "push" for cron: "@hourly" (limit: 3)"#
        );
        assert_eq!(super::removed("push"), r#"Removed the job: "push""#);
        assert_eq!(super::triggered("push"), r#"Triggered the job: "push""#);
        assert_eq!(super::ALL_REMOVED, "All jobs are removed.");
        assert_eq!(super::ALL_TRIGGERED, "All jobs are triggered.");
    }
}
