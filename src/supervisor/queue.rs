//! The queue as the supervisor owns it: the only place where a step is taken, committed and projected.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{World, review};
use crate::{
    domain::{
        audit,
        effect::Effect,
        event::{Event, Timer},
        id::TicketId,
        machine::{self, Refusal, Step},
        report::{Hook, Said},
        row::{Row, Status},
        schedule::Rows,
        ticket::{Frozen, Ticket},
    },
    ports::store::{Entry, Store, StoreError},
};

/// How long `queue.toml` may lack a sign of life.
const ALIVE_WAITS: SignedDuration = SignedDuration::from_secs(10);

/// A `queue.toml` that takes longer than this to write is not written at once after each batch of steps...
const QUICK: Duration = Duration::from_millis(2);
/// ...but at most one part of the time, of so many: with a thousand tickets it would be half of all work.
const SHARE: u32 = 10;
/// How far it may be behind at most.
const BREATHER_MAX: Duration = Duration::from_millis(500);

/// When it is tried again where it could not be written.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Somebody who wants to know what was committed, such as a progress display.
pub trait Observer: Send {
    /// `entry` is committed; `before` is the row as it was.
    fn committed(&mut self, entry: &Entry, before: Option<&Row>);

    /// Nothing is started for now, and why; `None`: that is over. `is_news`: it was not so at the look before.
    fn waits(&mut self, _why: Option<&str>, _is_news: bool) {}
}

/// What came of an event.
#[derive(Debug)]
pub enum Taken {
    /// Committed; these effects are to be done now.
    Done(Vec<Effect>),
    /// It said nothing new.
    Ignored,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The request cannot be met.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The books cannot be written: nothing has happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such ticket.
    #[error("there is no ticket {0} in the queue")]
    NoTicket(TicketId),
    /// The ticket's own file cannot be read.
    #[error("{0}")]
    Ticket(String),
}

/// All rows, and the books they are kept in.
pub struct Queue {
    began: Timestamp,
    /// Jumps of the clock since then.
    jumps: Vec<machine::Jump>,
    store: Box<dyn Store>,
    world: World,
    accepted: BTreeMap<TicketId, Arc<(Ticket, Frozen)>>,
    observers: Vec<Box<dyn Observer>>,
    /// When `queue.toml` is to be written; `None`: it reflects all steps.
    publish_at: Option<Timestamp>,
    /// Not before this, so that writing it takes but a part of the time.
    breather: Timestamp,
    reviews: BTreeSet<TicketId>,
}

impl Queue {
    /// The queue as it stands in the books.
    #[must_use]
    pub fn new(store: Box<dyn Store>, world: World) -> Self {
        Self {
            began: world.clock.now(),
            jumps: vec![],
            store,
            world,
            accepted: BTreeMap::new(),
            observers: vec![],
            publish_at: Some(Timestamp::MIN),
            breather: Timestamp::MIN,
            reviews: BTreeSet::new(),
        }
    }

    /// Adds somebody who is told of every commit.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }

    /// Tells the observers that nothing is started for now, or that this is over.
    pub fn waits(&mut self, why: Option<&str>, is_news: bool) {
        for observer in &mut self.observers {
            observer.waits(why, is_news);
        }
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        self.store.rows()
    }

    /// The seq of the last commit.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.store.seq()
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// The time of day has jumped: what waits for a time that has nothing to do with it waits as long as before.
    pub fn jumped(&mut self, by: SignedDuration) {
        let at = self.now();
        self.jumps.push(machine::Jump { at, by });
    }

