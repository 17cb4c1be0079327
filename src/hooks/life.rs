//! Signs of life: what an agent calls `autodo hook` for at each call of a tool, tens of thousands of times in a night.
//!
//! One a minute is told, and the others end after one look at a stamp in the launch's folder. Whatever cannot be looked
//! at or stamped is not told: nothing here may ever cost more than the look.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::adapters::{
    env,
    fs::{self, PRIVATE},
};

/// The events that say no more than that something happens.
const EVENTS: [&str; 4] = ["PreToolUse", "PostToolUse", "Notification", "SubagentStop"];

/// Until the next sign of life is told.
const EVERY: Duration = Duration::from_secs(60);

/// The stamp in the launch's folder.
const STAMP: &str = "alive";

/// True if `event`, as it stands in the hook's command, is a sign of life that has just been told.
pub(super) fn is_told(event: &str) -> bool {
    EVENTS.contains(&event) && stamp().is_none_or(|stamp| is_fresh(&stamp))
}

/// Takes the turn to tell a sign of life; false: it has just been told, or cannot be told.
pub(super) fn tell() -> bool {
    stamp().is_some_and(|stamp| !is_fresh(&stamp) && fs::write_atomic(&stamp, b"", PRIVATE, fs::Sync::None).is_ok())
}

fn stamp() -> Option<PathBuf> {
    env::var("AUTODO_LAUNCH").map(|folder| PathBuf::from(folder).join(STAMP))
}

fn is_fresh(stamp: &Path) -> bool {
    fs::age(stamp).is_some_and(|age| age < EVERY)
}
