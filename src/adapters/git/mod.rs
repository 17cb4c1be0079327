//! Git: its own program for every change, libgit2 for reads.
//!
//! Nothing here forces anything: no `--force`, no `branch -D`, no `reset --hard`, no `clean`. What a ticket owns is
//! known by three names, all functions of its id: the branch `autodo/<id>`, the worktree at its path, and the reference
//! `refs/autodo/base/<id>`, which keeps the commit that the work started from.

mod command;
mod discover;
mod exclude;
mod include;
mod inspect;
mod leftovers;
mod lfs;
mod list;
mod place;
mod pool;
mod port;
mod prepare;
mod probe;
mod read;
mod register;
mod remove;
mod rescue;
mod stack;
mod submodules;
mod trial;
mod unmake;

use std::{ffi::OsString, sync::Arc};

use command::Program;
pub use command::{GitError, Limits};
pub use discover::{OLDEST, Repo};
pub use probe::hook_asks;
pub use remove::{Removal, Removed};
pub use rescue::{Rescue, Restored};
use tokio::sync::Semaphore;
pub use trial::Tried;

/// Checkouts at a time: more are no faster on two cores.
const CHECKOUTS: usize = 2;

/// Git, for all repositories.
#[derive(Clone, Debug)]
pub struct Git {
    program: Program,
    checkouts: Arc<Semaphore>,
    filling: pool::Filling,
}

impl Default for Git {
    fn default() -> Self {
        Self::new()
    }
}

impl Git {
    /// Git with the environment of this process.
    #[must_use]
    pub fn new() -> Self {
        let program = Program { env: Arc::default(), limits: Limits::default() };
        Self { program, checkouts: Arc::new(Semaphore::new(CHECKOUTS)), filling: pool::Filling::default() }
    }

    /// Sets variables for git and for set-up commands, on top of the environment of this process.
    #[must_use]
    pub fn with_env(mut self, env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.program.env = Arc::new(env.into_iter().collect());
        self
    }

    /// Sets other time limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.program.limits = limits;
        self
    }
}
