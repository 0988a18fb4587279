//! The last line on standard error: what was seen, and what was lost at which stage.

use std::fmt;
use std::time::Duration;

use remora_data::StreamCounters;
use remora_dissect::Counters;
use remora_script::ScriptStats;

use crate::pipeline::Outcome;

pub(crate) struct Summary {
    command: &'static str,
    elapsed: Duration,
    counters: Counters,
    passed: u64,
    failed: u64,
    /// What each stage lost, in the order of the stages: `12 packets (kernel ring)`.
    losses: Vec<String>,
    /// What scripts got wrong; their console has the details.
    troubles: Vec<String>,
}

impl Summary {
    pub(crate) fn new(command: &'static str, elapsed: Duration) -> Self {
        let counters = Counters::default();
        Self { command, elapsed, counters, passed: 0, failed: 0, losses: Vec::new(), troubles: Vec::new() }
    }

    /// Notes a loss of the capture stage, which is the first.
    pub(crate) fn lost(&mut self, count: u64, what: &str) {
        if count != 0 {
            self.losses.push(format!("{count} {what}"));
        }
    }

    pub(crate) fn take(&mut self, outcome: &Outcome) {
        let counters = outcome.counters;
        self.counters = counters;
        self.passed = outcome.printed.passed;
        self.failed = outcome.printed.failed;
        self.lost(counters.malformed_packets, "malformed packets (decode)");
        self.lost(counters.too_deep_packets, "packets nested too deep (decode)");
        self.lost(counters.dropped_fragments, "fragments (decode)");
        self.lost(counters.evicted_streams, "streams let go early (flows)");
        self.lost(counters.missing_bytes, "bytes missing (reassembly)");
        self.lost(counters.pending_overflows, "message heads too large (dissect)");
        self.lost(counters.undecrypted_records, "TLS records not decrypted (dissect)");
        self.lost(counters.bad_tls_secrets, "TLS secrets unreadable (dissect)");
        self.lost(counters.dropped_tls_secrets, "TLS secrets, too many (dissect)");
        self.lost(counters.cut_bodies, "bodies cut (dissect)");
        for script in &outcome.scripts {
            self.lost(script.shed, &format!("events (queue of {})", script.script));
            self.note_script(script);
        }
        self.lost(outcome.missed_jobs, "runs of jobs (late)");
        self.lost(outcome.unprinted, "items (output)");
        self.lost(outcome.printed.withheld, "items not printed (a script that may redact them was ended)");
    }

    /// What was lost of the streams' pcaps.
    pub(crate) fn take_pcaps(&mut self, counters: &StreamCounters) {
        self.lost(counters.packets_shed, "packets (pcaps of streams, disk too slow)");
        self.lost(counters.packets_lost, "packets (pcaps of streams, disk refused them)");
        self.lost(counters.packets_other_link, "packets (pcaps of streams, another link type)");
        self.lost(counters.packets_over_stream_bytes, "packets (pcaps of streams, too large)");
    }

    fn note_script(&mut self, script: &ScriptStats) {
        let trouble = |troubles: &mut Vec<String>, count: u64, what: &str| {
            if count != 0 {
                troubles.push(format!("{}: {count} {what}", script.script));
            }
        };
        trouble(&mut self.troubles, script.errors, "hook errors");
        trouble(&mut self.troubles, script.timeouts, "calls over the time limit");
        trouble(&mut self.troubles, script.heap_overflows, "calls over the heap limit");
        trouble(&mut self.troubles, script.console_suppressed, "console lines dropped");
        if script.abandoned {
            self.troubles.push(format!("{}: abandoned", script.script));
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { packets, bytes, streams, items, .. } = self.counters;
        write!(f, "{}: {packets} packets, {bytes} bytes, {streams} streams, {items} items", self.command)?;
        if self.passed != 0 || self.failed != 0 {
            write!(f, " ({} passed, {} failed)", self.passed, self.failed)?;
        }
        write!(f, " in {:.2} s", self.elapsed.as_secs_f64())?;
        // No loss, but the reason where a capture gives no items: another link layer, ARP, IPsec.
        if self.counters.unknown_packets != 0 {
            write!(f, "; {} packets of protocols that are not decoded", self.counters.unknown_packets)?;
        }
        if self.counters.ignored_items != 0 {
            write!(f, "; {} exchanges asked not to be shown", self.counters.ignored_items)?;
        }
        match self.losses.as_slice() {
            [] => f.write_str("; nothing lost")?,
            losses => write!(f, "; lost: {}", losses.join(", "))?,
        }
        match self.troubles.as_slice() {
            [] => Ok(()),
            troubles => write!(f, "; scripts: {}", troubles.join(", ")),
        }
    }
}
