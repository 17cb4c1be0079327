//! A night has an end, and nobody there: at the hard stop every agent that still lives is ended, and tickets that want a
//! person are not started.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Supervisor;
use crate::{
    domain::{
        event::{Event, Request},
        id::TicketId,
        machine,
        row::{Row, Status},
        run::{Phase, Retire},
    },
    ports::store::StoreError,
};

/// The reason of a ticket that was set aside at the hard stop.
const REASON: &str = "hard_stop";

/// Who sets it aside, in words that stand behind "by".
const BY: &str = "the hard stop";

impl Supervisor {
    /// Lets no agent live after `hard_stop`; `unattended`: starts no ticket that says that it wants a person there.
    #[must_use]
    pub fn through_a_night(mut self, hard_stop: Option<Timestamp>, unattended: bool) -> Self {
        self.hard_stop = hard_stop;
        self.is_unattended = unattended;
        self
    }

    /// True from the hard stop on.
    pub(super) fn is_past_hard_stop(&self) -> bool {
        self.hard_stop.is_some_and(|at| self.queue.now() >= at)
    }

    /// At the hard stop: starts nothing more, ends each agent as `stop` does, and lets its ticket go on with whatever
    /// supervisor comes next. A blocked ticket stays blocked, with its question, where its conversation can be resumed;
    /// only its session goes. A session to which a person is attached stays.
    pub(super) fn stop_hard(&mut self) -> Result<(), StoreError> {
        if !self.is_past_hard_stop() {
            return Ok(());
        }
        self.slots.closed = true;
        let (mut working, mut waiting): (Vec<TicketId>, Vec<TicketId>) = Default::default();
        for row in self.queue.rows().values() {
            match &row.status {
                Status::Running(run) if !matches!(run.phase, Phase::Closing { .. }) => working.push(row.id.clone()),
                Status::Blocked(blocked) if blocked.live && blocked.retire == Retire::No => {
                    waiting.push(row.id.clone());
                }
                _ => {}
            }
        }
        for id in working {
            let request = Request::Park { reason: REASON.to_owned(), until: self.hard_stop };
            self.take_event(&id, Event::Asked { by: BY.to_owned(), request })?;
        }
        for id in waiting {
            let can_resume = self.queue.accepted(&id).is_ok_and(|accepted| {
                self.queue.rows().get(&id).is_some_and(|row| machine::can_resume(row, &accepted.1))
            });
            let event = if can_resume {
                Event::MakeRoom
            } else {
                // An answer would have no conversation to go into: a person lets it go on, the question in the prompt.
                Event::Asked { by: BY.to_owned(), request: Request::Park { reason: REASON.to_owned(), until: None } }
            };
            self.take_event(&id, event)?;
        }
        Ok(())
    }

    /// Holds back the queued tickets that want a person there, where nobody is.
    pub(super) fn hold_back(&mut self) {
        if !self.is_unattended {
            return;
        }
        let is_queued = |row: &&Row| matches!(row.status, Status::Queued { .. });
        let queued: Vec<TicketId> = self.queue.rows().values().filter(is_queued).map(|row| row.id.clone()).collect();
        let wants_a_person = |id: &TicketId| self.queue.accepted(id).is_ok_and(|accepted| !accepted.0.unattended);
        self.slots.held_back = queued.into_iter().filter(wants_a_person).collect::<BTreeSet<_>>();
    }
}
