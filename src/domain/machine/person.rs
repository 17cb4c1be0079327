//! What a person can ask of a ticket that is not blocked, and what approval wants.

use jiff::Timestamp;

use super::{
    super::{
        check::ChecksStatus,
        effect::Effect,
        event::{Request, Retry},
        risk::Tier,
        row::{Row, Status},
        run::{NextRun, Outcome, Parked, Phase, Purpose, Run},
        ticket::Frozen,
    },
    Outcome as Stepped, Refusal, ending,
    running::{close_with, deliver},
};

/// A person has looked at the ticket: what went wrong before does not count against it any more.
pub(super) fn touched(row: &mut Row) {
    row.crashes = 0;
    row.losses = 0;
    row.limited_until = None;
}

pub(super) fn stopped(detail: String, next: NextRun) -> Outcome {
    Outcome::Parked(Parked { reason: "stopped".into(), detail, until: None, next })
}

/// Requests to a queued ticket.
pub(super) fn queued(mut row: Row, next: NextRun, frozen: &Frozen, by: &str, request: &Request) -> Stepped {
    match request {
        Request::Cancel => {
            row.status = Status::Cancelled { by: by.to_owned() };
        }
        Request::Stop => {
            let parked = Parked { reason: "stopped".into(), detail: format!("by {by}"), until: None, next };
            row.status = Status::Parked(Box::new(parked));
        }
        Request::Park { reason, until } => {
            let parked = Parked { reason: reason.clone(), detail: format!("by {by}"), until: *until, next };
            row.status = Status::Parked(Box::new(parked));
        }
        Request::Resume => {
            touched(&mut row);
            row.status = Status::Queued { not_before: None, next };
        }
        Request::Retry { how: Retry::Again } => {
            touched(&mut row);
            let next = from_the_start(&mut row, Some(next), by);
            row.status = Status::Queued { not_before: None, next };
        }
        Request::Retry { how: Retry::Resume } => {
            touched(&mut row);
            let next = continued(&row, Some(&next), frozen, by)?;
            row.status = Status::Queued { not_before: None, next };
        }
        Request::SetTier { tier } => row.tier_set = Some(*tier),
        Request::AcceptStale if row.stale_base.is_some() => accept_stale(&mut row),
        _ if row.run > 0 => {
            return Err(Refusal::new(
                format!("{} is queued for its next run", row.id),
                format!("wait for it, or: autodo stop {}", row.id),
            ));
        }
        Request::Answer { .. }
        | Request::Send { .. }
        | Request::Approve { .. }
        | Request::Reject { .. }
        | Request::AcceptStale
        | Request::Retry { how: Retry::ChecksOnly } => {
            return Err(Refusal::new(format!("{} has not been worked on yet", row.id), "autodo dispatch starts it"));
        }
    }
    Ok(Some((row, vec![])))
}

/// Why everything is done again, for the agent.
pub(super) fn all_again(by: &str) -> String {
    format!("{by} asked for another run; everything is to be done again")
}

/// What a `retry` leads to. What a person said before is said again.
fn from_the_start(row: &mut Row, next: Option<NextRun>, by: &str) -> NextRun {
    if row.run == 0 {
        return next.unwrap_or_default();
    }
    row.epoch += 1;
    match next {
        Some(NextRun::ChecksOnly) | None => NextRun::GoOn { because: all_again(by) },
        Some(next) => next.again(all_again(by)),
    }
}

/// What a `retry --resume` leads to.
pub(super) fn continued(row: &Row, next: Option<&NextRun>, frozen: &Frozen, by: &str) -> Result<NextRun, Refusal> {
    let conversation = match next {
        Some(NextRun::Continue { conversation, .. }) => Some(conversation.clone()),
        _ if ending::can_resume(row, frozen) => row.conversation.clone(),
        _ => None,
    };
    let because = format!("{by} asked for another run in the same conversation");
    conversation.map(|conversation| NextRun::Continue { conversation, because }).ok_or_else(|| {
        Refusal::new(
            format!("{} has no conversation that can go on", row.id),
            format!("autodo retry --fresh {} has it done again in a new one", row.id),
        )
    })
}

/// The work is taken as it stands; the same news is not raised again.
pub(super) fn accept_stale(row: &mut Row) {
    if let Some(why) = row.stale_base.take() {
        row.stale_accepted = Some(why);
    }
}

