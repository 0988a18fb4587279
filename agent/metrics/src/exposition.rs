//! The text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use memchr::{memchr2, memchr3};

use crate::family::Kind;
use crate::names;

/// The `Content-Type` of [`Exposition::finish`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Something that has figures to show, asked at each scrape.
pub trait Collect: Send + Sync {
    fn collect(&self, exposition: &mut Exposition);
}

impl<F: Fn(&mut Exposition) + Send + Sync> Collect for F {
    fn collect(&self, exposition: &mut Exposition) {
        self(exposition);
    }
}

/// Gathers the series of one scrape and writes them: families by name, `# HELP` and `# TYPE` once for each, series by the
/// text of their labels. The same series give the same bytes, whatever order they came in.
#[derive(Default)]
pub struct Exposition {
    families: BTreeMap<Arc<str>, Block>,
}

struct Block {
    help: Arc<str>,
    kind: Kind,
    /// Labels without their braces, as they are written.
    series: Vec<(Arc<str>, f64)>,
}

impl Exposition {
    pub fn new() -> Self {
        Self::default()
    }

    /// One series of a counter of the agent. Above 2^53 its value is rounded, as scrapers would do.
    ///
    /// The name begins with `remora_` and ends with `_total`. A series whose name, or the name of one of its labels, is
    /// not valid is left out, because a scraper throws away the whole answer for one bad line.
    pub fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.own(name, help, Kind::Counter, labels, value as f64);
    }

    /// One series of a gauge of the agent; name and labels as with [`counter`](Self::counter), without `_total`.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.own(name, help, Kind::Gauge, labels, value);
    }

    fn own(&mut self, name: &str, help: &str, kind: Kind, labels: &[(&str, &str)], value: f64) {
        let valid = name.starts_with(names::OWN_PREFIX)
            && names::is_metric(name)
            && labels.iter().all(|(label, _)| names::is_label(label));
        debug_assert!(valid, "{name} {labels:?}");
        if !valid {
            return;
        }
        let mut text = String::new();
        labels.iter().for_each(|(label, value)| write_label(label, value, &mut text));
        let block = match self.families.get_mut(name) {
            Some(block) => block,
            None => self.family(name.into(), help.into(), kind),
        };
        block.series.push((text.into(), value));
    }

    /// The series of one metric of scripts.
    pub(crate) fn registered(
        &mut self,
        name: Arc<str>,
        help: Arc<str>,
        kind: Kind,
        series: Vec<(Arc<str>, f64)>,
    ) {
        self.family(name, help, kind).series = series;
    }

    fn family(&mut self, name: Arc<str>, help: Arc<str>, kind: Kind) -> &mut Block {
        self.families.entry(name).or_insert(Block { help, kind, series: Vec::new() })
    }

    /// The text. Of a series that was given twice the first is kept: a scraper refuses to read both.
    pub fn finish(self) -> String {
        /// Braces, space, line end and a number of usual length.
        const LINE: usize = 24;
        let length = |(name, block): (&Arc<str>, &Block)| {
            let lines: usize = block.series.iter().map(|(labels, _)| name.len() + labels.len() + LINE).sum();
            2 * (name.len() + LINE) + block.help.len() + lines
        };
        let mut text = String::with_capacity(self.families.iter().map(length).sum());
        for (name, mut block) in self.families {
            if !block.help.is_empty() {
                text.extend(["# HELP ", &name, " "]);
                escape_help(&block.help, &mut text);
                text.push('\n');
            }
            text.extend(["# TYPE ", &name, " ", block.kind.name(), "\n"]);
            block.series.sort_by(|(a, _), (b, _)| a.cmp(b));
            block.series.dedup_by(|(a, _), (b, _)| a == b);
            for (labels, value) in &block.series {
                text.push_str(&name);
                if !labels.is_empty() {
                    text.extend(["{", labels, "}"]);
                }
                text.push(' ');
                write_value(*value, &mut text);
                text.push('\n');
            }
        }
        text
    }
}

/// Appends `name="value"`, after a comma where something is there already.
pub(crate) fn write_label(name: &str, value: &str, text: &mut String) {
    if !text.is_empty() {
        text.push(',');
    }
    text.extend([name, "=\""]);
    escape(value, text, |bytes| memchr3(b'\\', b'"', b'\n', bytes));
    text.push('"');
}

fn escape_help(help: &str, text: &mut String) {
    escape(help, text, |bytes| memchr2(b'\\', b'\n', bytes));
}

/// Appends `from` with a backslash before what `find` finds.
fn escape(mut from: &str, text: &mut String, find: impl Fn(&[u8]) -> Option<usize>) {
    while let Some(at) = find(from.as_bytes()) {
        text.push_str(&from[..at]);
        text.push_str(match from.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        from = &from[at + 1..];
    }
    text.push_str(from);
}

/// As Go's `ParseFloat` reads it.
fn write_value(value: f64, text: &mut String) {
    /// Up to here every whole number is one of f64.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if value.abs() <= WHOLE && value.fract() == 0.0 {
        text.push_str(itoa::Buffer::new().format(value as i64));
    } else {
        // Writing to a String cannot fail.
        let _ = match value.abs() {
            1e-5..1e21 => write!(text, "{value}"),
            _ => write!(text, "{value:e}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_reads_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-3.0, "-3"),
            (1.5, "1.5"),
            (1e-9, "1e-9"),
            (1e300, "1e300"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let mut text = String::new();
            write_value(value, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn what_would_end_a_label_value_or_a_help_early_is_escaped() {
        let mut text = String::new();
        write_label("a", "back\\ quote\" line\n nul\0 tab\t é", &mut text);
        write_label("b", "", &mut text);
        assert_eq!(text, "a=\"back\\\\ quote\\\" line\\n nul\0 tab\t é\",b=\"\"");
        text.clear();
        escape_help("back\\ quote\" line\n nul\0", &mut text);
        assert_eq!(text, "back\\\\ quote\" line\\n nul\0");
    }
}
