//! Prompts on their way into a pane: each arrives once, and never in a dialog.

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

fn enters(p: &FakeProject<'_>, id: &str) -> usize {
    p.bytes(id).iter().filter(|byte| **byte == b'\r').count()
}

#[test]
fn an_enter_that_is_swallowed_is_pressed_again() {
    let world = World::new();
    let script = ["swallow-enter 1\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!((p.prompts("T-1").len(), enters(&p, "T-1")), (1, 2));
}

#[test]
fn an_agent_that_swallows_every_enter_is_shown_to_a_person_and_asked_nothing_twice() {
    let world = World::new();
    let script = ["swallow-enter 99\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).limit("delivery = \"6s\"").scenario(&script).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked delivery_unverified null");
    assert_eq!((p.prompts("T-1").len(), enters(&p, "T-1")), (0, 3));
    assert!(p.screen("T-1").contains("[autodo 1.1]"), "the text still stands in its box");
}

#[test]
fn an_enter_too_soon_after_a_paste_and_a_slow_box_do_not_lose_the_prompt() {
    let world = World::new();
    let script = ["enter-newline-if-within 120\npaste-delay 300\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn an_agent_that_prints_its_prompt_back_was_given_it_once() {
    let world = World::new();
    let script = [BEGIN, "echo-prompt\necho-prompt\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!((p.prompts("T-1").len(), enters(&p, "T-1")), (1, 1));
}

#[test]
fn a_trust_dialog_is_answered_with_its_digit_where_yes_is_preselected() {
    let world = World::new();
    let script = ["trust-dialog\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.dialogs("T-1"), [("trust".to_owned(), "1".to_owned())]);
    assert!(p.events("T-1").iter().any(|e| e["kind"] == "key" && e["why"] == "dialog trust"), "{:#?}", p.events("T-1"));
}

#[test]
fn a_trust_dialog_with_no_preselected_is_left_to_a_person() {
    let world = World::new();
    let script = ["trust-dialog no-preselected\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(8);
    assert!(p.status("T-1").starts_with("blocked"), "{}", p.status("T-1"));
    assert!(p.row("T-1")["question"].as_str().unwrap().contains("Do you trust"), "{}", p.row("T-1"));
    assert_eq!((p.dialogs("T-1"), p.bytes("T-1")), (vec![], vec![]), "no key was sent");
    p.autodo(&["answer", "T-1", "1"]).code(0);
    p.dispatch(&[]);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.dialogs("T-1"), [("trust".to_owned(), "1".to_owned())]);
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn a_permission_that_opens_just_before_enter_is_not_given_and_the_prompt_arrives_once_after_it() {
    let world = World::new();
    let script = ["dialog-before-enter May I delete it all?\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked permission null");
    assert!(p.row("T-1")["question"].as_str().unwrap().contains("May I delete it all?"), "{}", p.row("T-1"));
    assert_eq!((p.dialogs("T-1").len(), p.prompts("T-1").len(), enters(&p, "T-1")), (0, 0, 0));
    p.autodo(&["answer", "T-1", "please do"]).code(1);
    p.autodo(&["answer", "T-1", "2"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.dialogs("T-1"), [("permission".to_owned(), "2".to_owned())]);
    assert_eq!((p.prompts("T-1").len(), enters(&p, "T-1")), (1, 1));
}

#[test]
fn the_same_with_a_supervisor_that_goes_on_watching() {
    let world = World::new();
    let script = ["dialog-before-enter May I?\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").scenario_of("T-1", 1, &script);
    let gate = p.gate("gate");
    let p = p.scenario_of("T-2", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "blocked permission");
    p.autodo(&["answer", "T-1", "1"]).code(0);
    p.wait_status("T-1", "needs_review null true");
    assert_eq!((p.dialogs("T-1").len(), p.prompts("T-1").len()), (1, 1));
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn a_permission_during_the_work_waits_for_a_person_and_the_work_goes_on_after_it() {
    let world = World::new();
    let script = [BEGIN, "permission run the tests\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked permission null");
    assert_eq!(p.row("T-1")["question"], "run the tests");
    assert_eq!(p.dialogs("T-1"), []);
    p.autodo(&["answer", "T-1", "allow"]).code(0);
    p.dispatch(&[]);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.dialogs("T-1"), [("permission".to_owned(), "1".to_owned())]);
    let keys: Vec<_> = p.events("T-1").into_iter().filter(|e| e["kind"] == "key").collect();
    assert_eq!(keys.len(), 1, "{keys:#?}");
    assert_eq!(
        (&keys[0]["keys"], &keys[0]["why"]),
        (&serde_json::json!(["1"]), &serde_json::json!("answer \"allow\" to permission"))
    );
}

#[test]
fn a_text_in_the_box_that_is_not_ours_is_neither_sent_nor_removed() {
    let world = World::new();
    let gate = world.root().join("gate").display().to_string();
    // The person types while the agent starts: the box is not empty when it gets ready.
    let script = format!("wait-file {gate}\n{BEGIN}{COMMIT}{DONE}");
    let p = FakeProject::new(&world).limit("start = \"4s\"").limit("crashes = 1").scenario(&script).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running booting");
    let pane = wait_for("the pane", || p.pane("T-1"), || world.story());
    world.tmux(&["send-keys", "-t", &pane, "-l", "half a thought"]).ok();
    wait_for("the text", || p.screen("T-1").contains("half a thought").then_some(()), || world.story());
    p.open("gate");
    dispatch.wait(PATIENCE).code(5);
    assert_eq!((p.prompts("T-1").len(), enters(&p, "T-1")), (0, 0));
    assert_eq!(String::from_utf8_lossy(&p.bytes("T-1")), "half a thought");
}
