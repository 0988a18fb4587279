//! The JavaScript host: scripts with hooks that see packets and items.
//!
//! Each script has a thread and an engine instance (isolate) of its own, a bounded queue of events, a time limit per
//! call and a heap limit. Nothing a script does stops the host or another script.

#[cfg(all(feature = "v8", feature = "quickjs"))]
compile_error!(
    "the features `v8` and `quickjs` exclude each other: build QuickJS with `--no-default-features --features quickjs`"
);
#[cfg(not(any(feature = "v8", feature = "quickjs")))]
compile_error!("an engine is needed: enable the feature `v8` (the default) or `quickjs`");

mod batch;
mod bootstrap;
mod call;
mod compile;
mod config;
mod console;
mod engine;
mod event;
mod exception;
#[cfg(feature = "v8")]
mod fatal;
mod helpers;
mod hook;
mod host;
mod isolate;
mod items;
mod jobs;
mod memory;
mod queue;
mod rejections;
mod services;
mod stats;
mod view;
mod waits;
mod watchdog;
mod worker;

pub use batch::Ticket;
pub use compile::compile;
pub use config::{ConsoleLevel, HostConfig, LoadError, Observer, Overflow, Script, Verdict};
pub use event::{Event, PacketInfo, Query, Reply};
pub use host::ScriptHost;
pub use services::Services;
pub use stats::ScriptStats;
pub use view::ItemView;
