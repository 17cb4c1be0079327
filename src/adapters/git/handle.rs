//! [`Git`] itself: the program, its limits, and what all that is done with it shares.

use std::{ffi::OsString, path::Path, sync::Arc};

use tokio::sync::Semaphore;

use super::{
    command::{Limits, Program},
    pool,
};

/// Checkouts at a time: more are no faster on two cores.
pub(super) const CHECKOUTS: usize = 2;

/// Git, for all repositories.
#[derive(Clone, Debug)]
pub struct Git {
    pub(super) program: Program,
    pub(super) checkouts: Arc<Semaphore>,
    pub(super) filling: pool::Filling,
    /// The home whose tickets these worktrees are; `None`: no worktree is marked as anybody's.
    pub(super) home: Option<Arc<Path>>,
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
        let checkouts = Arc::new(Semaphore::new(CHECKOUTS));
        Self { program, checkouts, filling: pool::Filling::default(), home: None }
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
