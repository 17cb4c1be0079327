//! Checks: commands that autodo runs in the worktree itself, and what they said.

use serde::{Deserialize, Serialize};

/// How one command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum CommandEnd {
    /// It exited.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// It ran longer than it may, and was ended.
    TimedOut {
        /// The limit, in seconds.
        after_s: u64,
    },
    /// It could not be started or watched.
    Unknown {
        /// Why.
        why: String,
    },
}

impl CommandEnd {
    /// True only for exit code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

impl std::fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit {code}"),
            Self::Signalled { signal } => write!(f, "signal {signal}"),
            Self::TimedOut { after_s } => write!(f, "timed out after {after_s} s"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}

/// One check that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The command.
    pub command: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: CommandEnd,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Its log, relative to the ticket's folder.
    pub log: String,
}

/// What all checks of a ticket say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecksStatus {
    /// They have not been run on the present work.
    #[default]
    NotRun,
    /// The project says that it has none.
    None,
    /// Nobody has said which checks there are.
    Unset,
    /// All succeeded.
    Green,
    /// At least one failed.
    Failed,
}

impl ChecksStatus {
    /// The word in files and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRun => "not_run",
            Self::None => "none",
            Self::Unset => "unset",
            Self::Green => "green",
            Self::Failed => "failed",
        }
    }
}
