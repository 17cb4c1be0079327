//! What a person asks of tickets, and what only a person may ask.

use insta::assert_snapshot;

use crate::support::{PATIENCE, desk::Desk};

#[test]
fn approve_low_approves_what_is_safe_and_says_why_the_rest_is_not() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket(
        "T-2",
        "",
        "echo a > b.txt; \"$AUTODO_BIN\" report decision --risk medium 'another library' --why speed",
    );
    desk.ticket("T-3", "", "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/ci.yml");
    desk.ticket("T-4", "after: [T-2]", "echo d > d.txt");
    desk.ticket("T-5", "accept: ['false']", "echo e > e.txt");
    desk.ticket("T-6", "", "true");
    desk.ticket("T-7", "", "echo g > g.txt; \"$AUTODO_BIN\" report flag --risk low 'please look'");
    desk.asking("T-8", "");
    desk.autodo(&["dispatch", "--parallel", "4"]).code(8);
    assert_snapshot!(desk.tell(&["approve-low", "--dry-run"]), @r"
    would approve: T-1 — Ticket T-1 (needs_review)
    --- stderr
    not T-2: 1 medium decision
    not T-3: 1 flag, effective risk high: continuous integration: .github/workflows/ci.yml
    not T-4: it stands on T-2, which is not approved
    not T-5: checks failed
    not T-6: 1 flag, nothing was changed
    not T-7: 1 flag
    --- exit 0
    ");
    assert_eq!(desk.status("T-1"), "needs_review");
    assert_snapshot!(desk.tell(&["approve-low"]), @r"
    Reviewed: T-1 — Ticket T-1
    1 item(s) approved
    --- stderr
    not T-2: 1 medium decision
    not T-3: 1 flag, effective risk high: continuous integration: .github/workflows/ci.yml
    not T-4: it stands on T-2, which is not approved
    not T-5: checks failed
    not T-6: 1 flag, nothing was changed
    not T-7: 1 flag
    --- exit 0
    ");
    assert_eq!(desk.status("T-1"), "reviewed");
    assert_snapshot!(desk.tell(&["show", "T-3"]), @r"
    id         T-3
    title      Ticket T-3
    status     needs_review
    profile    script
    project    proj  <world>/proj
    created    <time>
    started    <time>
    worked     0s
    run        1 (launch 1)
    used       -
    risk       high (effective)
               1. high: continuous integration: .github/workflows/ci.yml
    branch     autodo/T-3
    worktree   <world>/proj.worktrees/T-3
    folder     <world>/ad/T-3
    --- stderr
    hint: autodo review T-3, then autodo approve T-3
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["review", "T-3", "--tier", "9=low"]), @r#"
    --- stderr
    error: --tier "9=low": T-3 has no source of risk 9
    hint: autodo show T-3 numbers them; --tier low is for the ticket as a whole
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["review", "T-3", "--tier", "tiny"]), @r#"
    --- stderr
    error: --tier "tiny": a tier is low, medium, high or blocked
    hint: for example --tier low
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["review", "T-3", "--tier", "1=low"]), @r"
    T-3: tier set
    --- exit 0
    ");
    assert_eq!(desk.row("T-3")["effective_risk"], "low");
}

