//! Further agents: what the profiles `gemini` and `opencode` promise, on the real programs. Each was tried on fewer
//! scenarios than Claude Code and Codex; what nobody tried stands in its profile under `unverified`.

mod aider;
mod place;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    model::{DONE, END, LONG, READ, WORK, run, say, with},
    stage::{Allowed, Stage},
};
use place::{Further, further};

/// A test of each name for each agent.
macro_rules! with_each_further_agent {
    ($($name:ident),+ $(,)?) => {
        mod gemini {
            $(#[test] fn $name() { super::$name(super::Further::Gemini); })+
        }
        mod opencode {
            $(#[test] fn $name() { super::$name(super::Further::Opencode); })+
        }
    };
}

with_each_further_agent!(
    a_ticket_is_done_committed_reported_and_proven,
    a_question_is_answered_and_the_same_conversation_goes_on,
    a_permission_is_asked_with_its_command_and_given_by_name,
    a_permission_that_is_denied_ends_the_turn_and_the_agent_is_told_what_to_do,
    a_permission_takes_no_text,
    a_marker_that_is_quoted_ends_nothing,
    an_answer_that_looks_like_a_command_of_the_agent_runs_nothing,
    an_answer_of_100_kb_arrives_as_it_is,
    a_final_error_is_parked_with_its_words_and_never_taken_for_work,
    a_turn_that_ends_without_a_report_is_nudged_once_and_then_parked,
    an_agent_that_is_killed_gets_a_next_run,
    a_stopped_agent_leaves_nothing_at_work_and_goes_on,
);

mod gemini_only {
    #[test]
    fn a_folder_that_is_not_trusted_is_asked_about_and_its_work_is_done_after_that() {
        super::a_folder_that_is_not_trusted_is_asked_about_and_its_work_is_done_after_that(super::Further::Gemini);
    }
}

const ASK: &str = "[[step]]\nrun = '\"$AUTODO_BIN\" report blocked --question \"Which colour?\" --risk high'\n";
const ASKED: &str = "[[step]]\nsay = \"I wait.\\n\\nAUTODO-BLOCKED-{key}\"\n";
const COMMAND: &str = "touch work.txt && git add work.txt && git commit -qm work";

fn a_ticket_is_done_committed_reported_and_proven(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    let report = run(
        r#""$AUTODO_BIN" report decision --risk low 'work.txt' --why 'a file was wanted' && "$AUTODO_BIN" report flag --risk medium 'the name of the file'"#,
    );
    stage.ticket("T-1", &[READ, WORK, &report, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let review = stage.review("T-1");
    assert_eq!(review["summary"], "wrote work.txt");
    assert_eq!(review["decisions"][0]["text"], "work.txt");
    assert_eq!(review["flags"][0]["text"], "the name of the file");
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
}

fn a_question_is_answered_and_the_same_conversation_goes_on(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    stage.ticket("T-1", &[READ, ASK, ASKED, WORK, DONE, END]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null");
    assert_eq!(stage.row("T-1")["question"], "Which colour?");
    stage.autodo(&["answer", "T-1", "green, please"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1")[1..], ["green, please"], "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

/// A stage whose agent has asked whether it may run [`COMMAND`], on the way to the steps of `rest`.
fn asking(agent: Further, rest: &[&str]) -> Stage {
    let stage = further(agent, Allowed::Nothing, true);
    stage.ticket("T-1", &[&[agent.read(), &run(COMMAND)], rest].concat());
    stage.dispatch(8);
    asks_for(&stage, COMMAND);
    assert!(!stage.worktree("T-1").join("work.txt").exists(), "nobody allowed it");
    assert!(stage.events("T-1", "keyed").is_empty(), "{:?}", stage.events("T-1", "keyed"));
    stage
}

/// The question may be wrapped.
#[track_caller]
fn asks_for(stage: &Stage, command: &str) {
    assert_eq!(stage.status("T-1"), "blocked permission null", "{}\n{}", stage.screen("T-1"), stage.model.story());
    let question = stage.row("T-1")["question"].as_str().unwrap().to_owned();
    let solid = |text: &str| text.split_whitespace().collect::<String>();
    assert!(solid(&question).contains(&solid(command)), "{question}");
}

fn a_permission_is_asked_with_its_command_and_given_by_name(agent: Further) {
    let report = run(r#""$AUTODO_BIN" report done --summary 'wrote work.txt'"#);
    let stage = asking(agent, &[&report, END]);
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    // The report is a command as well.
    stage.dispatch(8);
    asks_for(&stage, "report done");
    assert!(stage.worktree("T-1").join("work.txt").exists());
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
    let keys: Vec<_> = stage.events("T-1", "keyed").into_iter().map(|event| event["keys"].clone()).collect();
    assert_eq!(keys, [json!([agent.yes()]), json!([agent.yes()])]);
}

fn a_permission_that_is_denied_ends_the_turn_and_the_agent_is_told_what_to_do(agent: Further) {
    let nothing = run(r#""$AUTODO_BIN" report done --summary 'left it' --no-change 'it was not wanted'"#);
    let stage = asking(agent, &[&nothing, END]);
    if agent.forgets_what_was_denied() {
        stage.model.scenario("T-1", &[agent.read(), &nothing, END]);
    }
    stage.autodo(&["answer", "T-1", "deny"]).ok();
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked question null", "{}\n{}", stage.screen("T-1"), stage.model.story());
    stage.autodo(&["answer", "T-1", "Leave it then."]).ok();
    stage.dispatch(8);
    asks_for(&stage, "report done");
    stage.is_verified("T-1");
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    assert_eq!(stage.status("T-1"), "needs_review no_change true");
    assert!(!stage.worktree("T-1").join("work.txt").exists());
    assert_eq!(stage.model.prompts("T-1")[1..], ["Leave it then."], "{}", stage.model.story());
    assert_eq!(stage.row("T-1")["run"], 1);
}

fn a_permission_takes_no_text(agent: Further) {
    let stage = asking(agent, &[&say("What now?")]);
    // Into the dialog this would be an Enter: a yes.
    stage.autodo(&["answer", "T-1", "go on without it"]).code(1);
    stage.autodo(&["send", "T-1", "go on without it"]).code(1);
    assert_eq!(stage.status("T-1"), "blocked permission null");
    assert!(!stage.worktree("T-1").join("work.txt").exists());
    assert_eq!(stage.model.asked("T-1", 2), 0, "{}", stage.model.story());
}

fn a_folder_that_is_not_trusted_is_asked_about_and_its_work_is_done_after_that(agent: Further) {
    let stage = further(agent, Allowed::Commands, false);
    stage.ticket("T-1", &[agent.read(), WORK, DONE, END]);
    stage.dispatch(8);
    let row = stage.row("T-1");
    assert_eq!((stage.status("T-1").as_str(), &row["attention"]), ("blocked question null", &json!("answer")));
    assert!(stage.model.requests("T-1").is_empty(), "{}", stage.model.story());
    // It draws its question in parts. Answered to a part, it is asked again with the whole.
    if stage.autodo(&["answer", "T-1", "trust_parent"]).code != 0 {
        stage.dispatch(8);
        stage.autodo(&["answer", "T-1", "trust_parent"]).ok();
    }
    // It either goes on, and asks in this session all the same, or starts itself anew, finds its own session's id taken
    // and ends: then the next run has a folder that is trusted.
    for _ in 0..3 {
        let run = stage.world.command(&["dispatch"]).in_dir(&stage.repo).limit(LONG).run();
        if run.code == 0 {
            break;
        }
        assert_eq!(stage.status("T-1"), "blocked permission null", "{}\n{}", run.both(), stage.model.story());
        stage.autodo(&["answer", "T-1", "allow"]).ok();
    }
    stage.is_proven("T-1", &["work"]);
}

fn a_marker_that_is_quoted_ends_nothing(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
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

fn an_answer_that_looks_like_a_command_of_the_agent_runs_nothing(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    stage.ticket("T-1", &[READ, ASK, ASKED, ASK, ASKED, WORK, DONE, END]);
    let mark = stage.world.root().join("ran");
    stage.dispatch(8);
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

fn an_answer_of_100_kb_arrives_as_it_is(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    stage.ticket("T-1", &[READ, ASK, ASKED, WORK, DONE, END]);
    stage.dispatch(8);
    let answer: String =
        (0..2_000).map(|n| format!("{n:04} The quick brown fox; jumps over $(the) lazy `dog` #!.\n")).collect();
    assert!(answer.len() > 100_000);
    stage.world.command(&["answer", "T-1", "-"]).in_dir(&stage.repo).stdin(answer.clone()).run().ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let prompts = stage.model.prompts("T-1");
    assert_eq!(prompts.len(), 2, "{}", stage.model.story());
    // opencode puts a blank behind what was pasted.
    assert!(prompts[1].trim_end() == answer.trim_end(), "{} bytes of {}", prompts[1].len(), answer.len());
}

fn a_final_error_is_parked_with_its_words_and_never_taken_for_work(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    let fail = "fail = { status = 400, kind = 'invalid_request_error', message = 'the scripted model said no' }";
    // Gemini CLI asks once more, since it ran a tool before.
    stage.ticket("T-1", &[READ, WORK, &with(DONE, fail), &with(DONE, fail)]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "parked error null", "{}", stage.model.story());
    let told = stage.autodo(&["show", "T-1"]).ok().both();
    assert!(told.contains("the scripted model said no"), "{told}");
    assert_eq!(stage.git("T-1", &["log", "--format=%s", "main.."]), "work", "what was done stays");
}

fn a_turn_that_ends_without_a_report_is_nudged_once_and_then_parked(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    place::settings(&stage, agent, "[limits]\nstall = \"20s\"");
    stage.ticket("T-1", &[READ, WORK, &say("That should do."), &say("As I said.")]);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "parked stalled null", "{}", stage.model.story());
    assert_eq!(stage.model.prompts("T-1").len(), 2, "{}", stage.model.story());
    assert_eq!(stage.git("T-1", &["log", "--format=%s", "main.."]), "work", "what was done stays");
}

fn an_agent_that_is_killed_gets_a_next_run(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    place::settings(&stage, agent, "[limits]\nbackoff = \"0s\"");
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    let agents = agent.processes(&stage);
    kill(Pid::from_raw(agents[0]), Signal::SIGKILL).unwrap();
    stage.wait("the next run", || (stage.model.asked("T-1", 0) > 1).then_some(()));
    let left = agent.processes(&stage);
    assert!(agents.iter().all(|pid| !left.contains(pid)), "{agents:?} of the first run: {left:?}");
    stage.model.open("go");
    stage.end(dispatch, 0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.row("T-1")["run"], 2);
}

fn a_stopped_agent_leaves_nothing_at_work_and_goes_on(agent: Further) {
    let stage = further(agent, Allowed::Commands, true);
    stage.ticket("T-1", &[READ, &with(WORK, "gate = 'go'"), DONE, END]);
    let dispatch = stage.start();
    stage.wait("the second request", || (stage.model.asked("T-1", 1) > 0).then_some(()));
    stage.autodo(&["stop", "T-1"]).ok();
    stage.end(dispatch, 8);
    assert!(stage.status("T-1").starts_with("parked stopped"), "{}", stage.status("T-1"));
    assert_eq!(agent.processes(&stage), [] as [i32; 0], "{:?}", stage.world.processes());
    stage.model.open("go");
    if agent.is_resumable() {
        // It puts an answer of its own where none came.
        stage.model.scenario("T-1", &[READ, WORK, WORK, DONE, END]);
    }
    stage.autodo(&["resume", "T-1"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert_eq!(stage.row("T-1")["run"], if agent.is_resumable() { 1 } else { 2 }, "{}", stage.model.story());
}
