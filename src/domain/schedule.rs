//! Which tickets start now: slots, priority, dependencies, back-off, stagger.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    event::DependencyNews,
    id::TicketId,
    machine::{self, limit_stops},
    row::{Row, Status},
    run::{Blocked, NextRun, Retire},
};

/// Least seconds between two starts of one agent whose usage limit has just lifted: the first shows whether it has.
pub const AFTER_LIMIT_GAP_S: u64 = 15;

/// So many seconds after a usage limit has lifted its tickets start at that pace.
const AFTER_LIMIT_S: u64 = 600;

/// All rows of the queue.
pub type Rows = BTreeMap<TicketId, Row>;

/// A usage limit that a ticket has reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimit {
    /// The ticket.
    pub by: TicketId,
    /// When it counts as lifted.
    pub until: Timestamp,
}

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
    /// These tickets are not started by this supervisor, whatever else holds: they want a person there.
    pub held_back: BTreeSet<TicketId>,
    /// An agent that has been found logged out since then is not started again; found so earlier, it is tried anew.
    pub logins_since: Timestamp,
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
    let limited = Limited::of(rows);
    ready.retain(|row| limited.held_until(row, now).is_none());
    let logged_out = LoggedOut::of(rows, slots.logins_since);
    ready.retain(|row| logged_out.holds(row).is_none());
    ready.sort_by(|a, b| order(a).cmp(&order(b)));
    // After a limit one agent starts one ticket at a time.
    let mut paced = BTreeSet::new();
    ready.retain(|row| match limited.paced_until(row, slots, now) {
        None => true,
        Some(until) => until <= now && paced.insert(row.profile.as_str()),
    });
    let wanted = free.min(left);
    if slots.stagger_s > 0 {
        let open = slots.last_start.is_none_or(|last| now >= later(last, slots.stagger_s));
        ready.truncate(wanted.min(usize::from(open)));
    } else {
        ready.truncate(wanted);
    }
    ready.into_iter().map(|row| row.id.clone()).collect()
}

/// When the scheduler should look again, if nothing else happens before: the end of a back-off, of the stagger, or of
/// what a usage limit holds back.
#[must_use]
pub fn next_look(rows: &Rows, slots: &Slots, now: Timestamp) -> Option<Timestamp> {
    let back_off = rows.values().filter(|row| allowed(row, slots)).filter_map(|row| match &row.status {
        Status::Queued { not_before: Some(at), .. } if *at > now && !has_come(*at, now) => Some(*at),
        _ => None,
    });
    let stagger = slots.last_start.map(|last| later(last, slots.stagger_s)).filter(|at| *at > now);
    let waiting = rows.values().filter(|row| allowed(row, slots) && due(row, now) && dependencies_through(rows, row));
    let limited = Limited::of(rows);
    let limit = waiting.filter_map(|row| limited.held_until(row, now).or_else(|| limited.paced_until(row, slots, now)));
    back_off.chain(stagger).chain(limit.filter(|at| *at > now)).min()
}

/// True if the ticket is queued and may be started by this supervisor, now or later.
#[must_use]
pub fn startable(rows: &Rows, row: &Row, slots: &Slots) -> bool {
    allowed(row, slots) && matches!(row.status, Status::Queued { .. }) && dependencies_through(rows, row)
}

/// True if the queued ticket waits for nothing but a slot and room.
#[must_use]
pub fn is_due(rows: &Rows, row: &Row, now: Timestamp) -> bool {
    due(row, now) && dependencies_through(rows, row) && Limited::of(rows).held_until(row, now).is_none()
}

/// The tickets whose agent waits for a person to log it in. The others with that agent would get no further.
pub struct LoggedOut<'a>(Vec<&'a Row>);

impl<'a> LoggedOut<'a> {
    /// Those among `rows` that have been found so since then.
    #[must_use]
    pub fn of(rows: &'a Rows, since: Timestamp) -> Self {
        let is_out = |row: &&Row| match &row.status {
            Status::Blocked(blocked) => blocked.reason == "logged_out" && row.changed >= since,
            _ => false,
        };
        Self(rows.values().filter(is_out).collect())
    }

    /// The ticket at which it was found that the agent of the queued ticket is not logged in. `None`: nothing is known of
    /// it, or it needs no agent. The account is not known: tickets of one profile count as tickets of one account.
    #[must_use]
    pub fn holds(&self, row: &Row) -> Option<&'a TicketId> {
        let needs_agent = !matches!(row.status, Status::Queued { next: NextRun::ChecksOnly, .. });
        self.0.iter().find(|other| needs_agent && other.profile == row.profile).map(|other| &other.id)
    }
}

/// The tickets that have reached a usage limit. They are few, and each of the others is held against them.
pub struct Limited<'a> {
    rows: &'a Rows,
    reached: Vec<(&'a Row, Timestamp)>,
}

