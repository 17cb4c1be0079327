//! How a run ends: the agent is ended first, then the outcome becomes the status.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        row::{Row, Status},
        run::{LaunchKind, NextRun, Outcome, Parked, Phase, Purpose, Run},
        schedule::AccountLimit,
        screen::{ScreenState, Sighting},
        ticket::Frozen,
    },
    timers::after,
};

/// Losses without blame after which a person is asked to look.
pub(super) const MAX_LOSSES: u32 = 10;

/// Longest back-off after a crash, in seconds.
pub const MAX_BACKOFF_S: i64 = 300;

/// Ends the agent, and then `outcome`.
pub(super) fn close(mut row: Row, mut run: Run, outcome: Outcome, now: Timestamp) -> (Row, Vec<Effect>) {
    run.enter(Phase::Closing { outcome }, now);
    row.status = Status::Running(Box::new(run));
    (row, vec![Effect::Close])
}

/// Ends the agent and sets the ticket aside.
pub(super) fn park(
    row: Row,
    run: Run,
    reason: &str,
    detail: impl Into<String>,
    frozen: &Frozen,
    now: Timestamp,
) -> (Row, Vec<Effect>) {
    let next = go_on(&row, &run, frozen, format!("the run was set aside ({reason})"));
    let parked = Parked { reason: reason.to_owned(), detail: detail.into(), until: None, next };
    close(row, run, Outcome::Parked(parked), now)
}

/// Seconds until the next try where the limit is said to have lifted already.
const LIMIT_AGAIN_S: u64 = 300;

/// Ends the agent and sets the ticket aside until its usage limit lifts; where nobody said when, until a person says so.
pub(super) fn park_limited(
    mut row: Row,
    run: Run,
    detail: &str,
    lifts: Option<Timestamp>,
    frozen: &Frozen,
    now: Timestamp,
) -> (Row, Vec<Effect>) {
    let next = go_on(&row, &run, frozen, "the run was set aside (usage_limit)".into());
    // A time that has passed is no time to wait for: it would be tried again at once, and for ever.
    let until = lifts
        .map(|at| after(at, frozen.limits.after_reset_s))
        .map(|at| if at > now { at } else { after(now, LIMIT_AGAIN_S) });
    row.limited_until = until;
    let parked = Parked { reason: "usage_limit".into(), detail: detail.to_owned(), until, next };
    close(row, run, Outcome::Parked(parked), now)
}

/// Sets a run aside because another ticket, with the same agent, has reached a usage limit: as soon as its agent works,
/// or before there is one. A launch or a delivery under way is let come to its end, which is near and then certain.
pub(super) fn park_with(
    row: Row,
    run: Run,
    limit: &AccountLimit,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    let AccountLimit { by, until } = limit;
    if !limit_stops(&run) || *until <= now {
        return None;
    }
    let next = go_on(&row, &run, frozen, format!("the run was set aside (usage_limit of {by})"));
    let detail = format!("not its own: {by}, with the same agent, has reached a usage limit");
    let parked = Parked { reason: "usage_limit".into(), detail, until: Some(*until), next };
    Some(close(row, run, Outcome::Parked(parked), now))
}

/// True if a usage limit of its account is a reason to set the run aside now.
#[must_use]
pub fn limit_stops(run: &Run) -> bool {
    match run.phase {
        Phase::Preparing | Phase::Working => true,
        Phase::Launching
        | Phase::Booting
        | Phase::Pasting { .. }
        | Phase::Submitting { .. }
        | Phase::Proving { .. }
        | Phase::Checking { .. }
        | Phase::Closing { .. } => false,
    }
}

/// True if the latest conversation can go on in a new launch.
#[must_use]
pub fn can_resume(row: &Row, frozen: &Frozen) -> bool {
    frozen.limits.resumable && row.conversation.is_some() && row.launch > 0
}

/// True if the agent of this run cannot have got its prompt yet.
fn is_untold(run: &Run, frozen: &Frozen) -> bool {
    let no_other = run.then_deliver.as_ref().is_none_or(|purpose| *purpose == Purpose::Ticket);
    run.start == LaunchKind::Fresh
        && match &run.phase {
            Phase::Preparing => true,
            Phase::Launching | Phase::Booting => no_other && !frozen.limits.argument,
            Phase::Pasting { delivery } => delivery.purpose == Purpose::Ticket && !delivery.enter_intended,
            Phase::Submitting { .. }
            | Phase::Working
            | Phase::Proving { .. }
            | Phase::Checking { .. }
            | Phase::Closing { .. } => false,
        }
}

