//! Steps of a run at work: launch, delivery, and what the agent shows and says.

use jiff::Timestamp;

use super::{
    super::{
        check::CommandEnd,
        effect::Effect,
        event::{Event, LaunchTrouble, Timer, WorktreeTrouble},
        id::DeliveryId,
        report::Said,
        risk::Tier,
        row::{Row, Status},
        run::{Blocked, Claim, Delivery, LaunchKind, NextRun, Outcome, Phase, Purpose, Run},
        screen::{Marker, ScreenState, Sighting},
        ticket::Frozen,
    },
    Outcome as Stepped, claim, ending, person, tally_only,
};

impl Run {
    /// A run that begins now.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Preparing,
            since: now,
            began: now,
            alive: now,
            feedback: 0,
            asked_to_commit: false,
            asked_why_no_change: false,
            nudged: false,
            task: NextRun::Ticket,
            markers: 0,
            start: LaunchKind::Fresh,
            then_deliver: None,
        }
    }

    /// Goes on to `phase`.
    pub(super) fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.since = now;
    }
}

pub(super) fn handle(mut row: Row, mut run: Run, frozen: &Frozen, event: &Event, now: Timestamp) -> Stepped {
    match event {
        Event::Asked { by, request } => return person::running(row, run, frozen, by, request, now),
        Event::Deadline { timer } => return Ok(deadline(row, run, *timer, frozen, now)),
        Event::Alive if matches!(run.phase, Phase::Working) => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            return Ok(Some((row, vec![])));
        }
        Event::Reported { report, .. } => return Ok(reported(row, run, &report.said, now)),
        Event::AgentExited { launch, end } if *launch == row.launch => {
            return Ok(exited(row, run, end, frozen, now));
        }
        Event::AgentVanished { launch, blameless, why } if *launch == row.launch => {
            return Ok(vanished(row, run, *blameless, why, frozen, now));
        }
        _ => {}
    }
    match run.phase.clone() {
        Phase::Preparing => Ok(preparing(row, run, event, frozen, now)),
        Phase::Launching => Ok(launching(row, run, event, frozen, now)),
        Phase::Booting => Ok(seen(row, run, event, frozen, now)),
        Phase::Pasting { delivery } | Phase::Submitting { delivery } => Ok(delivering(row, run, delivery, event, now)),
        Phase::Working => Ok(seen(row, run, event, frozen, now)),
        Phase::Proving { claim } => Ok(claim::proving(row, run, claim, event, frozen, now)),
        Phase::Checking { .. } => Ok(claim::checking(row, run, event, frozen, now)),
        Phase::Closing { outcome } => match event {
            Event::Closed => Ok(Some((ending::closed(row, &run, outcome, now), vec![]))),
            _ => tally_only(row, event),
        },
    }
}

fn to(mut row: Row, mut run: Run, phase: Phase, effects: Vec<Effect>, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    run.enter(phase, now);
    row.status = Status::Running(Box::new(run));
    Some((row, effects))
}

/// Begins a delivery into the agent's box.
pub(super) fn deliver(mut row: Row, mut run: Run, purpose: Purpose, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    row.delivery += 1;
    run.then_deliver = None;
    let delivery = Delivery { id: DeliveryId::new(row.run, row.delivery), purpose, enter_intended: false };
    let effects = vec![Effect::Paste { delivery: delivery.clone() }];
    to(row, run, Phase::Pasting { delivery }, effects, now)
}

fn preparing(mut row: Row, run: Run, event: &Event, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::WorktreeReady { base_commit, stacked_on } => {
            row.base_commit = Some(base_commit.clone());
            row.stacked_on.clone_from(stacked_on);
            row.stale_base = None;
            row.launch += 1;
            to(row, run, Phase::Launching, vec![Effect::OpenSession], now)
        }
        Event::WorktreeFailed { kind, why } => Some(match kind {
            WorktreeTrouble::Taken => ending::park(row, run, "worktree", why, frozen, now),
            WorktreeTrouble::Passing => ending::crash(row, run, why, frozen, now),
            WorktreeTrouble::Conflict => block(row, run, "conflict", why, false),
            WorktreeTrouble::Setup => block(row, run, "setup", why, false),
        }),
        _ => None,
    }
}

fn launching(mut row: Row, mut run: Run, event: &Event, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::SessionOpened { pane } => {
            row.pane = Some(pane.clone());
            run.alive = now;
            to(row, run, Phase::Booting, vec![], now)
        }
        Event::LaunchFailed { kind, why } => Some(match kind {
            LaunchTrouble::Environment => ending::park(row, run, "environment", why, frozen, now),
            LaunchTrouble::Taken => ending::park(row, run, "session", why, frozen, now),
            LaunchTrouble::Passing => ending::crash(row, run, why, frozen, now),
        }),
        _ => None,
    }
}

