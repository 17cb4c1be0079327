//! Worktrees and branches: one of each per ticket.

use std::path::{Path, PathBuf};

use super::Work;
use crate::domain::{
    event::{Work as WorkSeen, WorktreeTrouble},
    id::TicketId,
    observed::Observed,
    review::FileChange,
    row::Stacked,
    ticket::WorktreeSetup,
};

/// A worktree to make, or to find.
#[derive(Clone, Debug)]
pub struct WorktreeSpec {
    /// The ticket: its branch is `autodo/<ticket>`.
    pub ticket: TicketId,
    /// The user's checkout.
    pub repo: PathBuf,
    /// Where the worktree is to be.
    pub path: PathBuf,
    /// Where the branch starts, unless there are dependencies.
    pub base: String,
    /// Dependencies to stand on, in order; their branches are merged where there are several.
    pub on: Vec<TicketId>,
    /// The commit the work started from, where a worktree was made before; then nothing is reset or rebased.
    pub base_commit: Option<String>,
    /// True: a retry asked to move the work onto the present tips of its dependencies.
    pub rebase: bool,
    /// Files to copy and link, commands to run.
    pub setup: WorktreeSetup,
    /// Where the log of the set-up goes.
    pub log: PathBuf,
}

/// A worktree that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The commit that the work starts from.
    pub base_commit: String,
    /// The dependencies' tips that it holds.
    pub stacked_on: Vec<Stacked>,
    /// Things done on the way that belong into the audit trail, such as a stale lock that was removed.
    pub notes: Vec<String>,
}

/// Why there is none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub struct WorktreeError {
    /// Which kind.
    pub kind: WorktreeTrouble,
    /// What was tried, on what, why it failed; for people.
    pub why: String,
}

/// A look at the work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// What counts as proof.
    pub work: WorkSeen,
    /// The changed files, for the review.
    pub files: Vec<FileChange>,
}

/// Checkouts that are to be kept ready for tickets to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmSpec {
    /// The user's checkout.
    pub repo: PathBuf,
    /// The folder of the worktrees.
    pub folder: PathBuf,
    /// How many.
    pub size: u32,
    /// The commit of the newest ticket.
    pub base: String,
    /// The branch that tickets to come will start from where it has moved on from there.
    pub target: Option<String>,
}

/// Worktrees of all projects.
pub trait Worktrees: Send + Sync {
    /// Makes the worktree and its branch, or adopts what is this ticket's already. Never overwrites anything.
    fn prepare(&self, spec: WorktreeSpec) -> Work<'_, Result<Prepared, WorktreeError>>;

    /// Ends what still prepares the worktree, and takes a half-made one away again: one that holds something loses only
    /// the lock under which it was being made. Says what it did. For a ticket whose run ended before its agent was launched.
    fn abandon(&self, spec: WorktreeSpec) -> Work<'_, Result<Option<String>, WorktreeError>>;

    /// Looks at the work since `base_commit`, without taking any lock in the worktree.
    fn inspect(
        &self,
        repo: PathBuf,
        worktree: PathBuf,
        ticket: TicketId,
        base_commit: String,
    ) -> Work<'_, Result<Inspection, String>>;

    /// The git folder of the linked worktree itself, and the one that all worktrees of its repository share.
    fn git_dirs(&self, worktree: &Path) -> Result<(PathBuf, PathBuf), String>;

    /// The tip of a ticket's branch.
    fn tip(&self, repo: PathBuf, ticket: TicketId) -> Work<'_, Observed<String>>;

    /// True if `commit` is contained in branch `target`.
    fn contains(&self, repo: PathBuf, target: String, commit: String) -> Work<'_, Observed<bool>>;

    /// Removes an `index.lock` that a dead run left in the worktree; says what it removed. Call it only when no
    /// process of the run is alive.
    fn clear_stale_lock(&self, worktree: PathBuf) -> Work<'_, Option<String>>;

    /// Begins to bring a pool of checkouts up to its size and onto its commit, unless that is being done; returns at
    /// once. Called in idle time.
    fn keep_warm(&self, spec: WarmSpec);

    /// True while a pool is being filled.
    fn is_warming(&self) -> bool;
}
