//! Why a script's call was refused, in words for the author of the script, and how often.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::family::{Helper, Kind};

/// Why a call changed nothing. The text is made for the exception that the script gets.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("type {given} is unknown: {helper} takes {}", .helper.types())]
    Type { helper: Helper, given: f64 },
    #[error(
        "{name:?} is no metric name: letters, digits, \"_\" and \":\" are possible, and no digit at the beginning"
    )]
    Name { name: String },
    #[error("the metric name {name:?} is reserved: it begins with {prefix:?}")]
    ReservedName { name: String, prefix: &'static str },
    #[error(
        "{label:?} is no label name (metric {name:?}): letters, digits and \"_\" are possible, and no digit at the beginning"
    )]
    Label { name: String, label: String },
    #[error("the label name {label:?} of metric {name:?} is reserved: it begins with \"__\"")]
    ReservedLabel { name: String, label: String },
    #[error("metric {name:?} is given label {label:?} twice")]
    DuplicateLabel { name: String, label: String },
    #[error("metric {name:?} is a {registered} of {by}, and was now given as a {given} to {to}")]
    TypeConflict { name: String, registered: Kind, by: Helper, given: Kind, to: Helper },
    #[error("metric {name:?} has the help {registered:?}, and was now given {given:?}")]
    HelpConflict { name: String, registered: String, given: String },
    #[error("metric {name:?} has the labels [{registered}], and was now given [{given}]")]
    LabelConflict { name: String, registered: String, given: String },
    #[error("counter {name:?} can only go up, and was given {value}")]
    Decrease { name: String, value: f64 },
    #[error("counter {name:?} takes finite numbers only, and was given {value}")]
    NotFinite { name: String, value: f64 },
    #[error("counter {name:?} would pass the largest number there is")]
    Overflow { name: String },
    #[error("a name or help of {bytes} bytes: {setting} allows {cap}")]
    TooLong { bytes: usize, cap: usize, setting: &'static str },
    #[error(
        "the value of label {label:?} of metric {name:?} has {bytes} bytes: scripting.limits.metricLabelValue allows {cap}"
    )]
    LabelValueTooLong { name: String, label: String, bytes: usize, cap: usize },
    #[error("metric {name:?} has {given} labels: scripting.limits.metricLabels allows {cap}")]
    TooManyLabels { name: String, given: usize, cap: usize },
    #[error("metric {name:?} would be one too many: scripting.limits.metricFamilies allows {cap}")]
    TooManyFamilies { name: String, cap: usize },
    #[error(
        "metric {name:?} would get one label combination too many: scripting.limits.metricSeries allows {cap}"
    )]
    TooManySeries { name: String, cap: usize },
    #[error(
        "metric {name:?} would take all metrics of scripts beyond scripting.limits.metricBytes, {cap} bytes"
    )]
    TooManyBytes { name: String, cap: usize },
}

/// Longest piece of a script's text that a message repeats, in characters.
const QUOTED_CHARS: usize = 80;

/// `text`, cut where a message would get too long.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $field:ident: $($variant:ident)|+,)+) => {
        /// Calls refused so far, by reason.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        pub struct RefusalCounts {
            $($(#[doc = $doc])+ pub $field: u64,)+
        }

        impl RefusalCounts {
            /// Every reason with its count, in the order of declaration.
            pub fn each(&self, visit: &mut dyn FnMut(&'static str, u64)) {
                $(visit(stringify!($field), self.$field);)+
            }
        }

        #[derive(Default)]
        pub(crate) struct Counters {
            $($field: AtomicU64,)+
        }

        impl Counters {
            pub(crate) fn count(&self, refusal: &Refusal) {
                let counter = match refusal {
                    $($(Refusal::$variant { .. })|+ => &self.$field,)+
                };
                counter.fetch_add(1, Ordering::Relaxed);
            }

            pub(crate) fn read(&self) -> RefusalCounts {
                RefusalCounts { $($field: self.$field.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

reasons! {
    /// All series together would take too many bytes.
    bytes: TooManyBytes,
    /// Type, help or labels differ from those of an earlier call.
    conflict: TypeConflict | HelpConflict | LabelConflict,
    /// Too many metrics.
    families: TooManyFamilies,
    /// A label's name, a label given twice, too many labels.
    labels: Label | ReservedLabel | DuplicateLabel | TooManyLabels,
    /// A label's value is too long.
    label_value: LabelValueTooLong,
    /// A metric's name.
    name: Name | ReservedName,
    /// Too many series of one metric.
    series: TooManySeries,
    /// A name or help is too long.
    text: TooLong,
    /// An unknown type.
    kind: Type,
    /// A counter would decrease or not be a number any more.
    value: Decrease | NotFinite | Overflow,
}
