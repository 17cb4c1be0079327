//! Warm checkouts for tickets to come: looked after while nothing else is to be done.

use std::{collections::BTreeMap, path::Path, time::Duration};

use tokio::time::Instant;

use super::{Supervisor, Until};
use crate::{
    domain::{
        effect::Effect,
        id::TicketId,
        row::{Row, Status},
        run::Phase,
    },
    ports::worktrees::WarmSpec,
};

/// How often it is looked whether a base has moved.
const EVERY: Duration = Duration::from_secs(60);

/// How long a supervisor that has nothing more to do stays for a checkout that it has begun.
const STAYS: Duration = Duration::from_secs(60);

impl Supervisor {
    /// Has pools filled, where the newest ticket of a project wants one and no ticket is being started.
    pub(super) fn keep_warm(&mut self) {
        let now = Instant::now();
        if now < self.next_pool || matches!(self.until, Until::Settled { .. }) || self.is_starting() {
            return;
        }
        self.next_pool = now + EVERY;
        let mut newest: BTreeMap<(&Path, &Path), &Row> = BTreeMap::new();
        for row in self.queue.rows().values() {
            let Some(folder) = row.worktree.parent() else { continue };
            let held = newest.entry((&row.repo, folder)).or_insert(row);
            if row.created > held.created {
                *held = row;
            }
        }
        let newest: Vec<TicketId> = newest.into_values().map(|row| row.id.clone()).collect();
        for id in newest {
            // A ticket whose file cannot be read is told of elsewhere.
            let Ok(accepted) = self.queue.accepted(&id) else { continue };
            let Some(row) = self.queue.rows().get(&id) else { continue };
            let Some(folder) = row.worktree.parent() else { continue };
            let size = accepted.1.worktree.pool;
            if size > 0 {
                let (repo, folder) = (row.repo.clone(), folder.to_owned());
                let (base, target) = (row.base.clone(), row.target.clone());
                self.world.worktrees.keep_warm(WarmSpec { repo, folder, size, base, target });
            }
        }
    }

    /// True while a ticket is on its way to its first prompt.
    fn is_starting(&self) -> bool {
        let starts = |effect: &Effect| match effect {
            Effect::PrepareWorktree | Effect::OpenSession | Effect::Paste { .. } | Effect::Submit { .. } => true,
            Effect::AnswerDialog { .. }
            | Effect::Press { .. }
            | Effect::Decide { .. }
            | Effect::Always { .. }
            | Effect::Inspect
            | Effect::RunCheck { .. }
            | Effect::Close
            | Effect::Notify => false,
        };
        let boots = |row: &Row| matches!(&row.status, Status::Running(run) if matches!(run.phase, Phase::Booting));
        self.at_work.values().any(|at_work| starts(&at_work.effect)) || self.queue.rows().values().any(boots)
    }

    /// True while a pool is being filled by a supervisor that would otherwise leave, and may yet stay for it.
    pub(super) fn stays_for_pool(&mut self) -> bool {
        if !self.world.worktrees.is_warming() {
            self.stays_since = None;
            return false;
        }
        self.stays_since.get_or_insert_with(Instant::now).elapsed() < STAYS
    }
}
