//! What holds after any sequence of events.

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{
    super::{Step, pending, step},
    every::{check_step, every_event},
    play::*,
};
use crate::domain::{
    entry::Entry,
    event::{Event, Request},
    observed::Observed,
    reconcile::{self, LaunchLife, PaneLife, Seen},
    row::{Row, Status},
    run::Phase,
    screen::ScreenState,
};

/// One event to play: where to begin in the list of all, seconds to wait before, and what may happen: 0 to 5 what
/// should, up to 8 whatever the world does, 9 anything.
type Pick = (u16, u16, u8);

/// Plays `picks` of all events that there are, most of which fit nowhere.
fn play(picks: &[Pick], resumable: bool, feedback: bool) -> Vec<(Play, Entry)> {
    let mut play = if resumable { Play::resumable() } else { Play::new() };
    play.frozen.limits.feedback = feedback;
    play.frozen.limits.crashes = if feedback { 3 } else { 1 };
    let mut steps = Vec::new();
    for (pick, wait, kind) in picks {
        play.wait(i64::from(*wait));
        let mut events = every_event(&play.row);
        events.retain(|event| *kind > 8 || !matches!(event, Event::Asked { .. }));
        if *kind <= 5 {
            events = vec![usual(&play)];
        }
        let mut at = usize::from(*pick) % events.len();
        // Ignored events teach nothing: the next one that is taken is.
        for _ in 0..events.len() {
            let event = &events[at];
            let result = step(&play.row, &play.frozen, event, play.now);
            check_step(&play, event, &result);
            if let Step::Next { row, effects } = result
                && *row != play.row
            {
                let entry = Entry {
                    seq: 1,
                    at: play.now,
                    ticket: row.id.clone(),
                    event: event.clone(),
                    effects: effects.clone(),
                    row: Some((*row).clone()),
                };
                (play.row, play.effects) = (*row, effects);
                steps.push((play.clone(), entry));
                break;
            }
            at = (at + 1) % events.len();
        }
    }
    steps
}

/// What happens next when all goes well.
fn usual(play: &Play) -> Event {
    match &play.row.status {
        Status::Queued { .. } => start(play.row.run + 1),
        Status::Running(run) => match &run.phase {
            Phase::Preparing => worktree(),
            Phase::Launching => opened(),
            Phase::Booting => shows(ScreenState::Ready),
            Phase::Pasting { delivery } => Event::Pasted { delivery: delivery.id.clone() },
            Phase::Submitting { delivery } => {
                Event::Submitted { delivery: delivery.id.clone(), evidence: String::new(), markers: 0 }
            }
            Phase::Working => play.report(done()),
            Phase::Checking { done, .. } if done.is_empty() => checked("test", exit(0)),
            Phase::Checking { done, .. } if done.len() == 1 => checked("lint", exit(0)),
            Phase::Proving { .. } | Phase::Checking { .. } => work(2, &[]),
            Phase::Closing { .. } => Event::Closed,
        },
        Status::Blocked(_) => answer("again"),
        Status::Parked(_) => asked(Request::Resume),
        Status::NeedsReview => asked(Request::Approve { low: false }),
        Status::Reviewed { .. } => Event::FoundLanded,
        Status::Landed | Status::Failed { .. } | Status::Cancelled { .. } => retry(),
    }
}

fn picks() -> impl Strategy<Value = Vec<Pick>> {
    let wait = prop_oneof![Just(0_u16), 0..100_u16, any::<u16>()];
    prop::collection::vec((any::<u16>(), wait, 0..10_u8), 1..40)
}

fn every_look() -> Vec<Seen> {
    let panes = [
        Observed::Present(PaneLife::Alive),
        Observed::Present(PaneLife::Dead),
        Observed::Absent,
        Observed::Unknown("u".into()),
    ];
    let ended = |outside| Observed::Present(LaunchLife::Ended { end: exit(1), outside });
    let gone = |other_boot| Observed::Present(LaunchLife::Gone { other_boot });
    let launches = [
        Observed::Present(LaunchLife::Waiting),
        Observed::Present(LaunchLife::Alive),
        ended(true),
        ended(false),
        gone(true),
        gone(false),
        Observed::Absent,
        Observed::Unknown("u".into()),
    ];
    let mut looks = Vec::new();
    for pane in &panes {
        for launch in &launches {
            for server_gone in [false, true] {
                looks.push(Seen { pane: pane.clone(), server_gone, launch: launch.clone() });
            }
        }
    }
    looks
}

#[test]
fn the_sequences_reach_every_status_and_phase() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for n in 0..120 {
        let picks = picks().new_tree(&mut runner).unwrap().current();
        for (play, _) in play(&picks, n % 2 == 0, n % 3 != 0) {
            reached.insert(play.row.running().map_or(play.row.status.word(), |run| run.phase.word()));
            if play.row.proof.as_ref().is_some_and(|p| p.verified) {
                reached.insert("verified");
            }
        }
    }
    let all = "blocked booting cancelled checking closing failed landed launching needs_review parked pasting preparing \
               proving queued reviewed submitting verified working";
    assert_eq!(reached.into_iter().collect::<Vec<_>>().join(" "), all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_breaks_a_rule(picks in picks(), resumable: bool, feedback: bool) {
        // Every step is held against the rules while it is played.
        for (play, _) in play(&picks, resumable, feedback) {
            let runs = usize::from(matches!(play.row.status, Status::Running(_)));
            prop_assert!(pending(&play.row, &play.frozen).len() <= runs.max(1), "at most one effect at work");
        }
    }

    #[test]
    fn every_row_and_event_is_the_same_after_it_was_written_and_read(picks in picks(), resumable: bool) {
        for (play, entry) in play(&picks, resumable, true) {
            let line = serde_json::to_string(&entry).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Entry>(&line).unwrap(), &entry);
            let text = toml::to_string(&play.row).unwrap();
            prop_assert_eq!(toml::from_str::<Row>(&text).unwrap(), play.row);
        }
    }

    #[test]
    fn what_must_have_happened_is_concluded_once_and_never_from_a_failed_look(picks in picks(), resumable: bool) {
        for (play, _) in play(&picks, resumable, true) {
            for seen in every_look() {
                let event = reconcile::what_happened(&play.row, &seen);
                if matches!(seen.pane, Observed::Unknown(_)) || matches!(seen.launch, Observed::Unknown(_)) {
                    prop_assert_eq!(&event, &None);
                }
                let Some(event) = event else { continue };
                let Step::Next { row, .. } = step(&play.row, &play.frozen, &event, play.now) else {
                    return Err(TestCaseError::fail(format!("{event:?} was not taken by {:?}", play.row)));
                };
                let row: Row = *row;
                prop_assert_eq!(reconcile::what_happened(&row, &seen), None, "{:?}", event);
            }
        }
    }
}
