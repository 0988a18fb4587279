//! `remora scripts check`: looks at scripts without running them.

use std::io::Write as _;

use remora_check::{Options, Severity, Surface};
use remora_script::Script;

use crate::cli::Check;
use crate::exit::Exit;
use crate::scripts;

pub(crate) fn check(arguments: &Check) -> anyhow::Result<Exit> {
    let surface = Surface::documented();
    let env = (!arguments.env.is_empty()).then_some(arguments.env.as_slice());
    let mut stdout = std::io::stdout().lock();
    let (mut errors, mut warnings) = (0, 0);
    let read = scripts::read(&arguments.scripts, false)?;
    for (file, script) in &read {
        let path = file.path.display().to_string();
        // A reader that closes the pipe early is no error.
        match remora_script::compile(&Script { name: path.clone(), code: script.code.clone() }) {
            Ok(()) => {}
            Err(error) => {
                errors += 1;
                let _ = writeln!(stdout, "error: {}", error.message);
            }
        }
        for finding in remora_check::check(&script.code, &surface, &Options { env }) {
            match finding.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
                Severity::Note => {}
            }
            let _ = writeln!(stdout, "{}", remora_check::render(&path, &script.code, &finding));
        }
    }
    eprintln!("remora: {} scripts checked: {errors} errors, {warnings} warnings", read.len());
    let failed = errors > 0 || arguments.strict && warnings > 0;
    Ok(if failed { Exit::Failed } else { Exit::Fine })
}
