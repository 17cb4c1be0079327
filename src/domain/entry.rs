//! One step as it is remembered: what happened, what it calls for, and the ticket's complete new row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

impl Entry {
    /// The line of the audit trail for this step: `seq at kind=transition event from to phase effects`. `before` is
    /// the row that the step began with. `None` where neither status nor phase changed.
    ///
    /// The same line is written beside the commit and when the trail is repaired after a crash.
    #[must_use]
    pub fn transition(&self, before: Option<&Row>) -> Option<Value> {
        fn place(row: Option<&Row>) -> (Option<&'static str>, Option<&'static str>) {
            (row.map(|r| r.status.word()), row.and_then(Row::running).map(|run| run.phase.word()))
        }
        let (from, to) = (place(before), place(self.row.as_ref()));
        if from == to && self.row.is_some() {
            return None;
        }
        let event = serde_json::to_value(&self.event).ok().and_then(|v| v.get("event").cloned());
        Some(json!({
            "seq": self.seq,
            "at": self.at,
            "kind": "transition",
            "event": event,
            "from": from.0,
            "to": to.0.unwrap_or("archived"),
            "phase": to.1,
            "effects": self.effects.iter().map(Effect::word).collect::<Vec<_>>(),
        }))
    }
}
