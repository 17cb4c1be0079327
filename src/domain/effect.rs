//! Every act that the machine may ask for. Each can be done again after a crash without harm: it first looks at what
//! is there, and its identity (branch, folder, session, launch, delivery, check) is a function of the row.

use serde::{Deserialize, Serialize};

use super::run::Delivery;

/// An act in the world, for one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Make the worktree, or find it. → `WorktreeReady`, `WorktreeFailed`
    PrepareWorktree,
    /// Open the session, or find it. → `SessionOpened`, `LaunchFailed`
    OpenSession,
    /// Answer a start-up dialog that the profile knows. → nothing; the screen shows what became of it
    AnswerDialog {
        /// The profile's rule.
        rule: String,
    },
    /// Answer a permission or dialog by keys, if it is still on the screen. → nothing; the screen shows what became of it
    Press {
        /// The profile's rule that saw it.
        rule: String,
        /// A key, or the name of an answer that the profile has keys for.
        key: String,
    },
    /// Answer a permission by keys as a rule says, if the screen still asks this. → `Keyed`
    Decide {
        /// The profile's rule that saw it.
        rule: String,
        /// What the screen asked.
        question: String,
        /// The name of the answer: `allow` or `deny`.
        answer: String,
        /// The rule of the policy.
        by: String,
    },
    /// Add a rule to the project's live policy and allow what is asked, if it is still on the screen. → `Keyed`
    Always {
        /// The profile's rule that saw it.
        rule: String,
        /// The rule to add.
        allow: String,
    },
    /// Put a prompt into the box. → `Pasted`, `NotPasted`, `Unverified`
    Paste {
        /// Which.
        delivery: Delivery,
    },
    /// Press Enter until the prompt is submitted. → `Submitted`, `Unverified`
    Submit {
        /// Which.
        delivery: Delivery,
    },
    /// Look at the worktree. → `Inspected`, `InspectFailed`
    Inspect,
    /// Run one check. → `Checked`
    RunCheck {
        /// Round of checks in this run, from 0.
        round: u32,
        /// Which command, from 0.
        index: u32,
    },
    /// Save the last screen, end the agent and all it left behind, close the session. → `Closed`
    Close,
    /// Tell a person. → nothing
    Notify,
}

impl Effect {
    /// The word in journals and crash points.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::PrepareWorktree => "prepare_worktree",
            Self::OpenSession => "open_session",
            Self::AnswerDialog { .. } => "answer_dialog",
            Self::Press { .. } => "press",
            Self::Decide { .. } => "decide",
            Self::Always { .. } => "always",
            Self::Paste { .. } => "paste",
            Self::Submit { .. } => "submit",
            Self::Inspect => "inspect",
            Self::RunCheck { .. } => "run_check",
            Self::Close => "close",
            Self::Notify => "notify",
        }
    }
}
