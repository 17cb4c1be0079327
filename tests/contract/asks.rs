//! What an agent asks on its own screen: permissions, and whether a folder is trusted.

use serde_json::json;

use crate::{
    model::{DONE, END, READ, WORK, run, say},
    stage::{Agent, Allowed, Stage},
};

with_each_agent!(
    a_permission_is_asked_with_its_command_and_given_by_name,
    a_permission_that_is_denied_ends_the_turn_and_the_agent_is_told_what_to_do,
    a_permission_takes_no_text,
    a_folder_that_is_not_trusted_is_asked_about_and_the_prompt_is_not_lost,
);

const COMMAND: &str = "touch work.txt && git add work.txt && git commit -qm work";

/// A step that runs `command`, for which the agent asks.
pub fn ask_to_run(agent: Agent, command: &str) -> String {
    match agent {
        Agent::Claude => run(command),
        // Its sandbox takes the rest without a question.
        Agent::Codex => format!(
            "[[step]]\n[step.tool]\nname = 'exec_command'\n[step.tool.input]\ncmd = '''{command}'''\n\
             sandbox_permissions = 'require_escalated'\njustification = 'May I do this?'\n"
        ),
    }
}

/// A stage whose agent has asked whether it may run [`COMMAND`].
fn asking(agent: Agent, rest: &[&str]) -> Stage {
    let stage = Stage::with(agent, Allowed::Nothing, true);
    let work = ask_to_run(agent, COMMAND);
    stage.ticket("T-1", &[&[READ, &work], rest].concat());
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked permission null", "{}", stage.model.story());
    let question = stage.row("T-1")["question"].as_str().unwrap().to_owned();
    assert!(question.contains(COMMAND), "{question}");
    if agent == Agent::Claude {
        assert!(question.contains("Bash command"), "{question}");
    }
    assert!(!stage.worktree("T-1").join("work.txt").exists(), "nobody allowed it");
    assert!(stage.events("T-1", "keyed").is_empty(), "{:?}", stage.events("T-1", "keyed"));
    stage
}

pub fn a_permission_is_asked_with_its_command_and_given_by_name(agent: Agent) {
    let report = ask_to_run(agent, r#""$AUTODO_BIN" report done --summary 'wrote work.txt'"#);
    let stage = asking(agent, &[&report, END]);
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    // The report is a command as well.
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked permission null", "{}", stage.model.story());
    assert!(stage.row("T-1")["question"].as_str().unwrap().contains("report done"), "{}", stage.row("T-1"));
    assert!(stage.worktree("T-1").join("work.txt").exists());
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
    let keys: Vec<_> = stage.events("T-1", "keyed").into_iter().map(|event| event["keys"].clone()).collect();
    let yes = json!([if agent == Agent::Claude { "1" } else { "y" }]);
    assert_eq!(keys, [yes.clone(), yes]);
}

fn a_permission_that_is_denied_ends_the_turn_and_the_agent_is_told_what_to_do(agent: Agent) {
    let nothing = ask_to_run(agent, r#""$AUTODO_BIN" report done --summary 'left it' --no-change 'it was not wanted'"#);
    let stage = asking(agent, &[&nothing, END]);
    stage.autodo(&["answer", "T-1", "deny"]).ok();
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
    stage.autodo(&["answer", "T-1", "Leave it then."]).ok();
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked permission null", "{}", stage.model.story());
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    stage.is_verified("T-1");
    assert_eq!(stage.status("T-1"), "needs_review no_change true");
    assert!(!stage.worktree("T-1").join("work.txt").exists());
    assert_eq!(stage.model.prompts("T-1")[1..], ["Leave it then."], "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

fn a_permission_takes_no_text(agent: Agent) {
    let stage = asking(agent, &[&say("What now?")]);
    // Into the dialog this would be an Enter: a yes.
    stage.autodo(&["answer", "T-1", "go on without it"]).code(1);
    stage.autodo(&["send", "T-1", "go on without it"]).code(1);
    assert_eq!(stage.status("T-1"), "blocked permission null");
    assert!(!stage.worktree("T-1").join("work.txt").exists());
    assert_eq!(stage.model.asked("T-1", 2), 0, "{}", stage.model.story());
}

/// A step that asks with options, as Claude Code's models do. Codex has no such tool outside of its plan mode.
const CHOOSE: &str = "[[step]]\nsay = 'One thing is not clear.'\n[step.tool]\nname = 'AskUserQuestion'\n\
                      [[step.tool.input.questions]]\nquestion = 'Which cache?'\nheader = 'Cache'\nmultiSelect = false\n\
                      options = [{ label = 'OnceCell', description = 'filled once' }, { label = 'LRU', description = \
                      'bounded' }]\n";

#[test]
fn a_question_with_options_takes_one_of_them_or_words() {
    let stage = Stage::new(Agent::Claude);
    stage.ticket("T-1", &[READ, CHOOSE, CHOOSE, WORK, DONE, END]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
    let question = stage.row("T-1")["question"].as_str().unwrap().to_owned();
    assert!(question.contains("Which cache?"), "{question}");
    let shown = stage.autodo(&["show", "T-1"]).ok().both();
    assert!(shown.contains("OnceCell") && shown.contains("LRU"), "{shown}");
    stage.autodo(&["answer", "T-1", "lru"]).ok();
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
    assert!(stage.screen("T-1").contains("→ LRU"), "{}", stage.screen("T-1"));
    stage.autodo(&["answer", "T-1", "Neither: a plain map will do."]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1").last().unwrap(), "Neither: a plain map will do.", "{}", stage.model.story());
}

fn a_folder_that_is_not_trusted_is_asked_about_and_the_prompt_is_not_lost(agent: Agent) {
    let stage = Stage::with(agent, Allowed::Commands, false);
    stage.ticket("T-1", &[READ, WORK, DONE, END]);
    stage.dispatch(8);
    let row = stage.row("T-1");
    assert_eq!((stage.status("T-1").as_str(), &row["attention"]), ("blocked question null", &json!("answer")));
    assert!(stage.model.requests("T-1").is_empty(), "{}", stage.model.story());
    stage.autodo(&["answer", "T-1", "trust"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
}
