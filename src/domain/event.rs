//! Every fact that may reach the machine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    check::{CheckResult, CommandEnd},
    id::{DeliveryId, PaneId, RunKey},
    report::{Hook, Report},
    risk::{RiskSource, RiskSummary, Tier},
    row::{Row, Stacked},
    schedule::AccountLimit,
    screen::Sighting,
    usage::Noted,
};

/// Something that happened to one ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The ticket was accepted: this is its first row.
    Accepted {
        /// The row.
        row: Box<Row>,
    },
    /// A queued ticket was edited in its backlog: this is its new row.
    Updated {
        /// The row.
        row: Box<Row>,
    },
    /// A slot is free.
    Start {
        /// Key of the new run.
        key: RunKey,
        /// Conversation id for a new conversation, where the profile lets autodo choose it.
        conversation: Option<String>,
    },
    /// The worktree is made, adopted, or found as it was left.
    WorktreeReady {
        /// The commit that the work starts from.
        base_commit: String,
        /// The tips of the dependencies it holds.
        stacked_on: Vec<Stacked>,
    },
    /// The worktree could not be made.
    WorktreeFailed {
        /// Which kind of failure.
        kind: WorktreeTrouble,
        /// For people.
        why: String,
    },
    /// The session is open, or was found open.
    SessionOpened {
        /// The agent's pane.
        pane: PaneId,
    },
    /// The session could not be opened, or the wrapper refused.
    LaunchFailed {
        /// Which kind of failure.
        kind: LaunchTrouble,
        /// For people.
        why: String,
    },
    /// The screen means something else than before, over two looks.
    Seen {
        /// What.
        sighting: Sighting,
        /// True if the profile knows a harmless answer to the dialog that is shown.
        #[serde(default)]
        answerable: bool,
    },
    /// The pane has changed at some time since the last such event; at most one a minute.
    Alive,
    /// The prompt stands in the box.
    Pasted {
        /// Which.
        delivery: DeliveryId,
    },
    /// The prompt was submitted.
    Submitted {
        /// Which.
        delivery: DeliveryId,
        /// What proves it, and how often Enter was pressed.
        evidence: String,
        /// Markers of the run that stood in the pane before.
        #[serde(default)]
        markers: u32,
    },
    /// The prompt was not pasted, and nothing of it is in the pane.
    NotPasted {
        /// Which.
        delivery: DeliveryId,
        /// What stood in the way.
        why: String,
        /// True: the screen asks something, so a person or a rule must answer first.
        dialog: bool,
    },
    /// It cannot be known whether the prompt was submitted.
    Unverified {
        /// Which.
        delivery: DeliveryId,
        /// What was seen.
        why: String,
    },
    /// Keys were sent that belong to no delivery.
    Keyed {
        /// Which, in order.
        keys: Vec<String>,
        /// What for.
        why: String,
    },
    /// The agent said something through its outbox.
    Reported {
        /// What.
        report: Report,
        /// Decisions of all reports of the ticket so far, by tier.
        summary: RiskSummary,
        /// Flags of all reports so far.
        flags: u32,
        /// What all reports so far say about risk.
        risks: Vec<RiskSource>,
    },
    /// The agent's own record of its conversation, or its status line, says more.
    Recorded {
        /// Of which launch.
        launch: u32,
        /// What is known now.
        noted: Box<Noted>,
        /// What happened, in the words of the hooks; `None`: nothing but figures.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hook: Option<Hook>,
    },
    /// A report whose run or key does not match: for the record only.
    ReportRejected {
        /// The file's name.
        file: String,
        /// Why.
        why: String,
    },
    /// The wrapper says that the agent ended.
    AgentExited {
        /// Of which launch.
        launch: u32,
        /// How.
        end: CommandEnd,
    },
    /// The agent, its wrapper or its session is gone, and the wrapper did not say how.
    AgentVanished {
        /// Of which launch.
        launch: u32,
        /// True: tmux or the machine went down, or autodo did it, so the agent is not to blame.
        blameless: bool,
        /// What was seen.
        why: String,
    },
    /// What is in the worktree.
    Inspected {
        /// What was seen.
        work: Work,
    },
    /// A look at the worktree failed.
    InspectFailed {
        /// Why.
        why: String,
    },
    /// A check ended.
    Checked {
        /// How.
        result: CheckResult,
    },
    /// The agent is ended and its session closed.
    Closed,
    /// More sessions of blocked tickets are open than are kept: this one is to be closed, its conversation stays.
    MakeRoom,
    /// The session of a blocked ticket was not closed: a person is attached to it.
    Attached,
    /// A deadline has passed.
    Deadline {
        /// Which.
        timer: Timer,
    },
    /// A person or a program asked for something.
    Asked {
        /// Who.
        by: String,
        /// For what.
        #[serde(flatten)]
        request: Request,
    },
    /// A dependency is through, moved, or died.
    Dependency {
        /// What became of it.
        news: DependencyNews,
    },
    /// Another ticket with the same agent has reached a usage limit: this one would reach it next.
    AccountLimited(AccountLimit),
    /// The branch is contained in its target.
    FoundLanded,
    /// The ticket leaves the queue for the archive: its worktree is gone.
    Archived {
        /// Who asked for it.
        by: String,
    },
}

