//! A script in its engine instance: how it is loaded, called, and cut short.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use deno_core::{JsRuntime, RuntimeOptions, v8};
use remora_dissect::Item;

use crate::event::PacketInfo;
use crate::exception::{self, INTERNAL};
use crate::helpers::{self, Judge};
use crate::items::{self, Slots};
use crate::memory::Heap;
use crate::queue::Wants;
use crate::stats::Counters;
use crate::worker::Shared;

deno_core::extension!(
    remora_script,
    ops = [helpers::op_console, helpers::op_verdict, items::op_item_field, items::op_item_text],
);

const PRELUDE: &str = include_str!("prelude.js");

/// Rejected promises that are remembered until the end of a call; more are only counted.
const REJECTIONS: usize = 64;

/// The hooks by their names in scripts. Called by name each time, so that a script may replace its hook; one that it
/// takes away is silently not called.
#[derive(Clone, Copy)]
enum Hook {
    Packet,
    Item,
}

impl Hook {
    const fn name(self) -> &'static str {
        match self {
            Self::Packet => "onPacketCaptured",
            Self::Item => "onItemCaptured",
        }
    }
}

/// How a call into the script ended, other than well.
enum Failure {
    Exceptions(Vec<String>),
    Timeout,
    HeapOverflow,
    /// The host is ending.
    Stopped,
}

/// The prelude's functions.
struct Prelude {
    begin_item: v8::Global<v8::Function>,
    call_item: v8::Global<v8::Function>,
    call_packet: v8::Global<v8::Function>,
    #[cfg(feature = "v8")]
    release: v8::Global<v8::Function>,
    sweep: v8::Global<v8::Function>,
}

pub(crate) struct Isolate {
    // Dropped before the runtime, whose instance they belong to.
    prelude: Rc<Prelude>,
    item_hook: Option<Rc<v8::Global<v8::Function>>>,
    packet_hook: Option<Rc<v8::Global<v8::Function>>>,
    #[cfg(feature = "v8")]
    states: Vec<v8::Weak<v8::Object>>,
    slots: Rc<Slots>,
    rejections: Rc<Rejections>,
    heap: Heap,
    shared: Arc<Shared>,
    runtime: JsRuntime,
}

/// Promises rejected without a handler, in the order of rejection.
#[derive(Default)]
struct Rejections(RefCell<Vec<(v8::Global<v8::Promise>, v8::Global<v8::Value>)>>);

