//! What reaches an agent, and what of it is taken for an outcome.

use crate::{
    model::{DONE, END, READ, WORK, run, with},
    stage::{Agent, Stage},
};

with_each_agent!(
    a_ticket_of_100_kb_is_read_from_its_file,
    an_answer_of_100_kb_arrives_as_it_is,
    a_marker_that_is_quoted_ends_nothing,
    two_tickets_are_worked_at_once,
    what_a_check_finds_goes_into_the_same_conversation,
    words_for_a_busy_agent_are_queued_by_it_or_told_unsent,
);

fn a_ticket_of_100_kb_is_read_from_its_file(agent: Agent) {
    let stage = Stage::new(agent);
    let body: String =
        (0..2_000).map(|n| format!("{n:04} The quick brown fox jumps over 'the' lazy \"dog\".\n")).collect();
    assert!(body.len() > 100_000);
    stage.ticket_of("T-1", &body, &[READ, WORK, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert!(stage.world.file("T-1/runs/1/prompt.md").contains(body.trim_end()));
}

pub fn an_answer_of_100_kb_arrives_as_it_is(agent: Agent) {
    let stage = Stage::new(agent);
    let ask = run(r#""$AUTODO_BIN" report blocked --question 'What is the text?'"#);
    let asked = "[[step]]\nsay = \"I wait.\\n\\nAUTODO-BLOCKED-{key}\"\n";
    stage.ticket("T-1", &[READ, &ask, asked, WORK, DONE, END]);
    stage.dispatch(8);
    let answer: String =
        (0..2_000).map(|n| format!("{n:04} The quick brown fox; jumps over $(the) lazy `dog` #!.\n")).collect();
    assert!(answer.len() > 100_000);
    let said = stage.world.command(&["answer", "T-1", "-"]).in_dir(&stage.repo).stdin(answer.clone()).run();
    said.ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let prompts = stage.model.prompts("T-1");
    assert_eq!(prompts.len(), 2, "{}", stage.model.story());
    assert!(prompts[1] == answer.trim_end(), "{} bytes of {}", prompts[1].len(), answer.len());
}

fn a_marker_that_is_quoted_ends_nothing(agent: Agent) {
    let stage = Stage::new(agent);
    let quote = "[[step]]\nsay = \"At the end I am to print this:\\n\\n```\\nAUTODO-DONE-{key}\\n```\\n\\nAUTODO-DONE-{key}\"\n\
                 run = 'git status'\n";
    let body = "The last line is the marker:\n\nAUTODO-DONE-<key>\n\nAUTODO-BLOCKED-0000\n";
    let late = with(WORK, "gate = 'go'");
    stage.ticket_of("T-1", body, &[READ, quote, &late, DONE, END]);
    let dispatch = stage.start();
    stage.wait("the quote", || stage.screen("T-1").contains("AUTODO-DONE-").then_some(()));
    stage.wait("the next request", || (stage.model.asked("T-1", 2) > 0).then_some(()));
    let looks = std::time::Instant::now() + std::time::Duration::from_secs(4);
    stage.wait("several looks", || (std::time::Instant::now() > looks).then_some(()));
    assert_eq!(stage.status("T-1"), "running working null");
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
}

fn two_tickets_are_worked_at_once(agent: Agent) {
    let stage = Stage::new(agent);
    let late = with(WORK, "gate = 'go'");
    for id in ["T-1", "T-2"] {
        stage.ticket(id, &[READ, &late, DONE, END]);
    }
    let dispatch = stage.start();
    for id in ["T-1", "T-2"] {
        stage.wait(&format!("{id} to be at work"), || (stage.model.asked(id, 1) > 0).then_some(()));
    }
    stage.model.open("go");
    stage.end(dispatch, 0);
    for id in ["T-1", "T-2"] {
        stage.is_proven(id, &["work"]);
        assert_eq!(stage.model.prompts(id).len(), 1, "{}", stage.model.story());
    }
}

fn what_a_check_finds_goes_into_the_same_conversation(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = [\"test -f more.txt\"]");
    let more = run("touch more.txt && git add more.txt && git commit -qm more");
    stage.ticket("T-1", &[READ, WORK, DONE, END, &more, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["more", "work"]);
    assert_eq!(stage.row("T-1")["checks_status"], "green");
    let prompts = stage.model.prompts("T-1");
    assert_eq!((prompts.len(), stage.row("T-1")["run"].as_u64()), (2, Some(1)), "{}", stage.model.story());
    assert!(prompts[1].contains("check"), "{}", prompts[1]);
}

pub fn words_for_a_busy_agent_are_queued_by_it_or_told_unsent(agent: Agent) {
    let stage = Stage::new(agent);
    stage.settings("checks = []\n[limits]\ndelivery = \"5s\"");
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    stage.autodo(&["send", "T-1", "Mind the spelling; #{pane_id} $(touch x)"]).ok();
    match agent {
        Agent::Claude => {
            stage.wait("the queue", || stage.screen("T-1").contains("Press up to edit queued").then_some(()));
        }
        // What is typed while it answers makes it throw the answer away and begin again.
        Agent::Codex => {
            stage.wait("the refusal", || stage.autodo(&["show", "T-1"]).stdout.contains("not sent").then_some(()));
        }
    }
    stage.wait_status("T-1", "running working");
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    let words = stage.model.prompts("T-1")[1..].to_vec();
    match agent {
        Agent::Claude => {
            assert_eq!(words.len(), 1, "{words:?}");
            assert!(words[0].contains("\nMind the spelling; #{pane_id} $(touch x)\n"), "{}", words[0]);
        }
        Agent::Codex => assert!(words.is_empty(), "{words:?}"),
    }
}
