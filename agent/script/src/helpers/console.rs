//! `console.log`, `console.error`.

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
