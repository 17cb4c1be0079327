//! One step: what comes of an event, whatever the ticket's status.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        event::Event,
        risk::RiskOrigin,
        row::{Row, Status},
        ticket::Frozen,
    },
    blocked, running, still,
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
    pub hint: String,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }
}

/// What the handlers of this machine return.
pub(super) type Outcome = Result<Option<(Row, Vec<Effect>)>, Refusal>;

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
    if let Event::Reported { report, summary, flags, risks } = event {
        // What another run said is not taken for this one's, whoever let it through.
        if row.run_id().is_none_or(|run| run.to_string() != report.run) || row.key.as_ref() != Some(&report.key) {
            return Ok(None);
        }
        row.risk_summary = *summary;
        row.flags = *flags;
        row.risk_sources.retain(|s| s.source != RiskOrigin::Agent);
        row.risk_sources.extend(risks.iter().cloned());
    }
    if let Event::Recorded { launch, noted, .. } = event {
        if *launch != row.launch || !matches!(row.status, Status::Running(_) | Status::Blocked(_)) {
            return Ok(None);
        }
        row.note_usage(noted);
    }
    if let Event::Dependency { news } = event {
        return Ok(still::dependency(row, news));
    }
    // For the record only: every key and every disbelieved report stands in the books.
    let is_an_answer = matches!(row.status, Status::Blocked(_)) && matches!(event, Event::Keyed { .. });
    if matches!(event, Event::Keyed { .. } | Event::ReportRejected { .. }) && !is_an_answer {
        return Ok(Some((row, vec![])));
    }
    match row.status.clone() {
        Status::Queued { next, .. } => still::queued(row, next, frozen, event, now),
        Status::Running(run) => running::handle(row, *run, frozen, event, now),
        Status::Blocked(blocked) => blocked::handle(row, *blocked, frozen, event, now),
        Status::Parked(parked) => still::parked(row, *parked, frozen, event, now),
        Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => still::settled(row, frozen, event),
    }
}

/// Takes a report of decisions, flags and notes into a row that does nothing else with it.
pub(super) fn tally_only(row: Row, event: &Event) -> Outcome {
    Ok(matches!(event, Event::Reported { .. }).then_some((row, vec![])))
}
