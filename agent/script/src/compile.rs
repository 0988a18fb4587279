//! Whether a script is JavaScript at all, found out without running it.

use std::sync::mpsc::channel;

use deno_core::{JsRuntime, RuntimeOptions, v8};

use crate::config::{LoadError, Script};
use crate::{engine, exception, items};

/// Compiles a script and does not run it.
///
/// # Errors
/// The syntax error with file, line and column.
pub fn compile(script: &Script) -> Result<(), LoadError> {
    let (sender, receiver) = channel();
    let (name, code) = (script.name.clone(), script.code.clone());
    let body = move || drop(sender.send(compile_here(&name, &code)));
    let spawned = engine::spawn("script-compile".to_owned(), body).map_err(|error| error.to_string());
    let ended = |_| Err("the engine has failed on it".to_owned());
    spawned
        .and_then(|()| receiver.recv().unwrap_or_else(ended))
        .map_err(|message| LoadError { script: script.name.clone(), message })
}

fn compile_here(name: &str, code: &str) -> Result<(), String> {
    let mut runtime = JsRuntime::try_new(RuntimeOptions::default()).map_err(|error| error.to_string())?;
    deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let compiled = (|| {
        let name = items::string(scope, name.as_bytes())?;
        let code = items::string(scope, code.as_bytes())?;
        let origin =
            v8::ScriptOrigin::new(scope, name.into(), 0, 0, false, 0, None, false, false, false, None);
        v8::Script::compile(scope, code, Some(&origin)).map(drop)
    })();
    match compiled {
        Some(()) => Ok(()),
        None => Err(exception::caught(scope).unwrap_or_else(|| "it does not compile".to_owned())),
    }
}
