//! `answer` and `send`, with a supervisor and without; and commands that come at once.

use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{PATIENCE, desk::Desk, wait_for};

#[test]
fn an_answer_without_a_supervisor_is_delivered() {
    let desk = Desk::new();
    desk.asking("T-1", "");
    desk.ticket("T-2", "", "true");
    desk.autodo(&["dispatch"]).code(8);
    assert_snapshot!(desk.tell(&["answer", "T-2", "x"]), @r"
    --- stderr
    error: T-2 is needs_review and asks nothing
    hint: autodo show T-2 tells where it is
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["answer", "T-1", "  "]), @r"
    --- stderr
    error: there is no text to send
    hint: give it as an argument, or on standard input with -
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["send", "T-1", "x"]), @r#"
    --- stderr
    error: T-1 is blocked and waits for an answer
    hint: autodo answer T-1 "…", or look at it: autodo attach T-1
    --- exit 1
    "#);
    assert_snapshot!(desk.tell(&["answer", "T-1", "blue", "--dry-run"]), @r"
    would answer: T-1 — Ticket T-1 (blocked)
    --- exit 0
    ");
    assert_eq!(desk.status("T-1"), "blocked");
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    std::fs::write(worktree.join("answer"), "blue\n").unwrap();
    let answered = desk.autodo(&["answer", "T-1", "-it is blue"]).ok();
    assert!(answered.stdout.starts_with("T-1: answered"), "{}", answered.both());
    desk.autodo(&["tick"]).ok();
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(desk.status("T-1"), "needs_review");
    assert!(desk.autodo(&["logs", "T-1"]).ok().stdout.contains("> -it is blue"));
    assert_eq!(desk.row("T-1")["run"], 1);
}

#[test]
fn nobody_watches_after_an_answer_without_a_supervisor() {
    let desk = Desk::new();
    let go = desk.world.root().join("go-T-1");
    let block = format!("cat answer || exit 1; while [ ! -e {} ]; do sleep 0.02; done", go.display());
    desk.ticket("T-1", "", &block);
    desk.autodo(&["dispatch"]).code(8);
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    std::fs::write(worktree.join("answer"), "blue\n").unwrap();
    assert_snapshot!(desk.tell(&["answer", "T-1", "-"]), @r"
    --- stderr
    error: there is no text to send
    hint: give it as an argument, or on standard input with -
    --- exit 1
    ");
    let answer = desk.command(&["answer", "T-1", "-"]).stdin("blue\n").run();
    assert_snapshot!(desk.redacted(&answer), @r"
    T-1: answered, and the agent has it
    --- stderr
    note: nobody is watching: no supervisor runs
    hint: autodo dispatch goes on with it; autodo tick looks once
    --- exit 0
    ");
    desk.let_go("T-1");
}

#[test]
fn an_answer_beside_a_supervisor_is_delivered_by_it() {
    let desk = Desk::new();
    desk.asking("T-1", "");
    desk.held("T-2", "", "true");
    let supervisor = desk.supervisor(&["--parallel", "2"]);
    desk.until("T-1", "blocked");
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    std::fs::write(worktree.join("answer"), "blue\n").unwrap();
    assert_snapshot!(desk.tell(&["answer", "T-1", "blue"]), @r"
    T-1: answered; the supervisor delivers it
    --- exit 0
    ");
    desk.until("T-1", "needs_review");
    desk.let_go("T-2");
    supervisor.wait(PATIENCE).ok();
}

#[test]
fn ten_commands_at_once_all_get_an_answer() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    for watched in [true, false] {
        let supervisor = watched.then(|| desk.supervisor(&[]));
        if watched {
            desk.until_at_work("T-1");
        }
        let commands: Vec<_> = (0..10)
            .map(|n| match n % 3 {
                0 => desk.spawn(&["review", "T-1", "--tier", "low"]),
                1 => desk.spawn(&["send", "T-1", &format!("text {n}")]),
                _ => desk.spawn(&["approve", "T-1"]),
            })
            .collect();
        for command in commands {
            let run = command.wait(PATIENCE);
            assert!([0, 1].contains(&run.code) && !run.both().contains("panicked"), "{}", run.both());
            assert!(!run.stdout.is_empty() || run.stderr.contains("hint:"), "{}", run.both());
        }
        if let Some(supervisor) = supervisor {
            desk.let_go("T-1");
            supervisor.wait(PATIENCE).ok();
        }
    }
    let approved = desk.status("T-1");
    assert_eq!(approved, "reviewed");
}

#[test]
fn a_lock_that_another_command_holds_is_waited_for() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "true");
    desk.autodo(&["import"]).ok();
    let lock = desk.world.home().join("supervisor.lock");
    let file = std::fs::File::options().read(true).write(true).open(lock).unwrap();
    let held = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let mut waiting = desk.spawn(&["stop", "T-1"]);
    let begun = Instant::now();
    let is_still_waiting = || {
        assert!(waiting.is_running(), "it gave up");
        (begun.elapsed() > Duration::from_millis(500)).then_some(())
    };
    wait_for("half a second of waiting", is_still_waiting, String::new);
    drop(held);
    assert_eq!(waiting.wait(PATIENCE).ok().stdout, "T-1: stopped\n");
}

#[test]
fn a_lock_that_is_never_given_up_ends_in_75() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "true");
    desk.autodo(&["import"]).ok();
    let lock = desk.world.home().join("supervisor.lock");
    let file = std::fs::File::options().read(true).write(true).open(lock).unwrap();
    let _held = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
    // Each waits for ten seconds: both at once.
    let commands = [desk.spawn(&["stop", "T-1"]), desk.spawn(&["dispatch"])];
    for command in commands {
        let run = command.wait(PATIENCE).code(75);
        assert!(run.stderr.contains("hint:"), "{}", run.both());
    }
    assert_eq!(desk.status("T-1"), "queued");
}
