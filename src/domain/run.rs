//! One attempt at a ticket by one agent: its phases, and the states in which it waits for a person or a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{check::CheckResult, id::DeliveryId, risk::Tier};

/// A run at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Where it is.
    #[serde(flatten)]
    pub phase: Phase,
    /// When the phase began.
    pub since: Timestamp,
    /// When this run began to work; the time limit counts from here.
    pub began: Timestamp,
    /// When the agent last gave a sign of life.
    pub alive: Timestamp,
    /// How often failed checks went back to the agent.
    #[serde(default)]
    pub feedback: u32,
    /// The agent was asked to commit what it left.
    #[serde(default)]
    pub asked_to_commit: bool,
    /// The agent was asked why nothing changed.
    #[serde(default)]
    pub asked_why_no_change: bool,
    /// The agent was nudged after a stall.
    #[serde(default)]
    pub nudged: bool,
    /// What it is to do.
    #[serde(default)]
    pub task: NextRun,
    /// Markers of this run that stood in the pane when the latest prompt was submitted: only a further one counts.
    #[serde(default)]
    pub markers: u32,
    /// How the next launch of this run starts.
    #[serde(default)]
    pub start: LaunchKind,
    /// What is delivered once the agent is ready, after a new launch of the same conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_deliver: Option<Purpose>,
}

/// How a launch starts the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchKind {
    /// A new conversation.
    #[default]
    Fresh,
    /// The conversation of an earlier launch.
    Resume,
}

/// Where a run is. Each phase has the effects that carry it on: see `machine::pending`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// The worktree is being made.
    Preparing,
    /// The session is being opened.
    Launching,
    /// The agent starts; its screen is not ready yet.
    Booting,
    /// A prompt is on its way into the input box.
    Pasting {
        /// Which.
        delivery: Delivery,
    },
    /// The prompt stands in the box; Enter is on its way.
    Submitting {
        /// Which.
        delivery: Delivery,
    },
    /// The agent works.
    Working,
    /// The agent made a claim; autodo looks at what is there.
    Proving {
        /// What it claims.
        claim: Claim,
    },
    /// The checks run. Listed with the reason `checking`.
    Checking {
        /// What the agent claims.
        claim: Claim,
        /// The tip that is checked.
        head: String,
        /// Commits after the base.
        commits: u32,
        /// Results so far; the next check has the index of their number.
        done: Vec<CheckResult>,
    },
    /// The agent is being ended and its session closed; then the outcome becomes the status.
    Closing {
        /// What comes after.
        outcome: Outcome,
    },
}

impl Phase {
    /// The word in files and JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Launching => "launching",
            Self::Booting => "booting",
            Self::Pasting { .. } => "pasting",
            Self::Submitting { .. } => "submitting",
            Self::Working => "working",
            Self::Proving { .. } => "proving",
            Self::Checking { .. } => "checking",
            Self::Closing { .. } => "closing",
        }
    }
}

/// A prompt on its way into a pane. Its text lies in `runs/<n>/deliveries/<id>.txt` before the phase is committed,
/// or is composed there by the executor from the purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Unique within the ticket.
    pub id: DeliveryId,
    /// What it is for.
    pub purpose: Purpose,
    /// An Enter may have been sent: the text must not be pasted again.
    #[serde(default)]
    pub enter_intended: bool,
}

/// What a prompt is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Purpose {
    /// The ticket itself: one line that names the prompt's file.
    Ticket,
    /// The answer of a person to a question; the text is the person's.
    Answer,
    /// Words of a person; the text is the person's.
    Send,
    /// Please commit what you left.
    Commit,
    /// Why has nothing changed?
    NoChange,
    /// These checks failed.
    Feedback {
        /// Round, from 1.
        round: u32,
    },
    /// Are you still there?
    Nudge,
    /// Go on where you were, after an interruption.
    GoOn,
}

/// What the agent claims to have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// In its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Why nothing had to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_change: Option<String>,
    /// False: the agent exited without a claim.
    pub claimed: bool,
}

/// What a run becomes once its agent is ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A person should look at it; the proof stands in the row.
    Review,
    /// A new run, after a back-off.
    Again {
        /// Not before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// What it is to do.
        next: NextRun,
    },
    /// Set aside.
    Parked(Parked),
    /// Failed for good.
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

/// What the next run of a queued ticket is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum NextRun {
    /// The ticket, from the start.
    #[default]
    Ticket,
    /// The ticket, in the worktree as an earlier run left it.
    GoOn {
        /// Why there is another run.
        because: String,
    },
    /// The ticket, with a question and its answer.
    Answered {
        /// The question.
        question: String,
        /// The answer.
        answer: String,
    },
    /// The ticket, with a person's correction.
    Corrected {
        /// The correction.
        correction: String,
    },
    /// No agent: the checks on the work as it is.
    ChecksOnly,
    /// The same conversation, in a new launch of the same run.
    Resume {
        /// What is delivered when it is ready; `None`: a line that says to go on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deliver: Option<Purpose>,
    },
}

/// Why a ticket is set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// One word: `stopped`, `stalled`, `limit`, `environment`, `dependency`, `usage_limit`, `start`, `error`.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// Until when; `None`: until a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What goes on then.
    pub next: NextRun,
}

/// Why a ticket needs an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// One word: `question`, `permission`, `dialog`, `delivery_unverified`, `logged_out`, `setup`, `conflict`.
    pub reason: String,
    /// The exact question.
    pub question: String,
    /// Name of the profile's rule that saw it; empty where the agent reported it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Answers to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// How much hangs on it.
    pub tier: Tier,
    /// True while the agent's session is there, so that an answer can be typed into it.
    pub live: bool,
    /// True once the agent was seen waiting: only then does work on the screen mean that it was answered there.
    #[serde(default)]
    pub settled: bool,
    /// The run as it was, to go on with. In files `held_run`: the row, flattened beside it, has a `run` of its own.
    #[serde(default, rename = "held_run", skip_serializing_if = "Option::is_none")]
    pub run: Option<Box<Run>>,
}