impl Isolate {
    /// An instance with helpers and without a script.
    ///
    /// # Errors
    /// The engine's, as text.
    pub(crate) fn new(shared: &Arc<Shared>) -> Result<Self, String> {
        let limit = shared.config.heap_limit;
        let mut runtime = JsRuntime::try_new(RuntimeOptions {
            extensions: vec![remora_script::init()],
            create_params: Some(create_params(limit)),
            ..RuntimeOptions::default()
        })
        .map_err(|error| error.to_string())?;
        let rejections = Rc::<Rejections>::default();
        let isolate = runtime.v8_isolate();
        isolate.set_slot(Rc::clone(&rejections));
        isolate.set_promise_reject_callback(on_rejection);
        isolate.set_prepare_stack_trace_callback(stack_text);
        isolate.set_host_import_module_dynamically_callback(refuse_import);
        isolate.set_host_import_module_with_phase_dynamically_callback(refuse_phased_import);
        isolate.set_allow_atomics_wait(false);

        let lazy = {
            deno_core::scope!(scope, runtime);
            let name = items::string(scope, b"lazy");
            let symbol = v8::Symbol::new(scope, name);
            v8::Global::new(scope, symbol)
        };
        let slots = Rc::new(Slots::new(lazy));
        {
            let state = runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(Rc::clone(&slots));
            state.put(Arc::clone(&shared.console));
            state.put(Judge { script: shared.name.clone(), observer: Arc::clone(&shared.observer) });
        }
        let prelude = {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            match run_prelude(scope, shared, &slots) {
                Some(prelude) => Rc::new(prelude),
                None => return Err(exception::caught(scope).unwrap_or_else(|| "the prelude failed".into())),
            }
        };
        let heap = {
            let shared = Arc::clone(shared);
            let overdraft = shared.config.heap_overdraft;
            let exhausted = move || {
                let most = limit.saturating_add(overdraft) >> 20;
                shared.abandon(&format!("it asked for more than {most} MiB of memory at one go"));
            };
            Heap::new(limit, overdraft, &mut runtime, Box::new(exhausted))
        };
        Ok(Self {
            prelude,
            item_hook: None,
            packet_hook: None,
            #[cfg(feature = "v8")]
            states: Vec::new(),
            slots,
            rejections,
            heap,
            shared: Arc::clone(shared),
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
    pub(crate) fn load(&mut self, code: &str) -> Result<Wants, String> {
        let name = self.shared.name.clone();
        let mut hooks = [None, None];
        let result = self.guarded(|scope| {
            run(scope, &name, code)?;
            for (hook, found) in [Hook::Packet, Hook::Item].into_iter().zip(&mut hooks) {
                // Evaluated as a script of its own, which sees the `let` and `const` of scripts before it.
                let name = hook.name();
                let defined = run(scope, INTERNAL, &format!("typeof {name} === 'function'"))?;
                if defined.is_true() {
                    let call = format!(
                        "(function (a) {{ return typeof {name} === 'function' ? {name}(a) : void 0 }})"
                    );
                    let function = run(scope, INTERNAL, &call)?.try_cast::<v8::Function>().ok()?;
                    *found = Some(Rc::new(v8::Global::new(scope, function)));
                }
            }
            Some(())
        });
        if let Err(failure) = result {
            return Err(self.text(&failure));
        }
        [self.packet_hook, self.item_hook] = hooks;
        Ok(Wants { packets: self.packet_hook.is_some(), items: self.item_hook.is_some() })
    }

    pub(crate) fn call_packet(&mut self, packet: &PacketInfo) {
        let Some(hook) = self.packet_hook.clone() else { return };
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
        self.settle(Hook::Packet, result);
    }

    pub(crate) fn call_item(&mut self, item: &Arc<Item>) {
        let Some(hook) = self.item_hook.clone() else { return };
        Counters::add(&self.shared.counters.calls, 1);
        if self.slots.full() {
            self.sweep();
        }
        let slot = self.slots.begin(item);
        let prelude = Rc::clone(&self.prelude);
        #[cfg(feature = "v8")]
        let mut watched = None;
        let result = self.guarded(|scope| {
            let slot = v8::Integer::new_from_unsigned(scope, slot);
            let _state = invoke(scope, &prelude.begin_item, &[slot.into()])?;
            #[cfg(feature = "v8")]
            {
                watched = Some(v8::Weak::new(scope, _state.try_cast::<v8::Object>().ok()?));
            }
            let hook = v8::Local::new(scope, &*hook).into();
            invoke(scope, &prelude.call_item, &[hook]).map(drop)
        });
        self.slots.end();
        #[cfg(feature = "v8")]
        self.states.extend(watched);
        self.settle(Hook::Item, result);
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
            // Of no hook: a finalizer of the script's.
            if let Err(failure) = result {
                let text = self.text(&failure);
                self.shared.console.error(&text);
            }
        }
    }

    /// Makes a call under the limits: `body` runs script code, `None` says that it threw or was ended. Promise jobs run
    /// to their end before it returns.
    fn guarded(&mut self, body: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Option<()>) -> Result<(), Failure> {
        self.shared.pulse.begin();
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
        let overflow = self.heap.take_hit(&mut self.runtime);
        terminated |= cut || overflow;
        if terminated {
            self.runtime.v8_isolate().cancel_terminate_execution();
            self.rejections.0.borrow_mut().clear();
            return Err(match (overflow, cut && !self.shared.stopping.load(Ordering::Relaxed)) {
                (true, _) => Failure::HeapOverflow,
                (false, true) => Failure::Timeout,
                (false, false) => Failure::Stopped,
            });
        }
        if exceptions.is_empty() { Ok(()) } else { Err(Failure::Exceptions(exceptions)) }
    }

    /// Reports and counts how a hook's call ended.
    fn settle(&mut self, hook: Hook, result: Result<(), Failure>) {
        let counters = &self.shared.counters;
        let Err(failure) = result else { return };
        let (counter, count) = match &failure {
            Failure::Exceptions(exceptions) => (&counters.errors, exceptions.len() as u64),
            Failure::Timeout => (&counters.timeouts, 1),
            Failure::HeapOverflow => (&counters.heap_overflows, 1),
            Failure::Stopped => return,
        };
        counter.fetch_add(count, Ordering::Relaxed);
        if let Failure::Exceptions(exceptions) = &failure {
            for text in exceptions {
                self.shared.console.error(&format!("(hook={}) {text}", hook.name()));
            }
        } else {
            self.shared.console.error(&format!("(hook={}) {}", hook.name(), self.text(&failure)));
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
            collect_young(&mut self.runtime);
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

/// Has V8 collect its young generation, after which what a script does not hold is known to be gone. There is no way to
/// ask for it, so the generation is filled up, until something put there before is gone. It costs what survives it, which
/// is little: an item's object rarely outlives its call.
#[cfg(feature = "v8")]
fn collect_young(runtime: &mut JsRuntime) {
    const FILLER: usize = 64 << 10;
    let canary = {
        deno_core::scope!(scope, runtime);
        let canary = v8::Object::new(scope);
        v8::Weak::new(scope, canary)
    };
    // Twice the generation's size: it may have grown.
    for _ in 0..2 * YOUNG_BYTES / FILLER {
        if canary.is_empty() {
            return;
        }
        deno_core::scope!(scope, runtime);
        v8::Array::new(scope, (FILLER / size_of::<usize>()) as i32);
    }
}

fn create_params(limit: usize) -> v8::CreateParams {
    let params = v8::CreateParams::default().heap_limits(0, limit);
    #[cfg(feature = "v8")]
    let params = params
        .array_buffer_allocator(crate::memory::allocator(limit))
        .set_max_young_generation_size_in_bytes(YOUNG_BYTES)
        .set_initial_young_generation_size_in_bytes(YOUNG_BYTES);
    params
}

/// V8's least: three semi-spaces of 1 MiB. Most of what hooks make is garbage when they return, so that collections stay
/// cheap, and the less it spreads over memory the better the caches hold it.
#[cfg(feature = "v8")]
const YOUNG_BYTES: usize = 3 << 20;

fn run<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str, code: &str) -> Option<v8::Local<'s, v8::Value>> {
    let name = items::string(scope, name.as_bytes())?;
    let code = items::string(scope, code.as_bytes())?;
    let origin = v8::ScriptOrigin::new(scope, name.into(), 0, 0, false, 0, None, false, false, false, None);
    v8::Script::compile(scope, code, Some(&origin))?.run(scope)
}

fn invoke<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'s, v8::Value>],
) -> Option<v8::Local<'s, v8::Value>> {
    let receiver = v8::undefined(scope).into();
    v8::Local::new(scope, function).call(scope, receiver, arguments)
}

fn property<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let name = items::string(scope, name.as_bytes())?;
    object.get(scope, name.into())
}

