//! What goes wrong: the service, the network, the agent, the supervisor.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    model::{DONE, END, READ, WORK, say, with},
    stage::{Agent, Stage},
};

with_each_agent!(
    a_storm_of_529_that_ends_is_survived,
    a_final_error_is_parked_with_its_words_and_never_taken_for_work,
    a_fault_of_the_service_that_does_not_end_is_parked_with_its_words,
    a_stream_that_is_cut_is_never_taken_for_work,
    a_turn_that_ends_without_a_report_is_nudged_once_and_then_parked,
    a_refused_key_is_told_with_its_words,
    a_server_that_is_gone_for_a_while_is_waited_for,
    an_agent_that_is_killed_gets_a_next_run,
    a_supervisor_that_is_killed_in_mid_turn_changes_nothing,
    what_an_agent_finished_without_a_supervisor_is_found,
);

fn a_storm_of_529_that_ends_is_survived(agent: Agent) {
    let stage = Stage::new(agent);
    let fail = "fail = { status = 529, kind = 'overloaded_error', message = 'Overloaded', times = 2 }";
    stage.ticket("T-1", &[READ, &with(WORK, fail), DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert!(stage.model.asked("T-1", 1) >= 3, "{}", stage.model.story());
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
}

/// What `list` and `show` say of the ticket.
pub fn told(stage: &Stage, id: &str) -> String {
    format!("{}\n{}", stage.row(id), stage.autodo(&["show", id]).ok().both())
}

fn a_final_error_is_parked_with_its_words_and_never_taken_for_work(agent: Agent) {
    let stage = Stage::new(agent);
    let fail = "fail = { status = 400, kind = 'invalid_request_error', message = 'the scripted model said no' }";
    stage.ticket("T-1", &[READ, WORK, &with(DONE, fail)]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "parked error null", "{}", stage.model.story());
    assert!(told(&stage, "T-1").contains("the scripted model said no"), "{}", told(&stage, "T-1"));
    assert_eq!(stage.git("T-1", &["log", "--format=%s", "main.."]), "work", "what was done stays");
}

fn a_fault_of_the_service_that_does_not_end_is_parked_with_its_words(agent: Agent) {
    let mut stage = Stage::new(agent);
    // Ten without this, which takes three minutes.
    stage.world.set("CLAUDE_CODE_MAX_RETRIES", "2");
    let fail = "fail = { status = 500, kind = 'api_error', message = 'the scripted model is broken' }";
    stage.ticket("T-1", &[READ, WORK, &with(DONE, fail)]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "parked error null", "{}", stage.model.story());
    let words = if agent == Agent::Claude { "500" } else { "currently experiencing high demand" };
    assert!(told(&stage, "T-1").contains(words), "{}", told(&stage, "T-1"));
}

fn a_stream_that_is_cut_is_never_taken_for_work(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = []\n[limits]\nstall = \"5s\"");
    let cut = with(DONE, "say = 'I am about to report that all of this is done, and done well.'\ncut_after = 18");
    stage.ticket("T-1", &[READ, WORK, &cut, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    // Claude Code 2.1.197 shows what came and is back at its prompt, without a word of the fault: only the silence
    // tells. Codex asks again.
    let nudged = stage.model.prompts("T-1").len() == 2;
    assert_eq!(nudged, agent == Agent::Claude, "{}", stage.model.story());
}

pub fn a_turn_that_ends_without_a_report_is_nudged_once_and_then_parked(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = []\n[limits]\nstall = \"5s\"");
    stage.ticket("T-1", &[READ, WORK, &say("That should do."), &say("As I said.")]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "parked stalled null", "{}", stage.model.story());
    assert_eq!(stage.model.prompts("T-1").len(), 2, "{}", stage.model.story());
    assert_eq!(stage.git("T-1", &["log", "--format=%s", "main.."]), "work", "what was done stays");
}

fn a_refused_key_is_told_with_its_words(agent: Agent) {
    let mut stage = Stage::new(agent);
    stage.world.set("CLAUDE_CODE_MAX_RETRIES", "1");
    let fail =
        "fail = { status = 401, kind = 'authentication_error', message = 'the scripted model knows no such key' }";
    stage.ticket("T-1", &[&with(READ, fail)]);
    stage.dispatch(4);
    assert_eq!(stage.status("T-1"), "blocked logged_out null");
    assert!(told(&stage, "T-1").contains("the scripted model knows no such key"), "{}", told(&stage, "T-1"));
}

fn a_server_that_is_gone_for_a_while_is_waited_for(agent: Agent) {
    let mut stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    stage.model.stop();
    let sign = if agent == Agent::Claude { "Retrying in" } else { "Reconnecting" };
    stage.wait("the agent to try again", || stage.screen("T-1").contains(sign).then_some(()));
    assert_eq!(stage.status("T-1"), "running working null");
    stage.model.open("go");
    stage.model.start();
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!((stage.model.prompts("T-1").len(), stage.row("T-1")["run"].as_u64()), (1, Some(1)));
}

pub fn an_agent_that_is_killed_gets_a_next_run(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = []\n[limits]\nbackoff = \"0s\"");
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    // Codex is a script that starts the program proper, which outlives it.
    let agents = stage.agents();
    assert_eq!(agents.len(), if agent == Agent::Claude { 1 } else { 2 }, "{:?}", stage.world.processes());
    kill(Pid::from_raw(agents[0]), Signal::SIGKILL).unwrap();
    stage.wait("the next run", || (stage.model.asked("T-1", 0) > 1).then_some(()));
    for pid in agents {
        assert!(!stage.agents().contains(&pid), "{pid} of the first run lives: {:?}", stage.world.processes());
    }
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.row("T-1")["run"], 2);
}

fn a_supervisor_that_is_killed_in_mid_turn_changes_nothing(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let mut dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    dispatch.signal(Signal::SIGKILL);
    stage.end(dispatch, 137);
    let dispatch = stage.start();
    stage.wait_status("T-1", "running working");
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!((stage.model.prompts("T-1").len(), stage.row("T-1")["run"].as_u64()), (1, Some(1)));
}

fn what_an_agent_finished_without_a_supervisor_is_found(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let mut dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    dispatch.signal(Signal::SIGKILL);
    stage.end(dispatch, 137);
    stage.model.open("go");
    stage.wait("the last request", || (stage.model.asked("T-1", 3) > 0).then_some(()));
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!((stage.model.prompts("T-1").len(), stage.row("T-1")["run"].as_u64()), (1, Some(1)));
}
