//! One metric of scripts: what it is, and its series.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use crate::caps::{Caps, SERIES_OVERHEAD};
use crate::exposition::write_label;
use crate::refusal::{Refusal, quote};
use crate::registry::Sample;

/// The script helper a call came through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Helper {
    /// `prometheus.metric`: the value is set.
    Metric,
    /// `prometheus.vector`: the value is added to a counter, or set as that of a gauge.
    Vector,
}

/// What a metric is to Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Counter,
    Gauge,
    Untyped,
}

impl Helper {
    pub(crate) fn kind(self, given: f64) -> Result<Kind, Refusal> {
        match (self, given) {
            (_, 1.0) => Ok(Kind::Counter),
            (_, 2.0) => Ok(Kind::Gauge),
            (Self::Metric, 3.0) => Ok(Kind::Untyped),
            _ => Err(Refusal::Type { helper: self, given }),
        }
    }

    pub(crate) fn types(self) -> &'static str {
        match self {
            Self::Metric => "1 (counter), 2 (gauge) and 3 (untyped)",
            Self::Vector => "1 (counter) and 2 (gauge)",
        }
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Metric => "prometheus.metric",
            Self::Vector => "prometheus.vector",
        })
    }
}

impl Kind {
    /// As in a `# TYPE` line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Untyped => "untyped",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

pub(crate) struct Family {
    pub(crate) name: Arc<str>,
    pub(crate) help: Arc<str>,
    pub(crate) helper: Helper,
    pub(crate) kind: Kind,
    /// Names, in order.
    pub(crate) labels: Box<[Box<str>]>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// By their labels as they are written in the exposition.
    series: HashMap<Arc<str>, Series, RandomState>,
    /// Series of former script versions only.
    former: usize,
    /// Where the labels of a call are written to be looked up.
    labels: String,
}

struct Series {
    value: f64,
    claims: Vec<Claim>,
}

/// A script that has written a series.
struct Claim {
    owner: u64,
    /// The script was reloaded since.
    former: bool,
}

impl Series {
    fn is_former(&self) -> bool {
        self.claims.iter().all(|claim| claim.former)
    }

    fn claim(&mut self, owner: u64) {
        match self.claims.iter_mut().find(|claim| claim.owner == owner) {
            Some(claim) => claim.former = false,
            None => self.claims.push(Claim { owner, former: false }),
        }
    }
}

impl Family {
    pub(crate) fn new(helper: Helper, kind: Kind, sample: &Sample<'_>) -> Self {
        let mut labels: Box<[Box<str>]> = sample.labels.iter().map(|&(label, _)| label.into()).collect();
        labels.sort();
        let (name, help) = (sample.name.into(), sample.help.into());
        Self { name, help, helper, kind, labels, table: Mutex::default() }
    }

    /// Whether a call means this very metric.
    pub(crate) fn check(&self, helper: Helper, kind: Kind, sample: &Sample<'_>) -> Result<(), Refusal> {
        let name = || quote(&self.name);
        if (self.helper, self.kind) != (helper, kind) {
            let (registered, by) = (self.kind, self.helper);
            return Err(Refusal::TypeConflict { name: name(), registered, by, given: kind, to: helper });
        }
        if *self.help != *sample.help {
            let (registered, given) = (quote(&self.help), quote(sample.help));
            return Err(Refusal::HelpConflict { name: name(), registered, given });
        }
        if self.labels.len() != sample.labels.len()
            || !self.labels.iter().all(|label| value_of(sample, label).is_some())
        {
            let given: Vec<&str> = sample.labels.iter().map(|&(label, _)| label).collect();
            let (registered, given) = (quote(&self.labels.join(", ")), quote(&given.join(", ")));
            return Err(Refusal::LabelConflict { name: name(), registered, given });
        }
        Ok(())
    }

