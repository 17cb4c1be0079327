//! What front doors ask of whoever holds the queue, and what they are told: lines of JSON on the supervisor's socket,
//! and the same values where a command holds the lock itself.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::orphans::{Gone, Orphan};
use crate::domain::{event::Request, id::TicketId, row::Source};

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum ApiRequest {
    /// Something of one ticket.
    Ask {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        by: String,
        /// For what.
        request: Request,
        /// A text for the agent, with `Answer` and `Send`.
        text: Option<String>,
        /// True: also freeze checks and settings anew, as given.
        refresh: Option<Box<NewTicket>>,
    },
    /// Tickets to accept, in order.
    Accept {
        /// The tickets.
        tickets: Vec<NewTicket>,
        /// True: tickets that are finished are accepted anew.
        again: bool,
        /// True: a supervisor that runs only some tickets also runs these.
        start: bool,
    },
    /// A ticket whose worktree is gone leaves the queue for the archive.
    Archive {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        by: String,
    },
    /// Something that is nobody's any more is taken away, while no ticket is accepted.
    Discard {
        /// What.
        orphan: Orphan,
    },
    /// Start nothing more, end when nothing runs.
    Drain,
    /// Whether somebody is there.
    Ping,
}

/// A ticket to accept, with all that is frozen for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTicket {
    /// `ticket.md` as it will be kept: front matter, frozen settings, body.
    pub accepted: String,
    /// Agent profile.
    pub profile: String,
    /// Name of the project.
    pub project: String,
    /// The user's checkout.
    pub repo: PathBuf,
    /// The branch checked out there; `None`: detached.
    pub target: Option<String>,
    /// The commit it is accepted on.
    pub base: String,
    /// The folder its worktree goes into.
    pub worktree_root: PathBuf,
    /// Where it was read from.
    pub source: Option<Source>,
    /// Who accepts it.
    pub by: String,
    /// Where from.
    pub from: String,
    /// True where the id was made by autodo, so that another may be taken instead.
    pub id_is_generated: bool,
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ApiReply {
    /// It is done; `changed`: something is different now.
    Done {
        /// False: nothing had to be done.
        changed: bool,
    },
    /// What became of each ticket, in order.
    Accepted {
        /// One for each.
        tickets: Vec<Acceptance>,
    },
    /// What became of something that was nobody's.
    Discarded {
        /// What was kept and what was left; `None`: it is gone, or somebody's again.
        gone: Option<Gone>,
    },
    /// It cannot be met.
    Refused {
        /// Why.
        why: String,
        /// What can be done instead.
        hint: String,
    },
    /// Something failed.
    Failed {
        /// What, on what, why.
        why: String,
        /// What can be done now.
        hint: String,
    },
}

/// What became of a ticket to accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "became", rename_all = "snake_case")]
pub enum Acceptance {
    /// It is queued, under this id.
    Queued {
        /// The id.
        id: TicketId,
    },
    /// It was queued already and was edited since: it has its new text.
    Updated {
        /// The id.
        id: TicketId,
    },
    /// It is in the queue already.
    Open {
        /// The id.
        id: TicketId,
        /// Its status.
        status: String,
    },
    /// It is finished.
    Finished {
        /// The id.
        id: TicketId,
        /// Its status.
        status: String,
    },
    /// It was not taken.
    Refused {
        /// The id.
        id: TicketId,
        /// Why.
        why: String,
        /// What can be done.
        hint: String,
    },
}

impl Acceptance {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &TicketId {
        match self {
            Self::Queued { id }
            | Self::Updated { id }
            | Self::Open { id, .. }
            | Self::Finished { id, .. }
            | Self::Refused { id, .. } => id,
        }
    }
}

/// The ids among `acceptances` that wait to be worked on.
#[must_use]
pub fn open_ids(acceptances: &[Acceptance]) -> BTreeSet<TicketId> {
    acceptances
        .iter()
        .filter(|a| matches!(a, Acceptance::Queued { .. } | Acceptance::Updated { .. } | Acceptance::Open { .. }))
        .map(|a| a.id().clone())
        .collect()
}
