//! The list of findings while it grows.

use crate::position::Lines;
use crate::{Finding, Severity};

/// Findings given for one script; the rest is counted.
pub const MAX_FINDINGS: usize = 100;

pub(crate) struct Findings<'s> {
    lines: Lines<'s>,
    kept: Vec<(usize, Finding)>,
    omitted: usize,
}

impl<'s> Findings<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { lines: Lines::new(source), kept: Vec::new(), omitted: 0 }
    }

    /// Adds a finding at a byte of the source. Its texts are made only when it is kept.
    pub(crate) fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        at: usize,
        texts: impl FnOnce() -> (String, Option<String>),
    ) {
        if self.kept.len() == MAX_FINDINGS {
            self.omitted += 1;
            return;
        }
        let (line, column) = self.lines.position(at);
        let (message, suggestion) = texts();
        self.kept.push((at, Finding { severity, line, column, code, message, suggestion }));
    }

    /// In the order of the source; at one place in the order they were found.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        self.kept.sort_by_key(|(at, _)| *at);
        let mut findings: Vec<_> = self.kept.into_iter().map(|(_, finding)| finding).collect();
        if self.omitted > 0
            && let Some(&Finding { line, column, .. }) = findings.last()
        {
            findings.push(Finding {
                severity: Severity::Note,
                line,
                column,
                code: "more-findings",
                message: format!("{} more findings are left out", self.omitted),
                suggestion: None,
            });
        }
        findings
    }
}
