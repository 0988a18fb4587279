//! Every helper, from JavaScript to the wire or the disk and back.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "../common/mod.rs"]
mod common;

mod data_dir;
mod local;
mod missing;
mod services;
mod stores;
mod waits;
mod webhooks;
mod wrapper;

/// For scripts: what a function threw, as text, and whether it is an `Error`.
const ATTEMPT: &str = "const attempt = (work) => {
    try { return 'returned ' + work() } catch (error) { return (error instanceof Error) + ' ' + error.message }
};\n";

/// Runs `code` at top level in a world, with `attempt`, and returns its lines.
fn lines(world: &common::world::World, server: &common::server::Server, code: &str) -> Vec<String> {
    world.start(server, &format!("{ATTEMPT}{code}")).lines()
}
