//! `dispatch`, `tick`, `drain`: as typed in a shell, in the background, and by cron.

use std::time::Duration;

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::{PATIENCE, desk::Desk, wait_for};

#[test]
fn dispatch_works_through_a_backlog_and_says_how_it_went() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "after: [T-1]", "echo b > b.txt");
    assert_snapshot!(desk.tell(&["dispatch", "--dry-run", "--parallel", "2"]), @"
    would queue: T-1  Ticket T-1
    would queue: T-2  Ticket T-2  (after T-1)
    would start, 2 at once:
      1. T-1  Ticket T-1
      2. T-2  Ticket T-2  (waits for T-1)
    --- exit 0
    ");
    assert!(!desk.world.home().join("T-1").exists());
    let run = desk.autodo(&["dispatch", "--parallel", "1"]).ok();
    let socket = desk.world.tmux_socket();
    assert!(run.stderr.contains(&format!("tmux -S {} ls\n", socket.display())), "{}", run.both());
    let kept: Vec<&str> = run.stderr.lines().filter(|line| !line.contains("tmux -S")).collect();
    let run = crate::support::program::Run { stderr: kept.join("\n") + "\n", ..run };
    assert_snapshot!(desk.redacted(&run), @r"
    T-1: queued
    T-2: queued
    --- stderr
    T-1: running
    T-1: running (checking)
    T-1: needs_review
    T-2: running
    T-2: running (checking)
    T-2: needs_review
    2 needs_review
    hint: autodo list, autodo review ID, then autodo approve-low
    the page of it: <world>/ad/summaries/<time>.md
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["dispatch"]), @r"
    --- stderr
    T-1: open already (needs_review)
    T-2: open already (needs_review)
    2 needs_review
    hint: autodo list, autodo review ID, then autodo approve-low
    --- exit 0
    ");
}

#[test]
fn the_plain_tmux_line_lists_the_sessions() {
    let desk = Desk::new();
    desk.asking("T-1", "");
    let run = desk.autodo(&["dispatch"]).code(8);
    let line = run.stderr.lines().find_map(|line| line.strip_prefix("sessions: ")).unwrap();
    let listed = desk.world.program("sh", &["-c", line]).run().ok();
    assert!(listed.stdout.contains("ad-T-1:"), "{}", listed.both());
}

#[test]
fn without_tickets_it_says_where_they_would_be() {
    let desk = Desk::new();
    assert_snapshot!(desk.tell(&["dispatch"]), @r#"
    --- stderr
    error: there are no tickets: <world>/proj/.autodo/tickets is not there
    hint: autodo init makes it; or name tickets: autodo dispatch FILE…; or: autodo add "title"
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["dispatch", "--backlog", "nowhere"]), @"
    --- stderr
    error: cannot read the backlog nowhere: No such file or directory (os error 2)
    hint: autodo init makes .autodo/tickets; or name another folder or file
    --- exit 2
    ");
    let outside = desk.world.root().join("tmp");
    assert_snapshot!(desk.redacted(&desk.world.autodo_in(outside, &["dispatch"])), @r"
    --- stderr
    error: <world>/tmp is in no git repository
    hint: go to your project first, or make it one: git init
    --- exit 2
    ");
    desk.ticket("T-1", "", "true");
    for args in [["--until", "soon"], ["--until", "7"], ["--parallel", "0"], ["--stagger", "x"], ["--max", "x"]] {
        let run = desk.autodo(&["dispatch", args[0], args[1]]).code(2);
        assert!(run.stderr.contains(args[0]), "{}", run.both());
    }
    assert_eq!(desk.autodo(&["list"]).ok().stdout, "");
}

#[test]
fn the_exit_code_is_that_of_the_worst_ticket() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.asking("T-2", "");
    desk.autodo(&["dispatch"]).code(8);
    // It still waits for a person.
    desk.autodo(&["dispatch"]).code(8);
    // But who names a ticket asks about that one.
    desk.ticket("T-3", "", "echo c > c.txt");
    desk.autodo(&["dispatch", ".autodo/tickets/T-3.md"]).ok();
    desk.autodo(&["dispatch", ".autodo/tickets/T-2.md"]).code(8);
    desk.autodo(&["stop", "T-2"]).ok();
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["cancel", "T-2"]).ok();
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn max_and_until_bound_what_is_started() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch", "--max", "1"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "queued"));
    let run = desk.autodo(&["dispatch", "--until", "2026-01-01T00:00:00+0000"]);
    assert_eq!(run.code, 2, "{}", run.both());
    desk.autodo(&["dispatch", "--until", "1h"]).ok();
    assert_eq!(desk.status("T-2"), "needs_review");
}

