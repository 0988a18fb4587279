//! `test.pass`, `test.fail`.

use std::rc::Rc;
use std::sync::Arc;

use deno_core::{OpState, op2};

use crate::config::{Observer, Verdict};
use crate::items::Slots;

/// Who hears verdicts, and of which script they are.
pub(crate) struct Judge {
    pub(crate) script: String,
    pub(crate) observer: Arc<dyn Observer>,
}

/// Marks the item of the running call. Called only for the very object that the hook was given.
#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_verdict(state: &OpState, passed: bool) {
    let verdict = if passed { Verdict::Passed } else { Verdict::Failed };
    let Some(item) = state.borrow::<Rc<Slots>>().judge(verdict) else { return };
    match verdict {
        Verdict::Passed => item.mark_passed(),
        Verdict::Failed => item.mark_failed(),
    }
    let judge = state.borrow::<Judge>();
    judge.observer.verdict(&judge.script, &item, verdict);
}
