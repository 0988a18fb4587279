//! The scripts of an agent and the way events reach them.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use remora_dissect::Item;

use crate::batch::{Batch, Ticket};
use crate::config::{HostConfig, LoadError, Observer, Overflow, Script};
use crate::engine;
use crate::event::{Event, Query, Reply};
use crate::jobs::{Jobs, Runs};
use crate::queue::Wants;
use crate::services::Services;
use crate::stats::{Counters, ScriptStats};
use crate::watchdog::Watchdog;
use crate::worker::{self, Ready, Shared, Version};

/// How long a thread that was told to end may take, beyond the work it was granted.
const END_GRACE: Duration = Duration::from_secs(1);

/// What any script asks for, as bits.
const PACKETS: u8 = 1;
const ITEMS: u8 = 2;
const QUERIES: u8 = 4;

/// All scripts of an agent, running. Dropping it ends them without waiting.
pub struct ScriptHost {
    entries: RwLock<Vec<Entry>>,
    /// Of all entries, so that asking takes no lock.
    wants: AtomicU8,
    config: Arc<HostConfig>,
    observer: Arc<dyn Observer>,
    jobs: Arc<Jobs>,
    services: Arc<Services>,
    watchdog: Arc<Watchdog>,
    next_id: AtomicU64,
}

struct Entry {
    shared: Arc<Shared>,
    wants: Wants,
}

/// A version whose top-level code is running.
struct Loading {
    shared: Arc<Shared>,
    outcome: Receiver<Result<Ready, String>>,
}

impl Loading {
    fn wait(self) -> Result<(Arc<Shared>, Ready), LoadError> {
        match self.outcome.recv().unwrap_or_else(|_| Err("its thread ended early".into())) {
            Ok(ready) => Ok((self.shared, ready)),
            Err(message) => Err(LoadError { script: self.shared.name.clone(), message }),
        }
    }
}

