//! The event loop: selects what happened next, has the machine step, and keeps every ticket's effect going.
//!
//! Which effect should be at work is a function of the rows ([`Queue::pending`]). The loop compares that with the tasks
//! it has and starts or aborts; so a restart, which begins with no tasks at all, is nothing special.

mod budgets;
mod calls;
mod due;
mod extras;
mod measure;
mod night;
mod pool;
mod room;
mod rounds;
mod tasks;

pub use calls::Call;
pub use room::{Admission, Look};

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use self::{
    extras::Extras,
    tasks::{AtWork, Told},
};
use super::{
    World,
    outbox::Outboxes,
    queue::{Queue, TakeError, Taken},
    records::Readers,
    targets,
    watch::{Round, Watch},
};
use crate::{
    domain::{
        budget::Pot,
        effect::Effect,
        event::Event,
        id::TicketId,
        row::{Row, Status},
        run::Phase,
        schedule::Slots,
        usage::MicroUsd,
    },
    ports::store::StoreError,
};

/// How often reviewed tickets are looked up in their targets.
const LANDED_EVERY: Duration = Duration::from_secs(60);

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

/// The supervisor.
pub struct Supervisor {
    queue: Queue,
    world: World,
    slots: Slots,
    until: Until,
    calls: mpsc::Receiver<Call>,
    at_work: BTreeMap<TicketId, AtWork>,
    waiting: BTreeMap<TicketId, Instant>,
    tries: BTreeMap<TicketId, u32>,
    extras: Extras,
    told_tx: mpsc::UnboundedSender<Told>,
    told_rx: mpsc::UnboundedReceiver<Told>,
    watch: Option<Watch>,
    round: Option<JoinHandle<(Watch, Round)>>,
    forget: Vec<TicketId>,
    /// Since when a permission shows that an agent's hook may yet answer.
    left_to_hooks: BTreeMap<TicketId, Instant>,
    woken: BTreeSet<TicketId>,
    outboxes: Outboxes,
    readers: Readers,
    next_round: Instant,
    /// When a screen last meant something new, or an effect ended.
    stirred: Instant,
    watched: usize,
    lively: usize,
    next_landed: Instant,
    next_sweep: Instant,
    /// When the latest turn looked at what is due.
    settled: (Instant, Timestamp),
    next_pool: Instant,
    /// Since when there is nothing to do but to fill a pool.
    stays_since: Option<Instant>,
    is_closed: bool,
    has_looked: bool,
    look_again: bool,
    keep_blocked: u32,
    pot: Option<Pot>,
    hard_stop: Option<Timestamp>,
    is_unattended: bool,
    admission: Option<Admission>,
    shortage: Option<room::Shortage>,
    measures: measure::Measures,
    /// Until when deadlines of tickets do not count, since something of theirs has waited for a slot.
    put_off: BTreeMap<TicketId, Timestamp>,
}

/// What came of waiting.
enum Turn {
    /// Something that the rest may have to be brought into line with.
    News,
    /// A look at the panes that showed nothing new.
    Quiet,
}

impl Supervisor {
    /// A supervisor over `queue`.
    #[must_use]
    pub fn new(queue: Queue, world: World, slots: Slots, until: Until, calls: mpsc::Receiver<Call>) -> Self {
        let (told_tx, told_rx) = mpsc::unbounded_channel();
        let (now, queue_now) = (Instant::now(), queue.now());
        Self {
            queue,
            world,
            slots,
            until,
            calls,
            at_work: BTreeMap::new(),
            waiting: BTreeMap::new(),
            tries: BTreeMap::new(),
            extras: Extras::default(),
            told_tx,
            told_rx,
            watch: Some(Watch::default()),
            round: None,
            forget: vec![],
            left_to_hooks: BTreeMap::new(),
            woken: BTreeSet::new(),
            outboxes: Outboxes::default(),
            readers: Readers::default(),
            next_round: now,
            stirred: now,
            watched: 0,
            lively: 0,
            next_landed: now,
            next_sweep: now,
            settled: (now, queue_now),
            next_pool: now,
            stays_since: None,
            is_closed: false,
            has_looked: false,
            look_again: false,
            keep_blocked: u32::MAX,
            pot: None,
            hard_stop: None,
            is_unattended: false,
            admission: None,
            shortage: None,
            measures: measure::Measures::default(),
            put_off: BTreeMap::new(),
        }
    }

    /// Keeps at most so many sessions of blocked tickets open whose conversations can be resumed.
    #[must_use]
    pub fn keeping_blocked(mut self, sessions: u32) -> Self {
        self.keep_blocked = sessions;
        self
    }

    /// Spends at most so much on all tickets together, from now on.
    #[must_use]
    pub fn spending_at_most(mut self, budget: Option<MicroUsd>) -> Self {
        self.pot = budget.map(|budget| Pot::new(budget, self.queue.rows()));
        self
    }

