//! Test support: private worlds, and waiting without sleeping blindly.
#![allow(dead_code, reason = "not every test module uses every helper")]

pub mod agents;
pub mod chance;
pub mod desk;
pub mod errors;
pub mod fakes;
pub mod files;
pub mod git;
pub mod house;
pub mod invariants;
pub mod listener;
pub mod process;
pub mod program;
pub mod repo;
pub mod schema;
pub mod shim;
pub mod source;
pub mod tmux;
pub mod world;

use std::time::{Duration, Instant};

/// Longest a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Polls `look` every 10 ms until it returns something; panics with `story` (screen, journal, logs) after [`PATIENCE`].
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>, story: impl FnOnce() -> String) -> T {
    wait_within(PATIENCE, Duration::from_millis(10), what, look, story)
}

/// The same for what takes longer than [`PATIENCE`], with a look every `pace`.
pub fn wait_within<T>(
    longest: Duration,
    pace: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
    story: impl FnOnce() -> String,
) -> T {
    let end = Instant::now() + longest;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {longest:?} in vain for {what}\n{}", story());
        std::thread::sleep(pace);
    }
}
