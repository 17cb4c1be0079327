//! What the watch looks at: the panes of running and blocked tickets, and what it must know of each.

use std::{path::PathBuf, sync::Arc};

use super::World;
use crate::{
    agent::profile::Profile,
    domain::{
        id::{DeliveryId, PaneId, RunId, RunKey, TicketId},
        reconcile::has_agent,
        row::{Row, Status},
        run::Phase,
        ticket::{Frozen, Ticket},
    },
};

/// One pane to watch.
#[derive(Clone)]
pub struct Target {
    /// The ticket.
    pub ticket: TicketId,
    /// Its run.
    pub run: RunId,
    /// What the row was at when the look began: a look that began before a step says nothing about what is after it.
    pub moment: Moment,
    /// The pane.
    pub pane: PaneId,
    /// The folder of the launch.
    pub launch_folder: PathBuf,
    /// The key of the run.
    pub key: Option<RunKey>,
    /// The id of the latest delivery; `None`: none yet.
    pub delivery: Option<DeliveryId>,
    /// Markers that stood in the pane when it was submitted.
    pub markers: u32,
    /// The last sign of life in the books; `None`: the agent is not at work.
    pub alive: Option<jiff::Timestamp>,
    /// A sign of life goes into the books when it is so much newer than that one, in seconds.
    pub alive_every_s: i64,
    /// True while a start-up is under way: looked at in every round.
    pub is_urgent: bool,
    /// The profile.
    pub profile: Arc<Profile>,
    /// The ticket as accepted: whose rules hold; `None`: its file is not to be had.
    pub accepted: Option<Arc<(Ticket, Frozen)>>,
    /// The user's checkout: whose live rules hold.
    pub repo: PathBuf,
}

/// Where a row was: run, launch, delivery, and the word of its phase or status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    run: u32,
    launch: u32,
    delivery: u32,
    word: &'static str,
}

/// Where `row` is.
#[must_use]
pub fn moment(row: &Row) -> Moment {
    let word = row.running().map_or(row.status.word(), |run| run.phase.word());
    Moment { run: row.run, launch: row.launch, delivery: row.delivery, word }
}

/// The most seconds between two signs of life in the books.
const ALIVE_EVERY_S: u64 = 30;

/// The target of a row that should have an agent; `None`: nothing to watch. A short limit for stalls wants signs of life
/// in the books more often than it passes.
pub fn target(row: &Row, accepted: Option<Arc<(Ticket, Frozen)>>, world: &World) -> Option<Target> {
    let stall_s = accepted.as_ref().map_or(u64::MAX, |accepted| accepted.1.limits.stall_s);
    if !has_agent(row) {
        return None;
    }
    let run = row.run_id()?;
    let profile = match world.profiles.get(&row.profile, &row.repo) {
        Ok(profile) => profile,
        Err(error) => {
            tracing::warn!(ticket = %row.id, error, "the ticket cannot be watched: its profile is not to be had");
            return None;
        }
    };
    let (markers, is_urgent) = match &row.status {
        Status::Running(at_work) => (at_work.markers, matches!(at_work.phase, Phase::Booting)),
        Status::Blocked(blocked) => (blocked.run.as_ref().map_or(0, |run| run.markers), !blocked.settled),
        _ => (0, false),
    };
    Some(Target {
        ticket: row.id.clone(),
        alive: row.running().filter(|run| matches!(run.phase, Phase::Working)).map(|run| run.alive),
        alive_every_s: ALIVE_EVERY_S.min(stall_s / 3).max(1).cast_signed(),
        launch_folder: world.files.places().launch(&run, row.launch),
        moment: moment(row),
        pane: row.pane.clone()?,
        key: row.key.clone(),
        delivery: (row.delivery > 0).then(|| DeliveryId::new(row.run, row.delivery)),
        markers,
        is_urgent,
        profile,
        accepted,
        repo: row.repo.clone(),
        run,
    })
}
