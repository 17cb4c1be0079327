//! Which tickets start now: slots, priority, dependencies, back-off, stagger.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    event::DependencyNews,
    id::TicketId,
    row::{Row, Status},
    run::NextRun,
};

/// All rows of the queue.
pub type Rows = BTreeMap<TicketId, Row>;

/// What the scheduler may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// How many tickets may run at once.
    pub parallel: u32,
    /// Seconds between two starts.
    pub stagger_s: u64,
    /// When the last ticket was started.
    pub last_start: Option<Timestamp>,
    /// Only these tickets are started; `None`: all.
    pub only: Option<BTreeSet<TicketId>>,
    /// How many more may be started at all; `None`: no limit.
    pub starts_left: Option<u32>,
    /// No ticket is started: the supervisor drains, or a deadline has passed.
    pub closed: bool,
}

/// The tickets to start now, in order.
#[must_use]
pub fn to_start(rows: &Rows, slots: &Slots, now: Timestamp) -> Vec<TicketId> {
    if slots.closed {
        return vec![];
    }
    let running = rows.values().filter(|r| matches!(r.status, Status::Running(_))).count();
    let free = usize::try_from(slots.parallel).unwrap_or(usize::MAX).saturating_sub(running);
    let left = slots.starts_left.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut ready: Vec<&Row> =
        rows.values().filter(|row| allowed(row, slots) && due(row, now) && dependencies_through(rows, row)).collect();
    ready.sort_by(|a, b| order(a).cmp(&order(b)));
    let wanted = free.min(left);
    if slots.stagger_s > 0 {
        let open = slots.last_start.is_none_or(|last| now >= later(last, slots.stagger_s));
        ready.truncate(wanted.min(usize::from(open)));
    } else {
        ready.truncate(wanted);
    }
    ready.into_iter().map(|row| row.id.clone()).collect()
}

/// When the scheduler should look again, if nothing else happens before: the end of a back-off or of the stagger.
#[must_use]
pub fn next_look(rows: &Rows, slots: &Slots, now: Timestamp) -> Option<Timestamp> {
    let back_off = rows.values().filter(|row| allowed(row, slots)).filter_map(|row| match &row.status {
        Status::Queued { not_before: Some(at), .. } if *at > now => Some(*at),
        _ => None,
    });
    let stagger = slots.last_start.map(|last| later(last, slots.stagger_s)).filter(|at| *at > now);
    back_off.chain(stagger).min()
}

/// True if the ticket is queued and may be started by this supervisor, now or later.
#[must_use]
pub fn startable(rows: &Rows, row: &Row, slots: &Slots) -> bool {
    allowed(row, slots) && matches!(row.status, Status::Queued { .. }) && dependencies_through(rows, row)
}

fn later(at: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn allowed(row: &Row, slots: &Slots) -> bool {
    slots.only.as_ref().is_none_or(|only| only.contains(&row.id))
}

fn due(row: &Row, now: Timestamp) -> bool {
    match &row.status {
        Status::Queued { not_before, .. } => not_before.is_none_or(|at| at <= now),
        _ => false,
    }
}

/// What a person has just answered or sent back goes first; then by priority, then as accepted.
fn order(row: &Row) -> (u8, u8, Timestamp, &TicketId) {
    let waiting_person = match &row.status {
        Status::Queued { next: NextRun::Answered { .. } | NextRun::Resume { .. } | NextRun::ChecksOnly, .. } => 0,
        _ => 1,
    };
    (waiting_person, row.priority, row.created, &row.id)
}

/// A dependency that is no longer in the queue has landed or was cleaned away as finished: it is through.
fn dependencies_through(rows: &Rows, row: &Row) -> bool {
    row.after.iter().all(|id| rows.get(id).is_none_or(Row::satisfies_dependents))
}

/// What each ticket should hear of its dependencies. Telling it twice changes nothing.
#[must_use]
pub fn dependency_news(rows: &Rows) -> Vec<(TicketId, DependencyNews)> {
    rows.values().filter_map(|row| news_for(rows, row).map(|news| (row.id.clone(), news))).collect()
}

fn news_for(rows: &Rows, row: &Row) -> Option<DependencyNews> {
    let dead = row.after.iter().filter_map(|id| rows.get(id)).find_map(|dependency| match &dependency.status {
        Status::Failed { reason } => Some(format!("{} failed: {reason}", dependency.id)),
        Status::Cancelled { .. } => Some(format!("{} was cancelled", dependency.id)),
        _ => None,
    });
    match (&row.status, dead) {
        (Status::Queued { .. }, Some(why)) => Some(DependencyNews::Dead { why }),
        (Status::Parked(parked), None) if parked.reason == "dependency" => Some(DependencyNews::Back),
        (Status::Queued { .. } | Status::Landed | Status::Cancelled { .. }, _) => None,
        (_, dead) if row.stale_base.is_none() && !row.stacked_on.is_empty() => {
            dead.or_else(|| stale(rows, row)).map(|why| DependencyNews::Stale { why })
        }
        _ => None,
    }
}

/// The work stands on a tip that its dependency no longer has, or that was sent back.
fn stale(rows: &Rows, row: &Row) -> Option<String> {
    row.stacked_on.iter().find_map(|stacked| {
        let dependency = rows.get(&stacked.id)?;
        match &dependency.status {
            Status::NeedsReview | Status::Reviewed { .. } => {
                let head = dependency.proof.as_ref()?.head.as_ref()?;
                (*head != stacked.commit).then(|| format!("the branch of {} moved", stacked.id))
            }
            Status::Queued { .. } | Status::Running(_) | Status::Blocked(_) | Status::Parked(_) => {
                Some(format!("{} is being worked on again", stacked.id))
            }
            Status::Landed | Status::Failed { .. } | Status::Cancelled { .. } => None,
        }
    })
}
