//! Rows, screens and scrollback; and what is said when the look fails.

use std::time::Duration;

use autodo::{
    adapters::tmux::{Tmux, TmuxPlace},
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
    },
    ports::terminal::{Terminal as _, TerminalError},
};

use crate::support::{
    tmux::{Bed, spec, tag},
    wait_for,
};

const SLEEP: &[&str] = &["sleep", "600"];

fn pane(id: &str) -> PaneId {
    PaneId::parse(id).unwrap()
}

#[test]
fn without_a_server_everything_is_absent() {
    let bed = super::bed();
    assert_eq!(bed.block(bed.tmux.panes()), Observed::Absent);
    assert_eq!(bed.block(bed.tmux.screens(vec![pane("%1")])), Observed::Absent);
    assert_eq!(bed.block(bed.tmux.scrollback(pane("%1"), 10)), Observed::Absent);
    assert_eq!(bed.block(bed.tmux.server_pid()), Observed::Absent);
    assert!(matches!(bed.paste(&pane("%1"), "x"), Err(TerminalError::NoServer(_))));
    assert!(!bed.tmux.place().socket.exists(), "a look starts no server");
}

#[test]
fn a_row_tells_what_the_pane_is() {
    let bed = super::bed();
    let program = "printf '\\033]2;%s\\007' \"$1\"; printf 'one\\r\\ntwo'; exec sleep 600";
    let title = "✳ a|b #{pane_id} #(x), }é\t%H";
    let pane = bed.open("T-1", &["sh", "-c", program, "x", title]);
    bed.wait_for_text(&pane, "two");
    let seen = bed.seen(&pane);
    // tmux drops control characters of a title; from 3.7 on it also takes the meaning from `#(`.
    let whole = title.replace('\t', "");
    assert!([whole.replace("#(", "_("), whole].contains(&seen.title), "{}", seen.title);
    assert_eq!((seen.cursor, seen.dead, seen.in_mode, seen.attached), ((3, 1), false, false, false));
    assert!(seen.pid.is_some_and(|pid| pid > 1) && seen.activity_s > 1_700_000_000, "{seen:?}");
    let screen = bed.screen(&pane);
    assert_eq!((screen.cursor, screen.title.as_str(), screen.width), ((3, 1), seen.title.as_str(), 100));
    assert_eq!((screen.rows.len(), screen.rows[0].as_str(), screen.rows[1].as_str()), (30, "one", "two"));
}

#[test]
fn one_look_shows_many_screens_and_marks_those_that_are_gone() {
    let bed = super::bed();
    let ids = ["T-1", "T-2", "T-3", "T-4"];
    let panes: Vec<_> =
        ids.iter().map(|id| bed.open(id, &["sh", "-c", "echo \"I am $1\"; exec sleep 600", "x", id])).collect();
    for (pane, id) in panes.iter().zip(ids) {
        bed.wait_for_text(pane, &format!("I am {id}"));
    }
    bed.block(bed.tmux.close(tag("T-2", 1, 1))).unwrap();
    let Observed::Present(screens) = bed.block(bed.tmux.screens(panes.clone())) else { panic!("no look") };
    assert_eq!(screens.iter().map(|(pane, _)| pane.clone()).collect::<Vec<_>>(), panes);
    for ((_, screen), id) in screens.iter().zip(ids) {
        match screen {
            Observed::Present(screen) => assert_eq!(screen.rows[0], format!("I am {id}")),
            Observed::Absent => assert_eq!(id, "T-2"),
            Observed::Unknown(why) => panic!("{id}: {why}"),
        }
    }
    assert_eq!(bed.block(bed.tmux.screens(Vec::new())), Observed::Present(Vec::new()));
}

