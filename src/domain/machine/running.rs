//! Steps of a run at work: launch, delivery, and what the agent shows and says.

use jiff::Timestamp;

use super::{
    super::{
        check::CommandEnd,
        effect::Effect,
        event::{Event, Timer},
        id::DeliveryId,
        report::{Said, Teller},
        risk::Tier,
        row::{Row, Status},
        run::{Blocked, Claim, Delivery, LaunchKind, NextRun, Outcome, Phase, Purpose, Retire, Run},
        screen::{Marker, ScreenState, Sighting},
        ticket::Frozen,
    },
    Outcome as Stepped,
    beginning::{delivering, launching, preparing},
    claim, ending, hooks, permission, person, tally_only, timers,
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
            asks: vec![],
            denied: None,
            unsent: None,
            ended_turn: None,
            task: NextRun::Ticket,
            markers: 0,
            start: LaunchKind::Fresh,
            then_deliver: None,
            void_rounds: 0,
            failed_looks: 0,
            held_question: None,
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
        Event::Deadline { timer } if timers::has_passed(&row, frozen, *timer, now) => {
            return Ok(deadline(row, run, *timer, frozen, now));
        }
        Event::Alive if matches!(run.phase, Phase::Working) => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            return Ok(Some((row, vec![])));
        }
        Event::Reported { report, .. } => return Ok(reported(row, run, &report.said, frozen, now)),
        Event::Recorded { hook: Some(hook), .. } => {
            return Ok(hooks::heard(row, run, hook, Teller::Record, frozen, now));
        }
        Event::AccountLimited(limit) => return Ok(ending::park_with(row, run, limit, frozen, now)),
        Event::Recorded { hook: None, .. } => return Ok(Some((row, vec![]))),
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

pub(super) fn to(
    mut row: Row,
    mut run: Run,
    phase: Phase,
    effects: Vec<Effect>,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    run.enter(phase, now);
    row.status = Status::Running(Box::new(run));
    Some((row, effects))
}

/// Begins a delivery into the agent's box.
pub(super) fn deliver(mut row: Row, mut run: Run, purpose: Purpose, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    row.delivery += 1;
    run.then_deliver = None;
    run.unsent = None;
    let delivery = Delivery { id: DeliveryId::new(row.run, row.delivery), purpose, enter_intended: false };
    let effects = vec![Effect::Paste { delivery: delivery.clone() }];
    to(row, run, Phase::Pasting { delivery }, effects, now)
}

/// What a stable screen means for an agent that boots or works.
pub(super) fn seen(
    mut row: Row,
    mut run: Run,
    event: &Event,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    let Event::Seen { sighting, answerable } = event else { return None };
    let booting = matches!(run.phase, Phase::Booting);
    let is_of_before = run.start == LaunchKind::Resume && sighting.box_empty && sighting.state.ends_a_turn();
    match sighting.state {
        _ if booting && is_of_before => ready(row, run, frozen, sighting, now),
        ScreenState::Dialog if *answerable => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::AnswerDialog { rule: sighting.rule.clone() }]))
        }
        ScreenState::Dialog => Some(block_on_screen(row, run, "dialog", sighting)),
        ScreenState::Permission => Some(permission::shown(row, run, sighting, now)),
        // A key that denies ends the turn, and the agent asks what else it is to do.
        ScreenState::Question | ScreenState::Ready
            if !booting && run.denied.is_some() && sighting.box_empty && sighting.marker.is_none() =>
        {
            let rule = run.denied.take().unwrap_or_default();
            deliver(row, run, Purpose::Denied { rule }, now)
        }
        ScreenState::Question => Some(block_on_screen(row, run, "question", sighting)),
        ScreenState::LoggedOut => Some(block_on_screen(row, run, "logged_out", sighting)),
        ScreenState::Limited => Some(ending::park_limited(row, run, &sighting.text, sighting.lifts, frozen, now)),
        ScreenState::Overloaded | ScreenState::Error if booting => None,
        ScreenState::Overloaded | ScreenState::Error => Some(ending::given_up(row, run, sighting, frozen, now)),
        ScreenState::Ready if booting => ready(row, run, frozen, sighting, now),
        ScreenState::Busy if booting && by_argument(&run, frozen) => to(row, run, Phase::Working, vec![], now),
        ScreenState::Ready => match sighting.marker {
            Some(Marker::Done) => {
                let claim = Claim { claimed: true, ..Claim::default() };
                to(row, run, Phase::Proving { claim }, vec![Effect::Inspect], now)
            }
            Some(Marker::Blocked) => Some(block_on_screen(row, run, "question", sighting)),
            // Words that found no room earlier find it now.
            None if run.unsent.is_some() && sighting.box_empty => deliver(row, run, Purpose::Send, now),
            None => alive(row, run, now),
        },
        ScreenState::Busy if !booting => alive(row, run, now),
        ScreenState::Booting | ScreenState::Busy | ScreenState::Unknown => None,
    }
}

pub(super) fn alive(mut row: Row, mut run: Run, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    run.alive = now;
    row.status = Status::Running(Box::new(run));
    Some((row, vec![]))
}

