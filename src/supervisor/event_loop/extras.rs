//! Effects that carry no phase on, such as a key as an answer: which are under way, and which have yet to show.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::Supervisor;
use crate::{
    domain::{
        effect::Effect,
        event::Event,
        id::TicketId,
        row::{Row, Status},
    },
    supervisor::{executor, targets},
};

/// How long the screen has to show what became of a key that was pressed as an answer.
const SHOWS: Duration = Duration::from_secs(5);

/// What a command that is about to leave still waits for.
#[derive(Default)]
pub(super) struct Extras {
    under_way: BTreeMap<TicketId, u32>,
    /// The question that a key answered, and until when the screen may take to change.
    pressed: BTreeMap<TicketId, (String, Instant)>,
}

impl Extras {
    fn began(&mut self, ticket: &TicketId) {
        *self.under_way.entry(ticket.clone()).or_default() += 1;
    }

    /// An extra effect of `ticket`, which is at `row`, ended with `events`.
    pub(super) fn ended(&mut self, ticket: &TicketId, row: Option<&Row>, events: &[Event]) {
        if let Some(left) = self.under_way.get_mut(ticket) {
            *left = left.saturating_sub(1);
        }
        let sent = events.iter().any(|event| matches!(event, Event::Keyed { keys, .. } if !keys.is_empty()));
        if let (true, Some(question)) = (sent, row.and_then(question)) {
            self.pressed.insert(ticket.clone(), (question.to_owned(), Instant::now() + SHOWS));
        }
    }

    /// True while an extra effect of `ticket`, which is at `row`, is under way, or its outcome has yet to show.
    pub(super) fn is_awaited(&self, ticket: &TicketId, row: Option<&Row>) -> bool {
        let is_open = |(asked, until): &(String, Instant)| {
            Instant::now() < *until && row.and_then(question).is_some_and(|now| now == asked)
        };
        self.under_way.get(ticket).is_some_and(|count| *count > 0) || self.pressed.get(ticket).is_some_and(is_open)
    }
}

/// The question of a ticket that waits for an answer in its pane.
fn question(row: &Row) -> Option<&str> {
    match &row.status {
        Status::Blocked(blocked) if blocked.live => Some(&blocked.question),
        _ => None,
    }
}

impl Supervisor {
    pub(super) fn extras(&mut self, ticket: &TicketId, effects: &[Effect]) {
        let Some(moment) = self.queue.rows().get(ticket).map(targets::moment) else { return };
        for effect in effects.iter().filter(|e| !executor::carries_phase(e)) {
            // Its handle is not kept: it carries nothing on, and ends by itself within the terminal's time limits.
            if self.start_effect(ticket, effect.clone(), moment.clone(), false).is_some() {
                self.extras.began(ticket);
            }
        }
    }
}