    /// Writes the value of a call that has passed [`check`](Self::check). `used` is what all series take.
    pub(crate) fn write(
        &self,
        owner: u64,
        sample: &Sample<'_>,
        caps: &Caps,
        used: &AtomicUsize,
    ) -> Result<(), Refusal> {
        let table = &mut *self.table();
        table.labels.clear();
        for label in &self.labels {
            write_label(label, value_of(sample, label).unwrap_or_default(), &mut table.labels);
        }
        let Some(series) = table.series.get_mut(table.labels.as_str()) else {
            if table.series.len() >= caps.series {
                return Err(Refusal::TooManySeries { name: quote(&self.name), cap: caps.series });
            }
            let labels: Arc<str> = table.labels.as_str().into();
            take(used, self.series_bytes(&labels), sample, caps)?;
            let claims = vec![Claim { owner, former: false }];
            table.series.insert(labels, Series { value: sample.value, claims });
            return Ok(());
        };
        let value = match (self.helper, self.kind) {
            (Helper::Vector, Kind::Counter) => series.value + sample.value,
            _ => sample.value,
        };
        if self.kind == Kind::Counter && value.is_infinite() {
            return Err(Refusal::Overflow { name: quote(&self.name) });
        }
        series.value = value;
        if !matches!(series.claims.first(), Some(claim) if claim.owner == owner && !claim.former) {
            let was_former = series.is_former();
            series.claim(owner);
            table.former -= usize::from(was_former);
        }
        Ok(())
    }

    /// Takes a script off all series and drops those it alone has written. Returns the bytes that came free.
    pub(crate) fn remove(&self, owner: u64) -> usize {
        self.retain(|series| {
            series.claims.retain(|claim| claim.owner != owner);
            !series.claims.is_empty()
        })
    }

    /// As [`remove`](Self::remove), but counters that are added to stay for the script's next version to go on with.
    pub(crate) fn reload(&self, owner: u64) -> usize {
        if (self.helper, self.kind) != (Helper::Vector, Kind::Counter) {
            return self.remove(owner);
        }
        self.retain(|series| {
            let claims = series.claims.iter_mut().filter(|claim| claim.owner == owner);
            claims.for_each(|claim| claim.former = true);
            true
        })
    }

    /// Drops the series of former script versions only. Returns the bytes that came free.
    pub(crate) fn purge(&self) -> usize {
        if self.table().former == 0 {
            return 0;
        }
        self.retain(|series| !series.is_former())
    }

    fn retain(&self, mut keep: impl FnMut(&mut Series) -> bool) -> usize {
        let mut table = self.table();
        let (mut freed, mut former) = (0, 0);
        table.series.retain(|labels, series| {
            let kept = keep(series);
            if kept {
                former += usize::from(series.is_former());
            } else {
                freed += self.series_bytes(labels);
            }
            kept
        });
        table.former = former;
        // A table that was filled once and emptied does not keep its memory.
        if table.series.len() < table.series.capacity() / 4 {
            table.series.shrink_to_fit();
        }
        freed
    }

    pub(crate) fn len(&self) -> usize {
        self.table().series.len()
    }

    /// The labels and value of each series, in no order.
    pub(crate) fn series(&self) -> Vec<(Arc<str>, f64)> {
        self.table().series.iter().map(|(labels, series)| (Arc::clone(labels), series.value)).collect()
    }

    /// What the metric takes without its series.
    pub(crate) fn bytes(&self) -> usize {
        let labels: usize = self.labels.iter().map(|label| label.len()).sum();
        2 * self.name.len() + self.help.len() + labels + SERIES_OVERHEAD
    }

    fn series_bytes(&self, labels: &str) -> usize {
        self.name.len() + labels.len() + SERIES_OVERHEAD
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes `bytes` of what all metrics may have.
pub(crate) fn take(
    used: &AtomicUsize,
    bytes: usize,
    sample: &Sample<'_>,
    caps: &Caps,
) -> Result<(), Refusal> {
    if used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > caps.bytes {
        used.fetch_sub(bytes, Ordering::Relaxed);
        return Err(Refusal::TooManyBytes { name: quote(sample.name), cap: caps.bytes });
    }
    Ok(())
}

fn value_of<'a>(sample: &Sample<'a>, label: &str) -> Option<&'a str> {
    sample.labels.iter().find(|&&(name, _)| name == label).map(|&(_, value)| value)
}
