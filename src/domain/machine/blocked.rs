//! Steps of a ticket that waits for an answer.

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        effect::Effect,
        event::{Event, Request, Retry, Timer},
        report::{Hook, Said},
        row::{Row, Status},
        run::{Blocked, Claim, Outcome, Parked, Phase, Purpose, Retire, Run},
        screen::{Marker, ScreenState, Sighting},
        ticket::Frozen,
    },
    Outcome as Stepped, Refusal, answer, ending, hooks, permission, person, running, tally_only, timers,
};

pub(super) fn handle(mut row: Row, mut blocked: Blocked, frozen: &Frozen, event: &Event, now: Timestamp) -> Stepped {
    match event {
        Event::Asked { by, request } => asked(row, blocked, frozen, by, request, now),
        Event::Seen { sighting, .. } if blocked.live => Ok(seen(row, blocked, sighting, event, frozen, now)),
        Event::Reported { report, .. } => Ok(reported(row, blocked, &report.said, now)),
        Event::Recorded { hook: Some(Hook::Submitted { delivery: Some(id) }), .. } if blocked.live => {
            Ok(hooks::arrived_after_all(row, &blocked, id, now))
        }
        Event::Recorded { .. } => Ok(Some((row, vec![]))),
        // One that makes room is ended by autodo itself: what follows is `Closed`.
        Event::AgentExited { launch, .. } | Event::AgentVanished { launch, .. }
            if *launch == row.launch && blocked.live && !blocked.is_retiring() =>
        {
            Ok(Some((gone(row, blocked), vec![])))
        }
        Event::Closed if blocked.is_retiring() => Ok(Some((gone(row, blocked), vec![]))),
        Event::Attached if blocked.is_retiring() => {
            blocked.retire = Retire::Kept;
            Ok(Some((still(row, blocked), vec![])))
        }
        Event::MakeRoom if blocked.live && blocked.retire == Retire::No && ending::can_resume(&row, frozen) => {
            blocked.retire = Retire::Asked;
            Ok(Some((still(row, blocked), vec![Effect::Close])))
        }
        // The question was faster than the news that its session is open.
        Event::SessionOpened { pane } if !blocked.live && row.pane.is_none() && blocked.reason == "question" => {
            row.pane = Some(pane.clone());
            blocked.live = true;
            Ok(Some((still(row, blocked), vec![])))
        }
        // The answer was not typed: it is the person's again to give.
        Event::Keyed { keys, why } if keys.is_empty() && blocked.pressed.is_some() => {
            blocked.pressed = None;
            blocked.words_follow = false;
            blocked.note.clone_from(why);
            Ok(Some((still(row, blocked), vec![])))
        }
        Event::Deadline { timer: Timer::Answer } if timers::has_passed(&row, frozen, Timer::Answer, now) => {
            blocked.pressed = None;
            blocked.words_follow = false;
            blocked.note = "the answer was typed, and the screen has not changed since: look at the pane".into();
            Ok(Some((still(row, blocked), vec![Effect::Notify])))
        }
        Event::Keyed { .. } => Ok(Some((row, vec![]))),
        _ => tally_only(row, event),
    }
}

pub(super) fn still(mut row: Row, blocked: Blocked) -> Row {
    row.status = Status::Blocked(Box::new(blocked));
    row
}

/// The session is lost; the question stays.
fn gone(mut row: Row, mut blocked: Blocked) -> Row {
    blocked.live = false;
    blocked.pressed = None;
    blocked.retire = Retire::No;
    row.pane = None;
    still(row, blocked)
}

/// The held run, to go on with now: the time for which it waited counts neither as work nor as silence.
pub(super) fn run_of(row: &Row, blocked: &Blocked, now: Timestamp) -> Run {
    let mut run = blocked.run.as_deref().cloned().unwrap_or_else(|| Run::new(row.changed));
    let waited = now.duration_since(row.changed).max(SignedDuration::ZERO);
    run.began = run.began.checked_add(waited).unwrap_or(now).min(now);
    run.alive = now;
    run
}

