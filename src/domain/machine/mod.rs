//! The state machine of a ticket: `step(row, event, now)` gives the next row and what is to be done in the world.
//!
//! Pure and synchronous. Whoever calls it commits the result before acting on it. An event that does not fit the row
//! (a late answer of an effect that is no longer wanted, a repeated report) is ignored, never an error; a request that
//! cannot be met is refused with words for the person who asked.

mod blocked;
mod claim;
mod ending;
mod person;
mod running;
mod timers;

pub use person::low_gate;
pub use timers::{deadline, pending};

use jiff::Timestamp;

use super::{
    effect::Effect,
    event::{DependencyNews, Event, Request, Timer},
    risk::RiskOrigin,
    row::{Row, Status},
    run::{NextRun, Parked, Phase, Run},
    ticket::Frozen,
};

/// What came of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The row changes; these effects are to be done once it is committed.
    Next {
        /// The new row.
        row: Box<Row>,
        /// What to do.
        effects: Vec<Effect>,
    },
    /// Nothing changes: the event says nothing new, or comes too late.
    Ignored,
    /// The request cannot be met.
    Refused(Refusal),
}

/// Why a request cannot be met, for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// What can be done instead.
    pub hint: Option<String>,
}

impl Refusal {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: Some(hint.into()) }
    }
}

/// What the handlers of this machine return.
type Outcome = Result<Option<(Row, Vec<Effect>)>, Refusal>;

/// Takes one step.
#[must_use]
pub fn step(row: &Row, frozen: &Frozen, event: &Event, now: Timestamp) -> Step {
    match handle(row.clone(), frozen, event, now) {
        Ok(Some((mut next, effects))) => {
            if next.status.word() != row.status.word() {
                next.changed = now;
            }
            Step::Next { row: Box::new(next), effects }
        }
        Ok(None) => Step::Ignored,
        Err(refusal) => Step::Refused(refusal),
    }
}

fn handle(mut row: Row, frozen: &Frozen, event: &Event, now: Timestamp) -> Outcome {
    if let Event::Reported { summary, flags, risks, .. } = event {
        row.risk_summary = *summary;
        row.flags = *flags;
        row.risk_sources.retain(|s| s.source != RiskOrigin::Agent);
        row.risk_sources.extend(risks.iter().cloned());
    }
    if let Event::Dependency { news } = event {
        return Ok(dependency(row, news));
    }
    // For the record only: every key and every disbelieved report stands in the books.
    if let Event::Keyed { .. } | Event::ReportRejected { .. } = event {
        return Ok(Some((row, vec![])));
    }
    match row.status.clone() {
        Status::Queued { next, .. } => queued(row, next, event, now),
        Status::Running(run) => running::handle(row, *run, frozen, event, now),
        Status::Blocked(blocked) => blocked::handle(row, *blocked, frozen, event, now),
        Status::Parked(parked) => parked_ticket(row, *parked, event),
        Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => settled(row, event),
    }
}

/// Takes a report of decisions, flags and notes into a row that does nothing else with it.
fn tally_only(row: Row, event: &Event) -> Outcome {
    Ok(matches!(event, Event::Reported { .. }).then_some((row, vec![])))
}

fn queued(mut row: Row, next: NextRun, event: &Event, now: Timestamp) -> Outcome {
    match event {
        Event::Accepted { row: first } | Event::Updated { row: first } => Ok(Some((first.as_ref().clone(), vec![]))),
        Event::Start { key, conversation } => {
            let mut run = Run::new(now);
            run.task = next.clone();
            row.started.get_or_insert(now);
            match next {
                NextRun::ChecksOnly if row.run > 0 => {
                    let proof = row.proof.take().unwrap_or_default();
                    run.phase = Phase::Proving {
                        claim: super::run::Claim { summary: proof.summary, no_change: proof.no_change, claimed: true },
                    };
                    // Nobody is there to be asked.
                    run.asked_to_commit = true;
                    run.asked_why_no_change = true;
                    row.pane = None;
                    row.status = Status::Running(Box::new(run));
                    return Ok(Some((row, vec![Effect::Inspect])));
                }
                NextRun::Resume { deliver } if row.run > 0 => {
                    run.start = super::run::LaunchKind::Resume;
                    run.then_deliver = Some(deliver.unwrap_or(super::run::Purpose::GoOn));
                }
                NextRun::Ticket
                | NextRun::GoOn { .. }
                | NextRun::Answered { .. }
                | NextRun::Corrected { .. }
                | NextRun::ChecksOnly
                | NextRun::Resume { .. } => {
                    row.run += 1;
                    row.launch = 0;
                    row.delivery = 0;
                    row.check_round = 0;
                    row.key = Some(key.clone());
                    row.conversation.clone_from(conversation);
                }
            }
            row.proof = None;
            row.ended = None;
            row.status = Status::Running(Box::new(run));
            Ok(Some((row, vec![Effect::PrepareWorktree])))
        }
        Event::FoundLanded => Ok(None),
        Event::Asked { by, request } => person::queued(row, next, by, request),
        _ => tally_only(row, event),
    }
}

fn parked_ticket(mut row: Row, parked: Parked, event: &Event) -> Outcome {
    match event {
        Event::Deadline { timer: Timer::Parked } => {
            row.status = Status::Queued { not_before: None, next: parked.next };
            Ok(Some((row, vec![])))
        }
        Event::Asked { by, request } => person::waiting(row, Some(parked.next), by, request),
        _ => tally_only(row, event),
    }
}

fn settled(mut row: Row, event: &Event) -> Outcome {
    match event {
        Event::FoundLanded if matches!(row.status, Status::Reviewed { .. }) => {
            row.status = Status::Landed;
            Ok(Some((row, vec![])))
        }
        Event::Asked { by, request: Request::Approve { low } } => person::approve(row, by, *low),
        Event::Asked { by, request } => person::waiting(row, None, by, request),
        _ => tally_only(row, event),
    }
}

fn dependency(mut row: Row, news: &DependencyNews) -> Option<(Row, Vec<Effect>)> {
    match (news, row.status.clone()) {
        (DependencyNews::Dead { why }, Status::Queued { next, .. }) => {
            let parked = Parked { reason: "dependency".into(), detail: why.clone(), until: None, next };
            row.status = Status::Parked(Box::new(parked));
        }
        (DependencyNews::Back, Status::Parked(parked)) if parked.reason == "dependency" => {
            row.status = Status::Queued { not_before: None, next: parked.next };
        }
        (DependencyNews::Stale { why }, _) if row.stale_base.is_none() && row.base_commit.is_some() => {
            row.stale_base = Some(why.clone());
        }
        (DependencyNews::Fresh, _) if row.stale_base.is_some() => row.stale_base = None,
        _ => return None,
    }
    Some((row, vec![]))
}

#[cfg(test)]
mod tests;
