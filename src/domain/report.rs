//! What an agent says from inside its pane: one file in the outbox each.

use serde::{Deserialize, Serialize};

use super::{id::RunKey, permission::Asked, risk::Tier, screen::Marker};

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
    /// The agent's program itself told what happened to it, through a hook.
    Hook(Hook),
}

/// Who tells what happened to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// One of its hooks, while it happened.
    Hook,
    /// Its own record of the conversation.
    Record,
}

/// What an agent's own hooks tell: it is the program that says so, not the model in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hook", rename_all = "snake_case")]
pub enum Hook {
    /// The conversation began, or goes on.
    Started,
    /// A prompt was taken.
    Submitted {
        /// The delivery that the prompt names; `None`: it names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<String>,
    },
    /// It wants to be allowed something.
    Asks(Asked),
    /// It is at work: a tool is called or has answered, a helper is through. Told once a minute at most.
    Active,
    /// Its turn is over.
    Stopped {
        /// What still runs in the background, and will wake it.
        #[serde(default)]
        background: u32,
        /// The marker that stands on a line of its own in its last message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<Marker>,
        /// Its last message; cut.
        text: String,
        /// The program's own id of the turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<String>,
    },
    /// Its turn ended with an error.
    Failed {
        /// One word of the program's own, such as `rate_limit`.
        error: String,
        /// For people.
        text: String,
    },
    /// The conversation ended.
    Ended {
        /// One word of the program's own.
        reason: String,
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
            Self::Hook(_) => "hook",
        }
    }
}
