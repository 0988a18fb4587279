//! A script in its engine instance: how it is loaded, called, and cut short.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use deno_core::{JsRuntime, v8};
use remora_dissect::Item;

use crate::bootstrap::{Bootstrap, Prelude, invoke, run};
use crate::call::{Call, JobRun};
use crate::event::{PacketInfo, Query};
use crate::exception;
use crate::helpers::Helpers;
use crate::hook::{Hook, Hooks};
use crate::items::{self, Slots};
use crate::memory::Heap;
use crate::rejections::Rejections;
use crate::services::Services;
use crate::stats::Counters;
use crate::watchdog::Watchdog;
use crate::worker::{Ready, Shared};

/// The most UTF-16 units of an answer to a query: so many, and so many more for each byte that the item holds. It leaves
/// room for the item's text with every character escaped, and keeps what a batch is answered with, which lies outside of
/// the heap, in proportion to what was captured.
const REPLY_UNITS: usize = 64 << 10;
const REPLY_UNITS_PER_BYTE: usize = 8;

/// How a call into the script ended, other than well.
enum Failure {
    Exceptions(Vec<String>),
    Timeout,
    HeapOverflow,
    /// The host is ending.
    Stopped,
}

pub(crate) struct Isolate {
    // Dropped before the runtime, whose instance they belong to.
    prelude: Rc<Prelude>,
    hooks: Hooks,
    #[cfg(feature = "v8")]
    states: Vec<v8::Weak<v8::Object>>,
    slots: Rc<Slots>,
    helpers: Rc<Helpers>,
    rejections: Rc<Rejections>,
    heap: Heap,
    shared: Arc<Shared>,
    watchdog: Arc<Watchdog>,
    runtime: JsRuntime,
}

