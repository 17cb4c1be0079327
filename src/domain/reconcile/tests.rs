//! What must have happened, as a table: what the launch says, what the pane says, and the conclusion.

use super::*;
use crate::domain::{
    id::PaneId,
    run::{Blocked, Retire},
    samples,
};

fn row(phase: Phase) -> Row {
    let status = Status::Running(Box::new(samples::run(phase)));
    Row { run: 1, launch: 2, pane: PaneId::parse("%3"), status, ..samples::row("T-1") }
}

fn ended(outside: bool) -> Observed<LaunchLife> {
    Observed::Present(LaunchLife::Ended { end: CommandEnd::Exited { code: 3 }, outside })
}

fn gone(other_boot: bool) -> Observed<LaunchLife> {
    Observed::Present(LaunchLife::Gone { other_boot })
}

/// `exit`, `blameless`, `crash`, or `-`.
fn verdict(row: &Row, launch: Observed<LaunchLife>, pane: Observed<PaneLife>, server_gone: bool) -> &'static str {
    match what_happened(row, &Seen { pane, server_gone, launch }) {
        None => "-",
        Some(Event::AgentExited { launch: 2, end: CommandEnd::Exited { code: 3 } }) => "exit",
        Some(Event::AgentVanished { launch: 2, blameless: true, why }) if !why.is_empty() => "blameless",
        Some(Event::AgentVanished { launch: 2, blameless: false, why }) if !why.is_empty() => "crash",
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_table() {
    let working = row(Phase::Working);
    // Pane alive, dead, absent with a server, absent with the server gone.
    let table: [(Observed<LaunchLife>, [&str; 4]); 8] = [
        (ended(false), ["exit", "exit", "exit", "exit"]),
        (ended(true), ["blameless", "blameless", "blameless", "blameless"]),
        (gone(true), ["blameless", "blameless", "blameless", "blameless"]),
        (gone(false), ["-", "crash", "crash", "blameless"]),
        (Observed::Present(LaunchLife::Alive), ["-", "-", "blameless", "blameless"]),
        (Observed::Present(LaunchLife::Waiting), ["-", "crash", "blameless", "blameless"]),
        (Observed::Absent, ["-", "-", "blameless", "blameless"]),
        (Observed::Unknown("no".into()), ["-", "-", "-", "-"]),
    ];
    for (launch, expected) in table {
        let panes = [
            (Observed::Present(PaneLife::Alive), false),
            (Observed::Present(PaneLife::Dead), false),
            (Observed::Absent, false),
            (Observed::Absent, true),
        ];
        let found = panes.map(|(pane, server_gone)| verdict(&working, launch.clone(), pane, server_gone));
        assert_eq!(found, expected, "{launch:?}");
        assert_eq!(verdict(&working, launch, Observed::Unknown("no".into()), false), "-", "a failed look says nothing");
    }
}

#[test]
fn only_an_agent_that_should_be_there_can_be_missed() {
    for phase in samples::every_phase() {
        let expected = !matches!(phase, Phase::Preparing | Phase::Launching | Phase::Closing { .. });
        assert_eq!(has_agent(&row(phase.clone())), expected, "{phase:?}");
        let without_pane = Row { pane: None, ..row(phase) };
        assert!(!has_agent(&without_pane));
        assert_eq!(verdict(&without_pane, ended(false), Observed::Absent, true), "-");
    }
    for status in samples::every_status() {
        let expected = match &status {
            Status::Running(_) => continue,
            Status::Blocked(blocked) => blocked.live,
            _ => false,
        };
        let mut row = Row { status, ..row(Phase::Working) };
        assert_eq!(has_agent(&row), expected, "{:?}", row.status);
        if let Status::Blocked(blocked) = &row.status {
            row.status = Status::Blocked(Box::new(Blocked { retire: Retire::Asked, ..(**blocked).clone() }));
            assert!(!has_agent(&row), "autodo itself ends it to make room");
        }
    }
}
