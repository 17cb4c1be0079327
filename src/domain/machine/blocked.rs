//! Steps of a ticket that waits for an answer.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        event::{Event, Request, Retry},
        report::Said,
        row::{Row, Status},
        run::{Blocked, Claim, NextRun, Outcome, Phase, Purpose, Run},
        screen::ScreenState,
        ticket::Frozen,
    },
    Outcome as Stepped, Refusal, ending, person,
    running::deliver,
    tally_only,
};

pub(super) fn handle(row: Row, blocked: Blocked, frozen: &Frozen, event: &Event, now: Timestamp) -> Stepped {
    match event {
        Event::Asked { by, request } => asked(row, blocked, frozen, by, request, now),
        Event::Seen { sighting, .. } => Ok(seen(row, blocked, sighting.state, &sighting.text, sighting.box_empty, now)),
        Event::Reported { report, .. } => Ok(reported(row, blocked, &report.said, now)),
        Event::AgentExited { launch, .. } | Event::AgentVanished { launch, .. }
            if *launch == row.launch && blocked.live =>
        {
            Ok(Some((gone(row, blocked), vec![])))
        }
        _ => tally_only(row, event),
    }
}

/// The session is lost; the question stays.
fn gone(mut row: Row, mut blocked: Blocked) -> Row {
    blocked.live = false;
    row.pane = None;
    row.status = Status::Blocked(Box::new(blocked));
    row
}

fn run_of(blocked: &Blocked, now: Timestamp) -> Run {
    let mut run = blocked.run.as_deref().cloned().unwrap_or_else(|| Run::new(now));
    run.alive = now;
    run
}

/// What the screen shows while a person is waited for: perhaps the person answered in the pane.
fn seen(
    mut row: Row,
    mut blocked: Blocked,
    state: ScreenState,
    text: &str,
    box_empty: bool,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    let mut run = run_of(&blocked, now);
    let waits_for_box = matches!(blocked.reason.as_str(), "delivery" | "dialog" | "permission" | "logged_out");
    match state {
        ScreenState::Ready | ScreenState::Busy if blocked.settled && matches!(run.phase, Phase::Submitting { .. }) => {
            let Phase::Submitting { delivery } = run.phase.clone() else { return None };
            run.since = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::Submit { delivery }]))
        }
        ScreenState::Ready if waits_for_box && box_empty && run.then_deliver.is_some() => {
            let purpose = run.then_deliver.take()?;
            deliver(row, run, purpose, now)
        }
        ScreenState::Busy if blocked.settled && blocked.reason != "delivery_unverified" => {
            let phase = if run.then_deliver.is_some() { Phase::Booting } else { Phase::Working };
            run.enter(phase, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        ScreenState::Ready | ScreenState::Question if !blocked.settled => {
            blocked.settled = true;
            row.status = Status::Blocked(Box::new(blocked));
            Some((row, vec![]))
        }
        ScreenState::Ready if matches!(blocked.reason.as_str(), "permission" | "dialog" | "logged_out") => {
            // Answered in the pane, and the turn is over already.
            run.enter(Phase::Working, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        ScreenState::Permission | ScreenState::Question | ScreenState::Dialog
            if !blocked.rule.is_empty() && !text.is_empty() && text != blocked.question =>
        {
            blocked.question = text.to_owned();
            row.status = Status::Blocked(Box::new(blocked));
            Some((row, vec![Effect::Notify]))
        }
        ScreenState::Booting
        | ScreenState::Ready
        | ScreenState::Busy
        | ScreenState::Dialog
        | ScreenState::Permission
        | ScreenState::Question
        | ScreenState::Limited
        | ScreenState::LoggedOut
        | ScreenState::Error
        | ScreenState::Unknown => None,
    }
}

fn reported(mut row: Row, mut blocked: Blocked, said: &Said, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    match said {
        Said::Done { summary, no_change } if blocked.live => {
            let claim = Claim { summary: Some(summary.clone()), no_change: no_change.clone(), claimed: true };
            let mut run = run_of(&blocked, now);
            run.enter(Phase::Proving { claim }, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::Inspect]))
        }
        Said::Blocked { question, options, .. } if *question != blocked.question => {
            blocked.question.clone_from(question);
            blocked.options.clone_from(options);
            blocked.settled = false;
            row.status = Status::Blocked(Box::new(blocked));
            Some((row, vec![Effect::Notify]))
        }
        Said::Done { .. } | Said::Blocked { .. } | Said::Decision { .. } | Said::Flag { .. } | Said::Note { .. } => {
            Some((row, vec![]))
        }
    }
}

