//! aider: edits out of the model's words, a commit for each answer, the marker as its only claim without a person.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{asks_for, place};
use crate::{
    model::{DONE, run, with},
    stage::{Allowed, Stage},
};
use place::{Further, further};

fn stage() -> Stage {
    further(Further::Aider, Allowed::Nothing, true)
}

/// A step that makes the file `name`, and says `more` behind it.
fn edit(name: &str, more: &str) -> String {
    format!(
        "[[step]]\nsay = \"\"\"\nI add it.\n\n{name}\n```\n<<<<<<< SEARCH\n=======\ndone\n>>>>>>> REPLACE\n```\n\n{more}\n\"\"\"\n"
    )
}

#[test]
fn a_ticket_is_edited_committed_and_claimed_by_its_marker() {
    let stage = stage();
    stage.ticket("T-1", &[&edit("work.txt", "AUTODO-DONE-{key}")]);
    stage.dispatch(0);
    // The message is what the model said when it was asked for one.
    stage.is_proven("T-1", &["A title"]);
    assert_eq!(stage.model.requests("T-1").len(), 1, "{}", stage.model.story());
}

#[test]
fn a_file_outside_is_put_to_a_person() {
    let stage = stage();
    stage.ticket("T-1", &[&edit("../outside.txt", "AUTODO-DONE-{key}")]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.screen("T-1"));
    assert!(stage.row("T-1")["question"].as_str().unwrap().contains("../outside.txt"), "{}", stage.row("T-1"));
    assert!(!stage.world.root().join("p.worktrees/outside.txt").exists(), "nobody allowed it");
}

#[test]
fn a_command_is_asked_with_its_words_and_the_report_counts() {
    let stage = stage();
    stage.ticket(
        "T-1",
        &[&with(&edit("work.txt", ""), "run = '\"$AUTODO_BIN\" report done --summary \"wrote work.txt\"'")],
    );
    stage.dispatch(8);
    asks_for(&stage, "report done");
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["A title"]);
    assert_eq!(stage.review("T-1")["summary"], "wrote work.txt");
}

#[test]
fn a_question_is_answered_and_the_same_conversation_goes_on() {
    let stage = stage();
    let asked = "[[step]]\nsay = \"Which colour?\\n\\nAUTODO-BLOCKED-{key}\"\n";
    stage.ticket("T-1", &[asked, &edit("work.txt", "AUTODO-DONE-{key}")]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.screen("T-1"));
    stage.autodo(&["answer", "T-1", "green, please"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["A title"]);
    assert!(stage.model.prompts("T-1")[1].starts_with("green, please"), "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

#[test]
fn a_denied_command_is_not_run() {
    let stage = stage();
    stage.ticket("T-1", &[&run("touch ran"), &edit("work.txt", "AUTODO-DONE-{key}")]);
    place::settings(&stage, Further::Aider, "[limits]\nstall = \"20s\"");
    stage.dispatch(8);
    asks_for(&stage, "touch ran");
    stage.autodo(&["answer", "T-1", "deny"]).ok();
    // Nothing is left for it to do but to be asked how it stands.
    stage.dispatch(0);
    stage.is_proven("T-1", &["A title"]);
    assert!(!stage.worktree("T-1").join("ran").exists());
}

#[test]
fn an_agent_that_is_killed_gets_a_next_run() {
    let stage = stage();
    place::settings(&stage, Further::Aider, "[limits]\nbackoff = \"0s\"");
    stage.ticket("T-1", &[&with(&edit("work.txt", "AUTODO-DONE-{key}"), "gate = 'go'"), DONE]);
    let dispatch = stage.start();
    stage.wait("the request", || (stage.model.asked("T-1", 0) > 0).then_some(()));
    let agents = Further::Aider.processes(&stage);
    kill(Pid::from_raw(agents[0]), Signal::SIGKILL).unwrap();
    stage.wait("the next run", || (stage.model.asked("T-1", 0) > 1).then_some(()));
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["A title"]);
    assert_eq!(stage.row("T-1")["run"], 2);
}