fn define<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    value: v8::Local<'s, v8::Value>,
) -> Option<()> {
    let name = items::string(scope, name.as_bytes())?;
    object.create_data_property(scope, name.into(), value).map(drop)
}

/// Runs `prelude.js`, which takes deno_core's ops and leaves nothing of deno_core behind.
fn run_prelude(scope: &mut v8::PinScope<'_, '_>, shared: &Shared, slots: &Slots) -> Option<Prelude> {
    let mut from = scope.get_current_context().global(scope);
    for name in ["Deno", "core", "ops"] {
        from = property(scope, from, name)?.try_cast::<v8::Object>().ok()?;
    }
    let environment = v8::Object::new(scope);
    for (name, value) in &shared.config.env {
        let value = items::string(scope, value.as_bytes())?;
        define(scope, environment, name, value.into())?;
    }
    let limits = v8::Object::new(scope);
    let line = v8::Number::new(scope, shared.console.line_bytes() as f64);
    define(scope, limits, "line", line.into())?;
    let slot_count = v8::Number::new(scope, Slots::COUNT as f64);
    define(scope, limits, "slots", slot_count.into())?;
    let weakly = v8::Boolean::new(scope, cfg!(feature = "quickjs"));
    let lazy = v8::Local::new(scope, slots.lazy());
    let prelude = run(scope, INTERNAL, PRELUDE)?.try_cast::<v8::Function>().ok()?;
    let receiver = v8::undefined(scope).into();
    let arguments = [from.into(), lazy.into(), environment.into(), limits.into(), weakly.into()];
    let functions = prelude.call(scope, receiver, &arguments)?.try_cast::<v8::Object>().ok()?;
    let mut function = |name| {
        let function = property(scope, functions, name)?.try_cast::<v8::Function>().ok()?;
        Some(v8::Global::new(scope, function))
    };
    Some(Prelude {
        begin_item: function("beginItem")?,
        call_item: function("callItem")?,
        call_packet: function("callPacket")?,
        #[cfg(feature = "v8")]
        release: function("release")?,
        sweep: function("sweep")?,
    })
}

