//! Sessions: opened once, found and closed by tag, attached to.

use std::fs;

use autodo::{
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
    },
    ports::terminal::{Terminal as _, TerminalError},
};
use tokio::task::JoinSet;

use crate::support::{
    tmux::{SIZE, spec, tag},
    wait_for,
};

const SLEEP: &[&str] = &["sleep", "600"];

#[test]
fn opening_twice_with_one_tag_opens_one_session() {
    let bed = super::bed();
    let first = bed.open("T-1", SLEEP);
    assert_eq!(bed.open("T-1", SLEEP), first);
    assert_eq!(bed.panes().iter().filter(|seen| seen.tag == Some(tag("T-1", 1, 1))).count(), 1);
    let seen = bed.seen(&first);
    assert_eq!((seen.session.as_str(), seen.size, seen.dead), ("ad-T-1", SIZE, false));
}

#[test]
fn many_who_open_one_session_get_the_same_pane() {
    let bed = super::bed();
    let panes = bed.block(async {
        let mut all = JoinSet::new();
        for _ in 0..8 {
            // Each with its own semaphore and its own idea of the server, as separate processes have.
            let tmux = bed.other(|_| {});
            all.spawn(async move { tmux.open(spec(tag("T-1", 1, 1), SLEEP)).await.unwrap() });
        }
        all.join_all().await
    });
    assert!(panes.iter().all(|pane| *pane == panes[0]), "{panes:?}");
    assert_eq!(bed.panes().len(), 2, "the anchor and one session");
}

#[test]
fn another_tag_never_gets_a_session_that_is_in_use() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    for other in [tag("T-1", 1, 2), tag("T-1", 2, 1)] {
        let error = bed.try_open(spec(other, SLEEP)).unwrap_err();
        assert!(matches!(&error, TerminalError::Taken { session, .. } if session == "ad-T-1"), "{error:?}");
    }
    assert_eq!(bed.seen(&pane).tag, Some(tag("T-1", 1, 1)));
}

#[test]
fn a_session_of_that_name_without_a_tag_is_not_taken_over() {
    let bed = super::bed();
    bed.open("T-0", SLEEP);
    bed.says(&["new-session", "-d", "-s", "ad-T-1", "sleep 600"]);
    let error = bed.try_open(spec(tag("T-1", 1, 1), SLEEP)).unwrap_err();
    assert!(matches!(&error, TerminalError::Taken { tag, .. } if tag == "it has no tag"), "{error:?}");
    let unchanged = bed.panes().into_iter().find(|seen| seen.session == "ad-T-1").unwrap();
    assert_eq!(unchanged.tag, None);
}

#[test]
fn names_that_begin_alike_are_never_confused() {
    let bed = super::bed();
    let ten = bed.open("T-10", SLEEP);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    assert_eq!(bed.seen(&ten).tag, Some(tag("T-10", 1, 1)));
    let one = bed.open("T-1", SLEEP);
    let (dot, plus) = (bed.open("a.b", SLEEP), bed.open("a_b", SLEEP));
    assert_ne!(dot, plus);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    bed.block(bed.tmux.close(tag("a_b", 1, 1))).unwrap();
    let left: Vec<_> = bed.panes().into_iter().map(|seen| seen.pane).collect();
    assert!(left.contains(&ten) && left.contains(&dot), "{left:?}");
    assert!(!left.contains(&one) && !left.contains(&plus), "{left:?}");
}

#[test]
fn a_newer_launch_is_never_closed_by_an_older_tag() {
    let bed = super::bed();
    let pane = bed.try_open(spec(tag("T-1", 1, 2), SLEEP)).unwrap();
    for stale in [tag("T-1", 1, 1), tag("T-1", 2, 2), tag("T-2", 1, 2)] {
        bed.block(bed.tmux.close(stale)).unwrap();
    }
    assert!(!bed.seen(&pane).dead);
    bed.block(bed.tmux.close(tag("T-1", 1, 2))).unwrap();
    assert!(bed.panes().iter().all(|seen| seen.pane != pane));
    bed.block(bed.tmux.close(tag("T-1", 1, 2))).unwrap();
}

#[test]
fn closing_where_no_server_runs_is_no_error_and_starts_none() {
    let bed = super::bed();
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    assert!(!bed.tmux.place().socket.exists());
}