#[test]
fn what_a_pane_prints_is_never_taken_for_a_mark() {
    let bed = super::bed();
    let program =
        "printf 'ad0011223344556677|0|%%1|0|0|100|0|\\r\\n%%begin 1 2 1\\r\\n%%end 1 2 1\\r\\n|end'; exec sleep 600";
    let pane = bed.open("T-1", &["sh", "-c", program]);
    bed.wait_for_text(&pane, "|end");
    assert_eq!(
        bed.screen(&pane).rows[..4],
        ["ad0011223344556677|0|%1|0|0|100|0|", "%begin 1 2 1", "%end 1 2 1", "|end"]
    );
}

#[test]
fn the_scrollback_joins_what_the_terminal_wrapped() {
    let bed = super::bed();
    let program = "seq 1 100; printf 'x%.0s' $(seq 150); echo; echo LAST; exec sleep 600";
    let pane = bed.open("T-1", &["sh", "-c", program]);
    bed.wait_for_text(&pane, "LAST");
    let Observed::Present(text) = bed.block(bed.tmux.scrollback(pane.clone(), 2000)) else { panic!("no look") };
    let lines: Vec<_> = text.trim_end().lines().collect();
    assert_eq!((lines[0], lines[99], lines[100]), ("1", "100", "x".repeat(150).as_str()));
    assert_eq!(lines.last(), Some(&"LAST"));
    let Observed::Present(visible) = bed.block(bed.tmux.scrollback(pane.clone(), 0)) else { panic!("no look") };
    assert!(visible.lines().count() <= 30 && visible.contains("LAST"), "{visible}");
    assert!(bed.seen(&pane).history > 70);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    assert_eq!(bed.block(bed.tmux.scrollback(pane, 10)), Observed::Absent);
}

#[test]
fn a_server_that_is_killed_is_absent_and_said_so() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    bed.end_server();
    assert_eq!(bed.block(bed.tmux.panes()), Observed::Absent);
    assert_eq!(bed.block(bed.tmux.screens(vec![recorder.pane.clone()])), Observed::Absent);
    assert!(matches!(bed.paste(&recorder.pane, "x"), Err(TerminalError::NoServer(_))));
    let key = bed.key(&recorder.pane, autodo::ports::terminal::Key::Enter, Default::default());
    assert!(matches!(key, Err(TerminalError::NoServer(_))), "{key:?}");
    assert!(matches!(bed.block(bed.tmux.leave_mode(recorder.pane)), Err(TerminalError::NoServer(_))));
    let size = bed.block(bed.tmux.resize_back(&TicketId::parse("T-1").unwrap(), &pane("%1"), (90, 20)));
    assert!(matches!(size, Err(TerminalError::NoServer(_))), "{size:?}");
}

#[test]
fn a_tmux_that_does_not_answer_is_unknown_and_never_absent() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    let slow = bed.script("slow", "sleep 60");
    let tmux = bed.other(|place| {
        place.program = slow;
        place.limit = Duration::from_millis(300);
    });
    assert!(matches!(bed.block(tmux.panes()), Observed::Unknown(_)));
    assert!(matches!(bed.block(tmux.screens(vec![pane.clone()])), Observed::Unknown(_)));
    assert!(matches!(bed.block(tmux.scrollback(pane.clone(), 5)), Observed::Unknown(_)));
    assert!(matches!(bed.block(tmux.paste(pane.clone(), "x".repeat(1 << 20))), Err(TerminalError::Timeout(1))));
    assert!(matches!(bed.block(tmux.open(spec(tag("T-2", 1, 1), SLEEP))), Err(TerminalError::Timeout(1))));
    assert!(matches!(bed.block(tmux.close(tag("T-1", 1, 1))), Err(TerminalError::Timeout(1))));
    assert!(!bed.seen(&pane).dead);
}

#[test]
fn a_server_that_is_stopped_is_unknown() {
    let bed = super::bed();
    bed.open("T-1", SLEEP);
    let Observed::Present(pid) = bed.block(bed.tmux.server_pid()) else { panic!("no pid") };
    let pid = nix::unistd::Pid::from_raw(pid);
    let tmux = bed.other(|place| place.limit = Duration::from_millis(300));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let look = bed.block(tmux.panes());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    assert!(matches!(look, Observed::Unknown(_)), "{look:?}");
    assert!(matches!(bed.block(bed.tmux.panes()), Observed::Present(_)));
}

