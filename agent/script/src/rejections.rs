//! Promises that were rejected and handled by nobody.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use deno_core::v8;

use crate::exception;

/// Rejections that are kept until the end of a call, to be told of one by one; of the rest only the number.
const KEPT: usize = 64;

/// In the order of rejection.
#[derive(Default)]
pub(crate) struct Rejections {
    kept: RefCell<Vec<(v8::Global<v8::Promise>, v8::Global<v8::Value>)>>,
    more: Cell<u64>,
}

impl Rejections {
    /// Has the engine tell of rejections, in place of deno_core, which keeps them for its event loop.
    pub(crate) fn watch(isolate: &mut v8::OwnedIsolate) -> Rc<Self> {
        let rejections = Rc::<Self>::default();
        isolate.set_slot(Rc::clone(&rejections));
        isolate.set_promise_reject_callback(on_rejection);
        rejections
    }

    pub(crate) fn clear(&self) {
        self.kept.borrow_mut().clear();
        self.more.set(0);
    }

    /// Takes what has gathered, as texts.
    pub(crate) fn describe(&self, scope: &mut v8::PinScope<'_, '_>, into: &mut Vec<String>) {
        for (_, value) in self.kept.take() {
            let value = v8::Local::new(scope, value);
            into.push(exception::describe(scope, value, None));
        }
        let more = self.more.take();
        if more > 0 {
            into.push(format!("{more} more promises were rejected"));
        }
    }
}

unsafe extern "C" fn on_rejection(message: v8::PromiseRejectMessage<'_>) {
    // SAFETY: the engine calls this with a message that is valid for the call.
    v8::callback_scope!(unsafe scope, &message);
    let Some(rejections) = scope.get_slot::<Rc<Rejections>>().cloned() else { return };
    let mut kept = rejections.kept.borrow_mut();
    match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler if kept.len() >= KEPT => {
            rejections.more.set(rejections.more.get() + 1);
        }
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler => {
            let value = match message.get_value() {
                Some(value) => value,
                None => v8::undefined(scope).into(),
            };
            let promise = v8::Global::new(scope, message.get_promise());
            kept.push((promise, v8::Global::new(scope, value)));
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => {
            let promise = v8::Global::new(scope, message.get_promise());
            let before = kept.len();
            kept.retain(|(other, _)| *other != promise);
            if kept.len() == before {
                rejections.more.set(rejections.more.get().saturating_sub(1));
            }
        }
        _ => {}
    }
}
