//! review.md: what a person reads and approves.
//!
//! | part | who writes it | what a rewrite does |
//! |---|---|---|
//! | front matter, keys of [`KEYS`] | autodo | writes them anew |
//! | front matter, other keys | anybody | keeps them as written, after the keys of autodo |
//! | text above the first section | anybody | keeps it |
//! | sections of [`SECTIONS`] | autodo | writes them anew |
//! | other sections (`## `) | anybody | keeps them, below those of autodo |
//! | the seal: one hidden comment with a checksum for each key and section | autodo | writes it anew |
//! | `## Human Notes`, to the end of the file | anybody | keeps it byte for byte |
//!
//! The seal is how an edit of something that is written anew is noticed: what no longer has the checksum that autodo
//! gave it was edited. Text of agents goes through `text`, so that it can never become a heading, a bullet or a seal.

mod parse;
mod parts;
mod render;
mod text;

use jiff::Timestamp;

use crate::domain::{
    decision::{Decision, Flag},
    review::{FileChange, Question},
    risk::RiskSummary,
};

use super::frontmatter::Entry;

pub use parse::parse;
pub use render::render;

/// Version of `review.md`.
pub const REVIEW_VERSION: u64 = 1;

/// The keys that autodo writes, in their order. The first twelve are read by other programs.
pub const KEYS: [&str; 22] = [
    "id",
    "title",
    "started",
    "ended",
    "duration_minutes",
    "status",
    "launched_by",
    "launched_from",
    "project",
    "risk_summary",
    "decisions_count",
    "flags_count",
    "version",
    "verified",
    "reason",
    "checks_status",
    "effective_risk",
    "profile",
    "runs",
    "branch",
    "base",
    "head",
];

/// The sections that autodo writes, in their order; `Question` only where there is one.
pub const SECTIONS: [&str; 7] =
    ["Task", "Decisions Made", "Flagged for Review", "Files Changed", "Question", "Checks", "Evidence"];

/// The section that belongs to people.
pub const HUMAN_NOTES: &str = "Human Notes";

/// A review as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The whole file.
    pub text: String,
    /// What a person had edited in the previous file and was written anew: keys as they stand in [`KEYS`]; sections in
    /// lower case with `_`, such as `decisions_made`; `front matter` where it could not be read at all (its text is
    /// then kept); `seal` where the checksums are gone, so that nothing can be known about the rest.
    pub edited: Vec<String>,
}

/// A review as read.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedReview {
    /// The keys that autodo knows.
    pub front: Front,
    /// Other keys, in their order.
    pub unknown: Vec<Entry>,
    /// The task, as shown.
    pub task: String,
    /// Decisions, in order.
    pub decisions: Vec<Decision>,
    /// Flags, in order.
    pub flags: Vec<Flag>,
    /// Changed files.
    pub files: Vec<FileChange>,
    /// The question, where there is one.
    pub question: Option<Question>,
    /// What people wrote below `## Human Notes`, byte for byte.
    pub human_notes: String,
}

/// Front matter of a review. `None`: the key is not there, or null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Front {
    /// The ticket; of a foreign file perhaps no valid id.
    pub id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// When its first run began.
    pub started: Option<Timestamp>,
    /// When it left the agent's hands.
    pub ended: Option<Timestamp>,
    /// Minutes from start to end.
    pub duration_minutes: Option<u64>,
    /// The status word.
    pub status: Option<String>,
    /// Who launched it.
    pub launched_by: Option<String>,
    /// Where from.
    pub launched_from: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// Decisions by tier, as the file says; tiers it leaves out are 0.
    pub risk_summary: Option<RiskSummary>,
    /// Number of decisions, as the file says.
    pub decisions_count: Option<u64>,
    /// Number of flags, as the file says.
    pub flags_count: Option<u64>,
    /// Version of the file; `None`: not written by autodo.
    pub version: Option<u64>,
    /// Verified or not.
    pub verified: Option<bool>,
    /// Why.
    pub reason: Option<String>,
    /// What the checks say together.
    pub checks_status: Option<String>,
    /// The effective risk.
    pub effective_risk: Option<String>,
    /// The agent profile.
    pub profile: Option<String>,
    /// How many runs there were.
    pub runs: Option<u64>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit it starts from.
    pub base: Option<String>,
    /// The commit that was proven.
    pub head: Option<String>,
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
