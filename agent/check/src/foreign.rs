//! Globals that are not there: those of Node and browsers, and documented helpers that this host lacks.

use std::collections::HashSet;

use crate::collect::Findings;
use crate::facts::{Facts, How};
use crate::surface::{Member, Surface};
use crate::{Options, Severity};

/// Globals of other hosts, with the helper that does the same (when the surface has it) and words for when there is none.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("Blob", "", "strings and Uint8Array hold data"),
    ("Buffer", "", "Uint8Array holds bytes"),
    ("Bun", "", ""),
    ("Deno", "", ""),
    ("FormData", "vendor.webhookForm", ""),
    ("Headers", "vendor.webhook", ""),
    ("Request", "vendor.webhook", ""),
    ("TextDecoder", "", ""),
    ("TextEncoder", "", ""),
    ("URL", "", "an HTTP item has its target taken apart: path, queryString"),
    ("URLSearchParams", "", "an HTTP item has its target taken apart: path, queryString"),
    ("WebAssembly", "", ""),
    ("WebSocket", "vendor.webhook", ""),
    ("Worker", "", "each script has a thread of its own"),
    ("XMLHttpRequest", "vendor.webhook", ""),
    ("__dirname", "", ""),
    ("__filename", "", ""),
    ("alert", "console.log", ""),
    ("atob", "", ""),
    ("axios", "vendor.webhook", ""),
    ("btoa", "", ""),
    ("clearImmediate", "jobs.remove", ""),
    ("clearInterval", "jobs.remove", ""),
    ("clearTimeout", "jobs.remove", ""),
    ("crypto", "", ""),
    ("document", "", ""),
    ("exports", "", "a script is one file, and its top-level names are global already"),
    ("fetch", "vendor.webhook", ""),
    ("global", "", "use globalThis"),
    ("importScripts", "", "a script is one file"),
    ("indexedDB", "file.write", "global variables keep their values from call to call"),
    ("localStorage", "file.write", "global variables keep their values from call to call"),
    ("module", "", "a script is one file, and its top-level names are global already"),
    ("navigator", "", ""),
    ("performance", "", "use Date.now()"),
    ("process", "env", "use env for settings"),
    ("queueMicrotask", "", "use Promise.resolve().then()"),
    ("require", "", "a script is one file: copy what it needs into it"),
    ("sessionStorage", "file.write", "global variables keep their values from call to call"),
    ("setImmediate", "", "use Promise.resolve().then()"),
    ("setInterval", "jobs.schedule", ""),
    ("setTimeout", "jobs.schedule", ""),
    ("structuredClone", "", "use JSON.parse(JSON.stringify(value))"),
    ("window", "", "use globalThis"),
];

/// The helper and the words for a foreign global; `None` for all other names.
pub(crate) fn instead_of(name: &str) -> Option<(&'static str, &'static str)> {
    let at = FOREIGN.binary_search_by_key(&name, |(name, ..)| name).ok()?;
    FOREIGN.get(at).map(|(_, helper, words)| (*helper, *words))
}

/// One finding a name, at its first use. A name that is asked for with `typeof` somewhere is taken to be optional.
pub(crate) fn check(
    facts: &Facts<'_, '_>,
    surface: &Surface,
    options: &Options<'_>,
    findings: &mut Findings<'_>,
) {
    for &at in &facts.module_syntax {
        findings.push(Severity::Error, "module-syntax", at, || {
            let message = "a script is not a module: import and export are not available".to_owned();
            (message, Some("a script is one file, and its top-level names are global already".into()))
        });
    }
    let mut done: HashSet<&str> = facts
        .uses
        .iter()
        .filter(|used| matches!(used.how, How::Typeof) && used.path.is_empty())
        .map(|used| used.root)
        .collect();
    for used in &facts.uses {
        let name = used.root;
        let is_absent = surface.is_absent(name);
        let instead = instead_of(name);
        if instead.is_none() && !is_absent {
            continue;
        }
        // Every key of `env` is a global variable too.
        let is_setting = options.env.is_some_and(|keys| keys.iter().any(|key| key == name));
        if surface.namespace(name).is_some()
            || is_setting
            || facts.scopes.is_declared(used.scope, name)
            || !done.insert(name)
        {
            continue;
        }
        if is_absent {
            findings.push(Severity::Error, "absent-helper", used.at, || {
                (format!("this version has no {name}"), None)
            });
            continue;
        }
        let (helper, words) = instead.unwrap_or_default();
        findings.push(Severity::Error, "foreign-global", used.at, || {
            let suggestion = if !helper.is_empty() && exists(surface, helper) {
                Some(format!("use {helper}"))
            } else {
                (!words.is_empty()).then(|| words.to_owned())
            };
            (format!("{name} does not exist here: it belongs to other hosts"), suggestion)
        });
    }
}

fn exists(surface: &Surface, helper: &str) -> bool {
    let mut names = helper.split('.');
    let Some(mut namespace) = names.next().and_then(|root| surface.namespace(root)) else { return false };
    for name in names {
        match namespace.member(name) {
            Some(Member::Namespace(inner)) => namespace = inner,
            member => return member.is_some(),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_its_search_needs() {
        assert!(FOREIGN.is_sorted_by(|(a, ..), (b, ..)| a < b));
    }

    #[test]
    fn every_helper_of_the_table_is_documented() {
        let surface = Surface::documented();
        for (name, helper, _) in FOREIGN {
            assert!(helper.is_empty() || exists(&surface, helper), "{name}: {helper}");
        }
    }
}
