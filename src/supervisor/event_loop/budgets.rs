//! Keeps to budgets: that of each ticket, and that of the dispatch. At its sum nothing more is started; at a tenth more
//! what runs is set aside, with its conversation.

use super::Supervisor;
use crate::{
    domain::{
        budget::{self, Used, used},
        event::{Event, Request},
        id::TicketId,
        row::{Row, Status},
        usage::{MicroUsd, usd},
    },
    ports::store::StoreError,
};

/// The reason of a ticket that is set aside for its cost.
const REASON: &str = "budget";

impl Supervisor {
    pub(super) fn budgets(&mut self) -> Result<(), StoreError> {
        let known: Vec<(TicketId, MicroUsd)> = self
            .queue
            .rows()
            .values()
            .filter(|row| matches!(row.status, Status::Queued { .. } | Status::Running(_)))
            .filter_map(|row: &Row| Some((row.id.clone(), row.spent()?)))
            .collect();
        let at_work = budget::at_work(self.queue.rows());
        for (id, spent) in known {
            // A ticket whose file cannot be read is told of elsewhere.
            let Ok(accepted) = self.queue.accepted(&id) else { continue };
            let Some(sum) = accepted.1.limits.budget else { continue };
            let is_running = at_work.contains(&id);
            let stops = match used(spent, sum) {
                Used::Within => false,
                Used::Full => !is_running && self.is_queued(&id),
                Used::Over => is_running || self.is_queued(&id),
            };
            if stops {
                self.set_aside(&id, format!("its budget of {}: {} are spent", usd(sum), usd(spent)))?;
            }
        }
        let Some(pot) = &self.pot else { return Ok(()) };
        let (sum, spent) = (pot.budget, pot.spent(self.queue.rows()));
        match used(spent, sum) {
            Used::Within => {}
            Used::Full => self.slots.closed = true,
            Used::Over => {
                self.slots.closed = true;
                for id in at_work {
                    self.set_aside(&id, format!("the budget of {}: {} are spent", usd(sum), usd(spent)))?;
                }
            }
        }
        Ok(())
    }

    fn is_queued(&self, id: &TicketId) -> bool {
        self.queue.rows().get(id).is_some_and(|row| matches!(row.status, Status::Queued { .. }))
    }

    fn set_aside(&mut self, id: &TicketId, by: String) -> Result<(), StoreError> {
        let request = Request::Park { reason: REASON.to_owned(), until: None };
        self.take_event(id, Event::Asked { by, request })
    }
}
