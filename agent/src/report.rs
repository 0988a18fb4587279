//! What scripts said: their console on standard error, their verdicts in a JUnit report.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use remora_dissect::Item;
use remora_script::{ConsoleLevel, LoadError, Observer, Verdict};

/// Marked items that a report lists one by one for each script; those beyond are only counted.
const REPORTED_ITEMS: usize = 10_000;
/// Console error lines that a report keeps for each script.
const REPORTED_ERRORS: usize = 100;

#[derive(Default)]
struct Findings {
    cases: Vec<Case>,
    unlisted: u64,
    errors: Vec<String>,
    unlisted_errors: u64,
}

struct Case {
    name: String,
    id: String,
    failed: bool,
}

/// Hears every script. Console lines go out whole, so that those of several scripts do not mix.
#[derive(Default)]
pub(crate) struct Listener {
    /// Kept only where a report was asked for.
    findings: Option<Mutex<BTreeMap<String, Findings>>>,
}

impl Listener {
    pub(crate) fn new(keeps_findings: bool) -> Self {
        Self { findings: keeps_findings.then(Mutex::default) }
    }

    fn note(&self, script: &str, note: impl FnOnce(&mut Findings)) {
        if let Some(findings) = &self.findings {
            let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
            note(findings.entry(script.to_owned()).or_default());
        }
    }

    /// Writes the report; every script has a suite, also one without findings.
    pub(crate) fn write_junit(
        &self,
        path: &Path,
        scripts: &[String],
        load_errors: &[LoadError],
    ) -> io::Result<()> {
        let mut report = Report::new("remora");
        let empty = Mutex::default();
        let findings = self.findings.as_ref().unwrap_or(&empty);
        let findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
        for script in scripts {
            let mut suite = TestSuite::new(script);
            suite.add_test_case(load_case(script, load_errors));
            if let Some(findings) = findings.get(script) {
                add_findings(&mut suite, script, findings);
            }
            report.add_test_suite(suite);
        }
        let text = report.to_string().map_err(io::Error::other)?;
        std::fs::write(path, text)
    }
}

fn load_case(script: &str, errors: &[LoadError]) -> TestCase {
    let status = match errors.iter().find(|error| error.script == script) {
        None => TestCaseStatus::success(),
        Some(error) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(&error.message);
            status
        }
    };
    let mut case = TestCase::new("the script loads", status);
    case.set_classname(script);
    case
}

fn add_findings(suite: &mut TestSuite, script: &str, findings: &Findings) {
    for case in &findings.cases {
        let status = if case.failed {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{script}: test.fail: {}", case.name));
            status.set_type("test.fail");
            status.set_description(format!("item {}", case.id));
            status
        } else {
            TestCaseStatus::success()
        };
        let mut reported = TestCase::new(format!("{} ({})", case.name, case.id), status);
        reported.set_classname(script);
        suite.add_test_case(reported);
    }
    if findings.unlisted != 0 {
        suite.add_property(("unlisted-passed-items", findings.unlisted.to_string().as_str()));
    }
    if !findings.errors.is_empty() {
        let mut text = findings.errors.join("\n");
        if findings.unlisted_errors != 0 {
            text.push_str(&format!("\n… and {} more", findings.unlisted_errors));
        }
        suite.set_system_err(text);
    }
}

impl Observer for Listener {
    fn console(&self, script: &str, level: ConsoleLevel, text: &str) {
        let label = if level == ConsoleLevel::Error { "error: " } else { "" };
        let mut lines = String::with_capacity(script.len() + text.len() + 16);
        for line in text.split('\n') {
            lines.push('[');
            lines.push_str(script);
            lines.push_str("] ");
            lines.push_str(label);
            lines.push_str(line);
            lines.push('\n');
        }
        // Nobody reading standard error is no reason to stop.
        let _ = io::stderr().lock().write_all(lines.as_bytes());
        if level == ConsoleLevel::Error {
            self.note(script, |findings| {
                if findings.errors.len() < REPORTED_ERRORS {
                    findings.errors.push(text.to_owned());
                } else {
                    findings.unlisted_errors += 1;
                }
            });
        }
    }

    fn verdict(&self, script: &str, item: &Arc<Item>, verdict: Verdict) {
        self.note(script, |findings| {
            let failed = verdict == Verdict::Failed;
            let listed = findings.cases.len();
            // A failure is always listed, in place of a pass when the list is full of those.
            if listed >= REPORTED_ITEMS {
                let pass = failed.then(|| findings.cases.iter().rposition(|case| !case.failed)).flatten();
                match pass {
                    Some(position) => drop(findings.cases.swap_remove(position)),
                    None => {
                        findings.unlisted += 1;
                        return;
                    }
                }
                findings.unlisted += 1;
            }
            let summary = item.summary();
            let status = if summary.status == 0 { String::new() } else { format!(" {}", summary.status) };
            let name = format!("{} {}{status} {} -> {}", summary.method, summary.summary, item.src, item.dst);
            findings.cases.push(Case { name, id: item.id(), failed });
        });
    }
}
