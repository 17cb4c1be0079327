//! Tickets that nobody works on: queued, parked, or come to their end; and what becomes of their dependencies.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        event::{DependencyNews, Event, Request, Timer},
        row::{Row, Status},
        run::{Claim, LaunchKind, NextRun, Parked, Phase, Purpose, Run},
    },
    Outcome, person, tally_only,
};

pub(super) fn queued(mut row: Row, next: NextRun, event: &Event, now: Timestamp) -> Outcome {
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
                        claim: Claim { summary: proof.summary, no_change: proof.no_change, claimed: true },
                    };
                    // Nobody is there to be asked.
                    run.asked_to_commit = true;
                    run.asked_why_no_change = true;
                    row.pane = None;
                    row.status = Status::Running(Box::new(run));
                    return Ok(Some((row, vec![Effect::Inspect])));
                }
                NextRun::Resume { deliver } if row.run > 0 => {
                    run.start = LaunchKind::Resume;
                    run.then_deliver = Some(deliver.unwrap_or(Purpose::GoOn));
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

pub(super) fn parked(mut row: Row, parked: Parked, event: &Event) -> Outcome {
    match event {
        Event::Deadline { timer: Timer::Parked } => {
            row.status = Status::Queued { not_before: None, next: parked.next };
            Ok(Some((row, vec![])))
        }
        Event::Asked { by, request } => person::waiting(row, Some(parked.next), by, request),
        _ => tally_only(row, event),
    }
}

pub(super) fn settled(mut row: Row, event: &Event) -> Outcome {
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

pub(super) fn dependency(mut row: Row, news: &DependencyNews) -> Option<(Row, Vec<Effect>)> {
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