#[test]
fn a_session_that_a_person_renamed_is_still_found_and_closed() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    bed.says(&["rename-session", "-t", "=ad-T-1", "mine|##x, é"]);
    let seen = bed.seen(&pane);
    assert_eq!((seen.session.as_str(), seen.tag), ("mine|#x, é", Some(tag("T-1", 1, 1))));
    assert_eq!(bed.open("T-1", SLEEP), pane);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    assert!(bed.panes().iter().all(|seen| seen.pane != pane));
}

#[test]
fn a_pane_that_a_person_splits_off_is_not_the_agents() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    bed.says(&["split-window", "-t", "=ad-T-1:", "sleep 600"]);
    let panes = bed.panes();
    assert_eq!(panes.iter().filter(|seen| seen.session == "ad-T-1").count(), 2);
    let tagged: Vec<_> = panes.iter().filter(|seen| seen.tag.is_some()).map(|seen| &seen.pane).collect();
    assert_eq!(tagged, [&pane]);
}

#[test]
fn a_window_that_a_person_linked_elsewhere_is_one_pane_and_is_closed() {
    let bed = super::bed();
    let pane = bed.open("T-1", SLEEP);
    bed.says(&["new-session", "-d", "-s", "Aa", "sleep 600"]);
    bed.says(&["link-window", "-s", "=ad-T-1:", "-t", "=Aa:"]);
    assert_eq!(bed.says(&["list-panes", "-a", "-F", "#{pane_id}"]).matches(pane.as_str()).count(), 2);
    let panes = bed.panes();
    let of_pane: Vec<_> = panes.iter().filter(|seen| seen.pane == pane).collect();
    assert_eq!(of_pane.iter().map(|seen| seen.session.as_str()).collect::<Vec<_>>(), ["ad-T-1"]);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    let left: Vec<_> = bed.panes().into_iter().map(|seen| (seen.session, seen.tag)).collect();
    assert_eq!(left.iter().map(|(session, _)| session.as_str()).collect::<Vec<_>>(), ["Aa", "_autodo"]);
}

#[test]
fn a_session_is_never_seen_without_its_tag() {
    let bed = super::bed();
    bed.open("T-0", SLEEP);
    let tmux = bed.other(|_| {});
    bed.block(async {
        let opener = tokio::spawn(async move {
            for number in 1..=20 {
                tmux.open(spec(tag(&format!("T-{number}"), 1, 1), SLEEP)).await.unwrap();
            }
        });
        let mut looks = 0;
        while !opener.is_finished() {
            let Observed::Present(panes) = bed.tmux.panes().await else { panic!("no look") };
            let bare: Vec<_> = panes.iter().filter(|seen| seen.tag.is_none() && seen.session != "_autodo").collect();
            assert!(bare.is_empty(), "{bare:?}");
            assert!(panes.iter().all(|seen| seen.tag.is_none() || seen.size == SIZE));
            looks += 1;
        }
        opener.await.unwrap();
        assert!(looks > 3, "only {looks} looks");
    });
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let bed = super::bed();
    let file = bed.dir.path().join("arguments");
    let evil = bed.dir.path().join("evil");
    let shell = format!("#(touch {})", evil.display());
    let nasty = ["", ";", "a;", "\\;", "$HOME", "#{pane_id}", &shell, "-t", "two words", "\"'", "é✳", "{", "~"];
    let mut argv = vec!["sh", "-c", "out=$1; shift; printf '<%s>' \"$@\" >\"$out\"", "x", file.to_str().unwrap()];
    argv.extend(nasty);
    bed.open("T-1", &argv);
    let expected: String = nasty.iter().map(|word| format!("<{word}>")).collect();
    let got = wait_for(
        "the arguments",
        || fs::read_to_string(&file).ok().filter(|got| got.ends_with("<~>")),
        || fs::read_to_string(&file).unwrap_or_default(),
    );
    assert_eq!(got, expected);
    assert!(!evil.exists());
}

#[test]
fn a_line_for_a_shell_and_an_endless_one_are_refused() {
    let bed = super::bed();
    for argv in [&["touch evil; echo"][..], &[], &["echo", &"x".repeat(16_000)], &["echo"; 1_000]] {
        let error = bed.try_open(spec(tag("T-1", 1, 1), argv)).unwrap_err();
        assert!(matches!(error, TerminalError::Other(_)), "{error:?}");
    }
}

#[test]
fn a_program_that_cannot_start_leaves_a_dead_pane_to_look_at() {
    let bed = super::bed();
    let pane = bed.open("T-1", &["/nonexistent/program", "x"]);
    wait_for("its death", || bed.seen(&pane).dead.then_some(()), || format!("{:?}", bed.seen(&pane)));
    assert_eq!(bed.seen(&pane).tag, Some(tag("T-1", 1, 1)));
}

