//! What holds after any sequence of events.

use proptest::prelude::*;

use super::{
    super::{Step, pending, step},
    every::{check_step, every_event},
    play::*,
};
use crate::domain::{
    entry::Entry,
    observed::Observed,
    reconcile::{self, LaunchLife, PaneLife, Seen},
    row::{Row, Status},
};

/// Plays `picks` of all events that there are, most of which fit nowhere; a pick above the range lets time pass.
fn play(picks: &[(u16, u16)], resumable: bool, feedback: bool) -> Vec<(Play, Entry)> {
    let mut play = if resumable { Play::resumable() } else { Play::new() };
    play.frozen.limits.feedback = feedback;
    let mut steps = Vec::new();
    for (pick, wait) in picks {
        play.wait(i64::from(*wait));
        let events = every_event(&play.row);
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

fn picks() -> impl Strategy<Value = Vec<(u16, u16)>> {
    prop::collection::vec((any::<u16>(), prop_oneof![Just(0_u16), 0..100_u16, any::<u16>()]), 1..40)
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
