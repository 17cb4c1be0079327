//! What the agents' own records tell: the conversation that goes on, the end of a turn, tokens and cost.

use serde_json::{Value, json};

use crate::{
    model::{DONE, END, READ, WORK, run, say, with},
    stage::{Agent, Stage},
    support::files::files_below,
};

with_each_agent!(
    a_conversation_goes_on_after_its_session_was_lost,
    a_conversation_goes_on_after_the_agent_was_killed_and_resumed,
    what_a_ticket_used_is_counted_once_over_launches,
    a_turn_without_a_report_is_asked_about_at_once,
    hooks_of_a_launch_tell_of_prompts_and_turns,
);

/// Tokens of one answer of the scripted model.
const TOKENS: u64 = 120;

/// Answers of the model that the agent got for `ticket`, none of which failed.
fn answers(stage: &Stage, ticket: &str) -> u64 {
    stage.model.requests(ticket).len() as u64
}

fn ask() -> String {
    run(r#""$AUTODO_BIN" report blocked --question 'Which colour?'"#)
}

/// The number of answers that the model had given in this conversation when it was asked for the first one after
/// `prompt`.
fn turns_before(stage: &Stage, prompt: &str) -> u64 {
    let requests = stage.model.requests("T-1");
    let first = requests.iter().find(|asked| asked["prompt"].as_str().is_some_and(|text| text.contains(prompt)));
    first.unwrap_or_else(|| panic!("{}", stage.model.story()))["turn"].as_u64().unwrap()
}

/// A ticket that asks, and goes on when it is answered.
fn asking(agent: Agent) -> Stage {
    let stage = Stage::new(agent);
    // Slow enough for Claude Code to tell the cost of each answer.
    let slow = |step| with(step, "wait_s = 0.6");
    stage.ticket("T-1", &[READ, &ask(), &say("I wait."), &slow(WORK), &slow(DONE), END]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}", stage.model.story());
    stage
}

/// Waits until the agent has written down the last words of the turn in which it asked.
fn wait_turn_end(stage: &Stage) {
    let is_there = || {
        let all = files_below(&stage.world.root().join("home"));
        let mut records = all.iter().filter(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
        records.any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("I wait."))).then_some(())
    };
    stage.wait("the turn's end", is_there);
    assert_eq!(answers(stage, "T-1"), 3, "{}", stage.model.story());
}

