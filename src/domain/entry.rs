//! One step as it is remembered: what happened, what it calls for, and the ticket's complete new row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{effect::Effect, event::Event, id::TicketId, row::Row};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Strictly rising, without gaps after the last snapshot.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// The ticket.
    pub ticket: TicketId,
    /// What happened.
    pub event: Event,
    /// What it calls for.
    pub effects: Vec<Effect>,
    /// The new row; `None`: the ticket has left the queue for the archive.
    pub row: Option<Row>,
}