impl<'a> Limited<'a> {
    /// Those among `rows`.
    #[must_use]
    pub fn of(rows: &'a Rows) -> Self {
        let reached = rows.values().filter_map(|row| Some((row, row.limited_until?))).collect();
        Self { rows, reached }
    }

    /// Until when a usage limit of the ticket's agent holds the queued ticket: it would hit the same one. The account is
    /// not known, so tickets of one profile count as tickets of one account. `None`: nothing holds it; checks alone need
    /// no agent.
    #[must_use]
    pub fn held_until(&self, row: &Row, now: Timestamp) -> Option<Timestamp> {
        self.held_by(row, now).map(|(until, _)| until)
    }

    /// As [`Limited::held_until`], with the ticket that has reached the limit.
    fn held_by(&self, row: &Row, now: Timestamp) -> Option<(Timestamp, &'a TicketId)> {
        let waived = row.limit_waived.unwrap_or(Timestamp::MIN);
        self.limits(row).filter(|(until, _)| *until > now && *until > waived).max()
    }

    /// Before when the queued ticket may not start, since a usage limit of its agent has just lifted; perhaps a time that
    /// has passed. `None`: none has.
    fn paced_until(&self, row: &Row, slots: &Slots, now: Timestamp) -> Option<Timestamp> {
        self.limits(row).find(|(lifted, _)| now < later(*lifted, AFTER_LIMIT_S))?;
        let began = |other: &Row| match &other.status {
            Status::Running(run) if other.profile == row.profile => Some(run.began),
            _ => None,
        };
        let last = self.rows.values().filter_map(began).chain(slots.last_start).max();
        Some(last.map_or(now, |last| later(last, AFTER_LIMIT_GAP_S)))
    }

    /// When the usage limits lift, or have lifted, that tickets of the row's profile have reached.
    fn limits(&self, row: &Row) -> impl Iterator<Item = (Timestamp, &'a TicketId)> {
        let needs_agent = !matches!(row.status, Status::Queued { next: NextRun::ChecksOnly, .. });
        self.reached
            .iter()
            .filter(move |(other, _)| needs_agent && other.profile == row.profile)
            .map(|(other, until)| (*until, &other.id))
    }
}

/// Until when the usage limit holds that a ticket with this agent has reached, and which ticket; `None`: none has, or a
/// person has let a ticket go on in spite of it, and knows better.
#[must_use]
pub fn spent_until<'a>(rows: &'a [Row], profile: &str, now: Timestamp) -> Option<(Timestamp, &'a TicketId)> {
    let with_it = || rows.iter().filter(|row| row.profile == profile);
    let reached = with_it().filter_map(|row| Some((row.limited_until?, &row.id))).max()?;
    let is_waived = with_it().any(|row| row.limit_waived.is_some_and(|waived| waived >= reached.0));
    (reached.0 > now && !is_waived).then_some(reached)
}

/// The runs that are set aside because another ticket with the same agent has reached a usage limit, and that limit. One
/// that a person has let go on in spite of that limit goes on.
#[must_use]
pub fn limited_with_others(rows: &Rows, now: Timestamp) -> Vec<(TicketId, AccountLimit)> {
    let limited = Limited::of(rows);
    let stops = |row: &&Row| row.running().is_some_and(limit_stops);
    let held = rows.values().filter(stops).filter_map(|row| limited.held_by(row, now).map(|held| (row, held)));
    let limit = |(until, by): (Timestamp, &TicketId)| AccountLimit { by: by.clone(), until };
    held.map(|(row, held)| (row.id.clone(), limit(held))).filter(|(id, limit)| *id != limit.by).collect()
}

fn later(at: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn allowed(row: &Row, slots: &Slots) -> bool {
    slots.only.as_ref().is_none_or(|only| only.contains(&row.id)) && !slots.held_back.contains(&row.id)
}

/// True once a back-off is over; one that is farther ahead than the longest is of a clock that was set back since.
fn has_come(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at.duration_since(now) > SignedDuration::from_secs(2 * machine::MAX_BACKOFF_S)
}

fn due(row: &Row, now: Timestamp) -> bool {
    match &row.status {
        Status::Queued { not_before, .. } => not_before.is_none_or(|at| has_come(at, now)),
        _ => false,
    }
}

/// What a person has just answered or sent back goes first; then by priority, then as accepted.
fn order(row: &Row) -> (u8, u8, Timestamp, &TicketId) {
    let waiting_person = match &row.status {
        Status::Queued {
            next:
                NextRun::Answered { .. }
                | NextRun::Corrected { .. }
                | NextRun::Continue { .. }
                | NextRun::Resume { .. }
                | NextRun::ChecksOnly,
            ..
        } => 0,
        _ => 1,
    };
    (waiting_person, row.priority, row.created, &row.id)
}

/// A queued ticket in the order in which tickets are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The ticket.
    pub id: TicketId,
    /// The dependencies that must be through before it starts.
    pub waits_for: Vec<TicketId>,
    /// Not before this time.
    pub not_before: Option<Timestamp>,
    /// It waits for a ticket that a person has to see to, or that never ends.
    pub stuck: bool,
}

