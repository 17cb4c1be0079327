//! What is due: the effects that carry a row on, and the deadline that ends its wait. Both are functions of the row,
//! so that a restart needs nothing else.

use jiff::{SignedDuration, Timestamp};

use super::super::{
    effect::Effect,
    event::Timer,
    row::{Row, Status},
    run::Phase,
    ticket::Frozen,
};

/// Longest time for a look at the worktree, in seconds: git itself is ended after two minutes, a look asks it a few times.
const PROOF_S: u64 = 900;

/// Longest time that a check may be late after its own limit, in seconds: the wrapper ends it.
const CHECK_GRACE_S: u64 = 120;

/// The effects of the row's phase. They are done when the phase begins and done again at a restart: each finds what
/// the first attempt made.
#[must_use]
pub fn pending(row: &Row, frozen: &Frozen) -> Vec<Effect> {
    let run = match &row.status {
        Status::Running(run) => run,
        Status::Blocked(blocked) if blocked.is_retiring() => return vec![Effect::Close],
        _ => return vec![],
    };
    match &run.phase {
        Phase::Preparing => vec![Effect::PrepareWorktree],
        Phase::Launching => vec![Effect::OpenSession],
        Phase::Pasting { delivery } => vec![Effect::Paste { delivery: delivery.clone() }],
        Phase::Submitting { delivery } => vec![Effect::Submit { delivery: delivery.clone() }],
        Phase::Proving { .. } => vec![Effect::Inspect],
        Phase::Checking { done, .. } => vec![next_check(row, frozen, done.len())],
        Phase::Closing { .. } => vec![Effect::Close],
        Phase::Booting | Phase::Working => vec![],
    }
}

/// The check with index `done`, or the last look after all of them.
pub(super) fn next_check(row: &Row, frozen: &Frozen, done: usize) -> Effect {
    match u32::try_from(done) {
        Ok(index) if done < frozen.commands().count() => Effect::RunCheck { round: row.check_round, index },
        _ => Effect::Inspect,
    }
}

/// The next deadline of the row, if it has one. `began` is when this supervisor began: what should have become visible
/// in time could not be seen before.
#[must_use]
pub fn deadline(row: &Row, frozen: &Frozen, began: Timestamp) -> Option<(Timestamp, Timer)> {
    let limits = &frozen.limits;
    match &row.status {
        Status::Parked(parked) => parked.until.map(|until| (until, Timer::Parked)),
        Status::Running(run) => match run.phase {
            Phase::Launching | Phase::Booting => Some((after(run.since.max(began), limits.start_s), Timer::Start)),
            Phase::Pasting { .. } | Phase::Submitting { .. } => {
                Some((after(run.since.max(began), limits.delivery_s.saturating_mul(3)), Timer::Delivery))
            }
            Phase::Working => {
                let stall = (after(run.alive, limits.stall_s), Timer::Stall);
                let limit = (limits.run_s > 0).then(|| (after(run.began, limits.run_s), Timer::Limit));
                limit.into_iter().chain([stall]).min_by_key(|(at, _)| *at)
            }
            Phase::Proving { .. } => Some((after(run.since.max(began), PROOF_S), Timer::Proof)),
            Phase::Checking { ref done, .. } if done.len() < frozen.commands().count() => {
                let longest = limits.check_s.saturating_add(CHECK_GRACE_S);
                Some((after(run.since.max(began), longest), Timer::Check))
            }
            Phase::Checking { .. } => Some((after(run.since.max(began), PROOF_S), Timer::Proof)),
            // git and set-up commands are ended after their own limits; closing is tried again until nothing of the
            // agent lives on, since nothing else may begin in its tree before.
            Phase::Preparing | Phase::Closing { .. } => None,
        },
        Status::Blocked(blocked) => blocked.pressed.map(|at| (after(at.max(began), limits.delivery_s), Timer::Answer)),
        Status::Queued { .. }
        | Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => None,
    }
}

/// True if the row waits for `timer`, and its time has come.
pub(super) fn has_passed(row: &Row, frozen: &Frozen, timer: Timer, now: Timestamp) -> bool {
    deadline(row, frozen, Timestamp::MIN).is_some_and(|(at, due)| due == timer && at <= now)
}

/// `since` and `seconds` later, as far as timestamps reach.
pub(super) fn after(since: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    since.checked_add(span).unwrap_or(Timestamp::MAX)
}
