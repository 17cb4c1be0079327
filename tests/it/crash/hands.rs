//! Hands in worktrees and on processes while agents are at work: what becomes of the ticket, and what is said.

use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::plant::Plant;
use crate::support::{program::LIMIT, wait_for};

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

#[test]
fn a_stopped_agent_is_continued_by_its_wrapper() {
    let plant = Plant::new(&[]);
    plant.fake("x", &[BEGIN, HOLD, WORK].concat());
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    plant.wait_row("x", "status", "running");
    let agent = plant.under(plant.wrapper("x/runs/1/launches/1"));
    kill(Pid::from_raw(agent), Signal::SIGSTOP).unwrap();
    let goes_on = || {
        let stat = fs::read_to_string(format!("/proc/{agent}/stat")).unwrap();
        (!stat.rsplit_once(") ").unwrap().1.starts_with('T')).then_some(())
    };
    wait_for("it to go on", goes_on, || plant.world.story());
    plant.open("gate");
    supervisor.wait(LIMIT).code(0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    plant.check();
}

#[test]
fn an_agent_stopped_with_its_wrapper_counts_as_stalled_and_is_ended_all_the_same() {
    let plant = Plant::new(&[]);
    let settings = plant.repo.path.join(".autodo/config.toml");
    fs::write(&settings, fs::read_to_string(&settings).unwrap() + "stall = \"2s\"\n").unwrap();
    plant.fake("x", &[BEGIN, HOLD, WORK].concat());
    let profile = plant.world.home().join("profiles/fake.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replace("name = \"fake\"\n[launch]", "name = \"fake\"\nnudge = false\n[launch]")).unwrap();
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    plant.wait_row("x", "status", "running");
    let wrapper = plant.wrapper("x/runs/1/launches/1");
    let agent = plant.under(wrapper);
    for pid in [wrapper, agent] {
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    }
    let row = plant.wait_row("x", "status", "parked");
    assert_eq!((&row["reason"], &row["parked_until"]), (&"stalled".into(), &serde_json::Value::Null), "{row}");
    let ended = supervisor.wait(LIMIT).code(8);
    assert!(ended.both().contains("no sign of life"), "{}", ended.both());
    assert!(!fs::exists(format!("/proc/{agent}")).unwrap(), "nothing of it is left");
    plant.open("gate");
    plant.autodo(&["resume", "x"]).ok();
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
}