#[test]
fn where_the_machine_has_no_room_a_ticket_waits_and_that_is_said() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    for (variable, word) in [("AUTODO_ADMISSION_MEMORY_MB", "of memory"), ("AUTODO_ADMISSION_DISK_MB", "of disk space")]
    {
        let wants = |args: &[&str]| desk.command(args).env(variable, "4000000000");
        let plan = wants(&["dispatch", "--dry-run"]).run().ok();
        assert!(plan.stderr.contains("now nothing would be started") && plan.stderr.contains(word), "{}", plan.both());
        let dispatch = wants(&["dispatch", "--until", "6s"]).spawn();
        wait_for("the note", || dispatch.said().stderr.contains(word).then_some(()), || dispatch.said().both());
        let list = desk.autodo(&["list"]).ok();
        assert!(
            list.stderr.contains("nothing more is started for now") && list.stderr.contains(word),
            "{}",
            list.both()
        );
        let run = dispatch.wait(PATIENCE).ok();
        assert_eq!(run.stderr.matches("nothing more is started for now").count(), 1, "{}", run.both());
        assert_eq!(desk.status("T-1"), "queued");
        assert_eq!(desk.autodo(&["list"]).ok().stderr, "");
        // A tick does not stay for it.
        let before = std::time::Instant::now();
        wants(&["tick"]).run().ok();
        assert!(before.elapsed() < Duration::from_secs(20));
    }
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(desk.status("T-1"), "needs_review");
}

#[test]
fn json_is_one_audit_line_after_the_other_and_nothing_else() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    let run = desk.autodo(&["dispatch", "--json"]).ok();
    let lines: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect();
    assert!(lines.len() > 5 && lines.iter().all(|line| line["ticket"] == "T-1" && line["seq"].is_u64()));
    assert_eq!(lines.last().unwrap()["to"], "needs_review");
}

#[test]
fn one_interrupt_leaves_the_agents_at_work_and_the_next_dispatch_goes_on() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    let mut supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    supervisor.signal(Signal::SIGINT);
    let left = supervisor.wait(PATIENCE).code(130);
    let said = left.stderr.split_once("left:").unwrap().1;
    assert!(said.contains("1 agent(s) go on") && said.contains("autodo dispatch") && said.contains(" ls\n"), "{said}");
    assert_eq!(desk.row("T-1")["reason"], "working");
    desk.let_go("T-1");
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    wait_for("the agent to work alone", || worktree.join("a.txt").exists().then_some(()), || desk.world.story());
    desk.autodo(&["dispatch"]).ok();
    let row = desk.row("T-1");
    assert_eq!((row["status"].as_str(), row["run"].as_u64()), (Some("needs_review"), Some(1)));
    assert!(!desk.world.file("T-1/events.jsonl").contains("agent_vanished"));
}

#[test]
fn beside_a_supervisor_it_hands_over_and_follows() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    let supervisor = desk.supervisor(&["--parallel", "2"]);
    desk.until_at_work("T-1");
    desk.ticket("T-2", "", "echo b > b.txt");
    let second = desk.autodo(&["dispatch", ".autodo/tickets/T-2.md", "--parallel", "5"]).ok();
    let kept: Vec<&str> = second.stderr.lines().filter(|line| !line.contains(": running (")).collect();
    let second = crate::support::program::Run { stderr: kept.join("\n") + "\n", ..second };
    assert_snapshot!(desk.redacted(&second), @"
    T-2: queued
    --- stderr
    a supervisor runs already: it takes them over
    note: it keeps its own --parallel, --stagger, --until, --hard-stop, --max and --budget
    T-2: needs_review
    1 needs_review, 1 running
    hint: autodo list, autodo review ID, then autodo approve-low
    --- exit 0
    ");
    // One that is interrupted leaves the supervisor alone.
    let mut third = desk.spawn(&["dispatch"]);
    wait_for("it to follow", || third.said().stderr.contains("T-1: running").then_some(()), || third.said().both());
    third.signal(Signal::SIGINT);
    let third = third.wait(PATIENCE).code(130);
    assert!(third.stderr.contains("the supervisor goes on"), "{}", third.both());
    let tick = desk.tell(&["tick"]);
    assert_snapshot!(tick, @r"
    --- stderr
    a supervisor runs: there is nothing for a tick to do
    --- exit 0
    ");
    desk.let_go("T-1");
    supervisor.wait(PATIENCE).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "needs_review"));
}