/// Requests to a run at work.
pub(super) fn running(mut row: Row, run: Run, frozen: &Frozen, by: &str, request: &Request, now: Timestamp) -> Stepped {
    let closing = match &run.phase {
        Phase::Closing { outcome } => Some(outcome.clone()),
        _ => None,
    };
    match request {
        Request::Cancel => {
            let outcome = Outcome::Cancelled { by: by.to_owned() };
            if closing.is_some() {
                return Ok(Some(close_with(row, run, outcome)));
            }
            Ok(Some(ending::close(row, run, outcome, now)))
        }
        Request::Stop | Request::Park { .. } => {
            let next = match &closing {
                Some(Outcome::Again { next, .. }) => next.clone(),
                Some(Outcome::Parked(parked)) => parked.next.clone(),
                Some(_) | None => ending::go_on(&row, &run, frozen, format!("{by} stopped it")),
            };
            let outcome = match request {
                Request::Park { reason, until } => {
                    Outcome::Parked(Parked { reason: reason.clone(), detail: format!("by {by}"), until: *until, next })
                }
                _ => stopped(format!("by {by}"), next),
            };
            match closing {
                None => Ok(Some(ending::close(row, run, outcome, now))),
                Some(Outcome::Again { .. } | Outcome::Parked(Parked { until: Some(_), .. })) => {
                    Ok(Some(close_with(row, run, outcome)))
                }
                Some(_) => Err(Refusal::new(format!("{} is coming to its end already", row.id), "autodo list")),
            }
        }
        Request::Send { .. } => match run.phase {
            Phase::Working => Ok(deliver(row, run, Purpose::Send, now)),
            Phase::Preparing
            | Phase::Launching
            | Phase::Booting
            | Phase::Pasting { .. }
            | Phase::Submitting { .. }
            | Phase::Proving { .. }
            | Phase::Checking { .. }
            | Phase::Closing { .. } => Err(Refusal::new(
                format!("{} takes no text now (it is {})", row.id, run.phase.word()),
                "try again when it works, or look: autodo show",
            )),
        },
        Request::SetTier { tier } => {
            row.tier_set = Some(*tier);
            Ok(Some((row, vec![])))
        }
        Request::AcceptStale if row.stale_base.is_some() => {
            accept_stale(&mut row);
            Ok(Some((row, vec![])))
        }
        Request::AcceptStale => Err(not_now(&row, request)),
        Request::Answer { .. } => {
            Err(Refusal::new(format!("{} asks nothing", row.id), format!("autodo send {} \"…\" types into it", row.id)))
        }
        Request::Approve { .. } | Request::Reject { .. } | Request::Resume | Request::Retry { .. } => {
            Err(Refusal::new(format!("{} is running", row.id), format!("wait for it, or: autodo stop {}", row.id)))
        }
    }
}

/// Requests to a ticket on which nothing is at work: parked, to review, reviewed, failed, cancelled.
/// `next` is what a parked one would go on with.
pub(super) fn waiting(mut row: Row, next: Option<NextRun>, frozen: &Frozen, by: &str, request: &Request) -> Stepped {
    let is_parked = next.is_some();
    let is_over = matches!(row.status, Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. });
    if row.status.is_final() && !matches!(request, Request::Retry { how: Retry::Again | Retry::Resume }) {
        return Err(over(&row));
    }
    let again = |row: &mut Row, next: NextRun| {
        touched(row);
        // It is tried in spite of the limit, also of one that another ticket has reached.
        if let Status::Parked(parked) = &row.status
            && parked.reason == "usage_limit"
        {
            row.limit_waived = parked.until.or(row.limit_waived);
        }
        row.status = Status::Queued { not_before: None, next };
    };
    match request {
        Request::Resume if row.run == 0 => again(&mut row, next.unwrap_or_default()),
        Request::Resume if is_over => return Err(over(&row)),
        Request::Resume => {
            let go_on = NextRun::GoOn { because: format!("{by} resumed it") };
            let default = if ending::can_resume(&row, frozen) {
                NextRun::Resume { deliver: None, instead: Some(Box::new(go_on)) }
            } else {
                go_on
            };
            again(&mut row, next.unwrap_or(default));
        }
        Request::Retry { how: Retry::Again } => {
            let next = from_the_start(&mut row, next, by);
            again(&mut row, next);
        }
        Request::Retry { how: Retry::Resume } => {
            let next = continued(&row, next.as_ref(), frozen, by)?;
            again(&mut row, next);
        }
        Request::Retry { how: Retry::ChecksOnly } if row.run > 0 && row.base_commit.is_some() => {
            again(&mut row, NextRun::ChecksOnly);
        }
        Request::Retry { how: Retry::ChecksOnly } => {
            return Err(Refusal::new(format!("{} has no work to check yet", row.id), "autodo dispatch starts it"));
        }
        Request::Reject { correction } if matches!(row.status, Status::NeedsReview | Status::Reviewed { .. }) => {
            row.tier_set = None;
            again(&mut row, NextRun::Corrected { correction: correction.clone() });
        }
        Request::Cancel => row.status = Status::Cancelled { by: by.to_owned() },
        Request::SetTier { tier } => row.tier_set = Some(*tier),
        Request::AcceptStale if row.stale_base.is_some() => accept_stale(&mut row),
        Request::Stop | Request::Park { .. } if is_parked => return Ok(None),
        Request::Stop
        | Request::Park { .. }
        | Request::Send { .. }
        | Request::Answer { .. }
        | Request::AcceptStale
        | Request::Approve { .. }
        | Request::Reject { .. } => return Err(not_now(&row, request)),
    }
    Ok(Some((row, vec![])))
}

