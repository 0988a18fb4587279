//! `console.log`, `console.error`, `console.clear`.

use std::sync::Arc;

use deno_core::{OpState, op2};

use crate::config::ConsoleLevel;
use crate::console::Console;

/// Writes a line from which `cut` UTF-16 units were cut already.
#[op2(nofast)]
pub(crate) fn op_console(state: &OpState, error: bool, #[string] text: &str, cut: f64) {
    let level = if error { ConsoleLevel::Error } else { ConsoleLevel::Log };
    state.borrow::<Arc<Console>>().write(level, text, cut as usize);
}

#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_console_clear(state: &OpState) {
    state.borrow::<Arc<Console>>().clear();
}
