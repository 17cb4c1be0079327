//! A ticket's row: all that the queue knows of it, complete in every journal line.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    check::{CheckResult, ChecksStatus},
    id::{PaneId, RunId, RunKey, TicketId},
    risk::{RiskOrigin, RiskSource, RiskSummary, Tier},
    run::{Blocked, NextRun, Parked, Run},
    usage::{Mark, RunUsage},
};

/// One ticket in the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The ticket.
    pub id: TicketId,
    /// Its title.
    pub title: String,
    /// 1 first.
    pub priority: u8,
    /// Dependencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<TicketId>,
    /// Agent profile.
    pub profile: String,
    /// Free words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Name of the project: the checkout's folder name.
    pub project: String,
    /// The user's checkout.
    pub repo: PathBuf,
    /// The branch the user had checked out when the ticket was accepted: where the work is to land. `None`: detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The commit the ticket was accepted on.
    pub base: String,
    /// The commit that the work starts from, once the worktree is made; only commits after it are proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
    /// For stacked tickets: the tips of the dependencies that `base_commit` holds, in the order of `after`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacked_on: Vec<Stacked>,
    /// The worktree's folder.
    pub worktree: PathBuf,
    /// Where the ticket was read from, and a hash of what was read; `None`: typed on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who accepted it: user name, and the process it came from.
    pub launched_by: String,
    /// Where from: a directory.
    pub launched_from: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// When its first run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it last left the agent's hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// When its status last changed.
    pub changed: Timestamp,
    /// Seconds that runs have worked, all runs together.
    #[serde(default)]
    pub worked_s: u64,
    /// Number of the latest run; 0: none yet.
    #[serde(default)]
    pub run: u32,
    /// Number of the latest launch of that run.
    #[serde(default)]
    pub launch: u32,
    /// Number of the latest round of checks of that run; 0: none yet.
    #[serde(default)]
    pub check_round: u32,
    /// Number of the latest delivery of that run. In files `last_delivery`: a phase, flattened beside it, has a
    /// `delivery` of its own.
    #[serde(default, rename = "last_delivery")]
    pub delivery: u32,
    /// The key of the latest run; `None`: no run yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RunKey>,
    /// Crashes of the agent's own since a person last touched the ticket.
    #[serde(default)]
    pub crashes: u32,
    /// How often the agent was lost without being to blame, since a person last touched the ticket.
    #[serde(default)]
    pub losses: u32,
    /// When the usage limit lifts that the ticket's agent has reached last; kept after that, since the tickets of that
    /// agent then start one after the other. `None`: none, none that said when, or a person has let the ticket go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_until: Option<Timestamp>,
    /// A person has let the ticket go on while a usage limit held it until then: that limit, and earlier ones, hold and
    /// stop it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_waived: Option<Timestamp>,
    /// How often a person has had everything done again from the start.
    #[serde(default)]
    pub epoch: u32,
    /// The agent's conversation, where it has one that can be resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// How far the agent's own record of that conversation was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Mark>,
    /// What each run has used, as far as the agent's own records say; an entry for each that had a session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<RunUsage>,
    /// The pane, while a session of the ticket is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pane: Option<PaneId>,
    /// The proof of the latest claim; `None`: none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Decisions the agent reported, counted.
    #[serde(default)]
    pub risk_summary: RiskSummary,
    /// Flags the agent raised; autodo's own come on top: see [`Row::flags_count`].
    #[serde(default)]
    pub flags: u32,
    /// Why the risk is what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risk_sources: Vec<RiskSource>,
    /// A person's override of the risk found in the diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_set: Option<Tier>,
    /// The dependency's branch has moved or died since this work began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_base: Option<String>,
    /// The news of that kind which a person has accepted: it is not raised again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_accepted: Option<String>,
    /// Status, with what belongs to it.
    #[serde(flatten)]
    pub status: Status,
}

/// A dependency whose work a ticket stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stacked {
    /// The dependency.
    pub id: TicketId,
    /// The tip of its branch at that time.
    pub commit: String,
}