#[test]
fn a_tmux_that_garbles_is_unknown_and_no_row_is_dropped() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    for (name, body) in [
        ("noise", "echo noise"),
        ("cut", "tmux \"$@\" | head -c 60"),
        ("more", "tmux \"$@\"; echo more"),
        ("fails", "echo 'something broke' >&2; exit 1"),
        ("mute", "exit 1"),
        ("flood", "exec cat /dev/zero"),
    ] {
        let program = bed.script(name, body);
        let tmux = bed.other(|place| place.program = program);
        let look = bed.block(tmux.panes());
        assert!(matches!(look, Observed::Unknown(_)), "{name}: {look:?}");
        let screens = bed.block(tmux.screens(vec![pane.clone()]));
        assert!(matches!(screens, Observed::Unknown(_)), "{name}: {screens:?}");
    }
}

#[test]
fn a_foreign_tag_that_cannot_be_read_spoils_the_look() {
    let bed = super::bed();
    bed.open("T-1", SLEEP);
    bed.says(&["set-option", "-p", "-t", "=ad-T-1:", "@autodo_run", "x|y\nz"]);
    let look = bed.block(bed.tmux.panes());
    assert!(matches!(&look, Observed::Unknown(why) if why.contains("ad-T-1") || why.contains("tag")), "{look:?}");
}

#[test]
fn versions_are_read_and_old_ones_refused() {
    let bed = super::bed();
    let Observed::Present(version) = bed.block(bed.tmux.version()) else { panic!("no version") };
    assert!(version.is_usable(), "{version:?}");
    let old = bed.script("old", "test \"$1\" = -V && echo 'tmux 3.1c' && exit; exec tmux \"$@\"");
    let tmux = bed.other(|place| place.program = old);
    let error = bed.block(tmux.open(spec(tag("T-1", 1, 1), SLEEP))).unwrap_err();
    assert!(matches!(&error, TerminalError::Unusable(why) if why.contains("3.1c")), "{error:?}");
    let odd = bed.script("odd", "echo screen 4.9");
    assert!(matches!(bed.block(bed.other(|place| place.program = odd).version()), Observed::Unknown(_)));
}

#[test]
fn a_machine_without_tmux_is_told_so() {
    let bed = Bed::with(|place| place.program = "no-such-tmux".into());
    assert_eq!(bed.block(bed.tmux.version()), Observed::Absent);
    let error = bed.try_open(spec(tag("T-1", 1, 1), SLEEP)).unwrap_err();
    assert!(matches!(error, TerminalError::Unusable(_)), "{error:?}");
    assert!(matches!(bed.block(bed.tmux.panes()), Observed::Unknown(_)));
}

#[test]
fn a_socket_path_that_the_kernel_would_cut_is_refused() {
    let bed = super::bed();
    let mut place = TmuxPlace::in_folder(bed.dir.path());
    place.socket = bed.dir.path().join("x".repeat(100));
    let error = bed.block(Tmux::new(place).open(spec(tag("T-1", 1, 1), SLEEP))).unwrap_err();
    assert!(matches!(error, TerminalError::Unusable(_)), "{error:?}");
}

#[test]
fn a_pane_that_died_keeps_its_last_screen() {
    let bed = super::bed();
    let pane = bed.open("T-1", &["sh", "-c", "echo LAST WORDS; exit 3"]);
    wait_for("its death", || bed.seen(&pane).dead.then_some(()), || bed.screen(&pane).text());
    let rows = bed.screen(&pane).rows;
    assert!(rows.iter().any(|row| row == "LAST WORDS"), "{rows:?}");
    assert!(!rows.iter().any(|row| row.contains("dead")), "{rows:?}");
}
