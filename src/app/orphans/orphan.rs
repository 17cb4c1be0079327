//! What is left over, as it is told and as it is named in a request.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::id::TicketId;

/// Names one orphan: what has to be known to find it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Orphan {
    /// A session on a tmux server of this home.
    Session {
        /// Its name.
        session: String,
        /// Number of the run it was opened for; `None`: it has no mark of autodo's.
        run: Option<u32>,
        /// Number of the launch it was opened for.
        launch: Option<u32>,
    },
    /// What lives of a launch.
    Processes {
        /// The launch's folder.
        launch: PathBuf,
        /// The process ids that were seen.
        pids: Vec<i32>,
    },
    /// A worktree.
    Worktree {
        /// Where it is.
        path: PathBuf,
        /// A checkout of its repository.
        repo: PathBuf,
    },
    /// A folder where worktrees are, of which git knows nothing.
    Folder {
        /// Where it is.
        path: PathBuf,
    },
}

impl Orphan {
    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Session { .. } => "session",
            Self::Processes { .. } => "processes",
            Self::Worktree { .. } => "worktree",
            Self::Folder { .. } => "folder",
        }
    }
}

/// One that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub orphan: Orphan,
    /// The ticket whose it was; `None`: that is not known.
    pub ticket: Option<TicketId>,
    /// What it is, in a line for people.
    pub what: String,
    /// Why it is left as it is; `None`: it can be taken away.
    pub left: Option<Left>,
}

/// Why something is never taken away by autodo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The reason.
    pub why: String,
    /// What a person can do about it.
    pub by_hand: String,
}

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// The orphans: sessions, processes, worktrees, folders.
    pub found: Vec<Found>,
    /// Sessions of tickets; `None`: no tmux server of this home runs, or that could not be looked at.
    pub sessions: Option<usize>,
    /// What could not be looked at, and why.
    pub unseen: Vec<Unseen>,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Which kind of orphans could not be looked for.
    pub kind: &'static str,
    /// Why.
    pub why: String,
}
