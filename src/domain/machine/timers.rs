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

/// A jump of the time of day: the clock was set, or the machine slept while the clock went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The time right after it.
    pub at: Timestamp,
    /// By how much; negative: set back.
    pub by: SignedDuration,
}

/// `time`, moved with the jumps that came after it: the time that passed in one is nobody's silence, and what one took
/// back is not waited for again.
#[must_use]
pub fn moved(time: Timestamp, jumps: &[Jump], now: Timestamp) -> Timestamp {
    jumps.iter().fold(time, |time, jump| {
        let is_before = if jump.by.is_positive() {
            jump.at.checked_sub(jump.by).is_ok_and(|before| time <= before)
        } else {
            time > now
        };
        if is_before { time.checked_add(jump.by).unwrap_or(time) } else { time }
    })
}

/// The next deadline of the row, if it has one. `began` is when this supervisor began: what should have become visible
/// in time could not be seen before. `moved` tells what a time of the row is by the clock as it goes now.
#[must_use]
pub fn deadline(
    row: &Row,
    frozen: &Frozen,
    began: Timestamp,
    moved: impl Fn(Timestamp) -> Timestamp,
) -> Option<(Timestamp, Timer)> {
    let limits = &frozen.limits;
    let since = |time: Timestamp| moved(time).max(moved(began));
    match &row.status {
        Status::Parked(parked) => parked.until.map(|until| (until, Timer::Parked)),
        Status::Running(run) => match run.phase {
            Phase::Launching | Phase::Booting => Some((after(since(run.since), limits.start_s), Timer::Start)),
            Phase::Pasting { .. } | Phase::Submitting { .. } => {
                Some((after(since(run.since), limits.delivery_s.saturating_mul(3)), Timer::Delivery))
            }
            Phase::Working => {
                let stall = (after(moved(run.alive), limits.stall_s), Timer::Stall);
                let limit = (limits.run_s > 0).then(|| (after(moved(run.began), limits.run_s), Timer::Limit));
                limit.into_iter().chain([stall]).min_by_key(|(at, _)| *at)
            }
            Phase::Proving { .. } => Some((after(since(run.since), PROOF_S), Timer::Proof)),
            Phase::Checking { ref done, .. } if done.len() < frozen.commands().count() => {
                let longest = limits.check_s.saturating_add(CHECK_GRACE_S);
                Some((after(since(run.since), longest), Timer::Check))
            }
            Phase::Checking { .. } => Some((after(since(run.since), PROOF_S), Timer::Proof)),
            // git and set-up commands are ended after their own limits; closing is tried again until nothing of the
            // agent lives on, since nothing else may begin in its tree before.
            Phase::Preparing | Phase::Closing { .. } => None,
        },
        Status::Blocked(blocked) => blocked.pressed.map(|at| (after(since(at), limits.delivery_s), Timer::Answer)),
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
    // What lies ahead of the clock is of one that was set back since: how long it waited is not known, and who asks is.
    let moved = |time| if time > now { Timestamp::MIN } else { time };
    deadline(row, frozen, Timestamp::MIN, moved).is_some_and(|(at, due)| due == timer && at <= now)
}

/// `since` and `seconds` later, as far as timestamps reach.
pub(super) fn after(since: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    since.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        samples,
        ticket::{Limits, WorktreeSetup},
    };

    #[test]
    fn the_time_of_a_jump_counts_for_nobody() {
        let time = samples::time;
        let day = SignedDuration::from_secs(86_400);
        let forward = [Jump { at: time(86_500), by: day }];
        assert_eq!(moved(time(90), &forward, time(86_501)), time(86_490), "ten seconds before it, then as now");
        assert_eq!(moved(time(86_500), &forward, time(86_501)), time(86_500), "what came after it stays");
        let back = [Jump { at: time(100), by: -day }];
        assert_eq!(moved(time(86_490), &back, time(101)), time(90));
        assert_eq!(moved(time(100), &back, time(101)), time(100));
        assert_eq!(moved(time(5), &[], time(6)), time(5));
    }

    #[test]
    fn a_deadline_asked_for_after_the_clock_was_set_back_has_passed() {
        let row = samples::row("T-1");
        let status = Status::Running(Box::new(samples::run(Phase::Working)));
        let row = Row { status, ..row };
        let (worktree, limits) = (WorktreeSetup::default(), Limits::default());
        let frozen = Frozen { checks: None, accept: vec![], permissions: vec![], worktree, limits };
        let alive = row.running().unwrap().alive;
        let stall = i64::try_from(frozen.limits.stall_s).unwrap();
        let at = |seconds: i64| alive.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        assert!(!has_passed(&row, &frozen, Timer::Stall, at(stall - 1)));
        assert!(has_passed(&row, &frozen, Timer::Stall, at(stall)));
        assert!(has_passed(&row, &frozen, Timer::Stall, at(-86_400)));
    }
}