    /// The ticket as accepted.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn accepted(&mut self, id: &TicketId) -> Result<Arc<(Ticket, Frozen)>, TakeError> {
        if let Some(known) = self.accepted.get(id) {
            return Ok(known.clone());
        }
        let read = Arc::new(self.world.files.accepted(id).map_err(TakeError::Ticket)?);
        self.accepted.insert(id.clone(), read.clone());
        Ok(read)
    }

    /// The ticket's file was written anew: it is read again at the next use.
    pub fn forget(&mut self, id: &TicketId) {
        self.accepted.remove(id);
    }

    /// Takes one step for one ticket and commits it.
    ///
    /// # Errors
    /// See [`TakeError`]; nothing has changed then.
    pub fn take(&mut self, id: &TicketId, event: Event) -> Result<Taken, TakeError> {
        let now = self.now();
        if let Event::Accepted { row } = &event {
            let row = row.as_ref().clone();
            self.commit(id, event, vec![], Some(row), now)?;
            return Ok(Taken::Done(vec![]));
        }
        let accepted = self.accepted(id)?;
        let row = self.rows().get(id).ok_or_else(|| TakeError::NoTicket(id.clone()))?;
        match machine::step(row, &accepted.1, &event, now) {
            Step::Ignored => Ok(Taken::Ignored),
            Step::Refused(refusal) => Err(refusal.into()),
            Step::Next { row, effects } => {
                self.commit(id, event, effects.clone(), Some(*row), now)?;
                Ok(Taken::Done(effects))
            }
        }
    }

    /// Whether a request would be met, without meeting it.
    ///
    /// # Errors
    /// See [`TakeError`].
    pub fn would_take(&mut self, id: &TicketId, event: &Event) -> Result<(), TakeError> {
        let now = self.now();
        let accepted = self.accepted(id)?;
        let row = self.rows().get(id).ok_or_else(|| TakeError::NoTicket(id.clone()))?;
        match machine::step(row, &accepted.1, event, now) {
            Step::Refused(refusal) => Err(refusal.into()),
            Step::Next { .. } | Step::Ignored => Ok(()),
        }
    }

    /// Moves a finished ticket to the archive.
    ///
    /// # Errors
    /// It is not finished, or the books cannot be written; the ticket stays in the queue.
    pub fn archive(&mut self, id: &TicketId, event: Event) -> Result<(), TakeError> {
        let row = self.rows().get(id).ok_or_else(|| TakeError::NoTicket(id.clone()))?.clone();
        if !row.status.is_over() {
            let why = format!("{id} is {}: only what is finished leaves the queue", row.status.word());
            return Err(Refusal { why, hint: format!("autodo show {id}") }.into());
        }
        let now = self.now();
        self.store.archive(&row)?;
        (self.world.point)("archive.appended");
        self.commit(id, event, vec![], None, now)?;
        Ok(())
    }

    fn commit(
        &mut self,
        id: &TicketId,
        event: Event,
        effects: Vec<Effect>,
        row: Option<Row>,
        now: Timestamp,
    ) -> Result<(), TakeError> {
        let entry = Entry { seq: self.seq() + 1, at: now, ticket: id.clone(), event, effects, row };
        let word = entry.event.word();
        (self.world.point)(&format!("commit.before.{word}"));
        let before = self.store.commit(&entry)?;
        (self.world.point)(&format!("commit.after.{word}"));
        // A sign of life alone changes nothing that a person reads: it waits for company.
        let wait = if is_life(&entry.event) { ALIVE_WAITS } else { SignedDuration::ZERO };
        let due = now.checked_add(wait).unwrap_or(now).max(self.breather);
        self.publish_at = Some(self.publish_at.map_or(due, |at| at.min(due)));
        // Ignored: the audit trail is a projection; the journal has the event, and says so in its own line.
        self.store.audit(id, &audit::line(&entry, before.as_ref())).ok();
        if entry.row.as_ref().is_some_and(|row| shows(row) && worth_a_review(&entry.event, before.as_ref(), row)) {
            self.reviews.insert(id.clone());
        }
        for observer in &mut self.observers {
            observer.committed(&entry, before.as_ref());
        }
        Ok(())
    }

    /// Writes the projections that are behind: reviews, then `queue.toml`. Called once for each batch of events.
    pub fn publish(&mut self) {
        let now = self.now();
        // One that is due late is due at once if the clock was set back.
        if self.publish_at.is_some_and(|at| at <= now || at.duration_since(now) > ALIVE_WAITS) {
            self.publish_all();
        }
    }

    /// When the projections are due; `None`: nothing is behind.
    #[must_use]
    pub fn publish_at(&self) -> Option<Timestamp> {
        self.publish_at
    }

    /// As [`Self::publish`], also what could wait.
    pub fn publish_all(&mut self) {
        if self.publish_at.is_none() {
            return;
        }
        for id in std::mem::take(&mut self.reviews) {
            self.write_review(&id);
        }
        let began = Instant::now();
        match self.store.publish() {
            Ok(()) => self.publish_at = None,
            Err(error) => {
                tracing::warn!(%error, "queue.toml is behind the journal");
                self.publish_at = Some(self.now().checked_add(TRY_AGAIN).unwrap_or(Timestamp::MIN));
            }
        }
        let took = began.elapsed();
        if took > QUICK {
            let rest = (took * SHARE).min(BREATHER_MAX);
            self.breather = self.now().checked_add(rest).unwrap_or(Timestamp::MIN);
        }
    }

    /// Writes the review of one ticket.
    pub fn write_review(&mut self, id: &TicketId) {
        let Ok(accepted) = self.accepted(id) else { return };
        let Some(row) = self.rows().get(id) else { return };
        let review = review::build(row, &accepted.0, &self.world);
        if let Err(error) = self.store.review(&review) {
            tracing::warn!(ticket = %id, %error, "the review was not written");
        }
    }

    /// The next deadline of all rows that `counts` lets through.
    pub fn next_deadline(&mut self, counts: impl Fn(&TicketId, Timer) -> bool) -> Option<(Timestamp, TicketId, Timer)> {
        let (began, now, jumps) = (self.began, self.now(), self.jumps.clone());
        let moved = |time| machine::moved(time, &jumps, now);
        let may_be_due = |row: &&Row| matches!(row.status, Status::Running(_) | Status::Parked(_) | Status::Blocked(_));
        let is_unread = |row: &&Row| !self.accepted.contains_key(&row.id);
        let unread: Vec<TicketId> =
            self.rows().values().filter(may_be_due).filter(is_unread).map(|row| row.id.clone()).collect();
        for id in unread {
            // Ignored: without its file a ticket has no deadline.
            self.accepted(&id).ok();
        }
        // Run at each turn: nothing is copied but what is found.
        self.rows()
            .values()
            .filter(may_be_due)
            .filter_map(|row| {
                let (at, timer) = machine::deadline(row, &self.accepted.get(&row.id)?.1, began, moved)?;
                counts(&row.id, timer).then_some((at, row, timer))
            })
            .min_by_key(|(at, ..)| *at)
            .map(|(at, row, timer)| (at, row.id.clone(), timer))
    }

    /// The effects that carry a ticket on, as after a restart.
    pub fn pending(&mut self, id: &TicketId) -> Vec<Effect> {
        let Ok(accepted) = self.accepted(id) else { return vec![] };
        self.rows().get(id).map(|row| machine::pending(row, &accepted.1)).unwrap_or_default()
    }
}

/// True for what says only that the agent lives.
fn is_life(event: &Event) -> bool {
    match event {
        Event::Alive => true,
        Event::Reported { report, .. } => report.said == Said::Hook(Hook::Active),
        _ => false,
    }
}

/// A review exists from the first run on.
fn shows(row: &Row) -> bool {
    row.run > 0
}

fn worth_a_review(event: &Event, before: Option<&Row>, row: &Row) -> bool {
    let status_changed = before.is_none_or(|b| b.status.word() != row.status.word());
    // Another question on its screen, or news of an answer.
    let asks_anew = matches!(row.status, Status::Blocked(_)) && before.is_some_and(|b| b.status != row.status);
    status_changed
        || asks_anew
        || (!is_life(event)
            && matches!(
                event,
                Event::Reported { .. } | Event::Asked { .. } | Event::Dependency { .. } | Event::Updated { .. }
            ))
}
