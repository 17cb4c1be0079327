//! What must hold before all else, in less than two minutes.

use serde_json::json;

use crate::{
    model::{DONE, END, READ, WORK, run},
    stage::{Agent, Stage},
};

with_each_agent!(
    a_ticket_is_done_committed_reported_and_proven,
    a_question_is_answered_and_the_same_conversation_goes_on,
);

pub fn a_ticket_is_done_committed_reported_and_proven(agent: Agent) {
    let stage = Stage::new(agent);
    let report = run(
        r#""$AUTODO_BIN" report decision --risk low 'work.txt' --why 'a file was wanted' && "$AUTODO_BIN" report flag --risk medium 'the name of the file'"#,
    );
    stage.ticket("T-1", &[READ, WORK, &report, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let review = stage.review("T-1");
    assert_eq!(review["summary"], "wrote work.txt");
    assert_eq!((&review["decisions"][0]["tier"], &review["decisions"][0]["text"]), (&json!("low"), &json!("work.txt")));
    assert_eq!(review["flags"][0]["text"], "the name of the file");
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
    // Codex has its record beside its hooks.
    assert_eq!(stage.hooks() > 0, agent == Agent::Codex || !stage.is_without_hooks());
}

pub fn a_question_is_answered_and_the_same_conversation_goes_on(agent: Agent) {
    let stage = Stage::new(agent);
    let ask = run(r#""$AUTODO_BIN" report blocked --question 'Which colour?' --risk high --option red --option green"#);
    let asked = "[[step]]\nsay = \"I wait.\\n\\nAUTODO-BLOCKED-{key}\"\n";
    stage.ticket("T-1", &[READ, &ask, asked, WORK, DONE, END]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null");
    assert_eq!(stage.row("T-1")["question"], "Which colour?");
    stage.autodo(&["answer", "T-1", "green, please"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let prompts = stage.model.prompts("T-1");
    assert_eq!(prompts[1..], ["green, please"], "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}
