//! Script files that change while the agent runs: a changed file is loaded anew, a new one starts, a removed one stops.
//!
//! Files are looked at several times a second rather than watched through the kernel: that works the same on every file
//! system, also for a mounted ConfigMap, whose files change by a link that is turned to another folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use remora_script::{Script, ScriptHost};

use crate::scripts::{self, ScriptFile};

const LOOK: Duration = Duration::from_millis(250);

/// What tells that a file is not what it was.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    target: PathBuf,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            target: path.canonicalize().ok()?,
        })
    }
}

struct Known {
    name: String,
    /// Of the version that was loaded last, or could not be.
    stamp: Option<Stamp>,
    /// What the file looked like at the last look. A file that is still being written looks different each time.
    last: Option<Stamp>,
    code: String,
}

/// What became of a file.
#[derive(PartialEq, Eq, Debug)]
enum Change {
    Load(ScriptFile, String),
    Remove(String),
    Unreadable(String, String),
}

struct Watch {
    sources: Vec<PathBuf>,
    known: BTreeMap<PathBuf, Known>,
}

impl Watch {
    fn new(sources: Vec<PathBuf>, loaded: Vec<(ScriptFile, String)>) -> Self {
        let known = |(file, code): (ScriptFile, String)| {
            let stamp = Stamp::of(&file.path);
            (file.path, Known { name: file.name, stamp: stamp.clone(), last: stamp, code })
        };
        Self { sources, known: loaded.into_iter().map(known).collect() }
    }

    /// Looks at all files.
    fn look(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        // A folder that cannot be read just now says nothing about its files.
        let Ok(paths) = scripts::paths(&self.sources, true) else { return changes };
        for path in &paths {
            let stamp = Stamp::of(path);
            if !self.known.contains_key(path) {
                let name = self.name(path);
                let known = Known { name, stamp: None, last: stamp, code: String::new() };
                self.known.insert(path.clone(), known);
                continue;
            }
            let Some(known) = self.known.get_mut(path) else { continue };
            let settled = known.last == stamp;
            known.last = stamp.clone();
            if stamp.is_none() && settled && known.stamp.take().is_some() {
                known.code.clear();
                changes.push(Change::Remove(known.name.clone()));
            } else if stamp.is_some() && settled && known.stamp != stamp {
                known.stamp = stamp;
                match scripts::text_of(path) {
                    Ok(code) if code == known.code => {}
                    Ok(code) => {
                        known.code.clone_from(&code);
                        let file = ScriptFile { path: path.clone(), name: known.name.clone() };
                        changes.push(Change::Load(file, code));
                    }
                    Err(error) => changes.push(Change::Unreadable(known.name.clone(), error.to_string())),
                }
            }
        }
        self.known.retain(|path, known| {
            if paths.contains(path) {
                return true;
            }
            // Some editors remove a file and write it again: gone is what is gone twice.
            if known.last.take().is_some() {
                return true;
            }
            if known.stamp.is_some() {
                changes.push(Change::Remove(known.name.clone()));
            }
            false
        });
        changes
    }

    /// The file name, or the path where another script has that name.
    fn name(&self, path: &Path) -> String {
        let short = scripts::names(&[path.to_owned()]).pop().unwrap_or_default();
        let taken = self.known.values().any(|known| known.name == short);
        if taken { path.to_string_lossy().into_owned() } else { short }
    }
}

/// The watching thread; it ends with this.
pub(crate) struct ScriptWatcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptWatcher {
    pub(crate) fn start(
        sources: Vec<PathBuf>,
        loaded: Vec<(ScriptFile, String)>,
        host: Arc<ScriptHost>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let mut watch = Watch::new(sources, loaded);
        let body = move || {
            while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                watch.look().into_iter().for_each(|change| apply(change, &host));
            }
        };
        let thread = std::thread::Builder::new().name("script-files".to_owned()).spawn(body)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ScriptWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The thread may be loading a script, which ends at its time limit.
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn apply(change: Change, host: &ScriptHost) {
    match change {
        Change::Load(file, code) => {
            let title = remora_check::title(&code);
            match host.replace(Script { name: file.name.clone(), code }) {
                Ok(()) => match title {
                    Some(title) => eprintln!("remora: loaded {} ({title})", file.path.display()),
                    None => eprintln!("remora: loaded {}", file.path.display()),
                },
                Err(error) => {
                    eprintln!("[{}] error: {}", error.script, error.message);
                    eprintln!("remora: {} did not load; what ran before goes on", file.path.display());
                }
            }
        }
        Change::Remove(name) => {
            if host.remove(&name) {
                eprintln!("remora: stopped {name}, whose file is gone");
            }
        }
        Change::Unreadable(name, error) => {
            eprintln!("remora: {error}; {name} goes on as it was");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(change: &Change) -> (&str, &str) {
        match change {
            Change::Load(file, code) => (&file.name, code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_that_come_change_and_go_are_told_once_each() {
        let folder = std::env::temp_dir().join(format!("remora-watch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.js");
        let mut watch = Watch::new(vec![folder.clone()], Vec::new());
        assert_eq!(watch.look(), []);

        std::fs::write(&path, "one").unwrap();
        assert_eq!(watch.look(), [], "it may still be written");
        let changes = watch.look();
        assert_eq!(changes.iter().map(loaded).collect::<Vec<_>>(), [("a.js", "one")]);
        assert_eq!(watch.look(), []);

        std::fs::write(&path, "three").unwrap();
        assert_eq!(watch.look(), []);
        let changes = watch.look();
        assert_eq!(changes.iter().map(loaded).collect::<Vec<_>>(), [("a.js", "three")]);

        std::fs::remove_file(&path).unwrap();
        assert_eq!(watch.look(), [], "it may come again");
        std::fs::write(&path, "three").unwrap();
        watch.look();
        assert_eq!(watch.look(), [], "the same text needs no loading");

        std::fs::write(&path, [0xff]).unwrap();
        watch.look();
        assert!(matches!(&watch.look()[..], [Change::Unreadable(name, _)] if name == "a.js"));

        std::fs::remove_file(&path).unwrap();
        watch.look();
        assert_eq!(watch.look(), [Change::Remove("a.js".to_owned())]);
        assert_eq!(watch.look(), []);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