fn a_conversation_goes_on_after_its_session_was_lost(agent: Agent) {
    let stage = asking(agent);
    wait_turn_end(&stage);
    let session = stage.row("T-1")["session"].as_str().unwrap().to_owned();
    stage.world.tmux(&["kill-session", "-t", &format!("={session}")]).ok();
    stage.dispatch(8);
    stage.autodo(&["answer", "T-1", "green, please"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(turns_before(&stage, "green, please"), 3, "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

fn a_conversation_goes_on_after_the_agent_was_killed_and_resumed(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), WORK, DONE, END]);
    let mut dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    // Nobody watches while the machine goes down.
    dispatch.signal(nix::sys::signal::Signal::SIGKILL);
    stage.end(dispatch, 137);
    stage.world.tmux(&["kill-server"]).ok();
    // One that still ends could take the answer and write it down.
    stage.wait("the agent to be gone", || stage.agents().is_empty().then_some(()));
    stage.model.open("go");
    stage.dispatch(0);
    stage.is_verified("T-1");
    assert_eq!(stage.status("T-1"), "needs_review null true", "{}", stage.model.story());
    assert_eq!(turns_before(&stage, "[autodo 1.1]"), 1, "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

fn what_a_ticket_used_is_counted_once_over_launches(agent: Agent) {
    let stage = asking(agent);
    wait_turn_end(&stage);
    if agent == Agent::Claude {
        // Its status line tells a moment later.
        let told = || stage.world.file("T-1/runs/1/launches/1/spent.json");
        stage.wait("the cost", || (!told().contains("\"latest\":0}")).then_some(()));
    }
    stage.autodo(&["stop", "T-1"]).ok();
    let cost = |row: &Value| row["cost_usd"].as_f64();
    let before = stage.row("T-1");
    assert_eq!(before["tokens"], 3 * TOKENS, "{before}");
    stage.autodo(&["resume", "T-1"]).ok();
    stage.dispatch(0);
    stage.is_verified("T-1");
    assert_eq!(stage.status("T-1"), "needs_review null true", "{}", stage.model.story());
    let (row, all) = (stage.row("T-1"), answers(&stage, "T-1"));
    // The agent is ended once it has reported: its last answer may still be on the way.
    let counted = row["tokens"].as_u64().unwrap() / TOKENS;
    assert_eq!(row["tokens"], counted * TOKENS, "{row}");
    assert!(all > 3 && (all - 1..=all).contains(&counted), "{row}\n{}", stage.model.story());
    match agent {
        Agent::Claude => {
            let (first, now) = (cost(&before).unwrap(), cost(&row).unwrap());
            assert!(first > 0.0, "{before}");
            // When the first launch was ended it may not yet have told of its last answer.
            let is_right = |held: f64| {
                let answers = (now / (first / held)).round();
                (counted - 1..=all).any(|count| f64::from(u32::try_from(count).unwrap()) == answers)
            };
            assert!(is_right(3.0) || is_right(2.0), "{first} {row}");
            assert!(stage.autodo(&["show", "T-1"]).ok().stdout.contains("used       $"));
        }
        Agent::Codex => assert_eq!((cost(&row), &row["cost_usd"]), (None, &json!(null))),
    }
}

fn a_turn_without_a_report_is_asked_about_at_once(agent: Agent) {
    // The stall is a quarter of an hour away.
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, WORK, &say("That should do."), DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1").len(), 2, "{}", stage.model.story());
}

/// What hooks told of the ticket, in order.
fn told(stage: &Stage) -> Vec<String> {
    let hooks = stage.events("T-1", "reported").into_iter().filter(|event| event["report"]["kind"] == "hook");
    hooks.map(|event| event["report"]["hook"].as_str().unwrap().to_owned()).collect()
}

fn hooks_of_a_launch_tell_of_prompts_and_turns(agent: Agent) {
    let stage = Stage::new(agent);
    stage.ticket("T-1", &[READ, WORK, DONE, END]);
    let file = stage.world.root().join("home").join(match agent {
        Agent::Claude => ".claude/settings.json",
        Agent::Codex => ".codex/config.toml",
    });
    let before = std::fs::read_to_string(&file).unwrap();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let told = told(&stage);
    assert_eq!(told[..2], ["started", "submitted"], "{told:?}");
    // Of three calls before and after, one sign of life in this minute.
    assert_eq!(told.iter().filter(|hook| *hook == "active").count(), 1, "{told:?}");
    let after = std::fs::read_to_string(&file).unwrap();
    // Codex itself notes which of its tips it has shown.
    assert!(after.starts_with(&before), "{after}");
    assert!(!after.contains("trusted_hash") && !after.contains("autodo"), "{after}");
}

// Claude Code's record is read for tokens only; that it works from the screen alone, the scenarios without hooks show.
#[test]
fn a_record_alone_is_enough_where_codex_has_no_hooks() {
    let stage = Stage::new(Agent::Codex);
    let path = stage.world.home().join("profiles/codex-here.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}hooks = \"\"\n")).unwrap();
    stage.ticket("T-1", &[READ, WORK, &say("That should do."), DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(told(&stage), [""; 0]);
    assert_eq!(stage.model.prompts("T-1").len(), 2, "{}", stage.model.story());
    let words: Vec<Value> = stage.events("T-1", "recorded").into_iter().map(|e| e["hook"]["hook"].clone()).collect();
    assert!(words.contains(&json!("submitted")) && words.contains(&json!("stopped")), "{words:?}");
}
