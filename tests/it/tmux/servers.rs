//! More than one server: which one a session goes to, and that a pane is found and spoken to wherever it is.

use std::{collections::BTreeMap, path::PathBuf};

use autodo::{
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
    },
    ports::terminal::{Guard, Key, Terminal as _, TerminalError},
};

use tokio::task::JoinSet;

use crate::support::{
    tmux::{Bed, SIZE, bracketed, spec, tag},
    wait_for,
};

const SLEEP: &[&str] = &["sleep", "600"];

/// A bed with two sessions on each server.
fn bed() -> Bed {
    Bed::with(|place| place.most_sessions = 2)
}

fn socket(bed: &Bed, number: usize) -> PathBuf {
    bed.dir.path().join(format!("tmux-{number}.sock"))
}

fn open(bed: &Bed, number: usize) -> PaneId {
    bed.open(&format!("T-{number}"), &["sh", "-c", "echo \"I am $0\"; exec sleep 600", &number.to_string()])
}

/// The sessions on the server with that number, without the one that keeps it company.
fn sessions(bed: &Bed, number: usize) -> usize {
    let output = bed.by_hand_on(&socket(bed, number), &["list-sessions", "-F", "#{session_name}"]);
    String::from_utf8_lossy(&output.stdout).lines().filter(|name| name.starts_with("ad-")).count()
}

#[test]
fn sessions_that_are_too_many_for_one_server_go_to_the_next() {
    for is_held in [false, true] {
        let bed = bed();
        if is_held {
            bed.tmux.hold_control();
        }
        let panes: Vec<PaneId> = (1..=5).map(|number| open(&bed, number)).collect();
        let ids: Vec<&str> = panes.iter().map(PaneId::as_str).collect();
        assert_eq!(ids, ["%1", "%2", "2%1", "2%2", "3%1"]);
        assert_eq!((sessions(&bed, 2), sessions(&bed, 3)), (2, 1));
        let seen = bed.panes();
        assert!(panes.iter().all(|pane| seen.iter().any(|seen| seen.pane == *pane)), "{seen:?}");
        for (pane, number) in panes.iter().zip(1..) {
            bed.wait_for_text(pane, &format!("I am {number}"));
            let Observed::Present(text) = bed.block(bed.tmux.scrollback(pane.clone(), 5)) else { panic!("{pane}") };
            assert!(text.contains(&format!("I am {number}")), "{text}");
        }
        let backwards: Vec<PaneId> = panes.iter().rev().cloned().collect();
        let Observed::Present(screens) = bed.block(bed.tmux.screens(backwards.clone())) else { panic!("no look") };
        let order: Vec<PaneId> = screens.iter().map(|(pane, _)| pane.clone()).collect();
        assert_eq!(order, backwards);
        // There is room on the first again.
        bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
        bed.panes();
        assert_eq!(open(&bed, 6).server(), 1);
    }
}

#[test]
fn many_that_are_opened_at_once_overfill_no_server() {
    let bed = bed();
    bed.tmux.hold_control();
    let opened = bed.block(async {
        let mut opening = JoinSet::new();
        for number in 0..8 {
            let tmux = bed.tmux.clone();
            opening.spawn(async move { tmux.open(spec(tag(&format!("T-{number}"), 1, 1), SLEEP)).await });
        }
        opening.join_all().await
    });
    let mut servers: BTreeMap<usize, usize> = BTreeMap::new();
    for pane in opened {
        *servers.entry(pane.unwrap().server()).or_default() += 1;
    }
    assert_eq!(servers.into_iter().collect::<Vec<_>>(), [(1, 2), (2, 2), (3, 2), (4, 2)]);
}

#[test]
fn typing_reaches_the_pane_of_that_server_and_no_other() {
    let bed = Bed::with(|place| place.most_sessions = 1);
    let recorders: Vec<_> = (1..=3).map(|number| bed.recorder(&format!("R-{number}"))).collect();
    let servers: Vec<usize> = recorders.iter().map(|recorder| recorder.pane.server()).collect();
    assert_eq!(servers, [1, 2, 3]);
    for (recorder, number) in recorders.iter().zip(1..) {
        let text = format!("for {number}");
        bed.paste(&recorder.pane, &text).unwrap();
        bed.key(&recorder.pane, Key::Char('.'), Guard::default()).unwrap();
        bed.block(bed.tmux.leave_mode(recorder.pane.clone())).unwrap();
    }
    for (recorder, number) in recorders.iter().zip(1..) {
        let wanted = [bracketed(&format!("for {number}")), b".".to_vec()].concat();
        assert_eq!(recorder.wait_for_end(b"."), wanted);
    }
}