fn over(row: &Row) -> Refusal {
    let id = &row.id;
    let hint = match row.status {
        Status::Reviewed { .. } => format!("autodo reject {id} -m \"…\" sends it back"),
        _ => format!("autodo retry {id} has it done again"),
    };
    Refusal::new(format!("{id} is {} already", row.status.word()), hint)
}

pub(super) fn not_now(row: &Row, request: &Request) -> Refusal {
    let what = match request {
        Request::Stop | Request::Park { .. } => "is not running",
        Request::Send { .. } => "has no agent to send to",
        Request::Answer { .. } => "asks nothing",
        Request::Approve { .. } | Request::Reject { .. } => "is not up for review",
        Request::Cancel => "is over already",
        Request::AcceptStale => "stands on no stale base",
        Request::Resume | Request::Retry { .. } | Request::SetTier { .. } => "does not take this now",
    };
    let hint = match request {
        Request::Send { .. } => format!("autodo resume {0} opens its conversation again, then send", row.id),
        _ => format!("autodo show {} tells where it is", row.id),
    };
    Refusal::new(format!("{} is {} and {what}", row.id, row.status.word()), hint)
}

/// Approval by a person, one by one (`low: false`) or in bulk (`low: true`).
pub(super) fn approve(mut row: Row, by: &str, low: bool) -> Result<Option<(Row, Vec<Effect>)>, Refusal> {
    match row.status {
        Status::NeedsReview => {}
        Status::Reviewed { .. } | Status::Landed => return Ok(None),
        _ => return Err(not_now(&row, &Request::Approve { low })),
    }
    if low && let Err(reasons) = low_gate(&row) {
        return Err(Refusal::new(
            format!("{} is not low risk: {}", row.id, reasons.join(", ")),
            format!("read it: autodo review {0}; then autodo approve {0}", row.id),
        ));
    }
    row.status = Status::Reviewed { by: by.to_owned() };
    Ok(Some((row, vec![])))
}

/// What `approve-low` wants of a ticket up for review.
///
/// # Errors
/// Each reason why it is not approved, in a few words.
pub fn low_gate(row: &Row) -> Result<(), Vec<String>> {
    let mut reasons = Vec::new();
    let summary = row.risk_summary;
    for (count, tier) in [(summary.medium, Tier::Medium), (summary.high, Tier::High), (summary.blocked, Tier::Blocked)]
    {
        if count > 0 {
            reasons.push(format!("{count} {tier} decision{}", if count == 1 { "" } else { "s" }));
        }
    }
    let flags = row.flags_count();
    if flags > 0 {
        reasons.push(format!("{flags} flag{}", if flags == 1 { "" } else { "s" }));
    }
    match &row.proof {
        None => reasons.push("not verified: no claim".into()),
        Some(proof) => {
            let is_said_below = proof.reason.as_deref() == Some("checks_failed");
            if !proof.verified && !is_said_below {
                reasons.push(format!("not verified: {}", proof.reason.as_deref().unwrap_or("unknown")));
            } else if proof.reason.as_deref() == Some("no_change") {
                reasons.push("nothing was changed".into());
            }
            match proof.checks_status {
                ChecksStatus::Green | ChecksStatus::None => {}
                ChecksStatus::Unset => reasons.push("nobody has said which checks the project has".into()),
                ChecksStatus::NotRun => reasons.push("checks not run".into()),
                ChecksStatus::Failed => reasons.push("checks failed".into()),
            }
        }
    }
    if let Some(why) = &row.stale_base {
        reasons.push(format!("its base is stale: {why}"));
    }
    let risk = row.effective_risk();
    if risk > summary.maximum().max(Tier::Low) {
        let why = row.risk_sources.iter().find(|s| s.tier == risk).map_or("", |s| s.why.as_str());
        reasons.push(format!("effective risk {risk}: {why}"));
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        risk::{RiskOrigin, RiskSource},
        row::Proof,
        samples,
    };

    #[test]
    fn the_gate_names_a_risk_that_the_decisions_do_not_show() {
        let mut row = samples::row("T-1");
        row.proof = Some(Proof { verified: true, checks_status: ChecksStatus::Green, ..Proof::default() });
        assert_eq!(low_gate(&row), Ok(()));
        let why = "continuous integration: .github/workflows/test.yml".to_owned();
        row.risk_sources = vec![RiskSource { source: RiskOrigin::Diff, tier: Tier::High, why: why.clone() }];
        assert_eq!(low_gate(&row), Err(vec!["1 flag".to_owned(), format!("effective risk high: {why}")]));
        row.risk_summary.high = 1;
        assert_eq!(low_gate(&row), Err(vec!["1 high decision".to_owned()]));
    }
}