/// Where a ticket was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Hash of the ticket's text: the same backlog dispatched again is known by it.
    pub digest: String,
}

/// What was proven about a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// True only where section 5 of the design says so.
    pub verified: bool,
    /// Why not, or how; one word, such as `no_claim`, `uncommitted`, `checks_failed`, `no_change`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the checks say.
    pub checks_status: ChecksStatus,
    /// Each check of the last round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
    /// Tip of the ticket's branch that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Commits after the base.
    #[serde(default)]
    pub commits: u32,
    /// Paths that are changed but not committed.
    #[serde(default)]
    pub dirty: u32,
    /// What the agent says it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Why the agent says nothing had to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_change: Option<String>,
}

/// Status of a ticket, with its data. The words are read by other programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Waits for a slot, a dependency or a time.
    Queued {
        /// Not before this time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// What the next run is to do.
        #[serde(default)]
        next: NextRun,
    },
    /// An agent, or a check, is at work.
    Running(Box<Run>),
    /// Set aside until a time or a person.
    Parked(Box<Parked>),
    /// Needs an answer.
    Blocked(Box<Blocked>),
    /// A person should look at the result.
    NeedsReview,
    /// A person approved it.
    Reviewed {
        /// Who.
        by: String,
    },
    /// Its branch is contained in its target.
    Landed,
    /// The agent crashed too often, or the worktree could not be made.
    Failed {
        /// Why.
        reason: String,
    },
    /// A person gave it up.
    Cancelled {
        /// Who.
        by: String,
    },
}

impl Status {
    /// The word that other programs read.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running(_) => "running",
            Self::Parked(_) => "parked",
            Self::Blocked(_) => "blocked",
            Self::NeedsReview => "needs_review",
            Self::Reviewed { .. } => "reviewed",
            Self::Landed => "landed",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// True where nothing more will happen unless a person asks for it again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Landed | Self::Cancelled { .. })
    }

    /// True where the ticket is through, well or badly, so that it may leave the queue.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Reviewed { .. } | Self::Landed | Self::Failed { .. } | Self::Cancelled { .. } => true,
            Self::Queued { .. } | Self::Running(_) | Self::Parked(_) | Self::Blocked(_) | Self::NeedsReview => false,
        }
    }
}

impl Row {
    /// The latest run; `None` before the first.
    #[must_use]
    pub fn run_id(&self) -> Option<RunId> {
        (self.run > 0).then(|| RunId { ticket: self.id.clone(), number: self.run })
    }

    /// The run at work, if one is.
    #[must_use]
    pub fn running(&self) -> Option<&Run> {
        match &self.status {
            Status::Running(run) => Some(run),
            _ => None,
        }
    }

    /// Flags, the agent's and autodo's.
    #[must_use]
    pub fn flags_count(&self) -> u32 {
        self.flags + u32::try_from(super::flags::own_flags(self).len()).unwrap_or(0)
    }

    /// The maximum of what the agent said and what autodo saw, unless a person set the latter.
    #[must_use]
    pub fn effective_risk(&self) -> Tier {
        let seen = |origin: RiskOrigin| self.risk_sources.iter().filter(move |s| s.source == origin).map(|s| s.tier);
        let diff = self.tier_set.or_else(|| seen(RiskOrigin::Diff).max()).unwrap_or_default();
        let others = seen(RiskOrigin::Agent).chain(seen(RiskOrigin::Person)).max().unwrap_or_default();
        diff.max(others).max(self.risk_summary.maximum())
    }

    /// True if a dependent may start: verified work that waits for, or passed, review.
    #[must_use]
    pub fn satisfies_dependents(&self) -> bool {
        match &self.status {
            Status::NeedsReview => self.proof.as_ref().is_some_and(|p| p.verified),
            Status::Reviewed { .. } | Status::Landed => true,
            Status::Queued { .. }
            | Status::Running(_)
            | Status::Parked(_)
            | Status::Blocked(_)
            | Status::Failed { .. }
            | Status::Cancelled { .. } => false,
        }
    }
}