/// What the screen shows while a person is waited for: perhaps the person answered in the pane.
fn seen(
    mut row: Row,
    mut blocked: Blocked,
    sighting: &Sighting,
    event: &Event,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    let mut run = run_of(&row, &blocked, now);
    let is_booting = matches!(run.phase, Phase::Booting);
    let is_unverified = blocked.reason == "delivery_unverified";
    // A question that was answered by a key is one, too: with words the agent goes on by itself.
    let by_key = blocked.pressed.is_some() && !blocked.words_follow;
    let on_screen = by_key || matches!(blocked.reason.as_str(), "permission" | "dialog" | "logged_out");
    let is_done = sighting.marker == Some(Marker::Done);
    match sighting.state {
        // The key that the marker ends with stands only in the ticket's prompt.
        ScreenState::Ready if is_done && is_unverified && run.then_deliver == Some(Purpose::Ticket) => {
            Some(claimed(row, run, Claim { claimed: true, ..Claim::default() }, now))
        }
        _ if is_unverified => None,
        // The dialog is closed: what the person said is delivered.
        ScreenState::Ready | ScreenState::Question
            if blocked.words_follow && sighting.box_empty && sighting.rule != blocked.rule =>
        {
            running::deliver(row, run, Purpose::Answer, now)
        }
        ScreenState::Ready if is_done && blocked.settled && !is_booting => {
            Some(claimed(row, run, Claim { claimed: true, ..Claim::default() }, now))
        }
        ScreenState::Ready | ScreenState::Busy if blocked.settled && matches!(run.phase, Phase::Submitting { .. }) => {
            let Phase::Submitting { delivery } = run.phase.clone() else { return None };
            run.since = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::Submit { delivery }]))
        }
        // It has not had its prompt yet: the start-up goes on, and the prompt follows.
        ScreenState::Ready if is_booting => {
            run.since = now;
            running::seen(row, run, event, frozen, now)
        }
        ScreenState::Dialog if is_booting && on_screen && matches!(event, Event::Seen { answerable: true, .. }) => {
            run.since = now;
            running::seen(row, run, event, frozen, now)
        }
        ScreenState::Busy if blocked.settled => {
            let phase = if is_booting { Phase::Booting } else { Phase::Working };
            run.enter(phase, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        ScreenState::Ready | ScreenState::Question if !blocked.settled => {
            blocked.settled = true;
            Some((still(row, blocked), vec![]))
        }
        ScreenState::Ready if on_screen => {
            // Answered in the pane, and the turn is over already.
            run.enter(Phase::Working, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        // A rule has the answer: to another request than the one that waits, or meanwhile to this one.
        ScreenState::Permission
            if on_screen
                && (sighting.text != blocked.question || blocked.pressed.is_none())
                && permission::by_rule(sighting).is_some() =>
        {
            run.enter(if is_booting { Phase::Booting } else { Phase::Working }, now);
            Some(permission::shown(row, run, sighting, now))
        }
        ScreenState::Permission | ScreenState::Question | ScreenState::Dialog
            if (!blocked.rule.is_empty() || on_screen)
                && !sighting.text.is_empty()
                && (sighting.text != blocked.question || sighting.rule != blocked.rule) =>
        {
            blocked.reason = sighting.state.word().to_owned();
            blocked.rule.clone_from(&sighting.rule);
            blocked.question.clone_from(&sighting.text);
            blocked.options.clone_from(&sighting.choices);
            blocked.takes_words = sighting.takes_words;
            blocked.words_follow = false;
            permission::attach(&mut blocked, sighting);
            blocked.pressed = None;
            blocked.note.clear();
            blocked.settled = true;
            Some((still(row, blocked), vec![Effect::Notify]))
        }
        ScreenState::Booting
        | ScreenState::Ready
        | ScreenState::Busy
        | ScreenState::Dialog
        | ScreenState::Permission
        | ScreenState::Question
        | ScreenState::Limited
        | ScreenState::LoggedOut
        | ScreenState::Overloaded
        | ScreenState::Error
        | ScreenState::Unknown => None,
    }
}

fn claimed(mut row: Row, mut run: Run, claim: Claim, now: Timestamp) -> (Row, Vec<Effect>) {
    run.then_deliver = None;
    run.enter(Phase::Proving { claim }, now);
    row.status = Status::Running(Box::new(run));
    (row, vec![Effect::Inspect])
}

fn reported(mut row: Row, mut blocked: Blocked, said: &Said, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    // Only the ticket's prompt holds the key that a report needs: whoever reports has it.
    let has_it = blocked.reason == "delivery_unverified"
        && blocked.run.as_ref().is_some_and(|run| run.then_deliver == Some(Purpose::Ticket));
    match said {
        Said::Done { summary, no_change } if blocked.run.is_some() => {
            let run = run_of(&row, &blocked, now);
            if blocked.is_retiring() {
                row.pane = None;
            }
            let claim = Claim { summary: Some(summary.clone()), no_change: no_change.clone(), claimed: true };
            Some(claimed(row, run, claim, now))
        }
        Said::Blocked { question, options, risk }
            if *question != blocked.question || !blocked.rule.is_empty() || blocked.reason != "question" =>
        {
            if let Some(run) = &mut blocked.run {
                run.then_deliver = None;
                run.enter(Phase::Working, now);
            }
            blocked.reason = "question".into();
            blocked.question.clone_from(question);
            blocked.options.clone_from(options);
            blocked.tier = risk.unwrap_or(blocked.tier);
            blocked.request = None;
            blocked.rule.clear();
            blocked.note.clear();
            blocked.pressed = None;
            blocked.settled = false;
            Some((still(row, blocked), vec![Effect::Notify]))
        }
        Said::Hook(Hook::Submitted { delivery: Some(id) }) if blocked.live => {
            hooks::arrived_after_all(row, &blocked, id, now)
        }
        Said::Hook(Hook::Asks(asked)) => {
            permission::told_late(&mut blocked, asked);
            Some((still(row, blocked), vec![]))
        }
        Said::Decision { .. } | Said::Flag { .. } | Said::Note { .. } if has_it && blocked.live => {
            let mut run = run_of(&row, &blocked, now);
            run.then_deliver = None;
            run.enter(Phase::Working, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        Said::Done { .. }
        | Said::Blocked { .. }
        | Said::Decision { .. }
        | Said::Flag { .. }
        | Said::Note { .. }
        | Said::Hook(_) => Some((row, vec![])),
    }
}

fn asked(mut row: Row, blocked: Blocked, frozen: &Frozen, by: &str, request: &Request, now: Timestamp) -> Stepped {
    let run = run_of(&row, &blocked, now);
    match request {
        Request::Answer { text } => answer::answer(row, blocked, frozen, text, now),
        Request::Stop => {
            let next = ending::go_on(&row, &run, frozen, format!("stopped while it asked: {}", blocked.question));
            let detail = format!("stopped by {by}; it had asked: {}", blocked.question);
            Ok(Some(ending::close(row, run, person::stopped(detail, next), now)))
        }
        Request::Park { reason, until } => {
            let because = format!("{reason}; it had asked: {}", blocked.question);
            let next = ending::go_on(&row, &run, frozen, because);
            let parked = Parked { reason: reason.clone(), detail: blocked.question, until: *until, next };
            Ok(Some(ending::close(row, run, Outcome::Parked(parked), now)))
        }
        Request::Cancel => Ok(Some(ending::close(row, run, Outcome::Cancelled { by: by.to_owned() }, now))),
        Request::Resume | Request::Retry { how: Retry::Again } => {
            person::touched(&mut row);
            let next = if matches!(request, Request::Resume) {
                ending::go_on(&row, &run, frozen, format!("{by} resumed it; it had asked: {}", blocked.question))
            } else {
                row.epoch += 1;
                run.task.clone().again(person::all_again(by))
            };
            Ok(Some(ending::close(row, run, Outcome::Again { not_before: None, next }, now)))
        }
        Request::Retry { how: Retry::Resume } => {
            let next = person::continued(&row, None, frozen, by)?;
            person::touched(&mut row);
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
        Request::AcceptStale if row.stale_base.is_some() => {
            person::accept_stale(&mut row);
            Ok(Some((row, vec![])))
        }
        Request::AcceptStale => Err(person::not_now(&row, request)),
    }
}