#[test]
fn approval_goes_by_order_and_only_once() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "after: [T-1]", "echo b > b.txt");
    desk.asking("T-3", "");
    desk.autodo(&["dispatch"]).code(8);
    assert_snapshot!(desk.tell(&["approve", "T-2"]), @r"
    --- stderr
    error: T-2 stands on T-1, which is not approved
    hint: autodo review T-1; then autodo approve T-1 T-2
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["approve", "T-2", "T-1", "--dry-run"]), @r"
    would approve: T-1 — Ticket T-1 (needs_review)
    would approve: T-2 — Ticket T-2 (needs_review)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["approve", "T-2", "T-1", "T-2"]), @r"
    Reviewed: T-1 — Ticket T-1
    Reviewed: T-2 — Ticket T-2
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["approve", "T-1"]), @r"
    T-1: reviewed already
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["approve", "T-3"]), @r#"
    --- stderr
    error: T-3 is blocked: it asks "block 1 failed with exit 1: cat answer || { echo 'Which colour?'; exit 1; }\ncat: answer: No such file or directory\nWhich colour?"
    hint: answer it first: autodo answer T-3 "…"
    --- exit 1
    "#);
    assert_snapshot!(desk.tell(&["approve", "T-3", "--dry-run"]), @r#"
    --- stderr
    error: T-3 is blocked: it asks "block 1 failed with exit 1: cat answer || { echo 'Which colour?'; exit 1; }\ncat: answer: No such file or directory\nWhich colour?"
    hint: answer it first: autodo answer T-3 "…"
    --- exit 1
    "#);
    assert_snapshot!(desk.tell(&["approve"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      <ID>...

    Usage: autodo approve <ID>...

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn a_rejected_result_is_worked_on_again_with_the_correction() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a >> a.txt");
    desk.autodo(&["dispatch"]).ok();
    assert_snapshot!(desk.tell(&["reject", "T-1", "-m", " "]), @r#"
    --- stderr
    error: the message is empty
    hint: say what is to be different: -m "…"
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["reject", "T-1"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      --message <TEXT>

    Usage: autodo reject --message <TEXT> <ID>

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(desk.tell(&["reject", "T-1", "-m", "upper case", "--dry-run"]), @r"
    would reject: T-1 — Ticket T-1 (needs_review)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["reject", "T-1", "-m", "- upper case"]), @r"
    T-1: sent back
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["reject", "T-1", "-m", "again"]), @r"
    --- stderr
    error: T-1 is queued for its next run
    hint: wait for it, or: autodo stop T-1
    --- exit 1
    ");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.row("T-1")["run"].as_u64()), ("needs_review", Some(2)));
    assert!(desk.world.file("T-1/runs/2/prompt.md").contains("- upper case"));
}

#[test]
fn stop_resume_retry_and_cancel() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "after: [T-1]", "echo b > b.txt");
    let supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    assert_snapshot!(desk.tell(&["stop", "--all", "--dry-run"]), @r"
    would stop: T-1 — Ticket T-1 (running)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["stop", "T-1"]), @r"
    T-1: stopped
    --- exit 0
    ");
    assert_eq!(desk.status("T-1"), "parked");
    supervisor.wait(PATIENCE).code(8);
    assert_snapshot!(desk.tell(&["stop", "T-1", "T-2", "--dry-run"]), @r"
    T-1: nothing to do, it is parked
    would stop: T-2 — Ticket T-2 (queued)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["stop", "T-1"]), @r"
    T-1: nothing to do, it is parked
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["stop"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      <ID>...

    Usage: autodo stop <ID>...

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(desk.tell(&["stop", "T-1", "--all"]), @r"
    --- stderr
    error: the argument '[ID]...' cannot be used with '--all'

    Usage: autodo stop <ID>...

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(desk.tell(&["resume", "--all", "--dry-run"]), @r"
    would resume: T-1 — Ticket T-1 (parked)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["resume", "--all"]), @r"
    T-1: queued to go on
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.let_go("T-1");
    // The block had begun and not ended: a person says how it goes on.
    desk.autodo(&["dispatch"]).code(8);
    assert_eq!(desk.status("T-1"), "blocked");
    assert_snapshot!(desk.tell(&["retry", "T-1", "--checks-only"]), @r#"
    --- stderr
    error: T-1 is blocked: it asks "block 1 was begun, and the agent was interrupted before its end was seen: while [ ! -e <world>/go-T-1 ]; do sleep 0.02; done"
    hint: answer it first: autodo answer T-1 "…"
    --- exit 1
    "#);
    assert_snapshot!(desk.tell(&["retry", "T-1"]), @r"
    T-1: queued again; everything will be done again in its worktree
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "needs_review"));
    assert_snapshot!(desk.tell(&["retry", "--all"]), @r"
    --- stderr
    there is no ticket to retry
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["retry", "T-1", "--checks-only", "--dry-run"]), @r"
    would retry: T-1 — Ticket T-1 (needs_review)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["retry", "T-1", "--checks-only"]), @r"
    T-1: queued again, for its checks only
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(desk.row("T-1")["run"], 3);
    assert_snapshot!(desk.tell(&["cancel", "T-2", "nope"]), @r#"
    --- stderr
    error: there is no ticket "nope" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["cancel", "T-2", "--dry-run"]), @r"
    would cancel: T-2 — Ticket T-2 (needs_review)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["cancel", "T-2"]), @r"
    T-2: cancelled
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["cancel", "T-2"]), @r"
    --- stderr
    error: T-2 is cancelled already
    hint: autodo retry T-2 has it done again
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["resume", "nope"]), @r#"
    --- stderr
    error: there is no ticket "nope" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
}

#[test]
fn a_wrong_check_is_mended_by_refreshing() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"false\"]\n");
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(desk.row("T-1")["reason"], "checks_failed");
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"true\"]\n");
    assert_snapshot!(desk.tell(&["retry", "--all", "--refresh", "--checks-only"]), @r"
    T-1: queued again, for its checks only
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.autodo(&["dispatch"]).ok();
    let row = desk.row("T-1");
    assert_eq!((row["checks_status"].as_str(), row["verified"].as_bool()), (Some("green"), Some(true)));
    assert_eq!(row["run"], 1);
}

#[test]
fn an_agent_cannot_speak_for_a_person() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    let verbs = [
        "approve T-1",
        "approve-low",
        "answer T-1 x",
        "reject T-1 -m x",
        "send T-1 x",
        "retry T-1",
        "resume T-1",
        "stop --all",
        "cancel T-1",
        "attach T-1",
        "review T-1 --tier low",
        "review T-1 --accept-stale",
        "clean T-1",
        "drain",
    ];
    // Also from a shell of its own, in the background, without the variables that name the run.
    let lines: Vec<String> = verbs
        .iter()
        .map(|verb| format!("env -u AUTODO_RUN -u AUTODO_KEY setsid sh -c '\"$AUTODO_BIN\" {verb} && echo {verb} >> won' || echo no >> lost"))
        .collect();
    desk.ticket(
        "T-2",
        "",
        &format!("touch won lost\n{}\nautodo list > seen || \"$AUTODO_BIN\" list > seen", lines.join("\n")),
    );
    desk.autodo(&["dispatch"]).ok();
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-2");
    let read = |name: &str| std::fs::read_to_string(worktree.join(name)).unwrap();
    assert_eq!(read("won"), "");
    assert_eq!(read("lost").lines().count(), verbs.len());
    assert!(read("seen").contains("T-1"), "looking is free");
    assert_eq!(desk.status("T-1"), "needs_review");
    let screen = desk.autodo(&["logs", "T-2"]).ok().stdout;
    assert!(
        screen.contains("autodo approve is a person's to type, and this comes from an agent's session"),
        "{screen}"
    );
}
