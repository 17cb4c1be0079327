//! Admission before each start: where the machine has no room for another agent, the ticket waits, and is tried again.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::time::Instant;

use super::Supervisor;
use crate::domain::{
    admission::{Free, Least, Need, YOUNG_S, Young, admitted},
    id::TicketId,
    measured::Needs,
    row::{Row, Status},
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
    /// Whether what earlier runs took counts.
    pub measured: bool,
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
        let (count, why) = if ready.is_empty() {
            (0, None)
        } else {
            let (needs, young) = self.expected(ready, &admission);
            let rows = self.queue.rows();
            let folders: Vec<&Path> = ready.iter().filter_map(|id| rows.get(id)?.worktree.parent()).collect();
            admitted(&needs, young, (admission.look)(&folders), admission.least)
        };
        let was_short = self.shortage.is_some();
        if why.is_some() || was_short {
            self.queue.waits(why.as_deref(), why.is_some() && !was_short);
        }
        self.shortage = why.map(|_| Shortage { again: Instant::now() + AGAIN });
        count
    }

    /// What the tickets that could start need, and what those that have just started are expected to take yet.
    fn expected(&mut self, ready: &[TicketId], admission: &Admission) -> (Vec<Need>, Young) {
        let known = if admission.measured { self.needs().clone() } else { Needs::default() };
        let now = self.queue.now();
        let rows = self.queue.rows();
        let alone = !rows.values().any(|row| matches!(row.status, Status::Running(_)));
        let need = |row: &Row, alone| Need::of(admission.least, known.of(&row.profile), alone);
        let needs = ready.iter().filter_map(|id| rows.get(id)).enumerate();
        // Beside the first of them the others are not alone.
        let needs = needs.map(|(index, row)| need(row, alone && index == 0)).collect();
        let is_young = |row: &&Row| match &row.status {
            Status::Running(run) => now.duration_since(run.began) < SignedDuration::from_secs(YOUNG_S),
            _ => false,
        };
        let mut young = Young::default();
        for row in rows.values().filter(is_young) {
            let taken = row.run_id().and_then(|run| self.measures.memory_mb(&run)).unwrap_or(0);
            young.agents += 1;
            young.memory_mb += need(row, false).memory_mb.saturating_sub(taken);
        }
        (needs, young)
    }
}
