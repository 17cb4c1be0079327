//! What is due in each turn: reports, deadlines, news of dependencies, starts; and whether the loop is at its end.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Ending, Supervisor, Until};
use crate::{
    agent::{launch::conversation_id, profile::Conversation},
    domain::{
        event::{Event, Timer},
        id::{RunKey, TicketId},
        machine,
        observed::Observed,
        row::{Row, Status},
        run::Phase,
        schedule,
    },
    ports::store::StoreError,
    supervisor::queue::TakeError,
};

/// How often all outboxes are looked into where no datagram came.
const SWEEP: Duration = Duration::from_millis(500);

/// How far the time of day and the time that passed may drift apart between two turns.
const DRIFT: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

/// A check that waits for a slot at its deadline is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Notices that the clock was set since the latest turn, or that the machine slept: nobody was silent meanwhile, and
    /// nothing is waited for twice.
    pub(super) fn clock_jumped(&mut self, before: Instant, before_wall: Timestamp) {
        let (now, wall) = self.settled;
        let passed = jiff::SignedDuration::try_from(now.duration_since(before)).unwrap_or_default();
        let by = wall.duration_since(before_wall) - passed;
        if by.abs() < DRIFT {
            return;
        }
        let (way, seconds) = (if by.is_positive() { "forward" } else { "back" }, by.abs().as_secs());
        tracing::warn!(
            "the clock went {way} by {seconds} s: it was set, or the machine slept. Deadlines of what is at work are \
             moved with it; times of day that tickets wait for are not"
        );
        self.queue.jumped(by);
        self.slots.last_start = self.slots.last_start.and_then(|at| at.checked_add(by).ok());
        // As at the start: nobody counts as stalled before the next look.
        self.has_looked = false;
        self.next_round = Instant::now();
        self.woken = self.queue.rows().keys().cloned().collect();
    }

    /// Takes all reports. A datagram tells of each; without one they are looked for now and then.
    pub(super) fn take_reports(&mut self) -> Result<(), StoreError> {
        if Instant::now() < self.next_sweep {
            return Ok(());
        }
        self.next_sweep = Instant::now() + SWEEP;
        let ids: Vec<TicketId> =
            self.queue.rows().values().filter(|row| may_report(row)).map(|r| r.id.clone()).collect();
        for id in ids {
            self.take_reports_of(&id)?;
        }
        Ok(())
    }

    /// Takes the reports of one ticket: before anything else that happens to it.
    pub(super) fn take_reports_of(&mut self, id: &TicketId) -> Result<(), StoreError> {
        if !self.queue.rows().get(id).is_some_and(may_report) {
            return Ok(());
        }
        match self.outboxes.take(&mut self.queue, &self.world, id) {
            Ok(effects) => self.extras(id, &effects),
            Err(TakeError::Store(error)) => return Err(error),
            Err(error) => tracing::warn!(ticket = %id, %error, "reports wait"),
        }
        Ok(())
    }

    /// What the agents' own records say; of the ticket `last` to their end, since what follows ends its launch.
    pub(super) fn take_records(&mut self, last: Option<&TicketId>) -> Result<(), StoreError> {
        let is_meant = |row: &&Row| may_report(row) && last.is_none_or(|id| *id == row.id);
        let ids: Vec<TicketId> = self.queue.rows().values().filter(is_meant).map(|r| r.id.clone()).collect();
        for id in ids {
            match self.readers.take(&mut self.queue, &self.world, &id, last.is_some()) {
                Ok(effects) => self.extras(&id, &effects),
                Err(TakeError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!(ticket = %id, %error, "a record waits"),
            }
        }
        Ok(())
    }

    pub(super) fn deadlines(&mut self) -> Result<(), StoreError> {
        // Each passes at most once in a turn; what it leads to has a later deadline, or none.
        for _ in 0..self.queue.rows().len() {
            let Some(due @ (at, ..)) = self.next_deadline() else { break };
            if at > self.queue.now() {
                break;
            }
            self.take_reports_of(&due.1)?;
            if self.next_deadline().as_ref() != Some(&due) {
                continue;
            }
            let (_, ticket, timer) = due;
            if self.has_waited(&ticket, timer, at)? {
                continue;
            }
            match self.take(&ticket, Event::Deadline { timer }) {
                Ok(true) => {}
                Ok(false) => break,
                Err(TakeError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%ticket, %error, "a deadline was not taken");
                    break;
                }
            }
        }
        Ok(())
    }

    /// The next deadline of the tickets that this loop is about. Before the first look at the panes nobody counts as
    /// stalled: nothing could be seen while no supervisor ran.
    pub(super) fn next_deadline(&mut self) -> Option<(Timestamp, TicketId, Timer)> {
        let (has_looked, is_over) = (self.has_looked, self.is_past_hard_stop());
        let settled = match &self.until {
            Until::Settled { tickets, .. } => Some(tickets.clone()),
            Until::Idle { .. } | Until::Quiet { .. } => None,
        };
        let (now, put_off) = (self.queue.now(), std::mem::take(&mut self.put_off));
        let found = self.queue.next_deadline(|id, timer| {
            put_off.get(id).is_none_or(|at| *at <= now || !is_put_off(timer))
                && (has_looked || timer != Timer::Stall)
                // What comes back is for the next night: parked is what a person should see it as until then.
                && !(is_over && timer == Timer::Parked)
                && settled.as_ref().is_none_or(|tickets| tickets.contains(id))
        });
        self.put_off = put_off;
        found
    }

    /// True if the deadline does not count yet, since commands of the ticket have waited for a slot of heavy commands:
    /// an agent is not silent for that, and a check is not late.
    fn has_waited(&mut self, ticket: &TicketId, timer: Timer, at: Timestamp) -> Result<bool, StoreError> {
        let Some(row) = self.queue.rows().get(ticket) else { return Ok(false) };
        let (Some(id), Some(run)) = (row.run_id(), row.running()) else { return Ok(false) };
        let places = self.world.files.places();
        match (&run.phase, timer) {
            (Phase::Working, Timer::Stall) => {
                let waits = self.world.launches.slot_waits(&places.launch(&id, row.launch));
                let Some(ended) = waits.ended else { return Ok(false) };
                if ended.is_zero() {
                    self.take_event(ticket, Event::Alive)?;
                    return Ok(true);
                }
                // Silent it has been since then only.
                let stall = at.duration_since(run.alive).unsigned_abs();
                let Some(more) = stall.checked_sub(ended).filter(|more| !more.is_zero()) else { return Ok(false) };
                self.put_off_by(ticket, more);
            }
            (Phase::Checking { done, .. }, Timer::Check) => {
                let index = u32::try_from(done.len()).unwrap_or(u32::MAX);
                let waits = self.world.launches.slot_waits(&places.check(&id, row.check_round, index));
                let late = self.queue.now().duration_since(at).unsigned_abs();
                let waits_now = waits.ended.is_some_and(|ended| ended.is_zero());
                let more = if waits_now { waits.total.max(LOOK_AGAIN + late) } else { waits.total };
                let Some(more) = more.checked_sub(late).filter(|more| !more.is_zero()) else { return Ok(false) };
                self.put_off_by(ticket, more);
            }
            _ => return Ok(false),
        }
        Ok(self.put_off.get(ticket).is_some_and(|until| *until > self.queue.now()))
    }

    fn put_off_by(&mut self, ticket: &TicketId, more: Duration) {
        let span = jiff::SignedDuration::try_from(more).unwrap_or(jiff::SignedDuration::MAX);
        let now = self.queue.now();
        let until = now.checked_add(span).unwrap_or(Timestamp::MAX);
        self.put_off.retain(|_, at| *at > now);
        self.put_off.insert(ticket.clone(), until);
    }

    pub(super) fn news_of_dependencies(&mut self) -> Result<(), StoreError> {
        for (ticket, news) in schedule::dependency_news(self.queue.rows()) {
            self.take_event(&ticket, Event::Dependency { news })?;
        }
        Ok(())
    }

    /// Closes sessions of blocked tickets beyond those that are kept, where their conversations can go on later.
    pub(super) fn make_room(&mut self) -> Result<(), StoreError> {
        let is_open = |row: &&Row| matches!(&row.status, Status::Blocked(blocked) if blocked.live);
        let blocked: Vec<TicketId> = self.queue.rows().values().filter(is_open).map(|r| r.id.clone()).collect();
        if blocked.len() <= usize::try_from(self.keep_blocked).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let resumable: BTreeSet<TicketId> = blocked
            .into_iter()
            .filter(|id| {
                let Ok(accepted) = self.queue.accepted(id) else { return false };
                self.queue.rows().get(id).is_some_and(|row| machine::can_resume(row, &accepted.1))
            })
            .collect();
        for ticket in schedule::to_close(self.queue.rows(), self.keep_blocked, |row| resumable.contains(&row.id)) {
            self.take_event(&ticket, Event::MakeRoom)?;
        }
        Ok(())
    }

    /// Sets aside what works with an agent whose usage limit another ticket has reached.
    pub(super) fn park_with_others(&mut self) -> Result<(), StoreError> {
        for (ticket, limit) in schedule::limited_with_others(self.queue.rows(), self.queue.now()) {
            self.take_event(&ticket, Event::AccountLimited(limit))?;
        }
        Ok(())
    }

    pub(super) fn start_tickets(&mut self) -> Result<(), StoreError> {
        let now = self.queue.now();
        if let Until::Idle { deadline: Some(deadline) } = self.until
            && now >= deadline
        {
            self.slots.closed = true;
        }
        let mut ready = schedule::to_start(self.queue.rows(), &self.slots, now);
        ready.truncate(self.room_for(&ready));
        for ticket in ready {
            let key = RunKey::from_bits(self.world.clock.random());
            let conversation = self.conversation(&ticket);
            self.take_event(&ticket, Event::Start { key, conversation })?;
            self.slots.last_start = Some(now);
            self.slots.starts_left = self.slots.starts_left.map(|n| n.saturating_sub(1));
        }
        Ok(())
    }

    pub(super) fn conversation(&self, ticket: &TicketId) -> Option<String> {
        let row = self.queue.rows().get(ticket)?;
        let profile = self.world.profiles.get(&row.profile, &row.repo).ok()?;
        (profile.conversation == Conversation::Chosen).then(|| conversation_id(|| self.world.clock.random()))
    }

    /// Closes sessions that were left open because a person was attached when their run ended, once nobody is.
    pub(super) async fn close_left_overs(&self) {
        let Observed::Present(panes) = self.world.terminal.panes().await else { return };
        for pane in panes.iter().filter(|pane| !pane.attached) {
            let Some(tag) = pane.tag.clone() else { continue };
            let Some(row) = self.queue.rows().get(&tag.ticket) else { continue };
            if matches!(row.status, Status::Running(_)) || row.pane.as_ref() == Some(&pane.pane) {
                continue;
            }
            if let Err(error) = self.world.terminal.close(tag).await {
                tracing::debug!(ticket = %row.id, %error, "a left-over session was not closed");
            }
        }
    }

    pub(super) async fn find_landed(&mut self) -> Result<(), StoreError> {
        let reviewed: Vec<Row> =
            self.queue.rows().values().filter(|r| matches!(r.status, Status::Reviewed { .. })).cloned().collect();
        for row in reviewed {
            let (Some(target), Some(head)) = (row.target.clone(), row.proof.as_ref().and_then(|p| p.head.clone()))
            else {
                continue;
            };
            // Without a commit there is nothing to merge; but what is not committed has landed nowhere.
            if row.proof.as_ref().is_some_and(|p| p.commits == 0 && p.dirty > 0) {
                continue;
            }
            if let Observed::Present(true) = self.world.worktrees.contains(row.repo.clone(), target, head).await {
                self.take_event(&row.id, Event::FoundLanded)?;
            }
        }
        Ok(())
    }

    pub(super) fn ending(&mut self) -> Option<Ending> {
        let now = self.queue.now();
        let rows = self.queue.rows();
        // A dialog that was answered by a key counts, until its screen was seen or its time is over.
        let runs = rows.values().any(|r| match &r.status {
            Status::Running(_) => true,
            Status::Blocked(blocked) => blocked.live && blocked.pressed.is_some(),
            _ => false,
        });
        // One that cannot be closed now is closed by the next supervisor: nobody waits for it.
        let is_blocked = |id| rows.get(id).is_some_and(|r| matches!(r.status, Status::Blocked(_)));
        let makes_room = self.at_work.keys().any(is_blocked);
        match &self.until {
            Until::Idle { deadline } => {
                // What a usage limit holds back is waited for as if it were parked itself.
                let limited = schedule::Limited::of(rows);
                // What nobody logs in for stays queued.
                let logged_out = schedule::LoggedOut::of(rows, self.slots.logins_since);
                let is_soon = |row: &Row, now| match (limited.held_until(row, now), deadline) {
                    (None, _) => true,
                    (Some(until), Some(deadline)) => until < *deadline,
                    (Some(_), None) => false,
                };
                let can_start = !self.slots.closed
                    && self.slots.starts_left != Some(0)
                    && rows.values().any(|r| {
                        schedule::startable(rows, r, &self.slots) && is_soon(r, now) && logged_out.holds(r).is_none()
                    });
                let comes_back = rows.values().any(|r| match &r.status {
                    Status::Parked(parked) => match (parked.until, deadline) {
                        (Some(until), Some(deadline)) => until < *deadline,
                        _ => false,
                    },
                    _ => false,
                });
                (!runs && !makes_room && !can_start && !comes_back).then_some(Ending::Done)
            }
            Until::Quiet { at_most } => {
                if Instant::now() >= *at_most {
                    return Some(Ending::Left);
                }
                let soon = now + jiff::SignedDuration::from_secs(5);
                let starting = rows.values().any(|r| {
                    matches!(&r.status, Status::Running(run)
                        if !matches!(run.phase, Phase::Working | Phase::Checking { .. }))
                });
                let can_start = self.shortage.is_none() && !schedule::to_start(rows, &self.slots, soon).is_empty();
                let due = self.next_deadline().is_some_and(|(at, ..)| at <= soon);
                let looked = self.watch.is_some() && self.woken.is_empty() && self.round.is_none();
                (!starting && !makes_room && !can_start && !due && looked && !self.look_again).then_some(Ending::Done)
            }
            Until::Settled { tickets, at_most } => {
                if Instant::now() >= *at_most {
                    return Some(Ending::Left);
                }
                if !self.is_closed {
                    return None;
                }
                let tickets = tickets.clone();
                let busy = tickets.iter().any(|id| {
                    !self.queue.pending(id).is_empty()
                        || self.at_work.contains_key(id)
                        || self.extras.is_awaited(id, self.queue.rows().get(id))
                });
                (!busy).then_some(Ending::Done)
            }
        }
    }
}

/// True for the deadlines that do not count while something waits for a slot.
fn is_put_off(timer: Timer) -> bool {
    matches!(timer, Timer::Stall | Timer::Check)
}

fn may_report(row: &Row) -> bool {
    row.run > 0 && matches!(row.status, Status::Running(_) | Status::Blocked(_))
}