fn delivering(
    mut row: Row,
    mut run: Run,
    delivery: Delivery,
    event: &Event,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::Pasted { delivery: id } if *id == delivery.id && !delivery.enter_intended => {
            let delivery = Delivery { enter_intended: true, ..delivery };
            let effects = vec![Effect::Submit { delivery: delivery.clone() }];
            to(row, run, Phase::Submitting { delivery }, effects, now)
        }
        Event::Submitted { delivery: id, markers, .. } if *id == delivery.id => {
            run.alive = now;
            run.markers = *markers;
            run.then_deliver = None;
            to(row, run, Phase::Working, vec![], now)
        }
        Event::NotPasted { delivery: id, why, dialog } if *id == delivery.id => {
            // A nudge that finds no room is no news: the stall goes on.
            if delivery.purpose == Purpose::Nudge {
                return to(row, run, Phase::Working, vec![], now);
            }
            // The text stands in the box behind the dialog: Enter follows once the dialog is gone.
            if *dialog && delivery.enter_intended {
                let (mut row, effects) = block(row, run, "permission", why, true);
                if let Status::Blocked(blocked) = &mut row.status {
                    blocked.settled = true;
                }
                return Some((row, effects));
            }
            run.then_deliver = Some(delivery.purpose);
            run.enter(Phase::Booting, now);
            Some(block(row, run, if *dialog { "dialog" } else { "delivery" }, why, true))
        }
        Event::Unverified { delivery: id, why } if *id == delivery.id => {
            run.then_deliver = Some(delivery.purpose);
            let question = format!("{why}. Did the agent get the prompt {}?", delivery.id);
            let (mut row, effects) = block(row, run, "delivery_unverified", question, true);
            if let Status::Blocked(blocked) = &mut row.status {
                blocked.options = vec!["accepted".into(), "again".into()];
            }
            Some((row, effects))
        }
        // A claim may come while a nudge is on its way; the screen says nothing new until the delivery is through.
        Event::Seen { sighting, .. } if matches!(sighting.state, ScreenState::Busy) => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        _ => None,
    }
}

/// What a stable screen means for an agent that boots or works.
fn seen(mut row: Row, mut run: Run, event: &Event, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    let Event::Seen { sighting, answerable } = event else { return None };
    let booting = matches!(run.phase, Phase::Booting);
    match sighting.state {
        ScreenState::Dialog if *answerable => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::AnswerDialog { rule: sighting.rule.clone() }]))
        }
        ScreenState::Dialog => Some(block_on_screen(row, run, "dialog", sighting)),
        ScreenState::Permission => Some(block_on_screen(row, run, "permission", sighting)),
        ScreenState::Question => Some(block_on_screen(row, run, "question", sighting)),
        ScreenState::LoggedOut => Some(block_on_screen(row, run, "logged_out", sighting)),
        ScreenState::Limited => Some(ending::park(row, run, "usage_limit", &sighting.text, frozen, now)),
        ScreenState::Error if !booting => Some(ending::park(row, run, "error", &sighting.text, frozen, now)),
        ScreenState::Ready if booting => ready(row, run, frozen, sighting, now),
        ScreenState::Busy if booting && by_argument(&run, frozen) => to(row, run, Phase::Working, vec![], now),
        ScreenState::Ready => match sighting.marker {
            Some(Marker::Done) => {
                let claim = Claim { claimed: true, ..Claim::default() };
                to(row, run, Phase::Proving { claim }, vec![Effect::Inspect], now)
            }
            Some(Marker::Blocked) => Some(block_on_screen(row, run, "question", sighting)),
            None => alive(row, run, now),
        },
        ScreenState::Busy if !booting => alive(row, run, now),
        ScreenState::Booting | ScreenState::Busy | ScreenState::Error | ScreenState::Unknown => None,
    }
}

fn alive(mut row: Row, mut run: Run, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    run.alive = now;
    row.status = Status::Running(Box::new(run));
    Some((row, vec![]))
}

fn by_argument(run: &Run, frozen: &Frozen) -> bool {
    frozen.limits.argument && run.start == LaunchKind::Fresh && run.then_deliver.is_none()
}

fn ready(row: Row, mut run: Run, frozen: &Frozen, sighting: &Sighting, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    if by_argument(&run, frozen) {
        return to(row, run, Phase::Working, vec![], now);
    }
    if !sighting.box_empty {
        return None;
    }
    let purpose = run.then_deliver.take().unwrap_or(match run.start {
        LaunchKind::Fresh => Purpose::Ticket,
        LaunchKind::Resume => Purpose::GoOn,
    });
    deliver(row, run, purpose, now)
}

