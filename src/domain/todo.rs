//! What stands of a ticket in a project's list of things to do.

use super::{
    id::TicketId,
    row::{Row, Status},
};

/// Longest question in it, in characters.
const QUESTION: usize = 300;

/// How it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A result waits for a review.
    Review,
    /// It asks this.
    Blocked(String),
    /// A person has approved it: ticked.
    Approved,
    /// Nobody is needed: it does not stand there.
    Gone,
}

/// A ticket for the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The ticket.
    pub id: TicketId,
    /// Its title.
    pub title: String,
    /// How it stands.
    pub standing: Standing,
}

impl Item {
    /// How this row stands in its project's list.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let standing = match &row.status {
            Status::NeedsReview => Standing::Review,
            Status::Blocked(blocked) => Standing::Blocked(super::notice::cut(blocked.words().trim(), QUESTION)),
            Status::Reviewed { .. } | Status::Landed => Standing::Approved,
            Status::Queued { .. }
            | Status::Running(_)
            | Status::Parked(_)
            | Status::Failed { .. }
            | Status::Cancelled { .. } => Standing::Gone,
        };
        Self { id: row.id.clone(), title: row.title.clone(), standing }
    }
}
