//! What a person asks of a ticket: answers, words, stops, corrections, further runs.

use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject, is_there},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";
const ASK: &str = "report blocked --question 'Which colour?' --risk high --option red --option green\n";

#[test]
fn a_question_is_answered_into_the_same_session_and_the_work_goes_on() {
    let world = World::new();
    let script = [BEGIN, ASK, "ready\nexpect-prompt\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(8);
    let row = p.row("T-1");
    assert_eq!(p.status("T-1"), "blocked question null");
    assert_eq!((&row["question"], &row["attention"]), (&json!("Which colour?"), &json!("answer")));
    assert!(p.review_md("T-1").contains("Which colour?") && p.review_md("T-1").contains("green"));
    let said = p.autodo(&["answer", "T-1", "green, please"]).code(0);
    // Where the agent is quick, it is done before the command leaves; else the command says that nobody watches.
    let told = said.both();
    assert!(told.contains("nobody is watching") || told.contains("it is needs_review now"), "{told}");
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1")[1..], ["green, please"]);
    assert_eq!(p.row("T-1")["run"], 1);
    let answers: Vec<_> = p.events("T-1").into_iter().filter(|e| e["ask"] == "answer").collect();
    assert_eq!((answers.len(), &answers[0]["text"]), (1, &json!("green, please")));
}

#[test]
fn a_question_is_answered_while_a_supervisor_watches() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "");
    let gate = p.gate("gate");
    let p = p
        .scenario_of("T-1", 1, &[BEGIN, ASK, "ready\nexpect-prompt\n", COMMIT, DONE].concat())
        .scenario_of("T-2", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}"))
        .set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "blocked question");
    p.autodo(&["answer", "T-1", "red"]).code(0);
    p.wait_status("T-1", "needs_review null true");
    assert_eq!(p.prompts("T-1")[1..], ["red"]);
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn a_question_on_the_screen_is_answered_above_its_box() {
    let world = World::new();
    let script = [BEGIN, "question Which way?\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked question null");
    assert_eq!(p.row("T-1")["question"], "Which way?");
    p.autodo(&["answer", "T-1", "left"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1")[1..], ["left"]);
}

#[test]
fn a_question_may_be_answered_by_typing_into_the_pane() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "");
    let gate = p.gate("gate");
    let p = p
        .scenario_of("T-1", 1, &[BEGIN, ASK, "ready\nexpect-prompt\nbusy 1\n", COMMIT, DONE].concat())
        .scenario_of("T-2", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}"))
        .set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "blocked question");
    wait_for("the box", || p.screen("T-1").contains("fake · ready").then_some(()), || world.story());
    let pane = p.pane("T-1").unwrap();
    world.tmux(&["send-keys", "-t", &pane, "-l", "red"]).ok();
    world.tmux(&["send-keys", "-t", &pane, "Enter"]).ok();
    p.wait_status("T-1", "needs_review null true");
    assert_eq!(p.prompts("T-1")[1..], ["red"]);
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn an_answer_to_a_question_whose_session_is_lost_stands_in_the_next_runs_prompt() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario_of("T-1", 1, &[BEGIN, ASK].concat()).dispatched(8);
    let session = p.row("T-1")["session"].as_str().unwrap().to_owned();
    world.tmux(&["kill-session", "-t", &format!("={session}")]).ok();
    p.dispatch(&[]);
    assert_eq!(p.status("T-1"), "blocked question null", "the question stays");
    p.autodo(&["answer", "T-1", "green it is"]).code(0);
    p.dispatch(&[]).code(0);
    let row = p.row("T-1");
    assert_eq!((p.status("T-1").as_str(), &row["run"]), ("needs_review null true", &json!(2)));
    let prompt = p.prompt_md("T-1", 2);
    assert!(prompt.contains("Which colour?") && prompt.contains("green it is"), "{prompt}");
}

