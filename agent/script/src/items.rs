//! Items as scripts see them.
//!
//! A hook is given an object that asks for each field as it is read (`prelude/items.js`, `State` and `Handler`); most hooks
//! read a few scalars of the hundred values of an item. Measured per call with a 2.9 KB HTTP item, `data` built whole
//! from JSON text costs 20 to 25 µs on V8 and 50 to 60 µs on QuickJS, whatever the hook reads. This costs 0.4 and 2 µs
//! for a hook that reads nothing, 0.8 and 6 µs for one that reads `data.response.status` (`benches/hooks`). Native
//! accessors on an object template took 0.9 to 1.1 µs on V8 where the Proxy took 0.6 to 0.7, and 21 against 4.7 on QuickJS.
//!
//! A script may keep the object. The host keeps the items of the last calls in slots; when these are full, it asks the
//! engine which of them scripts still hold, leaves those their JSON text, and lets go of all items. So what scripts
//! hold lies in the script's heap, under its limit, and the host never holds more than the slots.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use deno_core::{OpState, op2, v8};
use remora_dissect::{Item, Object, Value, json};

use crate::config::Verdict;

/// Items kept for objects that scripts may still hold, by number and by bytes.
const SLOTS: usize = 1024;
const SLOT_BYTES: usize = 8 << 20;
/// Of the text buffer, between two uses.
const KEPT_TEXT_BYTES: usize = 1 << 20;

pub(crate) struct Slots {
    items: RefCell<Vec<Arc<Item>>>,
    bytes: Cell<usize>,
    /// The running call is one for the item in the last slot.
    in_call: Cell<bool>,
    passed: Cell<bool>,
    failed: Cell<bool>,
    /// Says that a field is an object, which is read piece by piece too.
    lazy: v8::Global<v8::Symbol>,
    text: RefCell<Vec<u8>>,
}

impl Slots {
    pub(crate) const COUNT: usize = SLOTS;

    pub(crate) fn new(lazy: v8::Global<v8::Symbol>) -> Self {
        Self {
            items: RefCell::new(Vec::with_capacity(SLOTS)),
            bytes: Cell::new(0),
            in_call: Cell::new(false),
            passed: Cell::new(false),
            failed: Cell::new(false),
            lazy,
            text: RefCell::default(),
        }
    }

    pub(crate) fn lazy(&self) -> &v8::Global<v8::Symbol> {
        &self.lazy
    }

    pub(crate) fn used(&self) -> usize {
        self.items.borrow().len()
    }

    pub(crate) fn full(&self) -> bool {
        self.used() >= SLOTS || self.bytes.get() >= SLOT_BYTES
    }

    /// A call for `item`, which holds so many bytes, begins; returns its slot.
    pub(crate) fn begin(&self, item: &Arc<Item>, bytes: usize) -> u32 {
        let mut items = self.items.borrow_mut();
        items.push(Arc::clone(item));
        self.bytes.set(self.bytes.get() + bytes);
        self.in_call.set(true);
        self.passed.set(false);
        self.failed.set(false);
        (items.len() - 1) as u32
    }

    pub(crate) fn end(&self) {
        self.in_call.set(false);
    }

    pub(crate) fn clear(&self) {
        self.items.borrow_mut().clear();
        self.bytes.set(0);
    }

    /// The item of the running call, if this is the call's first such verdict.
    pub(crate) fn judge(&self, verdict: Verdict) -> Option<Arc<Item>> {
        let told = match verdict {
            Verdict::Passed => &self.passed,
            Verdict::Failed => &self.failed,
        };
        if !self.in_call.get() || told.replace(true) {
            return None;
        }
        self.items.borrow().last().cloned()
    }

    pub(crate) fn item(&self, slot: u32) -> Option<Arc<Item>> {
        self.items.borrow().get(slot as usize).cloned()
    }

    /// Fills the shared text buffer and makes a string of it.
    fn text<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<v8::Local<'s, v8::String>> {
        let mut text = self.text.take();
        text.clear();
        write(&mut text);
        let value = string(scope, &text);
        text.shrink_to(KEPT_TEXT_BYTES);
        self.text.replace(text);
        value
    }

    fn value<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        value: &Value<'_>,
        nested: bool,
    ) -> Option<v8::Local<'s, v8::Value>> {
        Some(match value {
            Value::Null => v8::null(scope).into(),
            Value::Bool(value) => v8::Boolean::new(scope, *value).into(),
            Value::Int(number) => match i32::try_from(*number) {
                Ok(number) => v8::Integer::new(scope, number).into(),
                Err(_) => v8::Number::new(scope, *number as f64).into(),
            },
            Value::Float(number) => v8::Number::new(scope, *number).into(),
            Value::Str(text) => string(scope, text.as_bytes())?.into(),
            Value::Object(_) if !nested => v8::Local::new(scope, &self.lazy).into(),
            Value::Base64(_) | Value::List(_) | Value::Object(_) => {
                let source = self.text(scope, |text| json::write_value(value, text))?;
                v8::json::parse(scope, source)?
            }
        })
    }
}

pub(crate) fn string<'s>(scope: &mut v8::PinScope<'s, '_>, text: &[u8]) -> Option<v8::Local<'s, v8::String>> {
    v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal)
}

/// The names in a path: `response`, `response.headers`.
fn parts(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(outer, inner)| (outer, Some(inner)))
}

/// A field of the item in `slot`, or of its object `path`. Undefined where there is none; the mark for "lazy" where it
/// is an object of the item, or of one of its objects.
#[op2]
pub(crate) fn op_item_field<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    slot: u32,
    #[string] path: &str,
    #[string] name: &str,
) -> v8::Local<'s, v8::Value> {
    let slots = state.borrow::<Rc<Slots>>();
    // No script runs meanwhile, so that the slots can stay borrowed.
    let items = slots.items.borrow();
    let found = items.get(slot as usize).and_then(|item| {
        if path.is_empty() {
            return slots.value(scope, &item.get(name)?, false);
        }
        let (outer, inner) = parts(path);
        let Some(Value::Object(object)) = item.get(outer) else { return None };
        let Some(inner) = inner else { return slots.value(scope, &object.get(name)?, false) };
        let Some(Value::Object(object)) = object.get(inner) else { return None };
        slots.value(scope, &object.get(name)?, true)
    });
    found.unwrap_or_else(|| v8::undefined(scope).into())
}

/// The JSON text of the item in `slot`, or of its object at `path`.
#[op2]
pub(crate) fn op_item_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    slot: u32,
    #[string] path: &str,
) -> v8::Local<'s, v8::Value> {
    let slots = state.borrow::<Rc<Slots>>();
    let found = slots.item(slot).and_then(|item| {
        slots.text(scope, |text| match path {
            "" => json::write_object(item.as_ref(), text),
            path => match (item.get(parts(path).0), parts(path).1) {
                (Some(Value::Object(object)), Some(inner)) => {
                    json::write_value(&object.get(inner).unwrap_or(Value::Null), text);
                }
                (value, _) => json::write_value(&value.unwrap_or(Value::Null), text),
            },
        })
    });
    found.map_or_else(|| v8::null(scope).into(), Into::into)
}