#[test]
fn a_session_is_found_again_on_the_server_it_is_on() {
    let bed = bed();
    let panes: Vec<PaneId> = (1..=3).map(|number| open(&bed, number)).collect();
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    // Another process, which has seen nothing yet.
    let other = bed.other(|place| place.most_sessions = 2);
    assert_eq!(bed.block(other.open(spec(tag("T-3", 1, 1), SLEEP))).unwrap(), panes[2]);
    let taken = bed.block(other.open(spec(tag("T-3", 2, 1), SLEEP)));
    assert!(matches!(taken, Err(TerminalError::Taken { .. })), "{taken:?}");
    assert_eq!(bed.block(other.open(spec(tag("T-4", 1, 1), SLEEP))).unwrap().server(), 1);
}

#[test]
fn a_further_server_ends_with_its_last_session() {
    let bed = bed();
    (1..=4).for_each(|number| drop(open(&bed, number)));
    bed.block(bed.tmux.close(tag("T-3", 1, 1))).unwrap();
    assert_eq!(sessions(&bed, 2), 1);
    bed.block(bed.tmux.close(tag("T-4", 1, 1))).unwrap();
    wait_for("its end", || (!bed.by_hand_on(&socket(&bed, 2), &["ls"]).status.success()).then_some(()), String::new);
    assert_eq!(bed.panes().len(), 3);
    assert!(!bed.dir.path().join("tmux-2.sock.server").exists());
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    bed.block(bed.tmux.close(tag("T-2", 1, 1))).unwrap();
    assert_eq!(bed.panes().len(), 1, "the first goes on");
}

#[test]
fn what_one_server_loses_is_gone_and_the_others_go_on() {
    let bed = bed();
    let panes: Vec<PaneId> = (1..=3).map(|number| open(&bed, number)).collect();
    bed.wait_for_text(&panes[0], "I am 1");
    assert!(bed.by_hand_on(&socket(&bed, 2), &["kill-server"]).status.success());
    let seen: Vec<PaneId> = bed.panes().into_iter().map(|seen| seen.pane).collect();
    assert!(seen.contains(&panes[0]) && !seen.contains(&panes[2]), "{seen:?}");
    let Observed::Present(screens) = bed.block(bed.tmux.screens(vec![panes[2].clone(), panes[0].clone()])) else {
        panic!("no look")
    };
    assert_eq!(screens[0], (panes[2].clone(), Observed::Absent));
    assert!(matches!(&screens[1].1, Observed::Present(screen) if screen.rows[0] == "I am 1"));
    assert!(matches!(bed.paste(&panes[2], "x"), Err(TerminalError::NoServer(_))));
    assert_eq!(open(&bed, 4).server(), 2, "it is started again");
    bed.end_server();
    let seen: Vec<PaneId> = bed.panes().into_iter().map(|seen| seen.pane).collect();
    assert!(seen.iter().all(|pane| pane.server() == 2), "{seen:?}");
    assert!(bed.by_hand_on(&socket(&bed, 2), &["kill-server"]).status.success());
    assert_eq!(bed.block(bed.tmux.panes()), Observed::Absent);
}

#[test]
fn a_further_server_that_does_not_answer_makes_the_look_unknown() {
    let bed = bed();
    (1..=3).for_each(|number| drop(open(&bed, number)));
    let other = bed.other(|place| {
        place.most_sessions = 2;
        let body = "case \"$*\" in *tmux-2.sock*) exec sleep 600 ;; *) exec tmux \"$@\" ;; esac";
        place.program = bed.script("slow-tmux", body);
        place.limit = std::time::Duration::from_millis(300);
    });
    assert!(matches!(bed.block(other.panes()), Observed::Unknown(_)));
    let opened = bed.block(other.open(spec(tag("T-9", 1, 1), SLEEP)));
    assert!(opened.is_err(), "it may be on the server that does not answer: {opened:?}");
}

#[test]
fn people_are_shown_the_way_to_the_right_server() {
    let bed = bed();
    let panes: Vec<PaneId> = (1..=3).map(|number| open(&bed, number)).collect();
    let second = socket(&bed, 2).display().to_string();
    let ticket = TicketId::parse("T-3").unwrap();
    assert!(bed.tmux.attach_argv(&ticket, &panes[2], None).contains(&second));
    assert!(bed.tmux.attach_plain(&ticket, &panes[2]).contains(&second));
    assert!(!bed.tmux.attach_plain(&TicketId::parse("T-1").unwrap(), &panes[0]).contains(&second));
    let listed = std::process::Command::new("sh").args(["-c", &bed.tmux.list_plain()]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(["ad-T-1:", "ad-T-3:"].iter().all(|name| listed.contains(name)), "{listed}");
    let resize = ["resize-window", "-t", "=ad-T-3:", "-x", "60", "-y", "9"];
    assert!(bed.by_hand_on(&socket(&bed, 2), &resize).status.success());
    bed.block(bed.tmux.resize_back(&ticket, &panes[2], SIZE)).unwrap();
    assert_eq!(bed.seen(&panes[2]).size, SIZE);
}