#[test]
fn an_answer_to_a_lost_conversation_that_can_be_resumed_is_typed_into_it() {
    let world = World::new();
    let resumed = ["show resumed\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).resumable(&resumed).scenario_of("T-1", 1, &[BEGIN, ASK].concat()).dispatched(8);
    let session = p.row("T-1")["session"].as_str().unwrap().to_owned();
    world.tmux(&["kill-session", "-t", &format!("={session}")]).ok();
    p.dispatch(&[]);
    p.autodo(&["answer", "T-1", "green it is"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(
        (p.row("T-1")["run"].clone(), p.prompts("T-1")[1..].to_vec()),
        (json!(1), vec!["green it is".to_owned()])
    );
    assert!(is_there(p.run_folder("T-1", 1).join("launches/2/exit.json")));
}

#[test]
fn words_are_sent_to_a_working_agent_as_they_are() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}wait-file {gate}\nexpect-prompt\n{COMMIT}{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    let text = "-n; Enter #{pane_id} $(touch x) 'q' \"w\" é 🦀;";
    p.autodo(&["send", "T-1", text]).code(0);
    p.wait_prompts("T-1", 2);
    p.wait_status("T-1", "running working");
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.prompts("T-1")[1..], [text]);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn words_for_an_agent_that_takes_none_now_do_not_hold_up_its_work() {
    let world = World::new();
    let p = FakeProject::new(&world).waits_while_busy().limit("delivery = \"2s\"");
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}wait-file {gate}\n{COMMIT}{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    p.autodo(&["send", "T-1", "a word"]).code(0);
    wait_for(
        "the end of the delivery",
        || p.autodo(&["show", "T-1"]).stdout.contains("not sent").then_some(()),
        || world.story(),
    );
    assert_eq!(p.status("T-1"), "running working null");
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
    assert_eq!((p.status("T-1").as_str(), p.prompts("T-1").len()), ("needs_review null true", 1));
}

#[test]
fn a_stopped_ticket_is_set_aside_and_resumed_in_its_next_run() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .scenario_of("T-1", 1, &[BEGIN, "run echo half > half.txt\n", "busy 600\n"].concat())
        .scenario_of("T-1", 2, &[BEGIN, "run git add half.txt && git commit -q -m half\n", DONE].concat())
        .set_up();
    let dispatch = p.start(&[]);
    wait_for("its work", || is_there(p.worktree("T-1").join("half.txt")).then_some(()), || world.story());
    p.autodo(&["stop", "T-1"]).code(0);
    p.wait_status("T-1", "parked stopped");
    dispatch.wait(PATIENCE).code(8);
    assert!(p.pane("T-1").is_none());
    p.autodo(&["resume", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-1")["run"]), ("needs_review null true", &json!(2)));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "half");
}

#[test]
fn a_stopped_conversation_that_can_be_resumed_goes_on_in_the_same_run() {
    let world = World::new();
    let resumed = [BEGIN, COMMIT, DONE].concat();
    let p =
        FakeProject::new(&world).resumable(&resumed).scenario_of("T-1", 1, &[BEGIN, "busy 600\n"].concat()).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    p.autodo(&["stop", "--all"]).code(0);
    dispatch.wait(PATIENCE).code(8);
    p.autodo(&["resume", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-1")["run"]), ("needs_review null true", &json!(1)));
    assert!(p.prompts("T-1")[1].contains("you were interrupted"), "{:?}", p.prompts("T-1"));
}

#[test]
fn a_correction_stands_in_the_next_prompt_and_the_worktree_stays() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .scenario_of("T-1", 2, &[BEGIN, "run echo more >> work.txt && git commit -qam better\n", DONE].concat())
        .dispatched(0);
    p.autodo(&["reject", "T-1", "-m", "Say it in Dutch."]).code(0);
    assert_eq!(p.row("T-1")["status"], "queued");
    p.dispatch(&[]).code(0);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-1")["run"]), ("needs_review null true", &json!(2)));
    assert!(p.prompt_md("T-1", 2).contains("Say it in Dutch."));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "better\nwork");
    p.autodo(&["approve", "T-1"]).code(0);
    assert_eq!(p.row("T-1")["status"], "reviewed");
    p.repo.git(&["merge", "-q", "--no-edit", "autodo/T-1"]);
    p.dispatch(&[]).code(0);
    assert_eq!(p.row("T-1")["status"], "landed", "whoever merged it");
}

#[test]
fn a_wrong_check_is_mended_with_a_refresh_and_run_without_an_agent() {
    let world = World::new();
    let p = FakeProject::new(&world).checks(&["false"]).limit("feedback_rounds = 0").dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review checks_failed false");
    let p = p.checks(&["test -f work.txt"]);
    p.autodo(&["retry", "T-1", "--checks-only"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review checks_failed false", "frozen when it was accepted");
    p.autodo(&["retry", "T-1", "--checks-only", "--refresh"]).code(0);
    p.dispatch(&[]).code(0);
    let row = p.row("T-1");
    assert_eq!((p.status("T-1").as_str(), &row["checks_status"]), ("needs_review null true", &json!("green")));
    assert_eq!((p.prompts("T-1").len(), &row["run"]), (1, &json!(1)), "no agent ran");
    assert_eq!(p.review("T-1")["summary"], "all is done");
}

#[test]
fn a_failed_ticket_is_tried_again_in_its_worktree() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .limit("crashes = 1")
        .scenario_of("T-1", 1, &[BEGIN, COMMIT, "crash 1\n"].concat())
        .scenario_of("T-1", 2, &[BEGIN, DONE].concat())
        .dispatched(5);
    assert_eq!(p.row("T-1")["status"], "failed");
    p.autodo(&["retry", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-1")["run"]), ("needs_review null true", &json!(2)));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work");
}

#[test]
fn a_running_ticket_is_cancelled_with_its_agent_and_its_work_stays() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, COMMIT, "busy 600\n"].concat()).set_up();
    let dispatch = p.start(&[]);
    wait_for("its work", || is_there(p.worktree("T-1").join("work.txt")).then_some(()), || world.story());
    p.autodo(&["cancel", "T-1"]).code(0);
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.row("T-1")["status"], "cancelled");
    assert!(is_there(p.worktree("T-1").join("work.txt")) && p.pane("T-1").is_none());
    assert!(!world.processes().iter().any(|(_, argv)| argv.contains("fake-agent")), "{:?}", world.processes());
    p.dispatch(&[]).code(0);
    assert_eq!(p.row("T-1")["status"], "cancelled", "the same backlog does not bring it back");
}

#[test]
fn a_text_of_nothing_is_refused_and_an_answer_to_nobody_too() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let p = p.scenario(&format!("ready\nexpect-prompt\nwait-file {gate}\n{COMMIT}{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    p.command(&["send", "T-1", "-"]).stdin(" \u{1b}[31m\r\n").run().code(1);
    let said = p.autodo(&["answer", "T-1", "yes"]).code(1);
    assert!(said.both().contains("asks nothing"), "{}", said.both());
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.prompts("T-1").len(), 1);
}
