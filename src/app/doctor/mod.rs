//! `doctor`: looks at everything that would go wrong at night, and says what to do about it.
//!
//! It changes nothing: no home, no folder, no server is made by looking. What it has to try (writing, locking,
//! signing) it tries with a file of its own that it removes.

mod agents;
mod check;
mod git;
mod home;
mod machine;
mod notify;
mod orphans;
mod preflight;
mod quota;
mod run;
mod setup;
mod supervisor;
mod tmux;
mod worktrees;

pub use check::{Check, Health, Report};
pub use preflight::{Batch, preflight};
pub use run::run;
