//! The review of a ticket: what a person reads in a minute.

use jiff::Timestamp;

use super::{
    check::ChecksStatus,
    decision::{Decision, Flag},
    id::TicketId,
    risk::{RiskSource, RiskSummary, Tier},
};

/// All that `review.md` says, apart from what a person wrote into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The ticket.
    pub id: TicketId,
    /// Its title.
    pub title: String,
    /// When its first run began.
    pub started: Option<Timestamp>,
    /// When it left the agent's hands.
    pub ended: Option<Timestamp>,
    /// Minutes from start to end; `None` while unknown.
    pub duration_minutes: Option<u64>,
    /// The status word.
    pub status: String,
    /// Who accepted it.
    pub launched_by: String,
    /// Where from.
    pub launched_from: String,
    /// The project's name.
    pub project: String,
    /// Decisions by tier.
    pub risk_summary: RiskSummary,
    /// The ticket's body.
    pub task: String,
    /// What the agent decided, in order.
    pub decisions: Vec<Decision>,
    /// What a person should look at: the agent's flags, then autodo's.
    pub flags: Vec<Flag>,
    /// Changed files.
    pub files: Vec<FileChange>,
    /// The question, where it is blocked.
    pub question: Option<Question>,
    /// One entry a check.
    pub checks: Vec<CheckLine>,
    /// What they say together.
    pub checks_status: ChecksStatus,
    /// What was proven, line by line.
    pub evidence: Vec<String>,
    /// What the agent says it did.
    pub summary: Option<String>,
    /// Verified or not; `None` before a claim.
    pub verified: Option<bool>,
    /// Why.
    pub reason: Option<String>,
    /// The effective risk.
    pub effective_risk: Tier,
    /// Where it comes from.
    pub risk_sources: Vec<RiskSource>,
    /// The ticket's branch.
    pub branch: String,
    /// The commit it starts from.
    pub base: Option<String>,
    /// The commit that was proven.
    pub head: Option<String>,
    /// The agent profile.
    pub profile: String,
    /// How many runs there were.
    pub runs: u32,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The exact words.
    pub text: String,
    /// Why it is asked: the status's reason word.
    pub reason: String,
    /// Answers to choose from.
    pub options: Vec<String>,
}

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path from the repository's root.
    pub path: String,
    /// `added`, `deleted`, `renamed from x`, `+10 −3`, `not committed`.
    pub note: String,
}

/// One check, as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckLine {
    /// The command.
    pub command: String,
    /// `passed`, or how it failed.
    pub result: String,
    /// True if it succeeded.
    pub passed: bool,
    /// Milliseconds.
    pub took_ms: u64,
    /// Log file, relative to the ticket's folder.
    pub log: String,
}
