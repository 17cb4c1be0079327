//! Rounds of the watch, and how long the loop may sleep.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Supervisor, Until};
use crate::{
    domain::{event::Event, id::TicketId, reconcile, schedule},
    ports::store::StoreError,
    supervisor::{
        targets::{self, Target},
        watch::{self, News, Round, SECOND_LOOK, Watch},
    },
};

impl Supervisor {
    pub(super) fn begin_round(&mut self) {
        let Some(mut watch) = self.watch.take() else { return };
        for ticket in self.forget.drain(..) {
            watch.forget(&ticket);
        }
        let at_work: Vec<TicketId> = self
            .queue
            .rows()
            .values()
            .filter(|row| reconcile::has_agent(row) && self.concerns(&row.id))
            .map(|row| row.id.clone())
            .collect();
        let targets: Vec<Target> = at_work
            .iter()
            .filter_map(|id| {
                let stall_s = self.queue.accepted(id).map_or(u64::MAX, |accepted| accepted.1.limits.stall_s);
                targets::target(self.queue.rows().get(id)?, stall_s, &self.world)
            })
            .collect();
        let woken = std::mem::take(&mut self.woken);
        if targets.is_empty() {
            self.has_looked = true;
            self.look_again = false;
            self.watch = Some(watch);
            self.next_round = Instant::now() + Duration::from_millis(500);
            return;
        }
        self.next_round = Instant::now() + watch::next_round(targets.len(), self.lively, self.queue.now());
        self.watched = targets.len();
        let world = self.world.clone();
        self.round = Some(tokio::spawn(async move {
            let round = watch.round(&world, targets, &woken).await;
            (watch, round)
        }));
    }

    pub(super) fn end_round(
        &mut self,
        round: Result<(Watch, Round), tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let (watch, round) = match round {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a look at the panes failed");
                (Watch::default(), Round::default())
            }
        };
        self.watch = Some(watch);
        self.has_looked |= round.has_looked;
        if round.lively != self.lively {
            self.lively = round.lively;
            let next = watch::next_round(self.watched, self.lively, self.queue.now());
            self.next_round = self.next_round.min(Instant::now() + next);
        }
        self.look_again = round.look_again;
        if round.look_again {
            self.next_round = Instant::now() + SECOND_LOOK;
        }
        self.take_reports()?;
        for (target, news) in round.news {
            let Some(row) = self.queue.rows().get(&target.ticket) else { continue };
            // What was seen before a step says nothing about what is after it.
            if targets::moment(row) != target.moment {
                if let News::Sighted { .. } = news {
                    self.forget.push(target.ticket.clone());
                }
                continue;
            }
            let event = match news {
                News::Alive => Some(Event::Alive),
                News::Sighted { sighting, answerable } => Some(Event::Seen { sighting, answerable }),
                News::Life(seen) => reconcile::what_happened(row, &seen),
            };
            if let Some(event) = event {
                self.take_event(&target.ticket, event)?;
            }
        }
        Ok(())
    }

    pub(super) fn wake_at(&mut self) -> Instant {
        let now_wall = self.queue.now();
        let in_wall = |at: Timestamp| {
            let millis = at.duration_since(now_wall).as_millis().clamp(20, 3_600_000);
            Instant::now() + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
        };
        let deadline = self.next_deadline().map(|(at, ..)| in_wall(at));
        let schedule = schedule::next_look(self.queue.rows(), &self.slots, now_wall).map(in_wall);
        let own = match &self.until {
            Until::Idle { deadline } => deadline.map(in_wall),
            Until::Quiet { at_most } | Until::Settled { at_most, .. } => Some(*at_most),
        };
        let waiting = self.waiting.values().copied().filter(|at| *at > Instant::now()).min();
        let round = self.round.is_none().then_some(self.next_round);
        [deadline, schedule, own, waiting, round].into_iter().flatten().min().unwrap_or(self.next_landed)
    }
}
