//! What scripts report.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;

use crate::caps::Caps;
use crate::exposition::{Collect, Exposition};
use crate::family::{Family, Helper, Kind, take};
use crate::names;
use crate::refusal::{Counters, Refusal, RefusalCounts, quote};

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    pub name: &'a str,
    pub help: &'a str,
    /// The type as the script gives it: 1 counter, 2 gauge, 3 untyped.
    pub kind: f64,
    pub value: f64,
    /// Names with values, in any order.
    pub labels: &'a [(&'a str, &'a str)],
}

/// How full a registry is, and what it has refused.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Usage {
    pub families: usize,
    pub series: usize,
    /// As [`Caps::bytes`] counts them.
    pub bytes: usize,
    pub refused: RefusalCounts,
}

/// The metrics of all scripts of an agent, for any number of threads.
///
/// The first call with a name decides type, help and label names of the metric; later ones have to agree, from whichever
/// script they come. Scripts that agree share the metric, and the series too where their labels are the same.
///
/// An owner is a script, by a number that stays the same when the script is reloaded. At
///
/// - removal, its series go, except those that another script has written too;
/// - reload, gauges, untyped metrics and counters of [`metric`](Self::metric) go, since the next version states their
///   values anew and a value that nobody states any more is not true. Counters of [`vector`](Self::vector) stay and go on,
///   so that what happened before is counted once and a scraper sees no reset. They no longer hold anything up, though:
///   the new version may give the name another type, help or labels, and where a cap would be exceeded, those that nobody
///   has written since make room.
#[derive(Default)]
pub struct Registry {
    caps: Caps,
    families: RwLock<Families>,
    bytes: AtomicUsize,
    refused: Counters,
}

type Families = HashMap<Arc<str>, Arc<Family>, RandomState>;

impl Registry {
    pub fn new(caps: Caps) -> Self {
        Self { caps, ..Self::default() }
    }

    /// `prometheus.metric`: sets the value of a series. A counter may be set to less than before, which scrapers take for
    /// a restart of it, but not below zero.
    pub fn metric(&self, owner: u64, sample: &Sample<'_>) -> Result<(), Refusal> {
        self.call(Helper::Metric, owner, sample).inspect_err(|refusal| self.refused.count(refusal))
    }

    /// `prometheus.vector`: adds to the counter of a series, or sets its gauge.
    pub fn vector(&self, owner: u64, sample: &Sample<'_>) -> Result<(), Refusal> {
        self.call(Helper::Vector, owner, sample).inspect_err(|refusal| self.refused.count(refusal))
    }

    /// The script is gone.
    pub fn remove_owner(&self, owner: u64) {
        self.release(|family| family.remove(owner));
    }

    /// The script is about to run again from its beginning, changed or not.
    pub fn reload_owner(&self, owner: u64) {
        self.release(|family| family.reload(owner));
    }

    pub fn usage(&self) -> Usage {
        let families = self.read();
        Usage {
            families: families.len(),
            series: families.values().map(|family| family.len()).sum(),
            bytes: self.bytes.load(Ordering::Relaxed),
            refused: self.refused.read(),
        }
    }

    fn call(&self, helper: Helper, owner: u64, sample: &Sample<'_>) -> Result<(), Refusal> {
        let kind = helper.kind(sample.kind)?;
        check_value(kind, sample)?;
        self.check_label_values(sample)?;
        if let Some(family) = self.read().get(sample.name)
            && family.check(helper, kind, sample).is_ok()
            && family.write(owner, sample, &self.caps, &self.bytes).is_ok()
        {
            return Ok(());
        }
        // New, or something is wrong with it.
        let mut families = self.write();
        let refusal = match self.register(&mut families, helper, kind, owner, sample) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        // Former versions of scripts make room.
        let freed = match refusal {
            Refusal::TooManyFamilies { .. } | Refusal::TooManyBytes { .. } => {
                self.drop_series(&mut families, |_| true, Family::purge)
            }
            Refusal::TypeConflict { .. }
            | Refusal::HelpConflict { .. }
            | Refusal::LabelConflict { .. }
            | Refusal::TooManySeries { .. } => {
                self.drop_series(&mut families, |name| name == sample.name, Family::purge)
            }
            _ => 0,
        };
        if freed == 0 {
            return Err(refusal);
        }
        self.register(&mut families, helper, kind, owner, sample)
    }