fn reported(mut row: Row, mut run: Run, said: &Said, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    let with_agent =
        matches!(run.phase, Phase::Booting | Phase::Pasting { .. } | Phase::Submitting { .. } | Phase::Working);
    match said {
        Said::Done { summary, no_change } if with_agent => {
            let claim = Claim { summary: Some(summary.clone()), no_change: no_change.clone(), claimed: true };
            to(row, run, Phase::Proving { claim }, vec![Effect::Inspect], now)
        }
        Said::Blocked { question, risk, options } if with_agent || matches!(run.phase, Phase::Proving { .. }) => {
            run.enter(Phase::Working, now);
            let (mut row, effects) = block(row, run, "question", question, true);
            if let Status::Blocked(blocked) = &mut row.status {
                blocked.options.clone_from(options);
                blocked.tier = risk.unwrap_or(Tier::Blocked);
            }
            Some((row, effects))
        }
        Said::Done { .. } | Said::Blocked { .. } | Said::Decision { .. } | Said::Flag { .. } | Said::Note { .. } => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
    }
}

fn exited(mut row: Row, run: Run, end: &CommandEnd, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    match run.phase {
        Phase::Working | Phase::Submitting { .. } if end.succeeded() => {
            row.pane = None;
            to(row, run, Phase::Proving { claim: Claim::default() }, vec![Effect::Inspect], now)
        }
        Phase::Launching | Phase::Booting | Phase::Pasting { .. } | Phase::Submitting { .. } | Phase::Working => {
            let had_prompt = matches!(run.phase, Phase::Submitting { .. } | Phase::Working);
            let when = if had_prompt { "" } else { " before it had its prompt" };
            let why = format!("the agent ended{when}: {end}");
            Some(ending::crash(row, run, &why, frozen, now))
        }
        // The claim stands; there is only nobody left to ask.
        Phase::Proving { .. } | Phase::Checking { .. } if row.pane.is_some() => {
            row.pane = None;
            Some((row, vec![]))
        }
        Phase::Preparing | Phase::Proving { .. } | Phase::Checking { .. } | Phase::Closing { .. } => None,
    }
}

fn vanished(
    mut row: Row,
    run: Run,
    blameless: bool,
    why: &str,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    match run.phase {
        Phase::Launching | Phase::Booting | Phase::Pasting { .. } | Phase::Submitting { .. } | Phase::Working => {
            let end = if blameless { ending::lost } else { ending::crash };
            Some(end(row, run, why, frozen, now))
        }
        Phase::Proving { .. } | Phase::Checking { .. } if row.pane.is_some() => {
            row.pane = None;
            Some((row, vec![]))
        }
        Phase::Preparing | Phase::Proving { .. } | Phase::Checking { .. } | Phase::Closing { .. } => None,
    }
}

fn deadline(row: Row, mut run: Run, timer: Timer, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    let limits = &frozen.limits;
    match (timer, run.phase.clone()) {
        (Timer::Start, Phase::Launching | Phase::Booting) => {
            let why = format!("the agent was not ready for a prompt within {} s", limits.start_s);
            Some(ending::crash(row, run, &why, frozen, now))
        }
        (Timer::Delivery, Phase::Pasting { delivery } | Phase::Submitting { delivery }) => {
            let event = Event::Unverified {
                delivery: delivery.id.clone(),
                why: "the delivery did not come to an end in time".into(),
            };
            delivering(row, run, delivery, &event, now)
        }
        (Timer::Stall, Phase::Working) if limits.nudge && !run.nudged && row.pane.is_some() => {
            run.nudged = true;
            run.alive = now;
            deliver(row, run, Purpose::Nudge, now)
        }
        (Timer::Stall, Phase::Working) => {
            let detail = format!("no sign of life for {} s", limits.stall_s);
            Some(ending::park(row, run, "stalled", detail, frozen, now))
        }
        (Timer::Limit, Phase::Working) => {
            let detail = format!("it worked for {} s, as long as it may", limits.run_s);
            Some(ending::park(row, run, "limit", detail, frozen, now))
        }
        _ => None,
    }
}

/// Waits for a person.
pub(super) fn block(
    mut row: Row,
    run: Run,
    reason: &str,
    question: impl Into<String>,
    live: bool,
) -> (Row, Vec<Effect>) {
    let blocked = Blocked {
        reason: reason.to_owned(),
        question: question.into(),
        rule: String::new(),
        options: vec![],
        tier: Tier::Blocked,
        live: live && row.pane.is_some(),
        settled: false,
        run: Some(Box::new(run)),
    };
    row.status = Status::Blocked(Box::new(blocked));
    (row, vec![Effect::Notify])
}

fn block_on_screen(row: Row, run: Run, reason: &str, sighting: &Sighting) -> (Row, Vec<Effect>) {
    let text = if sighting.text.is_empty() { "The agent asks something: look at its pane." } else { &sighting.text };
    let (mut row, effects) = block(row, run, reason, text, true);
    if let Status::Blocked(blocked) = &mut row.status {
        blocked.rule.clone_from(&sighting.rule);
        blocked.settled = true;
    }
    (row, effects)
}

/// Puts `outcome` in the place of the one that the closing was for.
pub(super) fn close_with(mut row: Row, mut run: Run, outcome: Outcome) -> (Row, Vec<Effect>) {
    run.phase = Phase::Closing { outcome };
    row.status = Status::Running(Box::new(run));
    (row, vec![])
}
