//! How much scripts may register.

/// Caps of a [`Registry`](crate::Registry). A call that would exceed one is refused, counted, and changes nothing.
///
/// Each has the name of its setting below `scripting.limits`, which is what the [`Refusal`](crate::Refusal) names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// Metric names: `metricFamilies`.
    pub families: usize,
    /// Label combinations of one metric: `metricSeries`.
    pub series: usize,
    /// Text of all metrics and series, and 128 bytes for each: `metricBytes`. About what they take in memory, and hardly
    /// less than a scrape has.
    pub bytes: usize,
    /// Labels of one metric: `metricLabels`.
    pub labels: usize,
    /// Bytes of a metric's or label's name: `metricName`.
    pub name: usize,
    /// Bytes of a label's value: `metricLabelValue`.
    pub label_value: usize,
    /// Bytes of a help text: `metricHelp`.
    pub help: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            families: 256,
            series: 10_000,
            bytes: 16 << 20,
            labels: 16,
            name: 128,
            label_value: 256,
            help: 1024,
        }
    }
}

/// Bytes a series takes besides its text: its value, its owners and its place in the table.
pub(crate) const SERIES_OVERHEAD: usize = 128;
