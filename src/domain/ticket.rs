//! A ticket: a unit of work asked for, as accepted, with the settings that were frozen for it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{id::TicketId, usage::MicroUsd};

/// Priority of a ticket that names none. 1 comes first.
pub const DEFAULT_PRIORITY: u8 = 3;

/// A ticket as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Unique over all projects of a home.
    pub id: TicketId,
    /// One line; any characters but line ends.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// 1 first, 9 last.
    pub priority: u8,
    /// Tickets that must be through before this one starts.
    pub after: Vec<TicketId>,
    /// Agent profile; `None`: the project's.
    pub profile: Option<String>,
    /// Free words.
    pub labels: Vec<String>,
    /// Commands that must succeed, beside the project's checks.
    pub accept: Vec<String>,
    /// Longest time one run may work, in seconds; `None`: the project's.
    pub limit_s: Option<u64>,
    /// Most that may be spent on it; `None`: the project's.
    pub budget: Option<MicroUsd>,
    /// False: never started by an unattended batch.
    pub unattended: bool,
}

/// Everything a run needs that a person might change meanwhile: taken from the user's checkout when the ticket was
/// accepted, so that an agent that edits `.autodo/` in its worktree changes nothing for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// The project's checks; `None`: nobody has said; empty: the project has none.
    pub checks: Option<Vec<String>>,
    /// The ticket's own acceptance commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Rules for what an agent asks to be allowed, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// How the worktree is made usable.
    #[serde(default)]
    pub worktree: WorktreeSetup,
    /// Times and counts.
    pub limits: Limits,
}

/// What is put into a fresh worktree beside what git checks out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorktreeSetup {
    /// Globs of untracked files to copy from the checkout.
    pub copy: Vec<String>,
    /// Globs of untracked files or folders to link to.
    pub symlink: Vec<String>,
    /// Commands to run in the worktree before the agent starts.
    pub setup: Vec<String>,
    /// Longest time of one of these commands, in seconds; `None`: as long as git's adapter allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_limit_s: Option<u64>,
    /// Whether submodules are checked out; `None`: they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submodules: Option<bool>,
    /// Checkouts that are kept warm beside the worktrees.
    #[serde(skip_serializing_if = "is_zero")]
    pub pool: u32,
    /// Folder for the worktrees; `None`: `<repo>.worktrees` beside the checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Times in seconds, and counts, that steer a run. Frozen with the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest time a run may work; 0: no limit.
    pub run_s: u64,
    /// Longest time from the launch until the agent is ready for a prompt.
    pub start_s: u64,
    /// Longest time one delivery may take.
    pub delivery_s: u64,
    /// Time without any sign of life after which the agent counts as stalled.
    pub stall_s: u64,
    /// Longest time of one check.
    pub check_s: u64,
    /// How many times failed checks go back to the agent.
    pub feedback_rounds: u32,
    /// The crash of the agent that makes the ticket failed.
    pub crashes: u32,
    /// First back-off after a crash; doubled each time, at most 300.
    pub backoff_s: u64,
    /// Time after the one that a usage limit names until it counts as lifted.
    #[serde(default = "after_reset_s")]
    pub after_reset_s: u64,
    /// Most that may be spent on the ticket, all runs together; `None`: no budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<MicroUsd>,
    /// True if a conversation of this profile can be resumed in a new launch.
    pub resumable: bool,
    /// True if this profile understands being asked: to commit, to explain, to mend what a check found.
    pub feedback: bool,
    /// True if a stalled agent of this profile is nudged once.
    pub nudge: bool,
    /// True if the ticket's prompt goes with the launch, as an argument; false: it is pasted.
    pub argument: bool,
}

/// Clocks differ, and agents name the minute in which a limit lifts, cut or rounded.
fn after_reset_s() -> u64 {
    120
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            run_s: 4 * 3600,
            start_s: 60,
            delivery_s: 30,
            stall_s: 900,
            check_s: 1800,
            feedback_rounds: 2,
            crashes: 3,
            backoff_s: 10,
            budget: None,
            after_reset_s: after_reset_s(),
            resumable: false,
            feedback: true,
            nudge: true,
            argument: false,
        }
    }
}

impl Frozen {
    /// The commands that autodo runs itself after a claim: the project's checks, then the ticket's.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().flatten().chain(&self.accept).map(String::as_str)
    }
}