impl Isolate {
    /// An instance with helpers and without a script.
    ///
    /// # Errors
    /// The engine's, as text.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        services: Arc<Services>,
        watchdog: &Arc<Watchdog>,
    ) -> Result<Self, String> {
        let Bootstrap { mut runtime, prelude, slots, helpers, rejections } =
            Bootstrap::new(shared, services)?;
        let (limit, overdraft) = (shared.config.heap_limit, shared.config.heap_overdraft);
        let exhausted = {
            let shared = Arc::clone(shared);
            move || {
                let most = limit.saturating_add(overdraft) >> 20;
                shared.abandon(&format!("it asked for more than {most} MiB of memory at one go"));
            }
        };
        let heap = Heap::new(limit, overdraft, &mut runtime, Box::new(exhausted));
        Ok(Self {
            prelude: Rc::new(prelude),
            hooks: Hooks::default(),
            #[cfg(feature = "v8")]
            states: Vec::new(),
            slots,
            helpers,
            rejections,
            heap,
            shared: Arc::clone(shared),
            watchdog: Arc::clone(watchdog),
            runtime,
        })
    }

    pub(crate) fn handle(&mut self) -> v8::IsolateHandle {
        self.runtime.v8_isolate().thread_safe_handle()
    }

    /// Evaluates the script's top-level code and looks which hooks it defines.
    ///
    /// # Errors
    /// The exception, or the limit that the code ran into.
    pub(crate) fn load(&mut self, code: &str) -> Result<Ready, String> {
        let name = self.shared.name.clone();
        let mut hooks = Hooks::default();
        let result = self.guarded(|scope| {
            run(scope, &name, code)?;
            hooks = Hooks::find(scope)?;
            Some(())
        });
        if let Err(failure) = result {
            return Err(self.text(&failure));
        }
        self.hooks = hooks;
        let staging = self.helpers.staging.take().unwrap_or_else(|| self.shared.jobs.stage());
        Ok(Ready { wants: self.hooks.wants(), staging })
    }

    pub(crate) fn call_packet(&mut self, packet: &PacketInfo) {
        let Some(hook) = self.hooks.get(Hook::Packet) else { return };
        Counters::add(&self.shared.counters.calls, 1);
        let prelude = Rc::clone(&self.prelude);
        let result = self.guarded(|scope| {
            let timestamp = items::string(scope, packet.timestamp.to_string().as_bytes())?;
            let arguments = [
                v8::Local::new(scope, &*hook).into(),
                timestamp.into(),
                v8::Integer::new_from_unsigned(scope, packet.capture_length).into(),
                v8::Integer::new_from_unsigned(scope, packet.length).into(),
                v8::Boolean::new(scope, packet.truncated).into(),
                v8::Boolean::new(scope, packet.fragmented).into(),
            ];
            invoke(scope, &prelude.call_packet, &arguments).map(drop)
        });
        self.settle(Hook::Packet.label(), result);
    }

    /// `bytes` is what the item holds.
    pub(crate) fn call_item(&mut self, item: &Arc<Item>, bytes: usize) {
        let Some(hook) = self.hooks.get(Hook::Item) else { return };
        Counters::add(&self.shared.counters.calls, 1);
        let prelude = Rc::clone(&self.prelude);
        let result = self.with_item(item, bytes, |scope, [slot, sides]| {
            let hook = v8::Local::new(scope, &*hook).into();
            invoke(scope, &prelude.call_item, &[hook, slot, sides])
        });
        self.settle(Hook::Item.label(), result);
    }

    /// Calls `onItemQueried`. Whatever object it returns, at once or as a promise, is the query's reply.
    pub(crate) fn call_query(&mut self, query: &Query, bytes: usize) {
        query.note_asked();
        let Some(hook) = self.hooks.get(Hook::Query) else { return };
        Counters::add(&self.shared.counters.calls, 1);
        let prelude = Rc::clone(&self.prelude);
        let mut result = self.with_item(&query.item, bytes, |scope, [slot, sides]| {
            let hook = v8::Local::new(scope, &*hook).into();
            let filter = items::string(scope, query.filter.as_bytes())?.into();
            invoke(scope, &prelude.call_query, &[hook, slot, sides, filter])
        });
        if result.is_ok() {
            let most = REPLY_UNITS + query.item.memory().saturating_mul(REPLY_UNITS_PER_BYTE);
            let mut reply = None;
            result = self.guarded(|scope| {
                let value = invoke(scope, &prelude.take_reply, &[])?;
                let text = value.try_cast::<v8::String>().ok();
                reply = text.map(|text| match text.length() {
                    units if units > most => Err(units),
                    _ => Ok(text.to_rust_string_lossy(scope)),
                });
                Some(())
            });
            match reply.filter(|_| result.is_ok()) {
                Some(Ok(text)) => query.reply(self.shared.place, text),
                Some(Err(units)) => {
                    let text = format!(
                        "the object that it returned has {units} characters as JSON; {most} at most are shown in the place of this item"
                    );
                    result = Err(Failure::Exceptions(vec![text]));
                }
                None => {}
            }
        }
        self.settle(Hook::Query.label(), result);
    }

    /// Makes a call for an item, which is `data` in it. `call` is given the item's slot and which sides it has, and returns
    /// the state of `data`, which is watched from then on, whatever the call came to.
    fn with_item(
        &mut self,
        item: &Arc<Item>,
        bytes: usize,
        call: impl for<'s> FnOnce(
            &mut v8::PinScope<'s, '_>,
            [v8::Local<'s, v8::Value>; 2],
        ) -> Option<v8::Local<'s, v8::Value>>,
    ) -> Result<(), Failure> {
        if self.slots.full() {
            self.sweep();
        }
        let slot = self.slots.begin(item, bytes);
        let sides = u32::from(item.draft.request.is_some()) | u32::from(item.draft.response.is_some()) << 1;
        #[cfg(feature = "v8")]
        let mut watched = None;
        let result = self.guarded(|scope| {
            let slot = v8::Integer::new_from_unsigned(scope, slot).into();
            let sides = v8::Integer::new_from_unsigned(scope, sides).into();
            let _state = call(scope, [slot, sides])?;
            #[cfg(feature = "v8")]
            {
                watched = watch(scope, _state);
            }
            Some(())
        });
        self.slots.end();
        #[cfg(feature = "v8")]
        {
            let watched = watched.or_else(|| self.last_state());
            self.states.extend(watched);
        }
        result
    }

    /// The state of `data` of a call that did not return it, since it threw or was ended.
    #[cfg(feature = "v8")]
    fn last_state(&mut self) -> Option<v8::Weak<v8::Object>> {
        deno_core::scope!(scope, self.runtime);
        v8::tc_scope!(let scope, scope);
        let state = invoke(scope, &self.prelude.last_state, &[])?;
        watch(scope, state)
    }

    pub(crate) fn call(&mut self, call: &Call) {
        match call {
            Call::Job(run) => self.run_job(run),
            Call::JobEnded(run, error) => self.tell_job_end(run, error.as_deref()),
            Call::Forget(id) => {
                let prelude = Rc::clone(&self.prelude);
                let result = self.guarded(|scope| {
                    let id = v8::Number::new(scope, id.number() as f64).into();
                    invoke(scope, &prelude.forget_job, &[id]).map(drop)
                });
                self.settle("(job removed)", result);
            }
        }
    }

    fn run_job(&mut self, run: &Arc<JobRun>) {
        if !self.shared.jobs.begin(run.id) {
            return;
        }
        Counters::add(&self.shared.counters.jobs, 1);
        let prelude = Rc::clone(&self.prelude);
        let result = self.guarded(|scope| {
            let id = v8::Number::new(scope, run.id.number() as f64).into();
            invoke(scope, &prelude.run_job, &[id]).map(drop)
        });
        let error = result.as_ref().err().map(|failure| self.text(failure));
        if !matches!(result, Err(Failure::Stopped)) {
            self.shared.job_ended(run, error);
        }
        self.settle(&format!("(job={})", run.tag), result);
    }

    fn tell_job_end(&mut self, run: &JobRun, error: Option<&str>) {
        let kind = if error.is_some() { Hook::JobFailed } else { Hook::JobPassed };
        let Some(hook) = self.hooks.get(kind) else { return };
        let prelude = Rc::clone(&self.prelude);
        let result = self.guarded(|scope| {
            let mut arguments = vec![
                v8::Local::new(scope, &*hook).into(),
                items::string(scope, run.tag.as_bytes())?.into(),
                items::string(scope, run.cron.as_bytes())?.into(),
                v8::Number::new(scope, run.limit as f64).into(),
            ];
            if let Some(error) = error {
                arguments.push(items::string(scope, error.as_bytes())?.into());
            }
            invoke(scope, &prelude.call_with, &arguments).map(drop)
        });
        self.settle(kind.label(), result);
    }

    /// Lets the engine work off what it has put aside for the script's thread, such as the script's finalizers.
    pub(crate) fn idle(&mut self) {
        #[cfg(feature = "v8")]
        {
            let platform = v8::V8::get_current_platform();
            let result = self.guarded(|scope| {
                while v8::Platform::pump_message_loop(&platform, scope, false) {}
                Some(())
            });
            self.settle("(finalizer)", result);
        }
    }

    /// Makes a call under the limits: `body` runs script code, `None` says that it threw or was ended. Promise jobs run
    /// to their end before it returns.
    fn guarded(&mut self, body: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Option<()>) -> Result<(), Failure> {
        self.helpers.waits.begin();
        self.shared.pulse.begin();
        // After the call has begun: a watchdog that saw none and falls asleep is then sure to be roused.
        self.watchdog.rouse();
        let mut exceptions = Vec::new();
        let mut terminated = {
            deno_core::scope!(scope, self.runtime);
            v8::tc_scope!(let scope, scope);
            if body(scope).is_none() && !scope.has_terminated() {
                exceptions.extend(exception::caught(scope));
            }
            // Unwinding clears the engine's own mark, so both are asked, at each step.
            let mut terminated = scope.has_terminated() || scope.is_execution_terminating();
            scope.reset();
            if !terminated {
                scope.perform_microtask_checkpoint();
                self.rejections.describe(scope, &mut exceptions);
                terminated = scope.has_terminated() || scope.is_execution_terminating();
            }
            terminated
        };
        let cut = self.shared.pulse.end();
        let hit = self.heap.take_hit(&mut self.runtime);
        let overflow = hit.is_some();
        if hit.is_some_and(|hit| hit.is_full) {
            let limit = self.shared.config.heap_limit >> 20;
            self.shared.abandon(&format!("it has filled its heap of {limit} MiB with what cannot be freed"));
        }
        terminated |= cut || overflow;
        if terminated {
            self.runtime.v8_isolate().cancel_terminate_execution();
            self.rejections.clear();
            return Err(match (overflow, cut && !self.shared.stopping.load(Ordering::Relaxed)) {
                (true, _) => Failure::HeapOverflow,
                (false, true) => Failure::Timeout,
                (false, false) => Failure::Stopped,
            });
        }
        match exceptions.is_empty() {
            true => Ok(()),
            // A helper that was cut off throws before the engine gets to end the call.
            false if self.shared.stopping.load(Ordering::Relaxed) => Err(Failure::Stopped),
            false => Err(Failure::Exceptions(exceptions)),
        }
    }

    /// Reports and counts how a call ended. `label` says which.
    fn settle(&mut self, label: &str, result: Result<(), Failure>) {
        let counters = &self.shared.counters;
        let Err(failure) = result else { return };
        let (counter, count) = match &failure {
            Failure::Exceptions(exceptions) => (&counters.errors, exceptions.len() as u64),
            Failure::Timeout => (&counters.timeouts, 1),
            Failure::HeapOverflow => (&counters.heap_overflows, 1),
            Failure::Stopped => return,
        };
        counter.fetch_add(count, Ordering::Relaxed);
        if self.shared.is_abandoned() {
            // Which was said, with the reason.
            return;
        }
        if let Failure::Exceptions(exceptions) = &failure {
            for text in exceptions {
                self.shared.console.error(&format!("{label} {text}"));
            }
        } else {
            self.shared.console.error(&format!("{label} {}", self.text(&failure)));
        }
    }

    fn text(&self, failure: &Failure) -> String {
        let config = &self.shared.config;
        match failure {
            Failure::Exceptions(exceptions) => exceptions.join("; "),
            Failure::Timeout => {
                format!("ended: it ran longer than the time limit of {:?}", config.call_limit)
            }
            Failure::HeapOverflow => {
                format!("ended: it needed more than the heap limit of {} MiB", config.heap_limit >> 20)
            }
            Failure::Stopped => "ended with the agent".to_owned(),
        }
    }

    /// Lets go of the items of past calls; what the script still holds of them gets its text first.
    fn sweep(&mut self) {
        {
            deno_core::scope!(scope, self.runtime);
            v8::tc_scope!(let scope, scope);
            let count = v8::Integer::new_from_unsigned(scope, self.slots.used() as u32);
            invoke(scope, &self.prelude.sweep, &[count.into()]);
        }
        #[cfg(feature = "v8")]
        {
            crate::memory::collect_young(&mut self.runtime);
            deno_core::scope!(scope, self.runtime);
            v8::tc_scope!(let scope, scope);
            for state in self.states.drain(..) {
                if let Some(state) = state.to_local(scope) {
                    invoke(scope, &self.prelude.release, &[state.into()]);
                }
            }
        }
        self.slots.clear();
    }
}

/// Lets the host find out whether the script still holds a state.
#[cfg(feature = "v8")]
fn watch<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: v8::Local<'s, v8::Value>,
) -> Option<v8::Weak<v8::Object>> {
    let state = state.try_cast::<v8::Object>().ok()?;
    Some(v8::Weak::new(scope, state))
}
