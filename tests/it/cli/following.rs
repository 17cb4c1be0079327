//! `logs -f` and `logs -n`: what a ticket's log says, as it grows.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{desk::Desk, program::Background, wait_for};

const LIMIT: Duration = Duration::from_secs(20);

fn until_says(log: &Background, text: &str) {
    let both = || log.said().stdout + &log.said().stderr;
    wait_for(text, || both().contains(text).then_some(()), both);
}

/// How often each of the words stands in `text`.
fn counts(text: &str, words: &[&str]) -> Vec<usize> {
    words.iter().map(|word| text.matches(word).count()).collect()
}

#[test]
fn a_ticket_is_followed_from_the_queue_to_its_review() {
    let desk = Desk::new();
    desk.held("T-1", "", "for n in 1 2 3; do echo said-$n; done; echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let log = desk.spawn(&["logs", "T-1", "-f"]);
    until_says(&log, "==> T-1: queued");
    until_says(&log, "no supervisor runs");
    let supervisor = desk.supervisor(&[]);
    until_says(&log, "==> T-1: running, run 1");
    // What stands is told while the agent works.
    until_says(&log, "1 block to run");
    desk.let_go("T-1");
    let run = log.wait(LIMIT).ok();
    supervisor.wait(LIMIT).ok();
    assert_eq!(counts(&run.stdout, &["1 block to run", "│ said-1\n", "│ said-2\n", "│ said-3\n"]), [1, 1, 1, 1]);
    // Its box and its spinner are no log.
    assert!(!run.stdout.contains("script · "), "{}", run.stdout);
    assert!(run.stderr.ends_with("==> T-1: needs_review\n"), "{}", run.stderr);
}

#[test]
fn a_question_is_told_and_the_next_run_is_followed_too() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "if [ -e ok ]; then echo second-run; else echo first-run; echo 'Which colour?'; exit 1; fi");
    desk.autodo(&["dispatch"]).code(8);
    let log = desk.spawn(&["logs", "-f", "T-1", "-n", "100"]);
    until_says(&log, "==> T-1: blocked");
    until_says(&log, "autodo answer T-1");
    std::fs::write(desk.world.root().join("proj.worktrees/T-1/ok"), "").unwrap();
    desk.autodo(&["retry", "T-1"]).ok();
    until_says(&log, "==> T-1: queued");
    desk.autodo(&["dispatch"]).ok();
    let run = log.wait(LIMIT).ok();
    assert_eq!(counts(&run.stdout, &["│ first-run\n", "│ second-run\n"]), [1, 1], "{}", run.both());
    assert!(run.stderr.contains("==> T-1: running, run 2"), "{}", run.stderr);
}

#[test]
fn the_audit_trail_is_followed_line_by_line() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let log = desk.spawn(&["logs", "T-1", "--events", "--follow"]);
    until_says(&log, "\"kind\"");
    desk.autodo(&["dispatch"]).ok();
    let run = log.wait(LIMIT).ok();
    assert_eq!(run.stdout, desk.autodo(&["logs", "T-1", "--events"]).ok().stdout);
    let last = desk.autodo(&["logs", "T-1", "--events", "-n", "1"]).ok().stdout;
    assert_eq!(last.lines().count(), 1);
    assert!(run.stdout.ends_with(&last), "{last}");
}

#[test]
fn checks_are_followed_as_they_run() {
    let desk = Desk::new();
    let go = desk.world.root().join("go-check");
    let held = format!("echo begun; while [ ! -e {} ]; do sleep 0.02; done; printf done", go.display());
    desk.repo.settings(&format!("version = 1\nprofile = \"script\"\nchecks = [\"{held}\", \"echo quick; exit 3\"]\n"));
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let log = desk.spawn(&["logs", "T-1", "--checks", "-f"]);
    let supervisor = desk.supervisor(&[]);
    until_says(&log, "begun\n");
    assert!(!log.said().stdout.contains("done\n#"), "{}", log.said().stdout);
    std::fs::write(go, "").unwrap();
    let run = log.wait(LIMIT).ok();
    supervisor.wait(LIMIT);
    let said = desk.redacted(&run);
    assert!(said.contains("begun\ndone\n# exit 0, <n> ms\n$ echo quick; exit 3\nquick\n# exit 3, <n> ms\n"), "{said}");
}

#[test]
fn ctrl_c_and_a_reader_that_leaves_are_good_ends() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    desk.autodo(&["tick"]).ok();
    let mut log = desk.spawn(&["logs", "T-1", "-f"]);
    until_says(&log, "1 block to run");
    log.signal(Signal::SIGINT);
    log.wait(LIMIT).ok();
    let autodo = env!("CARGO_BIN_EXE_autodo");
    let line = format!("{autodo} logs T-1 -f | head -n 1; echo ${{PIPESTATUS[*]}}");
    let run = desk.world.program("bash", &["-c", &line]).in_dir(&desk.repo).limit(LIMIT).run().ok();
    assert!(run.stdout.ends_with("\n0 0\n"), "{}", run.both());
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn what_is_over_is_shown_and_not_waited_for() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "for n in 1 2 3 4 5 6; do echo said-$n; done; echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    let all = desk.autodo(&["logs", "T-1"]).ok().stdout;
    assert_eq!(desk.command(&["logs", "T-1", "-f", "-n", "1000"]).limit(LIMIT).run().ok().stdout, all);
    let last = desk.autodo(&["logs", "T-1", "-n", "3"]).ok().stdout;
    assert_eq!(last.lines().count(), 3);
    assert!(all.ends_with(&last), "{last}");
    assert_eq!(desk.autodo(&["logs", "T-1", "-n", "0"]).ok().stdout, "");
}
