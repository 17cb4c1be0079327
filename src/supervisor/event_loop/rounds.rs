//! Rounds of the watch, and how long the loop may sleep.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Supervisor, Turn, Until};
use crate::{
    domain::{
        event::Event,
        id::TicketId,
        reconcile,
        row::Row,
        schedule,
        screen::{ScreenState, Sighting},
    },
    ports::store::StoreError,
    supervisor::{
        targets::{self, Target},
        watch::{self, News, Round, SECOND_LOOK, Watch},
    },
};

/// How long an agent's hook may take to answer a permission that shows on its screen already.
const HOOK_ANSWERS: Duration = Duration::from_secs(2);

/// Where nothing is to be looked at there are no rounds; [`Supervisor::wake_watch`] ends that.
const NO_ROUND: Duration = Duration::from_secs(3_600);
/// How often a supervisor that stays for a pool alone looks whether that is full.
const POOL_LOOK: Duration = Duration::from_millis(100);

/// Longest sleep where there is anything to do seldom only.
const SELDOM: Duration = Duration::from_secs(60);

impl Supervisor {
    /// Begins with the rounds again when there is an agent to look at.
    pub(super) fn wake_watch(&mut self) {
        let rests = self.next_round > Instant::now() + NO_ROUND / 2;
        if rests && self.queue.rows().values().any(|row| reconcile::has_agent(row) && self.concerns(&row.id)) {
            self.next_round = Instant::now();
        }
    }

    /// A screen means something new, or an effect has ended: for a while rounds come in quick succession, if they may.
    /// A sign of life, of which many come from agents at work, is nothing of the kind.
    pub(super) fn stir(&mut self) {
        self.stirred = Instant::now();
        if self.round.is_none() && self.watched > 0 {
            self.next_round = self.next_round.min(Instant::now() + self.next_round_in(self.watched));
        }
    }

    fn next_round_in(&self, targets: usize) -> Duration {
        watch::next_round(targets, self.lively, self.stirred.elapsed(), self.queue.now())
    }

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
                // Ignored: without its file it is watched all the same, and no rule answers for it.
                let accepted = self.queue.accepted(id).ok();
                targets::target(self.queue.rows().get(id)?, accepted, &self.world)
            })
            .collect();
        let woken = std::mem::take(&mut self.woken);
        if targets.is_empty() {
            // Whether the loop is at its end may hang on these.
            let is_news = !self.has_looked || self.look_again;
            self.has_looked = true;
            self.look_again = false;
            self.watch = Some(watch);
            let rest = if at_work.is_empty() { NO_ROUND } else { watch::AT_REST };
            self.next_round = if is_news { Instant::now() } else { Instant::now() + rest };
            return;
        }
        self.next_round = Instant::now() + self.next_round_in(targets.len());
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
    ) -> Result<Turn, StoreError> {
        let before = (self.has_looked, self.look_again, self.lively);
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
            self.next_round = self.next_round.min(Instant::now() + self.next_round_in(self.watched));
        }
        self.look_again = round.look_again;
        if round.look_again {
            self.next_round = Instant::now() + SECOND_LOOK;
        }
        let is_settled = before == (self.has_looked, self.look_again, self.lively) && !self.look_again;
        // A loop that is to end soon looks whether it may after each round.
        let is_quiet = is_settled && round.news.is_empty() && matches!(self.until, Until::Idle { .. });
        if round.news.iter().any(|(_, news)| !matches!(news, News::Alive)) {
            self.stir();
        }
        for (target, news) in round.news {
            if !matches!(news, News::Alive) {
                self.take_reports_of(&target.ticket)?;
            }
            let Some(row) = self.queue.rows().get(&target.ticket) else { continue };
            // What was seen before a step says nothing about what is after it.
            if targets::moment(row) != target.moment {
                if let News::Sighted { .. } = news {
                    self.forget.push(target.ticket.clone());
                }
                continue;
            }
            if let News::Sighted { sighting, .. } = &news
                && self.is_for_the_hook(&target, sighting)
            {
                continue;
            }
            let Some(row) = self.queue.rows().get(&target.ticket) else { continue };
            let event = match news {
                News::Alive => Some(Event::Alive),
                News::Sighted { sighting, answerable } => Some(Event::Seen { sighting, answerable }),
                News::Life(seen) => reconcile::what_happened(row, &seen),
            };
            if let Some(event) = event {
                if event.ends_launch() {
                    self.take_records(Some(&target.ticket))?;
                }
                self.take_event(&target.ticket, event)?;
            }
        }
        Ok(if is_quiet { Turn::Quiet } else { Turn::News })
    }

    /// True while a permission on the screen may yet be answered by the agent's own hook, which takes a moment: it is
    /// looked at again then. A hook that leaves it to a person says so.
    fn is_for_the_hook(&mut self, target: &Target, sighting: &Sighting) -> bool {
        let is_asked = sighting.state == ScreenState::Permission && target.profile.permissions.hook;
        let row = self.queue.rows().get(&target.ticket);
        if !is_asked || row.and_then(Row::running).is_none_or(|run| !run.asks.is_empty()) {
            self.left_to_hooks.remove(&target.ticket);
            return false;
        }
        let since = *self.left_to_hooks.entry(target.ticket.clone()).or_insert_with(Instant::now);
        if since.elapsed() >= HOOK_ANSWERS {
            self.left_to_hooks.remove(&target.ticket);
            return false;
        }
        self.forget.push(target.ticket.clone());
        self.next_round = self.next_round.min(Instant::now() + SECOND_LOOK);
        true
    }

    pub(super) fn wake_at(&mut self) -> Instant {
        let now_wall = self.queue.now();
        let in_wall = |at: Timestamp| {
            let millis = at.duration_since(now_wall).as_millis().clamp(20, 3_600_000);
            Instant::now() + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
        };
        let deadline = self.next_deadline().map(|(at, ..)| in_wall(at));
        // What became due since the latest turn looked is due at once, and not what it looked at already.
        let (looked, looked_wall) = self.settled;
        let schedule = schedule::next_look(self.queue.rows(), &self.slots, looked_wall).map(in_wall);
        // One that has passed is nothing to wake up for.
        let ahead = |at: &Timestamp| *at > looked_wall;
        let hard_stop = self.hard_stop.filter(ahead).map(in_wall);
        let own = match &self.until {
            Until::Idle { deadline } => deadline.filter(ahead).map(in_wall),
            Until::Quiet { at_most } | Until::Settled { at_most, .. } => Some(*at_most),
        };
        let waiting = self.waiting.values().copied().filter(|at| *at > looked).min();
        let round = self.round.is_none().then_some(self.next_round);
        let publish = self.queue.publish_at().map(in_wall);
        let pool = self.stays_since.map(|_| Instant::now() + POOL_LOOK);
        let seldom = match self.until {
            Until::Settled { .. } => None,
            Until::Idle { .. } | Until::Quiet { .. } => Some(self.next_landed.min(self.next_pool.max(looked + SELDOM))),
        };
        let room = self.shortage.as_ref().map(|shortage| shortage.again);
        let put_off = self.put_off.values().copied().filter(ahead).min().map(in_wall);
        let measure = self.measure_at();
        let all = [deadline, schedule, own, hard_stop, room, waiting, round, publish, pool, seldom, put_off, measure];
        all.into_iter().flatten().min().unwrap_or(looked + SELDOM)
    }
}
