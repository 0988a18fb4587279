//! What the test runners leave behind: nextest's JUnit report, and the result lines of documentation tests.

use anyhow::{Context, Result};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::summary::Suite;

/// A test that can't run for real on a machine says so on a line that begins so, and returns.
const SKIPPED: &str = "skipped: ";

/// The suites of a JUnit report as nextest writes it, each `<testsuite>` being one test binary.
pub(crate) fn junit(report: &str) -> Result<Vec<Suite>> {
    let mut reader = Reader::from_str(report);
    let mut suites: Vec<Suite> = Vec::new();
    let mut case = Case::default();
    let mut in_output = false;
    loop {
        match reader.read_event().context("the JUnit report can't be read")? {
            Event::Start(element) => match element.name().as_ref() {
                b"testsuite" => suites.push(Suite { name: name(&element)?, ..Suite::default() }),
                b"testcase" => case = Case { name: name(&element)?, ..Case::default() },
                b"failure" | b"error" => case.failed = true,
                b"system-out" | b"system-err" => in_output = true,
                _ => {}
            },
            Event::Empty(element) => match element.name().as_ref() {
                b"failure" | b"error" => case.failed = true,
                b"testcase" => {
                    case = Case { name: name(&element)?, ..Case::default() };
                    std::mem::take(&mut case).end(suites.last_mut());
                }
                _ => {}
            },
            // The words of a reason may be cut by references such as `&quot;`, which are events of their own.
            Event::Text(text) if in_output => case.output.push_str(&text.decode()?),
            Event::CData(text) if in_output => case.output.push_str(&text.decode()?),
            Event::GeneralRef(reference) if in_output => case.output.push(character(&reference.decode()?)),
            Event::End(element) => match element.name().as_ref() {
                b"testcase" => std::mem::take(&mut case).end(suites.last_mut()),
                b"system-out" | b"system-err" => {
                    in_output = false;
                    case.output.push('\n');
                }
                _ => {}
            },
            Event::Eof => return Ok(suites),
            _ => {}
        }
    }
}

#[derive(Default)]
struct Case {
    name: String,
    failed: bool,
    output: String,
}

impl Case {
    fn end(self, suite: Option<&mut Suite>) {
        let Some(suite) = suite else { return };
        let reason = self.output.lines().find_map(|line| line.trim_start().strip_prefix(SKIPPED));
        if self.failed {
            suite.tally.failed += 1;
            suite.failures.push(self.name);
        } else if let Some(reason) = reason {
            suite.tally.skipped += 1;
            suite.skips.push((self.name, reason.trim().to_owned()));
        } else {
            suite.tally.passed += 1;
        }
    }
}

fn name(element: &BytesStart<'_>) -> Result<String> {
    let attribute =
        element.try_get_attribute("name")?.context("an element of the JUnit report has no name")?;
    Ok(attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?.into_owned())
}

fn character(reference: &str) -> char {
    match reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// A result line of rustdoc, such as `test agent/packet/src/lib.rs - Packet (line 12) ... ok`, added to the suite.
pub(crate) fn documentation(line: &str, suite: &mut Suite) {
    let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) else {
        return;
    };
    // An absolute path: an example in another crate's macro, which rustdoc finds in the code it expands to.
    if name.starts_with('/') {
        return;
    }
    match result {
        "ok" => suite.tally.passed += 1,
        "FAILED" => {
            suite.tally.failed += 1;
            suite.failures.push(name.to_owned());
        }
        "ignored" => {
            suite.tally.skipped += 1;
            suite.skips.push((name.to_owned(), "marked `ignore`".to_owned()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::Tally;
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0">
    <testsuite name="remora-pcap" tests="1" failures="0">
        <testcase name="reader::tests::micro" classname="remora-pcap" time="0.01"/>
    </testsuite>
    <testsuite name="remora-capture::live" tests="3" failures="1">
        <testcase name="veth &amp; bridge" classname="remora-capture::live" time="0.01">
            <system-out>running 1 test
test veth ... ok</system-out>
            <system-err>skipped: needs root, &quot;sudo&quot; say
</system-err>
        </testcase>
        <testcase name="tcx" classname="remora-capture::live" time="0.01">
            <failure message="thread &apos;tcx&apos; panicked" type="test failure">left &lt; right</failure>
            <system-out>skipped: not a reason once it failed</system-out>
        </testcase>
        <testcase name="counts" classname="remora-capture::live" time="0.01">
            <system-err>2 packets skipped: that is not a skip</system-err>
        </testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn passed_failed_and_skipped_are_told_apart() {
        let suites = junit(REPORT).unwrap();
        assert_eq!(suites.len(), 2);
        assert_eq!(suites[0].tally, Tally { passed: 1, failed: 0, skipped: 0 });
        assert_eq!(suites[1].name, "remora-capture::live");
        assert_eq!(suites[1].tally, Tally { passed: 1, failed: 1, skipped: 1 });
        assert_eq!(suites[1].skips, [("veth & bridge".to_owned(), "needs root, \"sudo\" say".to_owned())]);
        assert_eq!(suites[1].failures, ["tcx"]);
    }

    #[test]
    fn a_cut_report_is_an_error() {
        assert!(junit("<testsuites><testsuite name=\"a\"").is_err());
    }

    #[test]
    fn examples_of_this_repository_are_counted() {
        let mut suite = Suite::default();
        for line in [
            "running 4 tests",
            "test agent/packet/src/lib.rs - Packet (line 12) ... ok",
            "test agent/packet/src/lib.rs - Packet::time (line 30) ... FAILED",
            "test agent/pcap/src/lib.rs - (line 3) ... ignored",
            "test /registry/other-1.0.0/macros.rs - module (line 486) ... ignored",
            "test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.41s",
        ] {
            documentation(line, &mut suite);
        }
        assert_eq!(suite.tally, Tally { passed: 1, failed: 1, skipped: 1 });
        assert_eq!(suite.failures, ["agent/packet/src/lib.rs - Packet::time (line 30)"]);
    }
}
