//! `kfl.match`, `kfl.validate`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use remora_kfl::Query;

use super::tree::Tree;
use super::{Helpers, thrown};
use crate::items::Slots;
use crate::view::ItemView;

fn compiled(state: &OpState, text: &str) -> Result<Arc<Query>, JsErrorBox> {
    state.borrow::<Rc<Helpers>>().services.queries.get(text).map_err(thrown)
}

/// Unix milliseconds, which `now()` of a query stands for.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the item in `slot` matches, which the script has not changed.
#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_kfl_match_item(
    state: &OpState,
    #[string] query: &str,
    slot: u32,
) -> Result<bool, JsErrorBox> {
    let query = compiled(state, query)?;
    let item = state.borrow::<Rc<Slots>>().item(slot);
    Ok(item.is_some_and(|item| query.matches(&ItemView::new(&item), now())))
}

/// Whether an object matches, given as its JSON text.
#[cfg_attr(feature = "v8", op2(fast))]
#[cfg_attr(feature = "quickjs", op2(nofast))]
pub(crate) fn op_kfl_match(
    state: &OpState,
    #[string] query: &str,
    #[string] json: &str,
) -> Result<bool, JsErrorBox> {
    let query = compiled(state, query)?;
    let Tree(object) = serde_json::from_str(json).map_err(|error| thrown(format!("kfl.match: {error}")))?;
    Ok(query.matches(&object, now()))
}

/// What is wrong with a query, or nothing.
#[op2]
#[string]
pub(crate) fn op_kfl_validate(state: &OpState, #[string] query: &str) -> String {
    let queries = &state.borrow::<Rc<Helpers>>().services.queries;
    queries.get(query).err().map_or_else(String::new, |error| error.to_string())
}
