//! What front doors ask of the loop, between two steps.

use std::collections::BTreeSet;

use tokio::{sync::oneshot, time::Instant};

use super::{Supervisor, Until};
use crate::{
    domain::{
        event::{Event, Request},
        id::TicketId,
        reconcile,
        row::Row,
    },
    ports::store::StoreError,
    supervisor::queue::{Queue, TakeError},
};

/// What a front door wants of the supervisor.
pub enum Call {
    /// A request to one ticket.
    Ask {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        by: String,
        /// For what.
        request: Request,
        /// A text for the agent: kept in the run's `answer.txt` once it is known that the request is met.
        text: Option<String>,
        /// Told what came of it.
        reply: oneshot::Sender<Result<bool, TakeError>>,
    },
    /// A new or updated row; its files are written already.
    Take {
        /// The ticket.
        ticket: TicketId,
        /// `Accepted` or `Updated`.
        event: Event,
        /// Told what came of it.
        reply: oneshot::Sender<Result<bool, TakeError>>,
    },
    /// A finished ticket leaves the queue.
    Archive {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        event: Event,
        /// Told what came of it.
        reply: oneshot::Sender<Result<bool, TakeError>>,
    },
    /// Runs something with the queue between two steps.
    With(Box<dyn FnOnce(&mut Queue) + Send>),
    /// More tickets may be started: those added to the set.
    Admit(BTreeSet<TicketId>),
    /// Start nothing more; end when nothing runs.
    Drain,
    /// Something was written into an outbox, or a launch ended.
    Wake,
    /// Leave now; agents go on.
    Leave,
}

impl Supervisor {
    /// Keeps a text for the delivery that `event` begins; of two texts at once, the refused one leaves no trace.
    fn keep_text(&mut self, ticket: &TicketId, event: &Event, text: &str) -> Result<(), TakeError> {
        self.queue.would_take(ticket, event)?;
        match self.queue.rows().get(ticket).and_then(Row::run_id) {
            Some(run) => self.world.files.keep(&run, "answer.txt", text).map_err(TakeError::Ticket),
            None => Ok(()),
        }
    }

    pub(super) fn called(&mut self, call: Call) -> Result<(), StoreError> {
        match call {
            Call::Ask { ticket, by, request, text, reply } => {
                if let Until::Settled { tickets, .. } = &mut self.until {
                    tickets.insert(ticket.clone());
                }
                self.take_reports_of(&ticket)?;
                let event = Event::Asked { by, request };
                let kept = match text {
                    Some(text) => self.keep_text(&ticket, &event, &text),
                    None => Ok(()),
                };
                let result = kept.and_then(|()| self.take(&ticket, event));
                answer(reply, result)
            }
            Call::Take { ticket, event, reply } => {
                self.queue.forget(&ticket);
                let result = self.take(&ticket, event);
                answer(reply, result)
            }
            Call::Archive { ticket, event, reply } => {
                let result = self.queue.archive(&ticket, event).map(|()| true);
                self.queue.publish();
                answer(reply, result)
            }
            Call::With(act) => {
                act(&mut self.queue);
                Ok(())
            }
            Call::Admit(tickets) => {
                if let Some(only) = &mut self.slots.only {
                    only.extend(tickets);
                }
                Ok(())
            }
            Call::Drain => {
                self.slots.closed = true;
                Ok(())
            }
            Call::Wake => {
                // Reports are taken in the turn that follows; a look at the panes is due where a program has ended.
                self.next_sweep = Instant::now();
                let ended: Vec<TicketId> =
                    self.queue.rows().values().filter(|row| self.has_ended(row)).map(|row| row.id.clone()).collect();
                if !ended.is_empty() {
                    self.woken.extend(ended);
                    self.next_round = Instant::now();
                }
                Ok(())
            }
            Call::Leave => Ok(()),
        }
    }

    /// True if the agent of `row` has ended, as its wrapper says.
    fn has_ended(&self, row: &Row) -> bool {
        let Some(run) = row.run_id().filter(|_| reconcile::has_agent(row)) else { return false };
        self.world.launches.has_ended(&self.world.files.places().launch(&run, row.launch))
    }
}

fn answer(reply: oneshot::Sender<Result<bool, TakeError>>, result: Result<bool, TakeError>) -> Result<(), StoreError> {
    let stop = match &result {
        Err(TakeError::Store(error)) => Some(error.clone()),
        _ => None,
    };
    // Ignored: whoever asked has gone away; what was committed stands.
    reply.send(result).ok();
    stop.map_or(Ok(()), Err)
}
