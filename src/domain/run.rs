//! One attempt at a ticket by one agent: its phases, and the states in which it waits for a person or a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    check::CheckResult,
    id::DeliveryId,
    permission::Asked,
    report::{Said, Teller},
    risk::Tier,
};

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
    /// Rounds of checks in a row that said nothing about the work.
    #[serde(default)]
    pub void_rounds: u32,
    /// Looks at the worktree in a row that failed.
    #[serde(default)]
    pub failed_looks: u32,
    /// A `blocked` report that came while a check ran: it is put to a person when that check has ended, so that no
    /// check and no agent are ever at work in the tree together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_question: Option<Said>,
    /// What its program said that it asks a person, the oldest first: told by hooks, and not answered as far as is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Asked>,
    /// The rule by which a key has denied it something: that ended its turn, and it has yet to be told why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// Why the latest words of a person did not reach the agent, which worked on; they follow once its box is free.
    /// `None`: they did, or there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<String>,
    /// The turn of the agent whose end was told last, and by whom: the other may tell it as well, which is no news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_turn: Option<(Teller, String)>,
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
    /// What you asked for is not allowed.
    Denied {
        /// By which rule.
        rule: String,
    },
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
    /// A new run in the conversation of an earlier one.
    Continue {
        /// The conversation.
        conversation: String,
        /// Why there is another run.
        because: String,
    },
    /// No agent: the checks on the work as it is.
    ChecksOnly,
    /// The same conversation, in a new launch of the same run.
    Resume {
        /// What is delivered when it is ready; `None`: a line that says to go on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deliver: Option<Purpose>,
        /// What a new run does where the conversation cannot go on; `None`: it goes on in the worktree as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<Box<NextRun>>,
    },
}

impl NextRun {
    /// What a new run does after an attempt at this: an answer or a correction of a person is told again.
    #[must_use]
    pub fn again(self, because: String) -> Self {
        match self {
            Self::Answered { .. } | Self::Corrected { .. } | Self::ChecksOnly => self,
            Self::Resume { instead: Some(next), .. } => next.again(because),
            Self::Ticket | Self::GoOn { .. } | Self::Continue { .. } | Self::Resume { instead: None, .. } => {
                Self::GoOn { because }
            }
        }
    }

    /// This, where no conversation can be resumed.
    #[must_use]
    pub fn in_a_new_run(self) -> Self {
        match self {
            Self::Continue { because, .. } => Self::GoOn { because },
            Self::Resume { instead: Some(next), .. } => next.in_a_new_run(),
            Self::Resume { instead: None, .. } => Self::GoOn { because: "its conversation cannot be resumed".into() },
            other => other,
        }
    }
}

/// Why a ticket is set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// One word: `stopped`, `stalled`, `limit`, `environment`, `dependency`, `usage_limit`, `start`, `overloaded`,
    /// `error`.
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
    /// What it wants to do, where that is a permission and its program or its screen says it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Asked>>,
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
    /// When a key was typed as the answer; `None`: none was, or the screen has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed: Option<Timestamp>,
    /// Words close the dialog and are then delivered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_words: bool,
    /// A person's words follow as soon as the dialog is closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub words_follow: bool,
    /// What became of the last answer, where that needs saying.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether the session makes room for others.
    #[serde(default, skip_serializing_if = "Retire::is_no")]
    pub retire: Retire,
    /// The run as it was, to go on with. In files `held_run`: the row, flattened beside it, has a `run` of its own.
    #[serde(default, rename = "held_run", skip_serializing_if = "Option::is_none")]
    pub run: Option<Box<Run>>,
}

/// Whether the session of a blocked ticket is closed to make room: its conversation can be resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retire {
    /// It stays.
    #[default]
    No,
    /// It is being closed.
    Asked,
    /// It was to be closed, but a person was attached to it: it stays.
    Kept,
}

impl Retire {
    fn is_no(&self) -> bool {
        *self == Self::No
    }
}

impl Blocked {
    /// What is asked, for people: the request whole, however the screen shows it, then the screen's own words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.request.as_deref().filter(|asked| asked.subject.is_some()) {
            Some(asked) => format!("{}\n\n{}", asked.words(), self.question),
            None => self.question.clone(),
        }
    }

    /// True while the session is being closed to make room.
    #[must_use]
    pub fn is_retiring(&self) -> bool {
        self.live && self.retire == Retire::Asked
    }
}