#[test]
fn attaching_works_and_never_resizes_the_agents_pane() {
    let bed = super::bed();
    let person = super::bed();
    let pane = bed.open("T-1", &["sh", "-c", "echo HELLO; exec sleep 600"]);
    let ticket = TicketId::parse("T-1").unwrap();
    let argv = bed.tmux.attach_argv(&ticket, &pane, None);
    // The person's terminal is a pane of another server, of another size.
    let own = person.open(
        "person",
        &["sh", "-c", "unset TMUX; exec \"$@\"", "x"]
            .iter()
            .copied()
            .chain(argv.iter().map(String::as_str))
            .collect::<Vec<_>>(),
    );
    wait_for("the attach", || bed.seen(&pane).attached.then_some(()), || person.screen(&own).text());
    person.wait_for_text(&own, "HELLO");
    person.says(&["resize-window", "-t", "=ad-person:", "-x", "40", "-y", "10"]);
    wait_for(
        "the person's size",
        || bed.says(&["list-clients", "-F", "#{client_width}"]).lines().any(|line| line == "40").then_some(()),
        || bed.says(&["list-clients"]),
    );
    assert_eq!(bed.seen(&pane).size, SIZE);
    // A session that is opened meanwhile has its own size too.
    let second = bed.open("T-2", SLEEP);
    assert_eq!(bed.seen(&second).size, SIZE);
    person.says(&["send-keys", "-t", "=ad-person:", "F12"]);
    wait_for("F12 to detach", || (!bed.seen(&pane).attached).then_some(()), || person.screen(&own).text());
    assert_eq!(bed.seen(&pane).size, SIZE);
    bed.says(&["resize-window", "-t", "=ad-T-1:", "-x", "60", "-y", "9"]);
    bed.block(bed.tmux.resize_back(&ticket, &pane, SIZE)).unwrap();
    assert_eq!(bed.seen(&pane).size, SIZE);
}

#[test]
fn attaching_from_inside_tmux_opens_a_window_or_switches() {
    let bed = super::bed();
    let person = super::bed();
    let pane = bed.open("T-1", SLEEP);
    let second = bed.open("T-2", SLEEP);
    let ticket = |id: &str| TicketId::parse(id).unwrap();
    // In a pane of the person's own server, with the TMUX that tmux set there.
    let foreign = format!("{},1,0", person.tmux.place().socket.display());
    let argv = bed.tmux.attach_argv(&ticket("T-1"), &PaneId::parse("%1").unwrap(), Some(&foreign));
    let argv: Vec<&str> =
        ["sh", "-c", "\"$@\"; exec sleep 600", "x"].into_iter().chain(argv.iter().map(String::as_str)).collect();
    person.open("person", &argv);
    wait_for("the new window", || bed.seen(&pane).attached.then_some(()), || format!("{:?}", person.panes()));
    assert_eq!(person.panes().iter().filter(|seen| seen.session == "ad-person").count(), 2);
    // From inside autodo's own server: its client is switched.
    let own = format!("{},1,0", bed.tmux.place().socket.display());
    let argv = bed.tmux.attach_argv(&ticket("T-2"), &PaneId::parse("%2").unwrap(), Some(&own));
    assert!(argv.contains(&"switch-client".to_owned()), "{argv:?}");
    let rest: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
    let at = rest.iter().position(|word| *word == "switch-client").unwrap();
    bed.says(&rest[at..]);
    assert!(bed.seen(&second).attached);
}

#[test]
fn attaching_where_no_server_runs_starts_none() {
    let bed = super::bed();
    let argv = bed.tmux.attach_argv(&TicketId::parse("T-1").unwrap(), &PaneId::parse("%1").unwrap(), None);
    let output = std::process::Command::new(&argv[0]).args(&argv[1..]).env_remove("TMUX").output().unwrap();
    assert!(!output.status.success());
    assert!(!bed.tmux.place().socket.exists());
}

#[test]
fn the_plain_command_lines_work_in_a_shell() {
    let bed = super::bed();
    bed.open("a.b", SLEEP);
    let output = std::process::Command::new("sh").args(["-c", &bed.tmux.list_plain()]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("ad-a+b"), "{output:?}");
    let attach = bed.tmux.attach_plain(&TicketId::parse("a.b").unwrap(), &PaneId::parse("%1").unwrap());
    assert!(attach.ends_with("attach -t '=ad-a+b'") || attach.ends_with("attach -t =ad-a+b"), "{attach}");
}
