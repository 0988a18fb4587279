//! The comparison as a table, and the first differences.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use remora_packet::Timestamp;

use super::matching::{By, Counts, Outcome};
use super::{Message, Place};
use crate::table::Table;

pub(super) struct Report {
    /// How many differences of a protocol are kept, each only once.
    differences: usize,
    files: usize,
    counts: BTreeMap<&'static str, Counts>,
    alone: BTreeMap<&'static str, Vec<(PathBuf, By, Message)>>,
}

impl Report {
    pub(super) fn new(differences: usize) -> Self {
        Self { differences, files: 0, counts: BTreeMap::new(), alone: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, file: &Path, outcome: Outcome) {
        self.files += 1;
        for (protocol, counts) in outcome.counts() {
            *self.counts.entry(protocol).or_default() += counts;
        }
        for (by, message) in outcome.alone {
            let kept = self.alone.entry(message.protocol).or_default();
            let told =
                |(_, told_by, told): &(PathBuf, By, Message)| *told_by == by && told.key == message.key;
            if kept.len() < self.differences && !kept.iter().any(told) {
                kept.push((file.to_owned(), by, message));
            }
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        table.row(["protocol", "both", "only tshark", "only remora", "agreement"]);
        for (protocol, counts) in &self.counts {
            table.row([
                (*protocol).to_owned(),
                counts.both.to_string(),
                counts.theirs.to_string(),
                counts.ours.to_string(),
                format!("{:.1} %", percent(*counts)),
            ]);
        }
        table
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.alone.values().flatten().map(|(file, by, message)| {
            let file = if self.files > 1 { format!("{}: ", file.display()) } else { String::new() };
            let by = match by {
                By::Tshark => "only tshark",
                By::Remora => "only remora",
            };
            let Message { protocol, time, from, to, key } = message;
            let (time, from, to) = (Timestamp::from_nanos(*time), place(*from), place(*to));
            format!("{protocol}, {by}: {file}{time} {from} > {to}: {key}")
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.table().render();
        for (number, line) in self.lines().enumerate() {
            text.push_str(if number == 0 { "\n" } else { "" });
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = self.table().markdown();
        for (number, line) in self.lines().enumerate() {
            text.push_str(if number == 0 { "\n" } else { "" });
            text.push_str(&format!("- `{}`\n", line.replace('`', "'")));
        }
        text
    }
}

/// Rounded down: 100.0 is all of them.
fn percent(counts: Counts) -> f64 {
    (counts.agreement() * 1000.0).floor() / 10.0
}

fn place((ip, port): Place) -> String {
    match port {
        0 => ip.to_string(),
        port => std::net::SocketAddr::new(ip, port).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn report(files: usize, differences: usize) -> Report {
        let host = IpAddr::from([192, 0, 2, 1]);
        let message = |protocol, key: &str| Message {
            protocol,
            time: 1_000_000_000,
            from: (host, 4_000),
            to: (host, 80),
            key: key.to_owned(),
        };
        let mut report = Report::new(differences);
        for _ in 0..files {
            let theirs = vec![message("http1", "GET /"), message("http1", "GET /|")];
            report.add(
                Path::new("a.pcap"),
                Outcome::of(theirs, vec![message("http1", "GET /"), message("dns", "x")]),
            );
        }
        report
    }

    #[test]
    fn a_table_and_the_differences_below() {
        assert_eq!(
            report(1, 5).text(),
            "protocol  both  only tshark  only remora  agreement\n\
             dns          0            0            1      0.0 %\n\
             http1        1            1            0     50.0 %\n\
             \n\
             dns, only remora: 1970-01-01T00:00:01Z 192.0.2.1:4000 > 192.0.2.1:80: x\n\
             http1, only tshark: 1970-01-01T00:00:01Z 192.0.2.1:4000 > 192.0.2.1:80: GET /|\n"
        );
    }

    #[test]
    fn several_captures_are_summed_up_and_named() {
        let text = report(3, 2).text();
        assert!(text.contains("http1        3            3            0"), "{text}");
        assert_eq!(text.matches("only tshark: a.pcap: ").count(), 1, "{text}");
        assert!(report(1, 0).text().ends_with("50.0 %\n"));
    }

    #[test]
    fn the_page_has_the_same() {
        let page = report(1, 5).markdown();
        assert!(page.contains("| http1 | 1 | 1 | 0 | 50.0 % |\n\n- `dns, only remora"), "{page}");
    }

    #[test]
    fn almost_all_are_not_all() {
        assert_eq!(percent(Counts { both: 99_999, theirs: 1, ours: 0 }), 99.9);
    }
}