/// The queued tickets in the order in which they would be started one at a time; those that wait for a person last.
#[must_use]
pub fn plan(rows: &Rows) -> Vec<Planned> {
    let mut left: Vec<&Row> = rows.values().filter(|row| matches!(row.status, Status::Queued { .. })).collect();
    left.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut planned: Vec<Planned> = Vec::new();
    let through = |id: &TicketId, planned: &[Planned]| {
        let done =
            rows.get(id).is_none_or(|row| row.satisfies_dependents() || matches!(row.status, Status::Running(_)));
        done || planned.iter().any(|before| before.id == *id)
    };
    let open = |id: &&TicketId| rows.get(*id).is_some_and(|row| !row.satisfies_dependents());
    while !left.is_empty() {
        let next = left.iter().position(|row| row.after.iter().all(|id| through(id, &planned)));
        let stuck = next.is_none() || planned.last().is_some_and(|last| last.stuck);
        let row = left.remove(next.unwrap_or(0));
        let not_before = match &row.status {
            Status::Queued { not_before, .. } => *not_before,
            _ => None,
        };
        let waits_for = row.after.iter().filter(open).cloned().collect();
        planned.push(Planned { id: row.id.clone(), waits_for, not_before, stuck });
    }
    planned
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
        // One that is no longer in the queue may have been the dead one: then a person lets the ticket go on.
        (Status::Parked(parked), None)
            if parked.reason == "dependency" && row.after.iter().all(|id| rows.contains_key(id)) =>
        {
            Some(DependencyNews::Back)
        }
        (Status::Queued { .. } | Status::Landed | Status::Cancelled { .. }, _) => None,
        _ if row.stacked_on.is_empty() => None,
        (_, dead) => {
            let stands = dead.map_or_else(|| stands(rows, row), Stands::Stale);
            match (&row.stale_base, stands) {
                (None, Stands::Stale(why)) if row.stale_accepted.as_ref() != Some(&why) => {
                    Some(DependencyNews::Stale { why })
                }
                (Some(_), Stands::Fresh) => Some(DependencyNews::Fresh),
                _ => None,
            }
        }
    }
}

/// How work stands to the tips of its dependencies.
enum Stands {
    /// On all of them, as they are now.
    Fresh,
    /// On a tip that one no longer has, or that is being worked on again.
    Stale(String),
    /// One is no longer in the queue, or says nothing of its tip.
    Unknown,
}

fn stands(rows: &Rows, row: &Row) -> Stands {
    let mut all = Stands::Fresh;
    for stacked in &row.stacked_on {
        let Some(dependency) = rows.get(&stacked.id) else {
            all = Stands::Unknown;
            continue;
        };
        match &dependency.status {
            Status::NeedsReview | Status::Reviewed { .. } | Status::Landed => {
                match dependency.proof.as_ref().and_then(|proof| proof.head.as_ref()) {
                    Some(head) if *head != stacked.commit => {
                        let head = head.get(..10).unwrap_or(head);
                        return Stands::Stale(format!("the branch of {} moved to {head}", stacked.id));
                    }
                    Some(_) => {}
                    None => all = Stands::Unknown,
                }
            }
            Status::Queued { .. } | Status::Running(_) | Status::Blocked(_) | Status::Parked(_) => {
                return Stands::Stale(format!("{} is being worked on again", stacked.id));
            }
            Status::Failed { .. } | Status::Cancelled { .. } => all = Stands::Unknown,
        }
    }
    all
}

/// Blocked tickets whose sessions are to be closed, so that no more than `keep_blocked` stay open: the oldest ones of
/// which `can_resume` says that their conversation can go on in a new session. Those that cannot all stay.
#[must_use]
pub fn to_close(rows: &Rows, keep_blocked: u32, can_resume: impl Fn(&Row) -> bool) -> Vec<TicketId> {
    let open: Vec<(&Row, &Blocked)> = rows
        .values()
        .filter_map(|row| match &row.status {
            Status::Blocked(blocked) if blocked.live && !blocked.is_retiring() => Some((row, blocked.as_ref())),
            _ => None,
        })
        .collect();
    let excess = open.len().saturating_sub(usize::try_from(keep_blocked).unwrap_or(usize::MAX));
    let mut closable: Vec<&Row> = open
        .into_iter()
        .filter(|(row, blocked)| blocked.retire == Retire::No && can_resume(row))
        .map(|(row, _)| row)
        .collect();
    closable.sort_by_key(|row| (row.changed, &row.id));
    closable.into_iter().take(excess).map(|row| row.id.clone()).collect()
}

#[cfg(test)]
mod tests;