    /// Runs until its end. Agents and checks that are at work then go on under their wrappers.
    pub async fn run(mut self) -> (Queue, Ending) {
        let ending = self.turn_until_end().await;
        for (_, at_work) in std::mem::take(&mut self.at_work) {
            at_work.task.abort();
        }
        self.end_measures();
        self.queue.publish_all();
        (self.queue, ending)
    }

    async fn turn_until_end(&mut self) -> Ending {
        // The first look at everything is the recovery.
        self.woken = self.queue.rows().keys().cloned().collect();
        loop {
            if let Err(error) = self.settle().await {
                return Ending::Books(error);
            }
            if let Some(ending) = self.ending()
                && !(matches!(ending, Ending::Done) && self.stays_for_pool())
            {
                // Nobody reads the records of what stays open when this loop has left.
                self.readers.hurry();
                self.next_sweep = Instant::now();
                if let Err(error) = self.take_reports() {
                    return Ending::Books(error);
                }
                if let Err(error) = self.take_records(None) {
                    return Ending::Books(error);
                }
                if self.ending().is_some() {
                    return ending;
                }
            }
            loop {
                match self.next().await {
                    Ok(Turn::Quiet) => {}
                    Ok(Turn::News) => break,
                    Err(ending) => return ending,
                }
            }
        }
    }

    /// Brings everything into line with the rows: reports, deadlines, starts, tasks, projections.
    async fn settle(&mut self) -> Result<(), StoreError> {
        let (before, before_wall) = self.settled;
        self.settled = (Instant::now(), self.queue.now());
        self.clock_jumped(before, before_wall);
        self.take_reports()?;
        self.take_records(None)?;
        self.deadlines()?;
        if !matches!(self.until, Until::Settled { .. }) {
            self.news_of_dependencies()?;
            self.make_room()?;
            self.budgets()?;
            self.stop_hard()?;
            self.hold_back();
            self.park_with_others()?;
            self.start_tickets()?;
        }
        self.tasks();
        self.wake_watch();
        self.keep_warm();
        self.queue.publish();
        if Instant::now() >= self.next_landed && !matches!(self.until, Until::Settled { .. }) {
            self.next_landed = Instant::now() + LANDED_EVERY;
            self.find_landed().await?;
            self.close_left_overs().await;
        }
        Ok(())
    }

    /// Waits for the next thing to happen, and takes it in.
    async fn next(&mut self) -> Result<Turn, Ending> {
        if self.round.is_none() && Instant::now() >= self.next_round {
            self.begin_round();
        }
        self.begin_measure();
        let wake_at = self.wake_at();
        let round = async {
            match &mut self.round {
                Some(task) => task.await,
                None => std::future::pending().await,
            }
        };
        let measure = async {
            match &mut self.measures.task {
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
            Some(told) = self.told_rx.recv() => {
                self.stir();
                self.told(told).map_err(Ending::Books)?;
            }
            round = round => {
                self.round = None;
                return self.end_round(round).map_err(Ending::Books);
            }
            looked = measure => {
                self.end_measure(looked);
                return Ok(Turn::Quiet);
            }
            () = tokio::time::sleep_until(wake_at) => {}
        }
        Ok(Turn::News)
    }

    /// Takes an event; extra effects are started at once, the others by [`Self::tasks`].
    fn take(&mut self, ticket: &TicketId, event: Event) -> Result<bool, TakeError> {
        let before = self.queue.rows().get(ticket).map(targets::moment);
        match self.queue.take(ticket, event)? {
            Taken::Ignored => Ok(false),
            Taken::Done(effects) => {
                // What was seen in another phase, and meant nothing there, is news in one that waits for the screen.
                let row = self.queue.rows().get(ticket).filter(|row| Some(targets::moment(row)) != before);
                let run = row.and_then(Row::running);
                if run.is_some_and(|run| matches!(run.phase, Phase::Booting | Phase::Working)) {
                    self.forget.push(ticket.clone());
                }
                if effects.iter().any(|effect| matches!(effect, Effect::Always { .. })) {
                    self.look_at_the_blocked_of(ticket);
                }
                self.extras(ticket, &effects);
                Ok(true)
            }
        }
    }

    /// A rule is added for the project of `ticket`: what waits in its other tickets may be answered by it.
    fn look_at_the_blocked_of(&mut self, ticket: &TicketId) {
        let rows = self.queue.rows();
        let Some(repo) = rows.get(ticket).map(|row| &row.repo) else { return };
        let waits = |row: &&Row| row.repo == *repo && row.id != *ticket && matches!(row.status, Status::Blocked(_));
        let others: Vec<TicketId> = rows.values().filter(waits).map(|row| row.id.clone()).collect();
        self.forget.extend(others);
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
}
