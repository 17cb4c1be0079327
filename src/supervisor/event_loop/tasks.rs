//! The effects at work: one task for each ticket, started and aborted so that it is what the row calls for.

use std::{collections::BTreeSet, time::Duration};

use tokio::{task::JoinHandle, time::Instant};

use super::{Supervisor, Until};
use crate::{
    domain::{
        effect::Effect,
        event::Event,
        id::TicketId,
        row::{Row, Status},
        run::Phase,
    },
    ports::store::StoreError,
    supervisor::{
        executor,
        launching::Job,
        targets::{self, Moment},
    },
};

/// How long an effect that came to nothing waits before it is tried again: doubled each time, up to [`MOST_WAIT`].
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Longest such wait.
const MOST_WAIT: Duration = Duration::from_secs(64);

/// The effect at work for a ticket.
pub(super) struct AtWork {
    pub(super) effect: Effect,
    pub(super) moment: Moment,
    pub(super) task: JoinHandle<()>,
}

/// What a task tells the loop.
pub(super) struct Told {
    pub(super) ticket: TicketId,
    /// `None`: an extra effect that carries no phase.
    pub(super) effect: Option<Effect>,
    pub(super) moment: Moment,
    pub(super) events: Vec<Event>,
}

impl Supervisor {
    /// Starts the effect that each row calls for, and aborts the one it no longer calls for.
    pub(super) fn tasks(&mut self) {
        let ids: Vec<TicketId> = self
            .queue
            .rows()
            .values()
            .filter(|row| matches!(row.status, Status::Running(_) | Status::Blocked(_)) && self.concerns(&row.id))
            .map(|row| row.id.clone())
            .collect();
        let running: BTreeSet<&TicketId> = ids.iter().collect();
        self.at_work.retain(|id, at_work| {
            let wanted = running.contains(id);
            if !wanted {
                at_work.task.abort();
            }
            wanted
        });
        for id in ids {
            let wanted = self.queue.pending(&id).into_iter().find(executor::carries_phase);
            let Some(row) = self.queue.rows().get(&id) else { continue };
            let moment = targets::moment(row);
            if let Some(have) = self.at_work.get(&id) {
                if wanted.as_ref() == Some(&have.effect) && have.moment == moment {
                    continue;
                }
                have.task.abort();
                self.at_work.remove(&id);
            }
            let Some(effect) = wanted else { continue };
            if self.waiting.get(&id).is_some_and(|at| *at > Instant::now()) {
                continue;
            }
            self.waiting.remove(&id);
            if let Some(task) = self.start_effect(&id, effect.clone(), moment.clone(), true) {
                self.at_work.insert(id, AtWork { effect, moment, task });
            }
        }
    }

    pub(super) fn concerns(&self, id: &TicketId) -> bool {
        match &self.until {
            Until::Settled { tickets, .. } => tickets.contains(id),
            Until::Idle { .. } | Until::Quiet { .. } => true,
        }
    }

    pub(super) fn start_effect(
        &mut self,
        id: &TicketId,
        effect: Effect,
        moment: Moment,
        phase: bool,
    ) -> Option<JoinHandle<()>> {
        let ticket = match self.queue.accepted(id) {
            Ok(ticket) => ticket,
            Err(error) => {
                tracing::warn!(ticket = %id, %error, "an effect waits: the ticket's file is not to be had");
                return None;
            }
        };
        let row = self.queue.rows().get(id)?.clone();
        let job = Job { run: row.run_id()?, row, ticket };
        let (world, told, id) = (self.world.clone(), self.told_tx.clone(), id.clone());
        Some(tokio::spawn(async move {
            let events = executor::execute(&world, &job, &effect).await;
            // Ignored: the loop has ended, and the effect is found done at the next start.
            told.send(Told { ticket: id, effect: phase.then_some(effect), moment, events }).ok();
        }))
    }

    pub(super) fn told(&mut self, told: Told) -> Result<(), StoreError> {
        if let Some(effect) = &told.effect {
            // Of an effect that was aborted meanwhile nothing is believed: it is looked at anew.
            let current =
                self.at_work.get(&told.ticket).is_some_and(|a| a.effect == *effect && a.moment == told.moment);
            if !current {
                return Ok(());
            }
            self.at_work.remove(&told.ticket);
        }
        // Reports of the agent come before the end of its launch, and before what it shows.
        self.take_reports_of(&told.ticket)?;
        if told.effect.is_none() {
            let row = self.queue.rows().get(&told.ticket);
            self.extras.ended(&told.ticket, row, &told.events);
            if told.events.iter().any(|event| matches!(event, Event::Keyed { keys, .. } if keys.is_empty())) {
                // What was to be answered is news again if it still shows.
                self.forget.push(told.ticket.clone());
            }
        }
        if told.effect.is_some() {
            self.take_records(Some(&told.ticket))?;
        }
        for event in told.events {
            self.take_event(&told.ticket, event)?;
        }
        let now = self.queue.rows().get(&told.ticket).map(targets::moment);
        if told.effect.is_none() {
            return Ok(());
        }
        if now.as_ref() == Some(&told.moment) && !self.is_checking(&told.ticket) {
            let tries = self.tries.entry(told.ticket.clone()).or_insert(0);
            let wait = TRY_AGAIN.saturating_mul(1 << (*tries).min(5)).min(MOST_WAIT);
            *tries += 1;
            self.waiting.insert(told.ticket, Instant::now() + wait);
        } else {
            self.tries.remove(&told.ticket);
        }
        Ok(())
    }

    pub(super) fn is_checking(&self, id: &TicketId) -> bool {
        let run = self.queue.rows().get(id).and_then(Row::running);
        run.is_some_and(|run| matches!(run.phase, Phase::Checking { .. }))
    }
}
