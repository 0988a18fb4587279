//! The calls into a script: its hooks and its jobs.

use std::rc::Rc;
use std::sync::Arc;

use deno_core::v8;
use remora_dissect::Item;

use super::{Failure, Isolate};
use crate::bootstrap::invoke;
use crate::call::{Call, JobRun};
use crate::event::{PacketInfo, Query};
use crate::hook::Hook;
use crate::items;
use crate::stats::Counters;

/// The most UTF-16 units of an answer to a query: so many, and so many more for each byte that the item holds. It leaves
/// room for the item's text with every character escaped, and keeps what a batch is answered with, which lies outside of
/// the heap, in proportion to what was captured.
const REPLY_UNITS: usize = 64 << 10;
const REPLY_UNITS_PER_BYTE: usize = 8;

impl Isolate {
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
