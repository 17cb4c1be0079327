//! What a person does beside it: types, interrupts, stops; and sessions that are lost.

use crate::{
    model::{DONE, END, READ, WORK, with},
    stage::{Agent, Stage},
};

with_each_agent!(
    an_answer_that_looks_like_a_command_of_the_agent_runs_nothing,
    an_interrupted_turn_is_told_and_goes_on_with_an_answer,
    a_stopped_agent_leaves_nothing_at_work_and_is_resumed,
    another_run_goes_on_in_the_old_conversation_or_begins_a_new_one,
    a_lost_tmux_server_costs_no_work,
    a_question_whose_session_is_lost_is_answered_all_the_same,
);

const ASK: &str = "[[step]]\nrun = '\"$AUTODO_BIN\" report blocked --question \"Which colour?\"'\n";
const ASKED: &str = "[[step]]\nsay = \"I wait.\\n\\nAUTODO-BLOCKED-{key}\"\n";

fn an_answer_that_looks_like_a_command_of_the_agent_runs_nothing(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, ASK, ASKED, ASK, ASKED, WORK, DONE, END]);
    let mark = stage.world.root().join("ran");
    stage.dispatch(8);
    // The first would run in a shell outside the sandbox, without a question; the second would end the agent.
    for (index, answer) in [format!("!touch {}", mark.display()), "/quit".to_owned()].iter().enumerate() {
        assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
        stage.autodo(&["answer", "T-1", answer]).ok();
        stage.dispatch(if index == 0 { 8 } else { 0 });
        let prompts = stage.model.prompts("T-1");
        assert_eq!(prompts.len(), index + 2, "{prompts:?}");
        assert!(prompts[index + 1].ends_with(answer.as_str()), "{prompts:?}");
    }
    stage.is_proven("T-1", &["work"]);
    assert!(!mark.exists(), "the answer was run");
}

fn an_interrupted_turn_is_told_and_goes_on_with_an_answer(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    stage.keys("T-1", &["Escape"]);
    stage.end(dispatch, 8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
    let question = stage.row("T-1")["question"].as_str().unwrap().to_owned();
    assert!(question.to_lowercase().contains("interrupted"), "{question}");
    stage.model.open("go");
    stage.autodo(&["answer", "T-1", "Go on, please."]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1")[1..], ["Go on, please."], "{}", stage.model.story());
}

fn a_stopped_agent_leaves_nothing_at_work_and_is_resumed(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    stage.autodo(&["stop", "T-1"]).ok();
    stage.end(dispatch, 8);
    assert!(stage.status("T-1").starts_with("parked stopped"), "{}", stage.status("T-1"));
    assert_eq!(stage.agents(), [] as [i32; 0], "{:?}", stage.world.processes());
    stage.model.open("go");
    stage.autodo(&["resume", "T-1"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    // The conversation is opened again.
    assert_eq!(stage.row("T-1")["run"], 1, "{}", stage.model.story());
}

fn another_run_goes_on_in_the_old_conversation_or_begins_a_new_one(agent: Agent) {
    let stage = Stage::new(agent);
    let more = "[[step]]\nrun = 'echo more >> work.txt && git commit -qam more'\n";
    // The turn of the first run never gets beyond its report: the gate is closed.
    stage.ticket("T-1", &[READ, WORK, DONE, &with(READ, "gate = 'go'"), more, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    stage.autodo(&["retry", "--resume", "T-1"]).ok();
    stage.model.open("go");
    stage.dispatch(0);
    stage.is_proven("T-1", &["more", "work"]);
    assert_eq!(stage.row("T-1")["run"], 2);
    // The model was given what had been said before.
    assert_eq!(stage.model.prompts("T-1").len(), 2, "{}", stage.model.story());
    stage.autodo(&["retry", "--fresh", "T-1"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work", "more", "work"]);
    assert_eq!(stage.model.asked("T-1", 0), 2, "{}", stage.model.story());
}

fn a_lost_tmux_server_costs_no_work(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = []\n[limits]\nbackoff = \"0s\"");
    stage.ticket("T-1", &[READ, WORK, &with(DONE, "gate = 'go'"), END]);
    let dispatch = stage.start();
    stage.wait("the third request", || (stage.model.asked("T-1", 2) > 0).then_some(()));
    let before = stage.agents();
    stage.world.tmux(&["kill-server"]).ok();
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    assert!(before.iter().all(|pid| !stage.agents().contains(pid)), "{:?}", stage.world.processes());
}

fn a_question_whose_session_is_lost_is_answered_all_the_same(agent: Agent) {
    let stage = Stage::new(agent);
    let steps = [READ, ASK, ASKED, WORK, DONE, END];
    stage.ticket("T-1", &steps);
    stage.dispatch(8);
    stage.wait("the end of its turn", || stage.screen("T-1").contains("AUTODO-BLOCKED-").then_some(()));
    stage.world.tmux(&["kill-server"]).ok();
    stage.autodo(&["answer", "T-1", "green, please"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let prompts = stage.model.prompts("T-1");
    assert_eq!(prompts.last().unwrap(), "green, please", "{}", stage.model.story());
}
