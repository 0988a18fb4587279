//! A fresh engine instance: its limits, its callbacks, and what scripts find in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::{JsRuntime, RuntimeOptions, v8};

use crate::exception::{self, INTERNAL};
use crate::helpers::{self, Helpers, Judge};
use crate::items::{self, Slots};
use crate::memory;
use crate::rejections::Rejections;
use crate::services::Services;
use crate::waits::Waits;
use crate::worker::Shared;

deno_core::extension!(
    remora_script,
    ops = [
        helpers::op_call,
        helpers::op_console,
        helpers::op_console_clear,
        helpers::op_file_add,
        helpers::op_job_schedule,
        helpers::op_kfl_match,
        helpers::op_kfl_match_item,
        helpers::op_kfl_validate,
        helpers::op_verdict,
        items::op_item_field,
        items::op_item_text,
    ],
);

/// The prelude's parts, each a function. The first makes what the others are given.
const KIT: &str = include_str!("prelude/kit.js");
const ITEMS: &str = include_str!("prelude/items.js");
const HELPERS: &str = include_str!("prelude/helpers.js");
const WRAPPER: &str = include_str!("prelude/wrapper.js");
const GLOBALS: &str = include_str!("prelude/globals.js");

/// The prelude's functions.
pub(crate) struct Prelude {
    pub(crate) call_item: v8::Global<v8::Function>,
    pub(crate) call_packet: v8::Global<v8::Function>,
    pub(crate) call_query: v8::Global<v8::Function>,
    pub(crate) take_reply: v8::Global<v8::Function>,
    pub(crate) call_with: v8::Global<v8::Function>,
    pub(crate) run_job: v8::Global<v8::Function>,
    pub(crate) forget_job: v8::Global<v8::Function>,
    #[cfg(feature = "v8")]
    pub(crate) last_state: v8::Global<v8::Function>,
    #[cfg(feature = "v8")]
    pub(crate) release: v8::Global<v8::Function>,
    pub(crate) sweep: v8::Global<v8::Function>,
}

/// What a script's instance starts from.
pub(crate) struct Bootstrap {
    // Dropped before the runtime, whose instance they belong to.
    pub(crate) prelude: Prelude,
    pub(crate) slots: Rc<Slots>,
    pub(crate) helpers: Rc<Helpers>,
    pub(crate) rejections: Rc<Rejections>,
    pub(crate) runtime: JsRuntime,
}

impl Bootstrap {
    /// # Errors
    /// The engine's, as text.
    pub(crate) fn new(shared: &Arc<Shared>, services: Arc<Services>) -> Result<Self, String> {
        let mut runtime = JsRuntime::try_new(RuntimeOptions {
            extensions: vec![remora_script::init()],
            create_params: Some(memory::create_params(shared.config.heap_limit)),
            ..RuntimeOptions::default()
        })
        .map_err(|error| error.to_string())?;
        let isolate = runtime.v8_isolate();
        let rejections = Rejections::watch(isolate);
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
        let config = &shared.config;
        let waits = Waits::new(
            shared.pulse,
            config.helper_deadline,
            config.helpers_per_call,
            Arc::clone(&shared.stopping),
        );
        let helpers = Rc::new(Helpers {
            shared: Arc::clone(shared),
            services,
            waits: Rc::new(waits),
            staging: RefCell::new(Some(shared.jobs.stage())),
        });
        {
            let state = runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(Rc::clone(&slots));
            state.put(Rc::clone(&helpers));
            state.put(Arc::clone(&shared.console));
            state.put(Judge { script: shared.name.clone(), observer: Arc::clone(&shared.observer) });
        }
        let prelude = {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            match run_prelude(scope, shared, &slots) {
                Some(prelude) => prelude,
                None => return Err(exception::caught(scope).unwrap_or_else(|| "the prelude failed".into())),
            }
        };
        Ok(Self { prelude, slots, helpers, rejections, runtime })
    }
}

/// Compiles and runs a classic script. `None` when it threw or was ended.
pub(crate) fn run<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    code: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let name = items::string(scope, name.as_bytes())?;
    let code = items::string(scope, code.as_bytes())?;
    let origin = v8::ScriptOrigin::new(scope, name.into(), 0, 0, false, 0, None, false, false, false, None);
    v8::Script::compile(scope, code, Some(&origin))?.run(scope)
}

/// Calls a function. `None` when it threw or was ended.
pub(crate) fn invoke<'s>(
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

/// Runs the prelude, which takes deno_core's ops and leaves nothing of deno_core behind.
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
    let version = items::string(scope, env!("CARGO_PKG_VERSION").as_bytes())?;
    define(scope, limits, "version", version.into())?;
    let weakly = v8::Boolean::new(scope, cfg!(feature = "quickjs"));
    let lazy = v8::Local::new(scope, slots.lazy());
    let arguments = [from.into(), lazy.into(), environment.into(), limits.into(), weakly.into()];
    let kit = part(scope, KIT, &arguments)?.into();
    let items = part(scope, ITEMS, &[kit])?;
    let calls = part(scope, HELPERS, &[kit, items.into()])?;
    let helpers = property(scope, calls, "helpers")?;
    call_part(scope, WRAPPER, &[kit, helpers])?;
    call_part(scope, GLOBALS, &[kit, helpers])?;
    let mut function = |from, name| {
        let function = property(scope, from, name)?.try_cast::<v8::Function>().ok()?;
        Some(v8::Global::new(scope, function))
    };
    Some(Prelude {
        call_item: function(items, "callItem")?,
        call_packet: function(items, "callPacket")?,
        call_query: function(items, "callQuery")?,
        take_reply: function(items, "takeReply")?,
        call_with: function(calls, "callWith")?,
        run_job: function(calls, "runJob")?,
        forget_job: function(calls, "forgetJob")?,
        #[cfg(feature = "v8")]
        last_state: function(items, "lastState")?,
        #[cfg(feature = "v8")]
        release: function(items, "release")?,
        sweep: function(items, "sweep")?,
    })
}

fn call_part<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    code: &str,
    arguments: &[v8::Local<'s, v8::Value>],
) -> Option<v8::Local<'s, v8::Value>> {
    let function = run(scope, INTERNAL, code)?.try_cast::<v8::Function>().ok()?;
    let receiver = v8::undefined(scope).into();
    function.call(scope, receiver, arguments)
}

/// Runs a part of the prelude that returns an object.
fn part<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    code: &str,
    arguments: &[v8::Local<'s, v8::Value>],
) -> Option<v8::Local<'s, v8::Object>> {
    call_part(scope, code, arguments)?.try_cast::<v8::Object>().ok()
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
