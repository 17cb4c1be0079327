//! The agent's own record: whose it is, what it proves, what it counts.

use serde_json::json;

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject},
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";
const ASK: &str = "report blocked --question 'Which colour?'\n";

/// A project whose agent keeps records `FOLDER/r-*.jsonl`, and what a resumed conversation plays. Beside its own there
/// are those of others: in the same folder without a prompt of this run, and in another folder.
fn project<'w>(world: &'w World, resumed: &str) -> FakeProject<'w> {
    let p = FakeProject::new(world).resumable(resumed);
    let folder = p.folder();
    let records = format!(
        "records = {{ file = \"{}/r-*.jsonl\", head = {{ when = {{ \"/t\" = \"head\" }}, conversation = \"/id\", folder = \
         \"/cwd\" }}, prompt = {{ when = {{ \"/t\" = \"prompt\" }}, text = \"/text\" }}, turn_end = {{ when = {{ \"/t\" = \
         \"end\" }}, text = \"/text\", turn = \"/turn\" }}, tokens = {{ when = {{ \"/t\" = \"sum\" }}, input = \"/in\", \
         output = \"/out\" }} }}",
        folder.display()
    );
    p.recorded().profile(&records)
}

fn write(p: &FakeProject<'_>, name: &str, line: &str) -> String {
    format!("run echo '{line}' >> {}/r-{name}.jsonl\n", p.folder().display())
}

/// The steps that begin the records.
fn begun(p: &FakeProject<'_>) -> String {
    let head =
        |name: &str, id: &str, cwd: &str| write(p, name, &format!(r#"{{"t":"head","id":"{id}","cwd":"{cwd}"}}"#));
    let prompt = |name: &str| write(p, name, r#"{"t":"prompt","text":"Task [autodo 1.1]: read"}"#);
    let here = "'$PWD'";
    [
        head("1", "conversation-of-a-person", here),
        write(p, "1", r#"{"t":"prompt","text":"what is this?"}"#),
        head("2", "conversation-elsewhere", "/somewhere"),
        prompt("2"),
        head("3", "conversation-3", here),
        prompt("3"),
    ]
    .concat()
}

fn sum(p: &FakeProject<'_>, input: u32, output: u32) -> String {
    write(p, "3", &format!(r#"{{"t":"sum","in":{input},"out":{output}}}"#))
}

#[test]
fn a_conversation_is_known_from_its_record_and_goes_on_after_its_session_was_lost() {
    let world = World::new();
    let p = project(&world, "");
    let resumed = ["show resumed\n", BEGIN, &sum(&p, 150, 30), COMMIT, DONE].concat();
    std::fs::write(p.folder().join("resumed.scenario"), resumed).unwrap();
    let script = [BEGIN, &begun(&p), &sum(&p, 100, 20), ASK].concat();
    let p = p.scenario_of("T-1", 1, &script).dispatched(8);
    assert_eq!(p.row("T-1")["tokens"], 120);
    let session = p.row("T-1")["session"].as_str().unwrap().to_owned();
    world.tmux(&["kill-session", "-t", &format!("={session}")]).ok();
    p.dispatch(&[]);
    p.autodo(&["answer", "T-1", "green it is"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let row = p.row("T-1");
    assert_eq!((&row["run"], &row["tokens"], &row["cost_usd"]), (&json!(1), &json!(180), &json!(null)));
    let known: Vec<_> = p.events("T-1").into_iter().filter(|e| !e["noted"]["conversation"].is_null()).collect();
    assert!(known.iter().all(|e| e["noted"]["conversation"] == "conversation-3"), "{known:?}");
    let launch = std::fs::read_to_string(p.run_folder("T-1", 1).join("launches/2/launch.json")).unwrap();
    assert!(launch.contains("conversation-3"), "{launch}");
    assert_eq!(p.prompts("T-1")[1..], ["green it is"]);
}

#[test]
fn the_end_of_a_turn_in_the_record_is_a_claim_where_nothing_else_says_so() {
    let world = World::new();
    let p = project(&world, "");
    let end = write(&p, "3", r#"{"t":"end","turn":"t-1","text":"done\n\nAUTODO-DONE-{key}"}"#).replace("\\n", "\\\\n");
    let script = [BEGIN, &begun(&p), COMMIT, &end, "busy 600\n"].concat();
    let p = p.scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let hooks: Vec<_> = p.events("T-1").into_iter().filter(|e| !e["hook"].is_null()).collect();
    let words: Vec<_> = hooks.iter().map(|e| e["hook"]["hook"].clone()).collect();
    assert_eq!(words, ["submitted", "stopped"], "{hooks:?}");
}

#[test]
fn a_turn_that_ends_without_a_word_is_asked_about_at_once_and_only_once() {
    let world = World::new();
    let p = project(&world, "");
    let end = |turn: &str| write(&p, "3", &format!(r#"{{"t":"end","turn":"{turn}","text":"so it is"}}"#));
    let nudged = write(&p, "3", r#"{"t":"prompt","text":"Task [autodo 1.2]: are you there?"}"#);
    let script =
        [BEGIN, &begun(&p), COMMIT, &end("t-1"), "ready\nexpect-prompt\n", &nudged, &end("t-2"), "busy 600\n"].concat();
    let p = p.scenario(&script).dispatched(8);
    assert_eq!((p.status("T-1").as_str(), p.prompts("T-1").len()), ("parked stalled null", 2));
}
