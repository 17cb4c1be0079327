//! What an agent says from inside its pane: one file in the outbox each.

use serde::{Deserialize, Serialize};

use super::{id::RunKey, risk::Tier};

/// Version of the report file.
pub const REPORT_VERSION: u32 = 1;

/// A report as written by `autodo report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`REPORT_VERSION`]; a newer one is refused.
    pub version: u32,
    /// Unique within the outbox; rises with time.
    pub id: String,
    /// `<ticket>/<run>`.
    pub run: String,
    /// The key of that run.
    pub key: RunKey,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
}

/// The kinds of report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Said {
    /// The work is done.
    Done {
        /// What was done.
        summary: String,
        /// Why nothing had to be changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_change: Option<String>,
    },
    /// A person is needed.
    Blocked {
        /// The exact question.
        question: String,
        /// How much hangs on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        risk: Option<Tier>,
        /// Answers to choose from.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<String>,
    },
    /// The agent decided something.
    Decision {
        /// How much it matters.
        risk: Tier,
        /// What was decided.
        text: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A person should look at something.
    Flag {
        /// How much it matters.
        risk: Tier,
        /// What.
        text: String,
    },
    /// For the record.
    Note {
        /// Anything.
        text: String,
    },
}

impl Said {
    /// The word of the kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Blocked { .. } => "blocked",
            Self::Decision { .. } => "decision",
            Self::Flag { .. } => "flag",
            Self::Note { .. } => "note",
        }
    }
}