impl Rejections {
    fn describe(&self, scope: &mut v8::PinScope<'_, '_>, into: &mut Vec<String>) {
        for (_, value) in self.0.take() {
            let value = v8::Local::new(scope, value);
            into.push(exception::describe(scope, value, None));
        }
    }
}

/// Replaces deno_core's callback, which keeps rejections for its event loop.
unsafe extern "C" fn on_rejection(message: v8::PromiseRejectMessage<'_>) {
    // SAFETY: V8 calls this with a message that is valid for the call.
    v8::callback_scope!(unsafe scope, &message);
    let Some(rejections) = scope.get_slot::<Rc<Rejections>>().cloned() else { return };
    let promise = v8::Global::new(scope, message.get_promise());
    let mut list = rejections.0.borrow_mut();
    match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler if list.len() < REJECTIONS => {
            let value = match message.get_value() {
                Some(value) => value,
                None => v8::undefined(scope).into(),
            };
            list.push((promise, v8::Global::new(scope, value)));
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => list.retain(|(other, _)| *other != promise),
        _ => {}
    }
}

/// Replaces deno_core's callback, which cannot be interrupted by a termination without a panic.
fn stack_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    v8::tc_scope!(let scope, scope);
    let mut text = error.to_string(scope).map(|text| text.to_rust_string_lossy(scope)).unwrap_or_default();
    for index in 0..sites.length() {
        let Some(site) = sites.get_index(scope, index) else { break };
        let Some(site) = site.to_string(scope) else { break };
        let site = site.to_rust_string_lossy(scope);
        if !site.contains(INTERNAL) {
            text.push_str("\n    at ");
            text.push_str(&site);
        }
    }
    if scope.has_terminated() {
        // The scope has caught the request to end the call; it is for the code below.
        scope.terminate_execution();
    }
    match items::string(scope, text.as_bytes()) {
        Some(text) => text.into(),
        None => v8::undefined(scope).into(),
    }
}

/// Scripts are not modules and load none.
fn refuse_import<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _options: v8::Local<'s, v8::Data>,
    _referrer: v8::Local<'s, v8::Value>,
    _specifier: v8::Local<'s, v8::String>,
    _attributes: v8::Local<'s, v8::FixedArray>,
) -> Option<v8::Local<'s, v8::Promise>> {
    refused(scope)
}

fn refuse_phased_import<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _options: v8::Local<'s, v8::Data>,
    _referrer: v8::Local<'s, v8::Value>,
    _specifier: v8::Local<'s, v8::String>,
    _phase: v8::ModuleImportPhase,
    _attributes: v8::Local<'s, v8::FixedArray>,
) -> Option<v8::Local<'s, v8::Promise>> {
    refused(scope)
}

fn refused<'s>(scope: &mut v8::PinScope<'s, '_>) -> Option<v8::Local<'s, v8::Promise>> {
    let resolver = v8::PromiseResolver::new(scope)?;
    let text = items::string(scope, b"import() is not available to scripts")?;
    let error = v8::Exception::type_error(scope, text);
    resolver.reject(scope, error)?;
    Some(resolver.get_promise(scope))
}
