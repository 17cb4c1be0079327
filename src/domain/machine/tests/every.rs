//! Every phase and status against every event, with late and foreign ones among them.

use super::{
    super::{Step, deadline, low_gate, pending, step},
    play::*,
};
use crate::domain::{
    effect::Effect,
    event::{Event, LaunchTrouble, Timer, WorktreeTrouble},
    id::DeliveryId,
    permission::Verdict,
    reconcile::has_agent,
    report::{Hook, Said},
    row::{Row, Status},
    run::Phase,
    samples,
    schedule::AccountLimit,
    screen::{Marker, ScreenState, Sighting},
};

pub(super) const TIMERS: [Timer; 8] = [
    Timer::Start,
    Timer::Delivery,
    Timer::Stall,
    Timer::Limit,
    Timer::Parked,
    Timer::Proof,
    Timer::Check,
    Timer::Answer,
];

/// One of every kind of event, fitting and foreign, for a ticket at run, launch and delivery as given.
pub(super) fn every_event(row: &Row) -> Vec<Event> {
    let play = Play { row: row.clone(), ..Play::new() };
    let mut events = samples::some_events();
    events.extend([done(), no_change(), question("new question"), note()].map(|said| play.report(said)));
    events.extend([start(row.run + 1), worktree(), opened(), Event::FoundLanded, Event::MakeRoom, Event::Attached]);
    events.extend([work(0, &[]), work(3, &[]), work(3, &["a"]), Event::InspectFailed { why: "w".into() }]);
    for launch in [row.launch, row.launch + 1] {
        events.extend([0, 1].map(|code| Event::AgentExited { launch, end: exit(code) }));
        events.extend([true, false].map(|blameless| Event::AgentVanished { launch, blameless, why: "w".into() }));
    }
    for delivery in [DeliveryId::new(row.run, row.delivery), DeliveryId::new(row.run, row.delivery + 1)] {
        events.push(Event::Pasted { delivery: delivery.clone() });
        events.push(Event::Submitted { delivery: delivery.clone(), evidence: "e".into(), markers: 1 });
        events.extend([true, false].map(|dialog| Event::NotPasted {
            delivery: delivery.clone(),
            why: "w".into(),
            dialog,
        }));
        events.push(Event::Unverified { delivery, why: "w".into() });
    }
    events.extend(
        [
            Hook::Started,
            Hook::Active,
            Hook::Submitted { delivery: Some(DeliveryId::new(row.run, row.delivery).to_string()) },
            Hook::Asks(wants("rm x", Verdict::Ask)),
            Hook::Asks(wants("ls", Verdict::Allow)),
            Hook::Stopped { background: 0, marker: None, text: "t".into(), turn: None },
            Hook::Stopped { background: 0, marker: Some(Marker::Done), text: "t".into(), turn: None },
            Hook::Stopped { background: 0, marker: Some(Marker::Blocked), text: "t".into(), turn: None },
            Hook::Failed { error: "server_error".into(), text: "t".into() },
            Hook::Ended { reason: "other".into() },
        ]
        .map(|hook| play.report(Said::Hook(hook))),
    );
    for command in ["test", "lint"] {
        events.extend([exit(0), exit(1), unknown()].map(|end| checked(command, end)));
    }
    for state in ScreenState::ALL {
        events.extend([true, false].map(|answerable| Event::Seen { sighting: sighting(state), answerable }));
        events.push(Event::Seen { sighting: Sighting { box_empty: false, ..sighting(state) }, answerable: false });
    }
    events.extend([Verdict::Ask, Verdict::Allow, Verdict::Deny].map(|verdict| wanted("rm x", verdict)));
    events.extend([Marker::Done, Marker::Blocked].map(marker));
    events.extend(TIMERS.map(|timer| Event::Deadline { timer }));
    use WorktreeTrouble as W;
    events.extend(
        [W::Taken, W::Conflict, W::Setup, W::Passing].map(|kind| Event::WorktreeFailed { kind, why: "w".into() }),
    );
    use LaunchTrouble as L;
    events.extend([L::Environment, L::Taken, L::Passing].map(|kind| Event::LaunchFailed { kind, why: "w".into() }));
    use crate::domain::event::{DependencyNews as D, Request as R, Retry};
    let why = || "w".to_owned();
    events.extend(
        [D::Dead { why: why() }, D::Back, D::Stale { why: why() }, D::Fresh].map(|news| Event::Dependency { news }),
    );
    let until = Some(play.now);
    for until in [0, 600].map(|s| play.now + jiff::SignedDuration::from_secs(s)) {
        events.push(Event::AccountLimited(AccountLimit { by: samples::id("T-2"), until }));
    }
    let requests = [
        R::Answer { text: "1".into() },
        R::Answer { text: "again".into() },
        R::Answer { text: "accepted".into() },
        R::Send { bytes: 3 },
        R::Approve { low: true },
        R::Approve { low: false },
        R::Reject { correction: "c".into() },
        R::Stop,
        R::Resume,
        R::Retry { how: Retry::Again },
        R::Retry { how: Retry::Resume },
        R::Retry { how: Retry::ChecksOnly },
        R::Cancel,
        R::SetTier { tier: crate::domain::risk::Tier::Low },
        R::AcceptStale,
        R::Park { reason: "night".into(), until },
    ];
    events.extend(requests.map(asked));
    events
}