fn asked(mut row: Row, blocked: Blocked, frozen: &Frozen, by: &str, request: &Request, now: Timestamp) -> Stepped {
    let run = run_of(&blocked, now);
    match request {
        Request::Answer { text } => answer(row, blocked, frozen, text, now),
        Request::Stop => {
            let next = ending::go_on(&row, frozen, format!("stopped while it asked: {}", blocked.question));
            let detail = format!("stopped by {by}; it had asked: {}", blocked.question);
            Ok(Some(ending::close(row, run, person::stopped(detail, next), now)))
        }
        Request::Park { reason, until } => {
            let next = ending::go_on(&row, frozen, reason.clone());
            let parked =
                super::super::run::Parked { reason: reason.clone(), detail: blocked.question, until: *until, next };
            Ok(Some(ending::close(row, run, Outcome::Parked(parked), now)))
        }
        Request::Cancel => Ok(Some(ending::close(row, run, Outcome::Cancelled { by: by.to_owned() }, now))),
        Request::Resume | Request::Retry { how: Retry::Again } => {
            person::touched(&mut row);
            let next = if matches!(request, Request::Resume) {
                ending::go_on(&row, frozen, format!("{by} resumed it"))
            } else {
                row.epoch += 1;
                NextRun::GoOn { because: format!("{by} asked for another run; everything is to be done again") }
            };
            Ok(Some(ending::close(row, run, Outcome::Again { not_before: None, next }, now)))
        }
        Request::Retry { how: Retry::ChecksOnly } | Request::Approve { .. } | Request::Reject { .. } => {
            Err(Refusal::new(
                format!("{} is blocked: it asks {:?}", row.id, blocked.question),
                format!("answer it first: autodo answer {} \"…\"", row.id),
            ))
        }
        Request::Send { .. } => Err(Refusal::new(
            format!("{} is blocked and waits for an answer", row.id),
            format!("autodo answer {} \"…\", or look at it: autodo attach {}", row.id, row.id),
        )),
        Request::SetTier { tier } => {
            row.tier_set = Some(*tier);
            Ok(Some((row, vec![])))
        }
        Request::AcceptStale => Ok(row.stale_base.take().is_some().then_some((row, vec![]))),
    }
}

fn answer(mut row: Row, blocked: Blocked, frozen: &Frozen, text: &str, now: Timestamp) -> Stepped {
    person::touched(&mut row);
    let mut run = run_of(&blocked, now);
    let word = text.trim();
    match blocked.reason.as_str() {
        "delivery_unverified" if blocked.live => match word {
            "accepted" => {
                run.then_deliver = None;
                run.enter(Phase::Working, now);
                row.status = Status::Running(Box::new(run));
                Ok(Some((row, vec![])))
            }
            "again" => {
                let purpose = run.then_deliver.take().unwrap_or(Purpose::GoOn);
                Ok(deliver(row, run, purpose, now))
            }
            _ => Err(Refusal::new(
                format!("{word:?} does not say whether the prompt of {} arrived", row.id),
                format!("look: autodo attach {0}; then autodo answer {0} accepted, or autodo answer {0} again", row.id),
            )),
        },
        "permission" | "dialog" if blocked.live => {
            let mut chars = word.chars();
            match (chars.next(), chars.next()) {
                (Some(key), None) if key.is_ascii_alphanumeric() => {
                    row.status = Status::Blocked(Box::new(blocked.clone()));
                    Ok(Some((row, vec![Effect::Press { rule: blocked.rule, key }])))
                }
                _ => Err(Refusal::new(
                    format!("{} shows a dialog, which takes one key: {}", row.id, blocked.question),
                    format!("name the option's digit: autodo answer {0} 1; or look: autodo attach {0}", row.id),
                )),
            }
        }
        "setup" | "conflict" => {
            let next = NextRun::Answered { question: blocked.question, answer: text.to_owned() };
            row.status = Status::Queued { not_before: None, next };
            Ok(Some((row, vec![])))
        }
        _ if blocked.live => Ok(deliver(row, run, Purpose::Answer, now)),
        _ => {
            let resumable = frozen.limits.resumable && row.conversation.is_some();
            let next = if resumable {
                NextRun::Resume { deliver: Some(Purpose::Answer) }
            } else {
                NextRun::Answered { question: blocked.question, answer: text.to_owned() }
            };
            row.status = Status::Queued { not_before: None, next };
            Ok(Some((row, vec![])))
        }
    }
}
