//! Admission before each start: where the machine has no room for another agent, the ticket waits, and is tried again.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::time::Instant;

use super::Supervisor;
use crate::domain::{
    admission::{Free, Least, YOUNG_S, admitted},
    id::TicketId,
    row::Status,
};

/// Time between two looks where there was no room.
const AGAIN: Duration = Duration::from_secs(10);

/// Looks what is free, with the folders of worktrees to be made.
pub type Look = Arc<dyn Fn(&[&Path]) -> Free + Send + Sync>;

/// How the supervisor looks whether there is room.
#[derive(Clone)]
pub struct Admission {
    /// What a start wants.
    pub least: Least,
    /// What is free.
    pub look: Look,
}

/// What stands in the way of starts.
#[derive(Clone, Debug)]
pub(super) struct Shortage {
    /// When it is looked at again.
    pub(super) again: Instant,
}

impl Supervisor {
    /// Starts tickets only where there is room for them.
    #[must_use]
    pub fn admitting(mut self, admission: Admission) -> Self {
        self.admission = Some(admission);
        self
    }

    /// How many of the tickets that could start there is room for.
    pub(super) fn room_for(&mut self, ready: &[TicketId]) -> usize {
        let Some(admission) = self.admission.clone() else { return ready.len() };
        if self.shortage.as_ref().is_some_and(|shortage| !ready.is_empty() && Instant::now() < shortage.again) {
            return 0;
        }
        let rows = self.queue.rows();
        let now = self.queue.now();
        let is_young = |status: &Status| match status {
            Status::Running(run) => now.duration_since(run.began) < SignedDuration::from_secs(YOUNG_S),
            _ => false,
        };
        let young = rows.values().filter(|row| is_young(&row.status)).count();
        let (count, why) = if ready.is_empty() {
            (0, None)
        } else {
            let folders: Vec<&Path> = ready.iter().filter_map(|id| rows.get(id)?.worktree.parent()).collect();
            admitted(ready.len(), young, (admission.look)(&folders), admission.least)
        };
        let was_short = self.shortage.is_some();
        if why.is_some() || was_short {
            self.queue.waits(why.as_deref(), why.is_some() && !was_short);
        }
        self.shortage = why.map(|_| Shortage { again: Instant::now() + AGAIN });
        count
    }
}