/// The rules that hold after each step, whatever led there.
#[track_caller]
pub(super) fn check_step(before: &Play, event: &Event, result: &Step) {
    let Step::Next { row, effects } = result else {
        if let Step::Refused(refusal) = result {
            assert!(matches!(event, Event::Asked { .. }), "only a request is refused: {event:?}");
            assert!(!refusal.hint.is_empty());
        }
        return;
    };
    let context = || format!("{event:?}\nbefore {:?}\nafter {:?}", before.row, row);
    if before.row.status.is_final() {
        let is_reopened = matches!(event, Event::Asked { request: crate::domain::event::Request::Retry { .. }, .. });
        let is_record = matches!(
            event,
            Event::Reported { .. } | Event::Keyed { .. } | Event::ReportRejected { .. } | Event::Dependency { .. }
        );
        assert!(is_reopened || (is_record && row.status == before.row.status), "{}", context());
    }
    // What is due after the step is what the step asked for, if it entered a phase.
    let is_extra = |e: &Effect| {
        use Effect::{Always, AnswerDialog, Decide, Notify, Press};
        matches!(e, AnswerDialog { .. } | Press { .. } | Decide { .. } | Always { .. } | Notify)
    };
    let wanted: Vec<_> = effects.iter().filter(|e| !is_extra(e)).cloned().collect();
    if !wanted.is_empty() {
        assert_eq!(wanted, pending(row, &before.frozen), "{}", context());
    }
    assert!(wanted.len() <= 1, "{}", context());
    assert!(row.run == before.row.run || (row.run == before.row.run + 1 && row.launch == 0), "{}", context());
    assert!(row.run > before.row.run || row.launch <= before.row.launch + 1, "{}", context());
    assert!(row.losses <= 10 && row.worked_s >= before.row.worked_s, "{}", context());
    no_dead_end(row, before);
    if row.proof.as_ref().is_some_and(|p| p.verified) && row.proof != before.row.proof {
        verified_only_with_proof(before, event, row);
    }
    if low_gate(row).is_ok() {
        assert!(row.proof.as_ref().is_some_and(|p| p.verified));
    }
}

