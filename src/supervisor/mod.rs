//! The supervisor: takes events, steps the machine, commits, and has the effects done through the ports.
//!
//! One task owns all state ([`queue::Queue`]); everything asynchronous ends in [`event_loop::Supervisor`], which only
//! names what happened. Effects run in tasks of their own, one at a time for each ticket. It knows the ports, never the
//! adapters behind them.

pub mod checks;
pub mod closing;
pub mod compose;
pub mod delivery;
pub mod event_loop;
pub mod executor;
pub mod launching;
pub mod notices;
pub mod outbox;
pub mod permission;
pub mod queue;
pub mod records;
pub mod review;
pub mod targets;
pub mod watch;

use std::{path::Path, sync::Arc};

use crate::{
    agent::profile::Profile,
    ports::{
        clock::Clock, files::Files, launches::Launches, outbox::Outbox, records::Records, terminal::Terminal,
        worktrees::Worktrees,
    },
};

/// The world as the supervisor needs it.
#[derive(Clone)]
pub struct World {
    /// Panes.
    pub terminal: Arc<dyn Terminal>,
    /// Worktrees and branches.
    pub worktrees: Arc<dyn Worktrees>,
    /// Programs under the wrapper.
    pub launches: Arc<dyn Launches>,
    /// Reports.
    pub outbox: Arc<dyn Outbox>,
    /// The agents' own records.
    pub records: Arc<dyn Records>,
    /// Files of tickets.
    pub files: Arc<dyn Files>,
    /// Profiles and the prompt's template.
    pub profiles: Arc<dyn Profiles>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Called at each named point of an effect: nothing, except where a test kills the process there.
    pub point: fn(&str),
}

/// Agent profiles, layered: built-in, the user's, the project's.
pub trait Profiles: Send + Sync {
    /// The profile `name` as a ticket of `repo` sees it.
    ///
    /// # Errors
    /// There is none, or it is not valid; for people.
    fn get(&self, name: &str, repo: &Path) -> Result<Arc<Profile>, String>;

    /// The template of the prompt file, for tickets of `repo`.
    fn template(&self, repo: &Path) -> String;
}