#[test]
fn a_detached_supervisor_goes_on_by_itself_and_drains() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.held("T-2", "", "echo b > b.txt");
    assert_snapshot!(desk.tell(&["drain"]), @r"
    --- stderr
    no supervisor runs: nothing is being started
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["dispatch", "--detach", "--parallel", "1"]), @r"
    T-1: queued
    T-2: queued
    the supervisor runs in the background as process <pid>
    --- stderr
    its log: <world>/ad/supervisor.log
    hint: autodo list shows how it goes; autodo drain lets it end
    --- exit 0
    ");
    desk.until_at_work("T-1");
    assert_snapshot!(desk.tell(&["drain", "--dry-run"]), @r"
    would let the supervisor start nothing more
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["drain"]), @r"
    the supervisor starts nothing more, and ends when what runs has ended
    --- exit 0
    ");
    desk.let_go("T-1");
    desk.let_go("T-2");
    desk.until("T-1", "needs_review");
    let socket = desk.world.home().join("run/supervisor.sock");
    wait_for("the supervisor's end", || (!socket.exists()).then_some(()), || desk.world.story());
    assert_eq!(desk.status("T-2"), "queued");
    assert!(desk.world.file("supervisor.log").contains("T-1: needs_review"));
}

#[test]
fn repeated_ticks_without_any_environment_bring_a_ticket_through() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"test -f a.txt\"]\n");
    desk.ticket("T-1", "", "sleep 1; echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let root = desk.world.root();
    let (home, ad, config) = (root.join("home"), desk.world.home(), root.join("gitconfig"));
    let env = [
        ("HOME", home.as_os_str()),
        ("AUTODO_HOME", ad.as_os_str()),
        ("GIT_CONFIG_GLOBAL", config.as_os_str()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".as_ref()),
    ];
    let env: Vec<_> = env.into_iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
    let mut last = None;
    for _ in 0..20 {
        let tick = crate::support::program::Program::new(
            env!("CARGO_BIN_EXE_autodo").as_ref(),
            &["tick", "--for", "20s"],
            std::path::Path::new("/"),
            env.clone(),
        );
        let tick = tick.run().ok();
        let done = desk.status("T-1") == "needs_review";
        last = Some(tick);
        if done {
            break;
        }
    }
    let row = desk.row("T-1");
    assert_eq!((row["status"].as_str(), row["verified"].as_bool()), (Some("needs_review"), Some(true)), "{last:?}");
    assert_eq!(desk.autodo(&["tick", "--for", "never"]).code(2).stdout, "");
}

#[test]
fn a_tick_says_what_it_leaves_at_work() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let tick = desk.autodo(&["tick"]).ok();
    assert!(
        tick.stderr.contains("1 ticket(s) go on by themselves; what only their screens show is seen at the next tick")
    );
    assert_eq!(desk.row("T-1")["reason"], "working");
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn a_tick_without_work_ends_at_once() {
    let desk = Desk::new();
    let tick = |desk: &Desk| desk.command(&["tick"]).limit(Duration::from_secs(20)).run().ok();
    tick(&desk);
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    tick(&desk);
    assert_eq!(desk.status("T-1"), "needs_review");
}

#[test]
fn a_detached_dispatch_says_what_was_wrong_with_tickets_by_its_exit_code() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "titel: x", "true");
    let run = desk.autodo(&["dispatch", "--detach", "--keep-going"]).code(2);
    assert!(run.stderr.contains("unknown key `titel`"), "{}", run.both());
    desk.until("T-1", "needs_review");
}

#[test]
fn a_detached_supervisor_without_work_says_that_it_has_ended() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    let run = desk.autodo(&["dispatch", "--detach"]).ok();
    assert!(
        run.stderr.contains("has ended already: there was nothing left to do")
            || run.stdout.contains("in the background"),
        "{}",
        run.both()
    );
    assert_eq!(desk.status("T-1"), "needs_review");
}

#[test]
fn a_ticket_of_the_projects_backlog_is_taken_by_its_name_alone() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch", "T-2"]).ok();
    assert_eq!(desk.status("T-2"), "needs_review");
    assert_snapshot!(desk.tell(&["show", "T-1"]), @r#"
    --- stderr
    error: there is no ticket "T-1" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
    desk.autodo(&["import", "T-1"]).ok();
    std::fs::remove_file(desk.repo.path.join(".autodo/tickets/T-1.md")).unwrap();
    assert_snapshot!(desk.tell(&["dispatch", "T-1"]), @r"
    --- stderr
    error: T-1 is in the queue already (queued)
    hint: autodo dispatch, without naming it, works on all that is queued
    --- exit 2
    ");
}

#[test]
fn under_nohup_it_lives_on_without_its_terminal() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    let line = "trap '' HUP; exec \"$0\" dispatch";
    let mut supervisor =
        desk.world.program("sh", &["-c", line, env!("CARGO_BIN_EXE_autodo")]).in_dir(&desk.repo).spawn();
    desk.until_at_work("T-1");
    supervisor.signal(Signal::SIGHUP);
    desk.let_go("T-1");
    supervisor.wait(PATIENCE).code(0);
    assert_eq!(desk.status("T-1"), "needs_review");
}