impl ScriptHost {
    /// Evaluates the top-level code of every script, each on a thread of its own, and waits for all.
    ///
    /// # Errors
    /// One entry per script that threw, did not parse, or did not end within the limits; then no script runs.
    pub fn start(
        scripts: Vec<Script>,
        config: HostConfig,
        services: Services,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Vec<LoadError>> {
        let watchdog = Watchdog::start(config.call_limit).map_err(|error| {
            let error =
                |script: &Script| LoadError { script: script.name.clone(), message: error.to_string() };
            scripts.iter().map(error).collect::<Vec<_>>()
        })?;
        let host = Self {
            entries: RwLock::default(),
            wants: AtomicU8::new(0),
            jobs: Jobs::new(&config),
            config: Arc::new(config),
            observer,
            services: Arc::new(services),
            watchdog,
            next_id: AtomicU64::new(1),
        };
        let loading: Vec<_> =
            scripts.into_iter().zip(0..).map(|(script, place)| host.load(script, place, None)).collect();
        let (mut runs, mut errors) = (Vec::new(), Vec::new());
        for loading in loading {
            match loading.wait().and_then(|(shared, ready)| host.admit(shared, ready, None)) {
                Ok(asked) => runs.push(asked),
                Err(error) => errors.push(error),
            }
        }
        host.sum_up();
        // Every script hears how they end, so every script is there first.
        if errors.is_empty() {
            runs.iter().for_each(|runs| host.jobs.run(runs));
        }
        // Without all of them none runs: those that have loaded end with the host.
        if errors.is_empty() { Ok(host) } else { Err(errors) }
    }

    /// Lets a version begin, in the stead of another if there is one. Returns which jobs it wants to be run.
    fn admit(
        &self,
        shared: Arc<Shared>,
        ready: Ready,
        before: Option<&Arc<Shared>>,
    ) -> Result<Runs, LoadError> {
        let wants = ready.wants;
        let mut entries = self.write();
        let runs = self
            .jobs
            .commit(&shared, wants, ready.staging, before.map(|before| before.id))
            .inspect_err(|_| match before {
                // The queue is that of the code before, which runs on.
                Some(_) => shared.queue.dismiss(shared.id),
                None => shared.stop(),
            })
            .map_err(|error| LoadError { script: shared.name.clone(), message: error.to_string() })?;
        shared.queue.hand_over(shared.id);
        let entry = Entry { shared, wants };
        let same = |other: &Entry| before.is_some_and(|before| Arc::ptr_eq(before, &other.shared));
        match entries.iter().position(same) {
            Some(at) => {
                let old = std::mem::replace(&mut entries[at], entry);
                // Otherwise it ends after its share.
                if old.shared.is_abandoned() {
                    old.shared.stop();
                }
            }
            None => entries.push(entry),
        }
        Ok(runs)
    }

    /// Starts to load a script, as the next version of one that runs or as a new one.
    fn load(&self, script: Script, place: u32, before: Option<&Arc<Shared>>) -> Loading {
        let (sender, outcome) = channel();
        let report = {
            let sender = sender.clone();
            // Whoever asked may have gone.
            Box::new(move |result| drop(sender.send(result)))
        };
        if let Some(before) = before {
            self.services.metrics.reload_owner(before.place.into());
        }
        let version = Version {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            place,
            name: script.name,
            queue: before.filter(|before| !before.is_abandoned()).map(|before| Arc::clone(&before.queue)),
            counters: before.map(|before| Arc::clone(&before.counters)).unwrap_or_default(),
        };
        let shared = Arc::new(Shared::new(
            version,
            Arc::clone(&self.config),
            Arc::clone(&self.observer),
            Arc::clone(&self.jobs),
            report,
        ));
        let body = {
            let (shared, watchdog) = (Arc::clone(&shared), Arc::clone(&self.watchdog));
            let services = Arc::clone(&self.services);
            move || worker::run(&script.code, shared, services, &watchdog)
        };
        if let Err(error) = engine::spawn(format!("script-{}", shared.name), body) {
            // The receiver is at hand.
            drop(sender.send(Err(error.to_string())));
        }
        Loading { shared, outcome }
    }

    /// Runs `script` in the stead of the script of the same name, or beside the others if there is none. The queue, the
    /// counters and the place among the scripts stay; global variables and jobs are those of the new code.
    ///
    /// # Errors
    /// The new code did not load. Then the old one runs on as if nothing had been.
    pub fn replace(&self, script: Script) -> Result<(), LoadError> {
        let (place, before) = {
            let entries = self.read();
            let before = entries.iter().find(|entry| entry.shared.name == script.name);
            let next = || entries.iter().map(|entry| entry.shared.place + 1).max().unwrap_or(0);
            (
                before.map_or_else(next, |entry| entry.shared.place),
                before.map(|entry| Arc::clone(&entry.shared)),
            )
        };
        let (shared, ready) = self.load(script.clone(), place, before.as_ref()).wait()?;
        let is_cut_off =
            |before: &Arc<Shared>| before.is_abandoned() && Arc::ptr_eq(&before.queue, &shared.queue);
        if before.as_ref().is_some_and(is_cut_off) {
            // The script was abandoned while its new code loaded: the queue they share takes nothing any more.
            shared.stop();
            return self.replace(script);
        }
        let runs = self.admit(shared, ready, before.as_ref())?;
        self.sum_up();
        self.jobs.run(&runs);
        Ok(())
    }

    /// Ends the script of this name; events that wait for it are counted as shed. False if there is none.
    pub fn remove(&self, name: &str) -> bool {
        let mut entries = self.write();
        let Some(at) = entries.iter().position(|entry| entry.shared.name == name) else { return false };
        let entry = entries.remove(at);
        drop(entries);
        self.sum_up();
        self.jobs.remove_owner(entry.shared.id);
        self.services.metrics.remove_owner(entry.shared.place.into());
        entry.shared.stop();
        self.watchdog.cut(entry.shared.pulse);
        true
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn sum_up(&self) {
        let mut bits = 0;
        for Entry { wants, .. } in self.read().iter() {
            bits |= if wants.packets { PACKETS } else { 0 };
            bits |= if wants.items { ITEMS } else { 0 };
            bits |= if wants.queries { QUERIES } else { 0 };
        }
        self.wants.store(bits, Ordering::Relaxed);
    }

    /// Whether some script defines `onPacketCaptured`.
    pub fn wants_packets(&self) -> bool {
        self.wants.load(Ordering::Relaxed) & PACKETS != 0
    }

    /// Whether some script defines `onItemCaptured`.
    pub fn wants_items(&self) -> bool {
        self.wants.load(Ordering::Relaxed) & ITEMS != 0
    }

    /// Whether some script defines `onItemQueried`.
    pub fn wants_queries(&self) -> bool {
        self.wants.load(Ordering::Relaxed) & QUERIES != 0
    }

    /// Hands a batch to every script that wants any of it. Each script sees the events in the order of delivery.
    ///
    /// With [`Overflow::Wait`] this waits while a queue is full, at most until the script that holds it up is abandoned.
    /// What is shed is counted in [`ScriptStats::shed`].
    pub fn deliver(&self, events: Vec<Event>) -> Ticket {
        self.push(events, self.config.overflow)
    }

    fn push(&self, events: Vec<Event>, overflow: Overflow) -> Ticket {
        let batch = Batch::new(events);
        // A full queue is not waited for with the list locked.
        let scripts: Vec<_> =
            self.read().iter().map(|Entry { shared, wants }| (Arc::clone(shared), *wants)).collect();
        for (shared, wants) in &scripts {
            let shed = shared.queue.push(&batch, *wants, overflow);
            if shed > 0 {
                Counters::add(&shared.counters.shed, shed);
            }
        }
        batch.ticket()
    }

    /// Asks every script's `onItemQueried` about items that are about to be shown, and waits for the answers, also where
    /// events are shed: what scripts redact is not shown because they were late. Of several scripts' answers the last
    /// one's counts.
    pub fn query(&self, items: &[Arc<Item>], filter: &Arc<str>) -> Vec<Reply> {
        let query = |item: &Arc<Item>| Arc::new(Query::new(Arc::clone(item), Arc::clone(filter)));
        let queries: Vec<_> = items.iter().map(query).collect();
        let events = queries.iter().map(|query| Event::Query(Arc::clone(query))).collect();
        self.push(events, Overflow::Wait).wait();
        let asks = |entry: &&Entry| entry.wants.queries && entry.shared.is_stopping();
        let stopped = self.read().iter().filter(asks).count();
        let reply = |query: &Arc<Query>| Reply {
            text: query.take_reply(),
            unasked: stopped > 0 && query.asked() < self.askers(),
        };
        queries.iter().map(reply).collect()
    }

    /// Scripts that are to be asked about items: those that were abandoned are not.
    fn askers(&self) -> usize {
        self.read().iter().filter(|entry| entry.wants.queries && !entry.shared.is_abandoned()).count()
    }

    /// No events are delivered any more: lets the scripts work off what is queued, for `grace` at most; what is left then
    /// counts as shed, and running calls are ended. Jobs that have not begun do not run any more. Items that come out of it
    /// can be queried meanwhile.
    pub fn drain(&self, grace: Duration) {
        let end = Instant::now() + grace;
        self.jobs.shutdown();
        let scripts: Vec<_> = self.read().iter().map(|entry| Arc::clone(&entry.shared)).collect();
        // All of them, so that each has until the end.
        let late = scripts.iter().filter(|shared| !shared.queue.wait_idle(end)).count();
        if late > 0 {
            self.stop();
        }
    }

    /// What each script has done so far, in the order they were given.
    pub fn stats(&self) -> Vec<ScriptStats> {
        self.read()
            .iter()
            .map(|entry| entry.shared.counters.read(&entry.shared.name, entry.shared.is_abandoned()))
            .collect()
    }

    /// Times at which a job did not run: it was running still, or its script's queue was full.
    pub fn missed_jobs(&self) -> u64 {
        self.jobs.missed()
    }

    /// Lets the scripts work off what is queued, for `grace` at most, then ends them. Events that are left count as shed;
    /// jobs that have not begun do not run any more.
    pub fn finish(&self, grace: Duration) -> Vec<ScriptStats> {
        let end = Instant::now() + grace;
        self.jobs.shutdown();
        for entry in self.read().iter() {
            entry.shared.queue.close();
        }
        for entry in self.read().iter() {
            entry.shared.queue.wait_idle(end);
        }
        self.stop();
        let end = Instant::now() + END_GRACE;
        for entry in self.read().iter() {
            if !entry.shared.wait_ended(end) {
                entry.shared.abandon("it could not be ended with the agent");
            }
        }
        self.stats()
    }

    /// Ends the queues and the running calls.
    fn stop(&self) {
        self.jobs.shutdown();
        for entry in self.read().iter() {
            entry.shared.stop();
        }
        self.watchdog.cut_all();
    }
}

impl Drop for ScriptHost {
    fn drop(&mut self) {
        self.stop();
        self.watchdog.stop();
    }
}
