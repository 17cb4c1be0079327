//! How a run ends: the agent is ended first, then the outcome becomes the status.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        row::{Row, Status},
        run::{NextRun, Outcome, Parked, Phase, Run},
        ticket::Frozen,
    },
    timers::after,
};

/// Losses without blame after which a person is asked to look.
const MAX_LOSSES: u32 = 10;

/// Longest back-off after a crash, in seconds.
const MAX_BACKOFF_S: u64 = 300;

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
    let next = go_on(&row, frozen, detail_of(reason));
    let parked = Parked { reason: reason.to_owned(), detail: detail.into(), until: None, next };
    close(row, run, Outcome::Parked(parked), now)
}

fn detail_of(reason: &str) -> String {
    format!("the run was set aside ({reason})")
}

/// How the work goes on after an interruption: in the same conversation where that is possible, else in the next run.
pub(super) fn go_on(row: &Row, frozen: &Frozen, because: String) -> NextRun {
    if frozen.limits.resumable && row.conversation.is_some() && row.launch > 0 {
        NextRun::Resume { deliver: None }
    } else {
        NextRun::GoOn { because }
    }
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
    let doubled = limits.backoff_s.saturating_mul(1 << (row.crashes - 1).min(16));
    let not_before = Some(after(now, doubled.min(MAX_BACKOFF_S)));
    close(row, run, Outcome::Again { not_before, next: NextRun::GoOn { because: why.to_owned() } }, now)
}

/// The agent was lost and is not to blame: it goes on at once, but not for ever.
pub(super) fn lost(mut row: Row, run: Run, why: &str, frozen: &Frozen, now: Timestamp) -> (Row, Vec<Effect>) {
    row.losses += 1;
    row.pane = None;
    let next = go_on(&row, frozen, why.to_owned());
    if row.losses >= MAX_LOSSES {
        let detail = format!("{why}; this was the {MAX_LOSSES}th time");
        let parked = Parked { reason: "lost".into(), detail, until: None, next };
        return close(row, run, Outcome::Parked(parked), now);
    }
    close(row, run, Outcome::Again { not_before: None, next }, now)
}

/// The agent is ended: the outcome becomes the status.
pub(super) fn closed(mut row: Row, run: &Run, outcome: Outcome, now: Timestamp) -> Row {
    let worked = now.duration_since(run.began).as_secs().max(0);
    row.worked_s += u64::try_from(worked).unwrap_or(0);
    row.ended = Some(now);
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
