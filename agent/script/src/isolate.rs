//! A script in its engine instance: how it is loaded, held to its limits, and cut short.

mod calls;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use deno_core::{JsRuntime, v8};

use crate::bootstrap::{Bootstrap, Prelude, invoke, run};
use crate::exception;
use crate::helpers::Helpers;
use crate::hook::Hooks;
use crate::items::Slots;
use crate::memory::Heap;
use crate::rejections::Rejections;
use crate::services::Services;
use crate::watchdog::Watchdog;
use crate::worker::{Ready, Shared};

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
