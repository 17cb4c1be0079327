//! Tickets that nobody works on: queued, parked, or come to their end; and what becomes of their dependencies.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        event::{DependencyNews, Event, Request, Timer},
        id::RunKey,
        row::{Proof, Row, Status},
        run::{Claim, LaunchKind, NextRun, Parked, Phase, Purpose, Run},
        ticket::Frozen,
        usage::{Mark, Tokens},
    },
    Outcome, ending, person, tally_only, timers,
};

pub(super) fn queued(mut row: Row, next: NextRun, frozen: &Frozen, event: &Event, now: Timestamp) -> Outcome {
    match event {
        // What its author wrote; all else is the queue's own, and may be newer than what was edited.
        Event::Updated { row: edited } if edited.id == row.id => {
            let edited = edited.as_ref().clone();
            let (title, priority, after, profile) = (edited.title, edited.priority, edited.after, edited.profile);
            Ok(Some((
                Row { title, priority, after, profile, labels: edited.labels, source: edited.source, ..row },
                vec![],
            )))
        }
        Event::Start { key, conversation } => {
            let mut run = Run::new(now);
            row.started.get_or_insert(now);
            row.ended = None;
            row.pane = None;
            let goes_on = match &next {
                // Its conversation was there when it was asked for, whatever has been launched since.
                NextRun::Continue { .. } => frozen.limits.resumable,
                _ => ending::can_resume(&row, frozen),
            };
            let next = if goes_on { next } else { next.in_a_new_run() };
            run.task = next.clone();
            match next {
                NextRun::ChecksOnly if row.run > 0 => {
                    // The claim is the one that was made, if one was; its old proof is none for what is there now.
                    let old = row.proof.take();
                    let claimed = old.as_ref().is_some_and(|p| p.reason.as_deref() != Some("no_claim"));
                    let old = old.unwrap_or_default();
                    row.proof = Some(Proof {
                        reason: (!claimed).then(|| "no_claim".to_owned()),
                        summary: old.summary.clone(),
                        no_change: old.no_change.clone(),
                        ..Proof::default()
                    });
                    let claim = Claim { summary: old.summary, no_change: old.no_change, claimed };
                    run.phase = Phase::Proving { claim };
                    // Nobody is there to be asked.
                    run.asked_to_commit = true;
                    run.asked_why_no_change = true;
                    row.status = Status::Running(Box::new(run));
                    return Ok(Some((row, vec![Effect::Inspect])));
                }
                NextRun::Resume { deliver, instead } if row.run > 0 => {
                    let because = "its conversation was opened again".to_owned();
                    run.task = instead.map_or(NextRun::GoOn { because }, |next| *next);
                    run.start = LaunchKind::Resume;
                    run.then_deliver = Some(deliver.unwrap_or(Purpose::GoOn));
                }
                NextRun::Continue { conversation, .. } => {
                    // Its record goes on where it was; what it told before was used by earlier runs.
                    let record = row.record.take().map(|record| Mark { own: Tokens::default(), ..record });
                    number(&mut row, key, Some(conversation));
                    row.record = record;
                    run.start = LaunchKind::Resume;
                    // With the new run's key, which the conversation does not hold yet.
                    run.then_deliver = Some(Purpose::Ticket);
                }
                NextRun::Ticket
                | NextRun::GoOn { .. }
                | NextRun::Answered { .. }
                | NextRun::Corrected { .. }
                | NextRun::ChecksOnly
                | NextRun::Resume { .. } => number(&mut row, key, conversation.clone()),
            }
            row.proof = None;
            row.status = Status::Running(Box::new(run));
            Ok(Some((row, vec![Effect::PrepareWorktree])))
        }
        Event::Asked { by, request } => person::queued(row, next, frozen, by, request),
        _ => tally_only(row, event),
    }
}

/// The next run begins.
fn number(row: &mut Row, key: &RunKey, conversation: Option<String>) {
    row.run += 1;
    row.launch = 0;
    row.delivery = 0;
    row.check_round = 0;
    row.key = Some(key.clone());
    row.conversation = conversation;
    row.record = None;
}

pub(super) fn parked(mut row: Row, parked: Parked, frozen: &Frozen, event: &Event, now: Timestamp) -> Outcome {
    match event {
        Event::Deadline { timer: Timer::Parked } if timers::has_passed(&row, frozen, Timer::Parked, now) => {
            row.status = Status::Queued { not_before: None, next: parked.next };
            Ok(Some((row, vec![])))
        }
        Event::Asked { by, request } => person::waiting(row, Some(parked.next), frozen, by, request),
        _ => tally_only(row, event),
    }
}

pub(super) fn settled(mut row: Row, frozen: &Frozen, event: &Event) -> Outcome {
    match event {
        Event::FoundLanded if matches!(row.status, Status::Reviewed { .. }) => {
            row.status = Status::Landed;
            Ok(Some((row, vec![])))
        }
        Event::Asked { by, request: Request::Approve { low } } => person::approve(row, by, *low),
        Event::Asked { by, request } => person::waiting(row, None, frozen, by, request),
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
        (DependencyNews::Stale { why }, _)
            if row.stale_base.is_none() && row.base_commit.is_some() && row.stale_accepted.as_ref() != Some(why) =>
        {
            row.stale_base = Some(why.clone());
        }
        (DependencyNews::Fresh, _) if row.stale_base.is_some() => row.stale_base = None,
        _ => return None,
    }
    Some((row, vec![]))
}
