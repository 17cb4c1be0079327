//! The outbox of a run: report files that the agent leaves in its worktree.

use std::path::{Path, PathBuf};

use crate::domain::{
    decision::{Decision, Flag},
    id::{RunId, RunKey},
    observed::Observed,
    report::Report,
    risk::RiskSummary,
};

/// One file in an outbox.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says, or why it is not believed.
    pub report: Result<Report, String>,
}

/// All that the reports of a ticket say, counted from the kept files: counting twice changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Decisions by tier.
    pub summary: RiskSummary,
    /// Decisions in order.
    pub decisions: Vec<Decision>,
    /// Flags in order.
    pub flags: Vec<Flag>,
    /// Notes in order.
    pub notes: Vec<String>,
}

/// Stands for what lies in an outbox: another one, if a file has come or gone. Two changes within one tick of the file
/// system's clock (some milliseconds) may look like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which folder it is: one that was made again is another.
    pub folder: u64,
    /// When it changed last, in nanoseconds since the epoch.
    pub changed_ns: i128,
}

/// Outboxes. All calls read or move a few small files and do not block long.
pub trait Outbox: Send + Sync {
    /// The stamp of the outbox in `worktree`: one system call, where [`Outbox::waiting`] takes a dozen.
    fn stamp(&self, worktree: &Path) -> Observed<Stamp>;

    /// The reports that wait in `worktree`, oldest first, checked against run and key.
    fn waiting(&self, worktree: &Path, run: &RunId, key: &RunKey) -> Vec<Found>;

    /// Copies a report into `runs/<n>/reports/` of the ticket's folder (rejected ones into `rejected/`).
    ///
    /// # Errors
    /// What could not be written.
    fn keep(&self, found: &Found, run: &RunId) -> Result<(), String>;

    /// Removes it from the outbox, after its event is committed.
    fn forget(&self, found: &Found);

    /// Counts the kept reports of the runs `1..=run` of a ticket.
    fn tally(&self, run: &RunId) -> Tally;
}
