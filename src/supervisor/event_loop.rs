//! The event loop: selects what happened next, has the machine step, and keeps every ticket's effect going.
//!
//! Which effect should be at work is a function of the rows ([`Queue::pending`]). The loop compares that with the tasks
//! it has and starts or aborts; so a restart, which begins with no tasks at all, is nothing special.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use super::{
    World, executor,
    launching::Job,
    outbox,
    queue::{Queue, TakeError, Taken},
    targets::{self, Moment, Target},
    watch::{News, Round, SECOND_LOOK, Watch},
};
use crate::{
    agent::{launch::conversation_id, profile::Conversation},
    domain::{
        effect::Effect,
        event::{Event, Request},
        id::{RunKey, TicketId},
        observed::Observed,
        reconcile,
        row::{Row, Status},
        run::{NextRun, Phase},
        schedule::{self, Slots},
    },
    ports::store::StoreError,
};

/// How long an effect that came to nothing waits before it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// How often reviewed tickets are looked up in their targets.
const LANDED_EVERY: Duration = Duration::from_secs(60);

/// What a front door wants of the supervisor.
pub enum Call {
    /// A request to one ticket. A text for the agent lies in the run's `answer.txt` already.
    Ask {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        by: String,
        /// For what.
        request: Request,
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

/// When the loop ends by itself.
#[derive(Clone, Debug)]
pub enum Until {
    /// Nothing runs, nothing can be started, nothing is parked until before the deadline.
    Idle {
        /// After it nothing is started.
        deadline: Option<Timestamp>,
    },
    /// Nothing is due within 5 s and no start-up, delivery or effect is under way; at most until the instant.
    Quiet {
        /// The end.
        at_most: Instant,
    },
    /// Nobody can call any more, and the effects of the tickets that were asked of are done; nothing is scheduled.
    Settled {
        /// The tickets; those that are asked of are added.
        tickets: BTreeSet<TicketId>,
        /// The end.
        at_most: Instant,
    },
}

/// Why the loop ended.
#[derive(Debug)]
pub enum Ending {
    /// There is nothing more to do.
    Done,
    /// It was told to leave, or its time was up.
    Left,
    /// The books cannot be written: nothing more is done.
    Books(StoreError),
}

/// The effect at work for a ticket.
struct AtWork {
    effect: Effect,
    moment: Moment,
    task: JoinHandle<()>,
}

/// What a task tells the loop.
struct Told {
    ticket: TicketId,
    /// `None`: an extra effect that carries no phase.
    effect: Option<Effect>,
    moment: Moment,
    events: Vec<Event>,
}

/// The supervisor.
pub struct Supervisor {
    queue: Queue,
    world: World,
    slots: Slots,
    until: Until,
    calls: mpsc::Receiver<Call>,
    at_work: BTreeMap<TicketId, AtWork>,
    waiting: BTreeMap<TicketId, Instant>,
    told_tx: mpsc::UnboundedSender<Told>,
    told_rx: mpsc::UnboundedReceiver<Told>,
    watch: Option<Watch>,
    round: Option<JoinHandle<(Watch, Round)>>,
    forget: Vec<TicketId>,
    woken: BTreeSet<TicketId>,
    next_round: Instant,
    lively_until: Instant,
    next_landed: Instant,
    is_closed: bool,
}

impl Supervisor {
    /// A supervisor over `queue`.
    #[must_use]
    pub fn new(queue: Queue, world: World, slots: Slots, until: Until, calls: mpsc::Receiver<Call>) -> Self {
        let (told_tx, told_rx) = mpsc::unbounded_channel();
        let now = Instant::now();
        Self {
            queue,
            world,
            slots,
            until,
            calls,
            at_work: BTreeMap::new(),
            waiting: BTreeMap::new(),
            told_tx,
            told_rx,
            watch: Some(Watch::default()),
            round: None,
            forget: vec![],
            woken: BTreeSet::new(),
            next_round: now,
            lively_until: now,
            next_landed: now,
            is_closed: false,
        }
    }

    /// Runs until its end. Agents and checks that are at work then go on under their wrappers.
    pub async fn run(mut self) -> (Queue, Ending) {
        let ending = self.turn_until_end().await;
        for (_, at_work) in std::mem::take(&mut self.at_work) {
            at_work.task.abort();
        }
        self.queue.publish();
        (self.queue, ending)
    }

    async fn turn_until_end(&mut self) -> Ending {
        // The first look at everything is the recovery.
        self.woken = self.queue.rows().keys().cloned().collect();
        loop {
            if let Err(error) = self.settle().await {
                return Ending::Books(error);
            }
            if let Some(ending) = self.ending() {
                return ending;
            }
            if let Err(ending) = self.next().await {
                return ending;
            }
        }
    }

    /// Brings everything into line with the rows: reports, deadlines, starts, tasks, projections.
    async fn settle(&mut self) -> Result<(), StoreError> {
        self.take_reports()?;
        self.deadlines()?;
        if !matches!(self.until, Until::Settled { .. }) {
            self.news_of_dependencies()?;
            self.start_tickets()?;
        }
        self.tasks();
        self.queue.publish();
        if Instant::now() >= self.next_landed && !matches!(self.until, Until::Settled { .. }) {
            self.next_landed = Instant::now() + LANDED_EVERY;
            self.find_landed().await?;
        }
        Ok(())
    }

    /// Waits for the next thing to happen, and takes it in.
    async fn next(&mut self) -> Result<(), Ending> {
        if self.round.is_none() && Instant::now() >= self.next_round {
            self.begin_round();
        }
        let wake_at = self.wake_at();
        let round = async {
            match &mut self.round {
                Some(task) => task.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            call = self.calls.recv(), if !self.is_closed => match call {
                Some(Call::Leave) => return Err(Ending::Left),
                Some(call) => self.called(call).map_err(Ending::Books)?,
                None => self.is_closed = true,
            },
            Some(told) = self.told_rx.recv() => self.told(told).map_err(Ending::Books)?,
            round = round => {
                self.round = None;
                self.end_round(round).map_err(Ending::Books)?;
            }
            () = tokio::time::sleep_until(wake_at) => {}
        }
        Ok(())
    }

    fn called(&mut self, call: Call) -> Result<(), StoreError> {
        match call {
            Call::Ask { ticket, by, request, reply } => {
                if let Until::Settled { tickets, .. } = &mut self.until {
                    tickets.insert(ticket.clone());
                }
                let result = self.take(&ticket, Event::Asked { by, request });
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
                self.woken.extend(self.queue.rows().keys().cloned());
                self.next_round = Instant::now();
                Ok(())
            }
            Call::Leave => Ok(()),
        }
    }

    /// Takes an event; extra effects are started at once, the others by [`Self::tasks`].
    fn take(&mut self, ticket: &TicketId, event: Event) -> Result<bool, TakeError> {
        let submitted = matches!(event, Event::Submitted { .. } | Event::SessionOpened { .. });
        match self.queue.take(ticket, event)? {
            Taken::Ignored => Ok(false),
            Taken::Done(effects) => {
                if submitted {
                    self.forget.push(ticket.clone());
                }
                self.extras(ticket, &effects);
                Ok(true)
            }
        }
    }

    /// As [`Self::take`], where only the books can stop the supervisor.
    fn take_event(&mut self, ticket: &TicketId, event: Event) -> Result<(), StoreError> {
        match self.take(ticket, event) {
            Ok(_) => Ok(()),
            Err(TakeError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(%ticket, %error, "an event was not taken");
                Ok(())
            }
        }
    }

    fn take_reports(&mut self) -> Result<(), StoreError> {
        let ids: Vec<TicketId> =
            self.queue.rows().values().filter(|row| may_report(row)).map(|r| r.id.clone()).collect();
        for id in ids {
            match outbox::take_reports(&mut self.queue, &self.world, &id) {
                Ok(effects) => self.extras(&id, &effects),
                Err(TakeError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!(ticket = %id, %error, "reports wait"),
            }
        }
        Ok(())
    }

    fn deadlines(&mut self) -> Result<(), StoreError> {
        // Each passes at most once in a turn; what it leads to has a later deadline, or none.
        for _ in 0..self.queue.rows().len() {
            let Some((at, ticket, timer)) = self.queue.next_deadline() else { break };
            if at > self.queue.now() {
                break;
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

    fn news_of_dependencies(&mut self) -> Result<(), StoreError> {
        for (ticket, news) in schedule::dependency_news(self.queue.rows()) {
            self.take_event(&ticket, Event::Dependency { news })?;
        }
        Ok(())
    }

    fn start_tickets(&mut self) -> Result<(), StoreError> {
        let now = self.queue.now();
        if let Until::Idle { deadline: Some(deadline) } = self.until
            && now >= deadline
        {
            self.slots.closed = true;
        }
        for ticket in schedule::to_start(self.queue.rows(), &self.slots, now) {
            let key = RunKey::from_bits(self.world.clock.random());
            let conversation = self.conversation(&ticket);
            self.take_event(&ticket, Event::Start { key, conversation })?;
            self.slots.last_start = Some(now);
            self.slots.starts_left = self.slots.starts_left.map(|n| n.saturating_sub(1));
        }
        Ok(())
    }

    fn conversation(&self, ticket: &TicketId) -> Option<String> {
        let row = self.queue.rows().get(ticket)?;
        let profile = self.world.profiles.get(&row.profile, &row.repo).ok()?;
        (profile.conversation == Conversation::Chosen).then(|| conversation_id(|| self.world.clock.random()))
    }

    /// Starts the effect that each row calls for, and aborts the one it no longer calls for.
    fn tasks(&mut self) {
        let ids: Vec<TicketId> = self
            .queue
            .rows()
            .values()
            .filter(|row| matches!(row.status, Status::Running(_)) && self.concerns(&row.id))
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

    fn concerns(&self, id: &TicketId) -> bool {
        match &self.until {
            Until::Settled { tickets, .. } => tickets.contains(id),
            Until::Idle { .. } | Until::Quiet { .. } => true,
        }
    }

    fn extras(&mut self, ticket: &TicketId, effects: &[Effect]) {
        let Some(moment) = self.queue.rows().get(ticket).map(targets::moment) else { return };
        for effect in effects.iter().filter(|e| !executor::carries_phase(e)) {
            // Not kept: it carries nothing on, and ends by itself within the terminal's time limits.
            drop(self.start_effect(ticket, effect.clone(), moment.clone(), false));
        }
    }

    fn start_effect(&mut self, id: &TicketId, effect: Effect, moment: Moment, phase: bool) -> Option<JoinHandle<()>> {
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

    fn told(&mut self, told: Told) -> Result<(), StoreError> {
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
        self.take_reports()?;
        for event in told.events {
            self.take_event(&told.ticket, event)?;
        }
        let now = self.queue.rows().get(&told.ticket).map(targets::moment);
        if told.effect.is_some() && now.as_ref() == Some(&told.moment) && !self.is_checking(&told.ticket) {
            self.waiting.insert(told.ticket, Instant::now() + TRY_AGAIN);
        }
        Ok(())
    }

    fn is_checking(&self, id: &TicketId) -> bool {
        let run = self.queue.rows().get(id).and_then(Row::running);
        run.is_some_and(|run| matches!(run.phase, Phase::Checking { .. }))
    }

    fn begin_round(&mut self) {
        let Some(mut watch) = self.watch.take() else { return };
        for ticket in self.forget.drain(..) {
            watch.forget(&ticket);
        }
        let targets: Vec<Target> = self
            .queue
            .rows()
            .values()
            .filter(|row| self.concerns(&row.id))
            .filter_map(|row| targets::target(row, &self.world))
            .collect();
        let woken = std::mem::take(&mut self.woken);
        if targets.is_empty() {
            self.watch = Some(watch);
            self.next_round = Instant::now() + Duration::from_millis(500);
            return;
        }
        self.next_round = Instant::now() + self.interval(targets.len());
        let world = self.world.clone();
        self.round = Some(tokio::spawn(async move {
            let round = watch.round(&world, targets, &woken).await;
            (watch, round)
        }));
    }

    /// Time between two rounds: short while few panes are lively, longer at rest and when they are many.
    fn interval(&self, panes: usize) -> Duration {
        let lively = Instant::now() < self.lively_until;
        Duration::from_millis(match (panes, lively) {
            (0..=16, true) => 120,
            (0..=50, _) => 500,
            _ => 700,
        })
    }

    fn end_round(&mut self, round: Result<(Watch, Round), tokio::task::JoinError>) -> Result<(), StoreError> {
        let (watch, round) = match round {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a look at the panes failed");
                (Watch::default(), Round { news: vec![], is_lively: false, look_again: false })
            }
        };
        self.watch = Some(watch);
        if round.is_lively {
            self.lively_until = Instant::now() + Duration::from_secs(3);
            let soon = Instant::now() + self.interval(1);
            if self.queue.rows().len() <= 16 {
                self.next_round = self.next_round.min(soon);
            }
        }
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

    async fn find_landed(&mut self) -> Result<(), StoreError> {
        let reviewed: Vec<Row> =
            self.queue.rows().values().filter(|r| matches!(r.status, Status::Reviewed { .. })).cloned().collect();
        for row in reviewed {
            let (Some(target), Some(head)) = (row.target.clone(), row.proof.as_ref().and_then(|p| p.head.clone()))
            else {
                continue;
            };
            if row.proof.as_ref().is_some_and(|p| p.commits == 0) {
                continue;
            }
            if let Observed::Present(true) = self.world.worktrees.contains(row.repo.clone(), target, head).await {
                self.take_event(&row.id, Event::FoundLanded)?;
            }
        }
        Ok(())
    }

    fn wake_at(&mut self) -> Instant {
        let now_wall = self.queue.now();
        let in_wall = |at: Timestamp| {
            let millis = at.duration_since(now_wall).as_millis().clamp(0, 3_600_000);
            Instant::now() + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
        };
        let deadline = self.queue.next_deadline().map(|(at, ..)| in_wall(at));
        let schedule = schedule::next_look(self.queue.rows(), &self.slots, now_wall).map(in_wall);
        let own = match &self.until {
            Until::Idle { deadline } => deadline.map(in_wall),
            Until::Quiet { at_most } | Until::Settled { at_most, .. } => Some(*at_most),
        };
        let waiting = self.waiting.values().copied().filter(|at| *at > Instant::now()).min();
        let round = self.round.is_none().then_some(self.next_round);
        [deadline, schedule, own, waiting, round].into_iter().flatten().min().unwrap_or(self.next_landed)
    }

    fn ending(&mut self) -> Option<Ending> {
        let now = self.queue.now();
        let rows = self.queue.rows();
        let runs = rows.values().any(|r| matches!(r.status, Status::Running(_)));
        match &self.until {
            Until::Idle { deadline } => {
                let can_start = !self.slots.closed
                    && self.slots.starts_left != Some(0)
                    && rows.values().any(|r| schedule::startable(rows, r, &self.slots));
                let comes_back = rows.values().any(|r| match &r.status {
                    Status::Parked(parked) => match (parked.until, deadline) {
                        (Some(until), Some(deadline)) => until < *deadline,
                        _ => false,
                    },
                    _ => false,
                });
                (!runs && !can_start && !comes_back).then_some(Ending::Done)
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
                let can_start = !schedule::to_start(rows, &self.slots, soon).is_empty();
                let due = self.queue.next_deadline().is_some_and(|(at, ..)| at <= soon);
                let looked = self.watch.is_some() && self.woken.is_empty() && self.round.is_none();
                let second_look = self.next_round <= Instant::now() + SECOND_LOOK;
                (!starting && !can_start && !due && looked && !second_look).then_some(Ending::Done)
            }
            Until::Settled { tickets, at_most } => {
                if Instant::now() >= *at_most {
                    return Some(Ending::Left);
                }
                if !self.is_closed {
                    return None;
                }
                let tickets = tickets.clone();
                let busy = tickets.iter().any(|id| !self.queue.pending(id).is_empty() || self.at_work.contains_key(id));
                (!busy).then_some(Ending::Done)
            }
        }
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

fn may_report(row: &Row) -> bool {
    row.run > 0 && matches!(row.status, Status::Running(_) | Status::Blocked(_))
}

/// True if the next run of a queued ticket needs no agent.
#[must_use]
pub fn needs_no_agent(row: &Row) -> bool {
    matches!(&row.status, Status::Queued { next: NextRun::ChecksOnly, .. })
}
