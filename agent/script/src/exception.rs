//! Exceptions as one line of text: what was thrown, and where in the script.

use deno_core::v8;

/// Names of the host's own code begin so; its frames are not shown.
pub(crate) const INTERNAL: &str = "remora:";

/// UTF-16 units of a message that are told. A script may throw a string as large as its heap, and reject many promises
/// with it, while the texts lie outside of the heap.
const MESSAGE_UNITS: usize = 16 << 10;

/// The exception a `TryCatch` has caught, if it caught one.
pub(crate) fn caught(
    scope: &mut v8::PinnedRef<'_, v8::TryCatch<'_, '_, v8::HandleScope<'_>>>,
) -> Option<String> {
    let exception = scope.exception()?;
    let message = scope.message();
    Some(describe(scope, exception, message))
}

/// `value` as thrown, or as a promise was rejected with. May run code of the script's.
pub(crate) fn describe<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
    message: Option<v8::Local<'s, v8::Message>>,
) -> String {
    let message = message.unwrap_or_else(|| v8::Exception::create_message(scope, value));
    let text = message.get(scope);
    let text = head(scope, text);
    let text = text.strip_prefix("Uncaught ").unwrap_or(&text);
    match place(scope, value, message) {
        Some(place) => format!("{text} ({place})"),
        None => text.to_owned(),
    }
}

/// The beginning of a text, and how much follows.
fn head(scope: &mut v8::PinScope<'_, '_>, text: v8::Local<'_, v8::String>) -> String {
    let more = text.length().saturating_sub(MESSAGE_UNITS);
    if more == 0 {
        return text.to_rust_string_lossy(scope);
    }
    let mut units = vec![0; MESSAGE_UNITS];
    text.write_v2(scope, 0, &mut units, v8::WriteFlags::empty());
    format!("{}... ({more} more characters)", String::from_utf16_lossy(&units))
}

/// `file:line:column` of the innermost frame that is the script's own.
#[cfg(feature = "v8")]
fn place<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _value: v8::Local<'s, v8::Value>,
    message: v8::Local<'s, v8::Message>,
) -> Option<String> {
    if let Some(stack) = message.get_stack_trace(scope) {
        for index in 0..stack.get_frame_count() {
            let Some(frame) = stack.get_frame(scope, index) else { break };
            let Some(name) = frame.get_script_name(scope) else { continue };
            let name = name.to_rust_string_lossy(scope);
            if !name.starts_with(INTERNAL) {
                return Some(format!("{name}:{}:{}", frame.get_line_number(), frame.get_column()));
            }
        }
    }
    let name = message.get_script_resource_name(scope)?;
    let name = v8::Local::<v8::String>::try_from(name).ok()?.to_rust_string_lossy(scope);
    let line = message.get_line_number(scope)?;
    (!name.starts_with(INTERNAL)).then(|| format!("{name}:{line}:{}", message.get_start_column() + 1))
}

/// QuickJS tells it in the error's `stack` alone; its messages have no stack that could be asked for frames.
#[cfg(feature = "quickjs")]
fn place<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
    _message: v8::Local<'s, v8::Message>,
) -> Option<String> {
    let error = value.try_cast::<v8::Object>().ok().filter(|_| value.is_native_error())?;
    let key = crate::items::string(scope, b"stack")?;
    let stack = error.get(scope, key.into())?.try_cast::<v8::String>().ok()?.to_rust_string_lossy(scope);
    // `    at name (file:line:column)` or `    at file:line:column`.
    stack.lines().find_map(|line| {
        let frame = line.trim_start().strip_prefix("at ")?;
        let place = frame.rsplit_once('(').map_or(frame, |(_, place)| place.trim_end_matches(')'));
        let column = place.rsplit_once(':')?.1;
        let is_place = !place.starts_with(INTERNAL) && column.bytes().all(|byte| byte.is_ascii_digit());
        is_place.then(|| place.to_owned())
    })
}