/// Something carries each open ticket on: an effect, a deadline, an agent that is watched, or it says what it waits for.
#[track_caller]
pub(super) fn no_dead_end(row: &Row, play: &Play) {
    let has_effect = !pending(row, &play.frozen).is_empty();
    let has_deadline = deadline(row, &play.frozen, play.now, |time| time).is_some();
    match &row.status {
        Status::Queued { .. }
        | Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => {}
        Status::Running(run) => {
            assert!(has_effect || has_deadline, "nothing carries it on: {row:?}");
            let needs_agent = matches!(run.phase, Phase::Booting);
            assert!(!needs_agent || has_agent(row) || has_deadline, "nobody watches it: {row:?}");
        }
        Status::Parked(parked) => assert!(!parked.reason.is_empty(), "it does not say why: {row:?}"),
        Status::Blocked(blocked) => {
            assert!(!blocked.reason.is_empty() && !blocked.question.is_empty(), "it asks nothing: {row:?}");
        }
    }
}

#[track_caller]
fn verified_only_with_proof(before: &Play, event: &Event, row: &Row) {
    let context = || format!("{event:?}\nbefore {:?}", before.row);
    let Event::Inspected { work } = event else { panic!("verified without a look: {}", context()) };
    let proof = row.proof.as_ref().unwrap();
    assert!(work.dirty.is_empty() && work.off_branch.is_none(), "{}", context());
    assert!(proof.checks.iter().all(|c| c.end.succeeded()), "{}", context());
    assert_eq!(proof.checks.len(), before.frozen.commands().count(), "{}", context());
    assert_eq!(proof.head.as_deref(), Some(work.head.as_str()), "{}", context());
    assert!(proof.commits > 0 || proof.no_change.is_some(), "{}", context());
    let claim = match before.phase() {
        Phase::Proving { claim } | Phase::Checking { claim, .. } => claim,
        other => panic!("verified in {other:?}"),
    };
    assert!(claim.claimed, "{}", context());
}

#[test]
fn every_status_and_phase_takes_every_event_without_a_dead_end() {
    for row in samples::every_row() {
        let row = Row { losses: 0, ..row };
        let resumable = row.conversation.is_some();
        let mut play = Play { row, ..Play::new() };
        play.frozen.limits.resumable = resumable;
        for event in every_event(&play.row) {
            let result = step(&play.row, &play.frozen, &event, play.now);
            check_step(&play, &event, &result);
        }
    }
}

#[test]
fn no_late_answer_of_an_effect_moves_a_ticket_that_has_gone_on() {
    let mut play = Play::new();
    play.until_review();
    for event in every_event(&play.row) {
        let late = !matches!(event, Event::Asked { .. } | Event::Dependency { .. } | Event::FoundLanded);
        let after = step(&play.row, &play.frozen, &event, play.now);
        if let (true, Step::Next { row, effects }) = (late, after) {
            assert_eq!(
                (row.status.word(), row.proof, effects.len()),
                ("needs_review", play.row.proof.clone(), 0),
                "{event:?}"
            );
        }
    }
}

#[test]
fn every_wait_of_a_run_has_a_deadline_or_an_effect_that_ends_by_itself() {
    for phase in samples::every_phase() {
        let status = Status::Running(Box::new(samples::run(phase.clone())));
        let row = Row { status, ..samples::row("T-1") };
        let timer = deadline(&row, &frozen(), samples::time(0), |time| time).map(|(_, timer)| timer);
        let expected = match &phase {
            // git and set-up commands have limits of their own; closing is tried again until nothing lives.
            Phase::Preparing | Phase::Closing { .. } => None,
            Phase::Launching | Phase::Booting => Some(Timer::Start),
            Phase::Pasting { .. } | Phase::Submitting { .. } => Some(Timer::Delivery),
            Phase::Working => Some(Timer::Stall),
            Phase::Proving { .. } => Some(Timer::Proof),
            Phase::Checking { done, .. } if done.len() < 2 => Some(Timer::Check),
            Phase::Checking { .. } => Some(Timer::Proof),
        };
        assert_eq!(timer, expected, "{phase:?}");
    }
}
