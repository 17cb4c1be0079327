//! What the agents take of the machine: looked at now and then while one lives, kept with its run, and remembered by
//! profile for the admission of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::SignedDuration;
use tokio::{task::JoinHandle, time::Instant};

use super::{Supervisor, Until};
use crate::{
    domain::{
        id::RunId,
        measured::{Measured, Needs},
        observed::Observed,
        reconcile,
        row::Row,
    },
    ports::launches::Trees,
};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// The same while an agent has come or gone since, or is so young that it still takes its memory.
const OFTEN: Duration = Duration::from_secs(2);

/// At most one part of a core's time goes into looks, of so many: where a machine has thousands of processes, they are seldom.
const SHARE: u32 = 500;

/// So long an agent is young.
const YOUNG: SignedDuration = SignedDuration::from_secs(30);

/// An agent to look at.
#[derive(Clone)]
pub(super) struct Target {
    run: RunId,
    launch: u32,
    profile: String,
}

/// What came of a look.
pub(super) type Looked = (Vec<Target>, Observed<Trees>);

/// What was measured.
#[derive(Default)]
pub(super) struct Measures {
    /// Of the agents that live, with their profiles.
    live: BTreeMap<RunId, (String, Measured)>,
    /// `None`: not read yet.
    needs: Option<Needs>,
    /// The latest look.
    last: Option<Instant>,
    /// What it cost of a core.
    cost: Duration,
    /// A look that is under way.
    pub(super) task: Option<JoinHandle<Looked>>,
}

impl Measures {
    /// The memory of a live agent at the latest look, in MiB.
    pub(super) fn memory_mb(&self, run: &RunId) -> Option<u64> {
        self.live.get(run).map(|(_, measured)| measured.memory_mb)
    }
}

impl Supervisor {
    /// Begins a look, where one is due.
    pub(super) fn begin_measure(&mut self) {
        if self.measures.task.is_some() || self.measure_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        let targets: Vec<Target> = self.queue.rows().values().filter_map(target).collect();
        self.forget_ended(&targets);
        self.measures.last = Some(Instant::now());
        if targets.is_empty() {
            return;
        }
        let world = self.world.clone();
        self.measures.task = Some(tokio::spawn(async move {
            let places = world.files.places();
            let folders = targets.iter().map(|target| places.launch(&target.run, target.launch)).collect();
            let trees = world.launches.trees(folders).await;
            (targets, trees)
        }));
    }

    /// When the next look is due; `None`: there is nobody to look at.
    pub(super) fn measure_at(&self) -> Option<Instant> {
        if self.measures.task.is_some() || matches!(self.until, Until::Settled { .. }) {
            return None;
        }
        let now = self.queue.now();
        let (mut count, mut is_news) = (0, false);
        for row in self.queue.rows().values().filter(|row| reconcile::has_agent(row)) {
            let is_young = row.running().is_some_and(|run| now.duration_since(run.began) < YOUNG);
            is_news |= is_young || row.run_id().is_some_and(|run| !self.measures.live.contains_key(&run));
            count += 1;
        }
        is_news |= count < self.measures.live.len();
        let wait = if is_news { OFTEN } else { EVERY }.max(self.measures.cost * SHARE);
        (count > 0 || is_news).then(|| self.measures.last.map_or_else(Instant::now, |last| last + wait))
    }

    /// Takes in what a look showed.
    pub(super) fn end_measure(&mut self, looked: Result<Looked, tokio::task::JoinError>) {
        self.measures.task = None;
        let Ok((targets, Observed::Present(Trees { trees, cost }))) = looked else { return };
        self.measures.cost = cost;
        for (target, tree) in targets.into_iter().zip(trees) {
            let Some(tree) = tree else { continue };
            let Target { run, launch, profile } = target;
            let before = self.measures.live.get(&run).map(|(_, measured)| *measured);
            let mut now = before.or_else(|| self.world.files.measured(&run)).unwrap_or_default();
            now.look(launch, tree.memory_kb / 1024, tree.cpu_ms);
            if before.is_none_or(|before| now.differs(&before)) {
                self.keep_measured(&run, &now);
                self.measures.live.insert(run, (profile, now));
            }
        }
    }

    /// Agents that have ended take no memory any more; what they took is remembered.
    fn forget_ended(&mut self, targets: &[Target]) {
        let live: BTreeSet<&RunId> = targets.iter().map(|target| &target.run).collect();
        let (still, ended) =
            std::mem::take(&mut self.measures.live).into_iter().partition(|(run, _)| live.contains(run));
        self.measures.live = still;
        let ended: BTreeMap<RunId, (String, Measured)> = ended;
        if ended.is_empty() {
            return;
        }
        for (run, (profile, measured)) in ended {
            self.needs().note(&profile, measured.peak_mb);
            self.keep_measured(&run, &Measured { memory_mb: 0, ..measured });
        }
        let needs = self.needs().clone();
        if let Err(error) = self.world.files.keep_needs(&needs) {
            tracing::debug!(%error, "what agents need was not kept");
        }
    }

    /// All that live count as ended: this loop ends, and with it the looks. The next begins anew.
    pub(super) fn end_measures(&mut self) {
        let live: Vec<Target> = self.queue.rows().values().filter_map(target).collect();
        self.forget_ended(&live);
    }

    pub(super) fn needs(&mut self) -> &mut Needs {
        let files = &self.world.files;
        self.measures.needs.get_or_insert_with(|| files.needs())
    }

    fn keep_measured(&self, run: &RunId, measured: &Measured) {
        if let Err(error) = self.world.files.keep_measured(run, measured) {
            tracing::debug!(%run, %error, "what an agent takes was not kept");
        }
    }
}

/// The agent of a row, if it has one that lives.
fn target(row: &Row) -> Option<Target> {
    let run = row.run_id().filter(|_| reconcile::has_agent(row))?;
    Some(Target { run, launch: row.launch, profile: row.profile.clone() })
}