    fn register(
        &self,
        families: &mut Families,
        helper: Helper,
        kind: Kind,
        owner: u64,
        sample: &Sample<'_>,
    ) -> Result<(), Refusal> {
        if let Some(family) = families.get(sample.name) {
            family.check(helper, kind, sample)?;
            return family.write(owner, sample, &self.caps, &self.bytes);
        }
        self.check_names(sample)?;
        if families.len() >= self.caps.families {
            return Err(Refusal::TooManyFamilies { name: quote(sample.name), cap: self.caps.families });
        }
        let family = Family::new(helper, kind, sample);
        take(&self.bytes, family.bytes(), sample, &self.caps)?;
        family.write(owner, sample, &self.caps, &self.bytes).inspect_err(|_| {
            self.bytes.fetch_sub(family.bytes(), Ordering::Relaxed);
        })?;
        families.insert(Arc::clone(&family.name), Arc::new(family));
        Ok(())
    }

    fn check_names(&self, sample: &Sample<'_>) -> Result<(), Refusal> {
        let Self { caps, .. } = self;
        let name = || quote(sample.name);
        let fits = |text: &str, cap, setting| match text.len() {
            bytes if bytes > cap => Err(Refusal::TooLong { bytes, cap, setting }),
            _ => Ok(()),
        };
        fits(sample.name, caps.name, "scripting.limits.metricName")?;
        fits(sample.help, caps.help, "scripting.limits.metricHelp")?;
        if !names::is_metric(sample.name) {
            return Err(Refusal::Name { name: name() });
        }
        for prefix in [names::OWN_PREFIX, names::RESERVED_PREFIX] {
            if sample.name.starts_with(prefix) {
                return Err(Refusal::ReservedName { name: name(), prefix });
            }
        }
        if sample.labels.len() > caps.labels {
            let (given, cap) = (sample.labels.len(), caps.labels);
            return Err(Refusal::TooManyLabels { name: name(), given, cap });
        }
        for (index, &(label, _)) in sample.labels.iter().enumerate() {
            fits(label, caps.name, "scripting.limits.metricName")?;
            if !names::is_label(label) {
                return Err(Refusal::Label { name: name(), label: quote(label) });
            }
            if label.starts_with(names::RESERVED_PREFIX) {
                return Err(Refusal::ReservedLabel { name: name(), label: quote(label) });
            }
            if sample.labels[..index].iter().any(|&(earlier, _)| earlier == label) {
                return Err(Refusal::DuplicateLabel { name: name(), label: quote(label) });
            }
        }
        Ok(())
    }

    fn check_label_values(&self, sample: &Sample<'_>) -> Result<(), Refusal> {
        let cap = self.caps.label_value;
        match sample.labels.iter().find(|(_, value)| value.len() > cap) {
            Some((label, value)) => {
                let (name, label) = (quote(sample.name), quote(label));
                Err(Refusal::LabelValueTooLong { name, label, bytes: value.len(), cap })
            }
            None => Ok(()),
        }
    }

    fn release(&self, release: impl Fn(&Family) -> usize) {
        self.drop_series(&mut self.write(), |_| true, release);
    }

    /// Drops series with `release`, and the metrics that have none left. Returns the bytes that came free.
    fn drop_series(
        &self,
        families: &mut Families,
        of: impl Fn(&str) -> bool,
        release: impl Fn(&Family) -> usize,
    ) -> usize {
        let mut freed = 0;
        families.retain(|name, family| {
            if !of(name) {
                return true;
            }
            freed += release(family);
            let kept = family.len() > 0;
            freed += if kept { 0 } else { family.bytes() };
            kept
        });
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
        freed
    }

    fn read(&self) -> RwLockReadGuard<'_, Families> {
        self.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Families> {
        self.families.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What scripts report, and how full the registry is.
impl Collect for Registry {
    fn collect(&self, exposition: &mut Exposition) {
        let usage = self.usage();
        let gauges = [
            ("remora_script_metric_families", "Metrics that scripts report.", usage.families),
            ("remora_script_metric_series", "Series that scripts report.", usage.series),
            ("remora_script_metric_bytes", "What the metrics of scripts take, in bytes.", usage.bytes),
        ];
        for (name, help, value) in gauges {
            exposition.gauge(name, help, &[], value as f64);
        }
        usage.refused.each(&mut |reason, count| {
            let help = "Calls of prometheus helpers that were refused.";
            exposition.counter("remora_script_metric_refusals_total", help, &[("reason", reason)], count);
        });
        // A script waits while the series of one metric are copied, not while they are sorted and written.
        let families: Vec<_> = self.read().values().cloned().collect();
        for family in families {
            let (name, help) = (Arc::clone(&family.name), Arc::clone(&family.help));
            exposition.registered(name, help, family.kind, family.series());
        }
    }
}

fn check_value(kind: Kind, sample: &Sample<'_>) -> Result<(), Refusal> {
    let name = || quote(sample.name);
    match sample.value {
        _ if kind != Kind::Counter => Ok(()),
        value if !value.is_finite() => Err(Refusal::NotFinite { name: name(), value }),
        value if value < 0.0 => Err(Refusal::Decrease { name: name(), value }),
        _ => Ok(()),
    }
}