impl Event {
    /// True if the agent's launch is over with it: nothing more comes from there.
    #[must_use]
    pub fn ends_launch(&self) -> bool {
        matches!(self, Self::AgentExited { .. } | Self::AgentVanished { .. } | Self::Closed)
    }

    /// The word in the journal, and of crash points.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Updated { .. } => "updated",
            Self::Start { .. } => "start",
            Self::WorktreeReady { .. } => "worktree_ready",
            Self::WorktreeFailed { .. } => "worktree_failed",
            Self::SessionOpened { .. } => "session_opened",
            Self::LaunchFailed { .. } => "launch_failed",
            Self::Seen { .. } => "seen",
            Self::Alive => "alive",
            Self::Pasted { .. } => "pasted",
            Self::Submitted { .. } => "submitted",
            Self::NotPasted { .. } => "not_pasted",
            Self::Unverified { .. } => "unverified",
            Self::Keyed { .. } => "keyed",
            Self::Reported { .. } => "reported",
            Self::Recorded { .. } => "recorded",
            Self::ReportRejected { .. } => "report_rejected",
            Self::AgentExited { .. } => "agent_exited",
            Self::AgentVanished { .. } => "agent_vanished",
            Self::Inspected { .. } => "inspected",
            Self::InspectFailed { .. } => "inspect_failed",
            Self::Checked { .. } => "checked",
            Self::Closed => "closed",
            Self::MakeRoom => "make_room",
            Self::Attached => "attached",
            Self::Deadline { .. } => "deadline",
            Self::Asked { .. } => "asked",
            Self::Dependency { .. } => "dependency",
            Self::AccountLimited(_) => "account_limited",
            Self::FoundLanded => "found_landed",
            Self::Archived { .. } => "archived",
        }
    }
}

/// What is in a worktree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Tip of the ticket's branch.
    pub head: String,
    /// Commits after the base.
    pub commits: u32,
    /// Changed paths that are not committed.
    pub dirty: Vec<String>,
    /// What the diff says about risk.
    pub risks: Vec<RiskSource>,
    /// True if the worktree is on another branch than the ticket's, or on none.
    #[serde(default)]
    pub off_branch: Option<String>,
}

/// Why there is no worktree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorktreeTrouble {
    /// Branch or folder belongs to somebody else.
    Taken,
    /// The branches of the dependencies conflict.
    Conflict,
    /// A setup command failed.
    Setup,
    /// Something that may pass: disk, lock, a slow git.
    Passing,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchTrouble {
    /// A program or variable that the profile needs is not there.
    Environment,
    /// A session of that name belongs to somebody else, or a process of an earlier launch lives on.
    Taken,
    /// Something that may pass.
    Passing,
}

/// What became of a dependency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum DependencyNews {
    /// It failed, was cancelled or is gone.
    Dead {
        /// Which, and how.
        why: String,
    },
    /// It lives again.
    Back,
    /// Its branch moved after this work began, or it was rejected.
    Stale {
        /// Which, and how.
        why: String,
    },
    /// The work stands on the present tip again.
    Fresh,
}

/// Deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// The agent did not become ready in time.
    Start,
    /// A delivery took too long.
    Delivery,
    /// No sign of life.
    Stall,
    /// The run worked as long as it may.
    Limit,
    /// A look at the worktree came to no end.
    Proof,
    /// A check came to no end, long after its own time limit.
    Check,
    /// A key was typed as an answer, and the screen has not changed since.
    Answer,
    /// A parked ticket's time has come.
    Parked,
}

/// What a person or a program can ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Answer a blocked ticket. The text lies in the delivery's file.
    Answer {
        /// The text, up to 2,000 bytes of it, for the record and for a next run's prompt.
        text: String,
    },
    /// Type a text into the agent's box. The text lies in the delivery's file.
    Send {
        /// Its size in bytes.
        bytes: u64,
    },
    /// Mark a reviewed result.
    Approve {
        /// True for `approve-low`.
        low: bool,
    },
    /// Send it back.
    Reject {
        /// What is to be different.
        correction: String,
    },
    /// End the agent, keep its conversation.
    Stop,
    /// Go on after a stop, a limit or a park.
    Resume,
    /// Another run.
    Retry {
        /// Which kind.
        how: Retry,
    },
    /// Give the ticket up.
    Cancel,
    /// Set the risk found in the diff.
    SetTier {
        /// To what.
        tier: Tier,
    },
    /// Accept work on a base that moved.
    AcceptStale,
    /// The deadline of a batch has come: park it, to go on later.
    Park {
        /// Why.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
}

/// Kinds of retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Everything again, in the same worktree and a new conversation.
    Again,
    /// A new run that goes on with the conversation of the latest one.
    Resume,
    /// The checks only.
    ChecksOnly,
}