pub(super) fn by_argument(run: &Run, frozen: &Frozen) -> bool {
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

fn reported(mut row: Row, mut run: Run, said: &Said, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    match (said, &mut run.phase) {
        // A report can be faster than the news that the session is open.
        (
            Said::Done { summary, no_change },
            Phase::Launching
            | Phase::Booting
            | Phase::Pasting { .. }
            | Phase::Submitting { .. }
            | Phase::Working
            | Phase::Proving { .. },
        ) => {
            let claim = Claim { summary: Some(summary.clone()), no_change: no_change.clone(), claimed: true };
            run.then_deliver = None;
            to(row, run, Phase::Proving { claim }, vec![Effect::Inspect], now)
        }
        // What is checked stays what was claimed; only the words are the newer ones.
        (Said::Done { summary, no_change }, Phase::Checking { claim, .. }) => {
            claim.summary = Some(summary.clone());
            claim.no_change = no_change.clone().or(claim.no_change.take());
            run.held_question = None;
            alive(row, run, now)
        }
        (
            Said::Blocked { question, risk, options },
            Phase::Launching
            | Phase::Booting
            | Phase::Pasting { .. }
            | Phase::Submitting { .. }
            | Phase::Working
            | Phase::Proving { .. },
        ) => {
            run.then_deliver = None;
            run.enter(Phase::Working, now);
            Some(block_on_report(row, run, question, *risk, options))
        }
        (Said::Blocked { question, risk, options }, Phase::Checking { done, .. })
            if done.len() >= frozen.commands().count() =>
        {
            run.enter(Phase::Working, now);
            Some(block_on_report(row, run, question, *risk, options))
        }
        (Said::Blocked { .. }, Phase::Checking { .. }) => {
            run.held_question = Some(said.clone());
            alive(row, run, now)
        }
        (Said::Hook(hook), _) => hooks::heard(row, run, hook, Teller::Hook, frozen, now),
        (Said::Done { .. } | Said::Blocked { .. }, Phase::Preparing | Phase::Closing { .. })
        | (Said::Decision { .. } | Said::Flag { .. } | Said::Note { .. }, _) => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
    }
}

/// Waits for the answer to a question that the agent reported.
pub(super) fn block_on_report(
    row: Row,
    run: Run,
    question: &str,
    risk: Option<Tier>,
    options: &[String],
) -> (Row, Vec<Effect>) {
    let (mut row, effects) = block(row, run, "question", question, true);
    if let Status::Blocked(blocked) = &mut row.status {
        blocked.options = options.to_vec();
        blocked.tier = risk.unwrap_or(Tier::Blocked);
    }
    (row, effects)
}

fn exited(mut row: Row, run: Run, end: &CommandEnd, frozen: &Frozen, now: Timestamp) -> Option<(Row, Vec<Effect>)> {
    let has_prompt = match &run.phase {
        Phase::Working | Phase::Submitting { .. } => true,
        Phase::Booting => by_argument(&run, frozen),
        // It had one before this.
        Phase::Pasting { delivery } => !matches!(delivery.purpose, Purpose::Ticket | Purpose::GoOn),
        Phase::Preparing
        | Phase::Launching
        | Phase::Proving { .. }
        | Phase::Checking { .. }
        | Phase::Closing { .. } => false,
    };
    match run.phase {
        _ if has_prompt && end.succeeded() => {
            row.pane = None;
            to(row, run, Phase::Proving { claim: Claim::default() }, vec![Effect::Inspect], now)
        }
        Phase::Launching | Phase::Booting | Phase::Pasting { .. } | Phase::Submitting { .. } | Phase::Working => {
            let when = if has_prompt { "" } else { " before it had its prompt" };
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
        (Timer::Start, Phase::Launching) => {
            let why = format!("the session was not open within {} s", limits.start_s);
            Some(ending::hindered(row, run, &why, frozen, now))
        }
        (Timer::Start, Phase::Booting) => {
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
        (Timer::Proof | Timer::Check, Phase::Proving { .. } | Phase::Checking { .. }) => {
            claim::hung(row, run, timer, frozen, now)
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
        request: None,
        rule: String::new(),
        options: vec![],
        tier: Tier::Blocked,
        live: live && row.pane.is_some(),
        settled: false,
        pressed: None,
        takes_words: false,
        words_follow: false,
        note: String::new(),
        retire: Retire::No,
        run: Some(Box::new(run)),
    };
    row.status = Status::Blocked(Box::new(blocked));
    (row, vec![Effect::Notify])
}

pub(super) fn block_on_screen(row: Row, run: Run, reason: &str, sighting: &Sighting) -> (Row, Vec<Effect>) {
    let text = if sighting.text.is_empty() { "The agent asks something: look at its pane." } else { &sighting.text };
    let (mut row, effects) = block(row, run, reason, text, true);
    if let Status::Blocked(blocked) = &mut row.status {
        blocked.rule.clone_from(&sighting.rule);
        blocked.options.clone_from(&sighting.choices);
        blocked.takes_words = sighting.takes_words;
        permission::attach(blocked, sighting);
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