/// What was on its way to the agent and cannot have reached it: a person's words, or the prompt of a further run.
fn undelivered(run: &Run) -> Option<Purpose> {
    let waiting = match &run.phase {
        Phase::Preparing | Phase::Launching | Phase::Booting => run.then_deliver.clone(),
        Phase::Pasting { delivery } if !delivery.enter_intended => Some(delivery.purpose.clone()),
        Phase::Pasting { .. }
        | Phase::Submitting { .. }
        | Phase::Working
        | Phase::Proving { .. }
        | Phase::Checking { .. }
        | Phase::Closing { .. } => None,
    };
    // The prompt is said again only where the conversation is an older one, which does not hold it.
    waiting.filter(|purpose| match purpose {
        Purpose::Answer | Purpose::Send => true,
        Purpose::Ticket => run.start == LaunchKind::Resume,
        Purpose::Commit
        | Purpose::NoChange
        | Purpose::Feedback { .. }
        | Purpose::Nudge
        | Purpose::GoOn
        | Purpose::Denied { .. } => false,
    })
}

/// How the work goes on after an interruption: in the same conversation where that is possible, else in the next run.
/// What a person said is said again there, unless the agent has it.
pub(super) fn go_on(row: &Row, run: &Run, frozen: &Frozen, because: String) -> NextRun {
    if run.task == NextRun::ChecksOnly || row.launch == 0 || is_untold(run, frozen) {
        return run.task.clone();
    }
    let instead = run.task.clone().again(because);
    if can_resume(row, frozen) {
        NextRun::Resume { deliver: undelivered(run), instead: Some(Box::new(instead)) }
    } else {
        instead
    }
}

fn back_off(count: u32, frozen: &Frozen, now: Timestamp) -> Timestamp {
    let doubled = frozen.limits.backoff_s.saturating_mul(1 << count.saturating_sub(1).min(16));
    after(now, doubled.min(MAX_BACKOFF_S.unsigned_abs()))
}

/// The agent failed by itself: the next run after a back-off, or the end.
pub(super) fn crash(mut row: Row, run: Run, why: &str, frozen: &Frozen, now: Timestamp) -> (Row, Vec<Effect>) {
    row.crashes += 1;
    row.pane = None;
    let limits = &frozen.limits;
    if row.crashes >= limits.crashes.max(1) {
        let reason = format!("{why} (crash {} of {})", row.crashes, limits.crashes.max(1));
        return close(row, run, Outcome::Failed { reason }, now);
    }
    let next = if is_untold(&run, frozen) { run.task.clone() } else { run.task.clone().again(why.to_owned()) };
    let not_before = Some(back_off(row.crashes, frozen, now));
    close(row, run, Outcome::Again { not_before, next }, now)
}

/// The agent was lost and is not to blame: it goes on at once, but not for ever.
pub(super) fn lost(row: Row, run: Run, why: &str, frozen: &Frozen, now: Timestamp) -> (Row, Vec<Effect>) {
    blameless(row, run, "lost", why, None, frozen, now)
}

/// git, tmux or the machine was in the way, not the agent: it goes on after a back-off, but not for ever.
pub(super) fn hindered(row: Row, run: Run, why: &str, frozen: &Frozen, now: Timestamp) -> (Row, Vec<Effect>) {
    let not_before = Some(back_off(row.losses + 1, frozen, now));
    blameless(row, run, "start", why, not_before, frozen, now)
}

/// The agent has given up. Where its service is overloaded or cannot be reached, it goes on after a back-off, in the same
/// conversation where that can be, but not for ever; any other error is a person's.
pub(super) fn given_up(row: Row, run: Run, seen: &Sighting, frozen: &Frozen, now: Timestamp) -> (Row, Vec<Effect>) {
    if seen.state != ScreenState::Overloaded {
        return park(row, run, "error", &seen.text, frozen, now);
    }
    let not_before = Some(back_off(row.losses + 1, frozen, now));
    blameless(row, run, "overloaded", &seen.text, not_before, frozen, now)
}

fn blameless(
    mut row: Row,
    run: Run,
    reason: &str,
    why: &str,
    not_before: Option<Timestamp>,
    frozen: &Frozen,
    now: Timestamp,
) -> (Row, Vec<Effect>) {
    row.losses += 1;
    row.pane = None;
    let next = go_on(&row, &run, frozen, why.to_owned());
    let outcome = if row.losses >= MAX_LOSSES {
        let detail = format!("{why}; this was the {MAX_LOSSES}th time");
        Outcome::Parked(Parked { reason: reason.to_owned(), detail, until: None, next })
    } else {
        Outcome::Again { not_before, next }
    };
    close(row, run, outcome, now)
}

/// The run has worked until `at`: that goes into the row, once for each run.
pub(super) fn count_work(row: &mut Row, run: &Run, at: Timestamp) {
    row.worked_s += u64::try_from(at.duration_since(run.began).as_secs()).unwrap_or(0);
    row.ended = Some(at);
}

/// The agent is ended: the outcome becomes the status.
pub(super) fn closed(mut row: Row, run: &Run, outcome: Outcome, now: Timestamp) -> Row {
    count_work(&mut row, run, now);
    row.pane = None;
    row.status = match outcome {
        Outcome::Review => Status::NeedsReview,
        Outcome::Again { not_before, next } => Status::Queued { not_before, next },
        Outcome::Parked(parked) => Status::Parked(Box::new(parked)),
        Outcome::Failed { reason } => Status::Failed { reason },
        Outcome::Cancelled { by } => Status::Cancelled { by },
    };
    row
}
