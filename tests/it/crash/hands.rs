//! Hands in worktrees and on processes while agents are at work: what becomes of the ticket, and what is said.

use std::{fs, path::PathBuf};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::plant::Plant;
use crate::support::{
    program::{Background, LIMIT},
    wait_for,
};

const HOLD: &str = "wait-file ROOT/gate\n";
const BEGIN: &str = "ready\nexpect-prompt\nrun echo prompt >> ROOT/done\n";
const WORK: &str = "run echo work > work; git add . && git commit -qm work\nreport done --summary did\n";

#[test]
fn a_worktree_deleted_under_its_agent_is_said_and_a_retry_makes_it_again() {
    let plant = Plant::new(&[]);
    plant.fake("x", &[BEGIN, HOLD, WORK].concat());
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    let worktree = plant.row("x")["worktree"].as_str().unwrap().to_owned();
    fs::remove_dir_all(&worktree).unwrap();
    plant.open("gate");
    let told = || {
        let row = plant.row("x");
        matches!(row["status"].as_str(), Some("parked" | "blocked" | "failed")).then_some(row)
    };
    // Its agent cannot even report any more; a person ends it.
    plant.autodo(&["stop", "x"]).ok();
    let row = wait_for("the ticket to be set aside", told, || plant.world.story());
    assert_eq!(row["reason"], "stopped", "{row}");
    supervisor.wait(LIMIT).code(8);
    plant.autodo(&["retry", "x"]).ok();
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
    assert!(fs::exists(format!("{worktree}/work")).unwrap());
    let events = plant.world.file("x/events.jsonl");
    assert!(events.contains("was gone: it is made again"), "the audit trail says what autodo did: {events}");
    plant.check();
}

#[test]
fn a_branch_switched_under_its_agent_is_no_proof_and_its_commits_stay() {
    let plant = Plant::new(&[]);
    plant.fake("x", &[BEGIN, HOLD, WORK].concat());
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    let worktree = plant.row("x")["worktree"].as_str().unwrap().to_owned();
    plant.repo.git(&["-C", &worktree, "checkout", "-q", "-b", "elsewhere"]);
    plant.open("gate");
    supervisor.wait(LIMIT).code(0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &false.into()), "{row}");
    assert_eq!(row["reason"], "off_branch", "{row}");
    assert!(
        plant.world.file("x/review.md").contains("not on the ticket's branch"),
        "{}",
        plant.world.file("x/review.md")
    );
    assert_eq!(plant.repo.git(&["log", "-1", "--format=%s", "elsewhere"]), "work");
    // A person puts it back.
    plant.repo.git(&["-C", &worktree, "checkout", "-q", "autodo/x"]);
    plant.autodo(&["retry", "x"]).ok();
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
    plant.check();
}

/// A supervisor whose ticket `x` is in its set-up command, and the worktree.
fn setting_up(plant: &Plant, first: &str) -> (Background, PathBuf) {
    let root = plant.world.root().display();
    plant.repo.settings(&format!(
        "version = 1\n[worktree]\nsetup = [{:?}]\n",
        format!("{first}; touch {root}/at-work; while ! test -e {root}/gate; do sleep 0.02; done")
    ));
    plant.script("x", "", &["echo 1 > one"]);
    let supervisor = plant.dispatch();
    let at_work = || plant.path("at-work").exists().then_some(());
    wait_for("the set-up", at_work, || plant.world.story());
    (supervisor, plant.repo.path.with_extension("worktrees").join("x"))
}

#[test]
fn a_ticket_that_is_given_up_while_its_worktree_is_made_leaves_nothing_half_made() {
    for (kill_first, request) in [(false, "cancel"), (true, "cancel"), (false, "stop"), (true, "stop")] {
        let plant = Plant::new(&[]);
        let (mut supervisor, worktree) = setting_up(&plant, "true");
        if kill_first {
            supervisor.signal(Signal::SIGKILL);
            supervisor.wait(LIMIT);
            plant.autodo(&[request, "x"]).ok();
        } else {
            plant.autodo(&[request, "x"]).ok();
            supervisor.wait(LIMIT);
        }
        let list = plant.repo.git(&["worktree", "list", "--porcelain"]);
        assert!(!list.contains("autodo-creating") && !worktree.exists(), "{request}, {kill_first}: {list}");
        let at_work = plant.world.program("pgrep", &["-f", &plant.path("gate").display().to_string()]).run();
        assert_eq!(at_work.stdout, "", "{request}, {kill_first}: the set-up has ended");
        let events = plant.world.file("x/events.jsonl");
        assert!(events.contains("removed a half-made worktree"), "{events}");
        plant.check();
        if request == "stop" {
            plant.open("gate");
            plant.autodo(&["resume", "x"]).ok();
            plant.autodo(&["dispatch"]).ok();
            assert_eq!(plant.row("x")["verified"], true);
        }
    }
}

#[test]
fn a_half_made_worktree_that_holds_something_is_kept_and_can_be_cleaned() {
    let plant = Plant::new(&[]);
    let (supervisor, worktree) = setting_up(&plant, "echo mine > mine");
    plant.autodo(&["cancel", "x"]).ok();
    supervisor.wait(LIMIT);
    assert_eq!(fs::read_to_string(worktree.join("mine")).unwrap(), "mine\n");
    let list = plant.repo.git(&["worktree", "list", "--porcelain"]);
    assert!(!list.contains("locked"), "{list}");
    plant.autodo(&["clean", "x", "--rescue"]).ok();
    assert!(!worktree.exists());
    plant.check();
}

#[test]
fn a_stopped_agent_is_continued_and_so_is_its_wrapper() {
    let plant = Plant::new(&[]);
    plant.fake("x", &[BEGIN, HOLD, WORK].concat());
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    plant.wait_row("x", "status", "running");
    let wrapper = plant.wrapper("x/runs/1/launches/1");
    let agent = plant.under(wrapper);
    let goes_on = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        (!stat.rsplit_once(") ").unwrap().1.starts_with('T')).then_some(())
    };
    // The wrapper continues the agent, and tmux the wrapper.
    for stopped in [&[agent][..], &[wrapper, agent]] {
        for pid in stopped {
            kill(Pid::from_raw(*pid), Signal::SIGSTOP).unwrap();
        }
        for pid in stopped {
            wait_for("it to go on", || goes_on(*pid), || plant.world.story());
        }
    }
    plant.open("gate");
    supervisor.wait(LIMIT).code(0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    plant.check();
}
