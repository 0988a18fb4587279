//! Counting test results, suite by suite.

use std::fmt;
use std::ops::AddAssign;

/// How many tests ended in which way. A test that a suite could not run for real counts as skipped, not as passed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    pub(crate) fn total(self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The tests of one binary, or the examples in the documentation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) tally: Tally,
    /// Test and reason.
    pub(crate) skips: Vec<(String, String)>,
    pub(crate) failures: Vec<String>,
}

/// The closing lines: why tests were skipped, which failed, one line per suite, the total last.
pub(crate) fn closing_lines(suites: &[Suite]) -> String {
    use fmt::Write as _;
    let mut text = String::new();
    for suite in suites {
        for (test, reason) in &suite.skips {
            let _ = writeln!(text, "skipped {} {test}: {reason}", suite.name);
        }
    }
    for suite in suites {
        for test in &suite.failures {
            let _ = writeln!(text, "FAILED {} {test}", suite.name);
        }
    }
    for suite in suites {
        let _ = writeln!(text, "{}: {}", suite.name, suite.tally);
    }
    let _ = writeln!(text, "tests: {}", total(suites));
    text
}

pub(crate) fn total(suites: &[Suite]) -> Tally {
    let mut sum = Tally::default();
    for suite in suites {
        sum += suite.tally;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_sum_of_the_suites() {
        let suites = [
            Suite {
                name: "pcap".into(),
                tally: Tally { passed: 2, failed: 0, skipped: 0 },
                ..Suite::default()
            },
            Suite {
                name: "live".into(),
                tally: Tally { passed: 1, failed: 1, skipped: 1 },
                skips: vec![("veth".into(), "needs root".into())],
                failures: vec!["tcx".into()],
            },
        ];
        assert_eq!(
            closing_lines(&suites),
            "skipped live veth: needs root\nFAILED live tcx\npcap: 2 passed, 0 failed, 0 skipped\n\
             live: 1 passed, 1 failed, 1 skipped\ntests: 3 passed, 1 failed, 1 skipped\n"
        );
    }
}
