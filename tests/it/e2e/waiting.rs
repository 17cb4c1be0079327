//! Tickets that wait for a person: room for their sessions, and what their screens say meanwhile.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject, agent},
    program::Background,
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";
const ASK: &str = "report blocked --question 'Which colour?' --risk high --option red --option green\n";

/// A project of `T-1`, which plays `script`, and of a ticket that keeps the supervisor watching until [`leave`].
fn watched<'w>(p: FakeProject<'w>, script: &str) -> (FakeProject<'w>, Background) {
    let gate = p.gate("gate");
    let p = p
        .ticket("T-1", "")
        .ticket("T-2", "")
        .scenario_of("T-1", 1, script)
        .scenario_of("T-2", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}"))
        .set_up();
    let dispatch = p.start(&[]);
    (p, dispatch)
}

/// Long enough for several looks at the panes.
fn several_looks() {
    let until = Instant::now() + Duration::from_millis(1_500);
    wait_for("several looks", || (Instant::now() > until).then_some(()), String::new);
}

#[test]
fn the_oldest_sessions_whose_conversation_can_go_on_make_room_and_the_others_stay() {
    let world = World::new();
    let p = FakeProject::new(&world).setting("parallel = 1").setting("keep_blocked = 1");
    let (script, resumed) = ([BEGIN, ASK].concat(), [BEGIN, COMMIT, DONE].concat());
    let p = p.resumable(&resumed).scenario(&script);
    // The first to ask cannot go on in another session: nobody knows the name of its conversation.
    let p = p.ticket("T-1", "priority: 1\nprofile: mute").ticket("T-2", "priority: 2").ticket("T-3", "priority: 3");
    let (program, folder) = (agent(), p.folder().display().to_string());
    let mute = format!(
        "version = 1\nname = \"mute\"\nextends = \"fake\"\nconversation = \"none\"\n[launch]\n\
         argv = [\"{program}\", \"{folder}/{{run}}.scenario\"]\nresume = [\"{program}\", \"{folder}/resumed.scenario\"]\n"
    );
    p.repo.write(".autodo/profiles/mute.toml", &mute);
    let p = p.dispatched(8);
    for id in ["T-1", "T-2", "T-3"] {
        assert_eq!(p.status(id), "blocked question null");
        assert_eq!(p.row(id)["question"], "Which colour?");
    }
    let open = ["T-1", "T-2", "T-3"].map(|id| p.pane(id).is_some());
    assert_eq!(open, [true, false, false], "one may stay, and the first cannot be closed");
    p.autodo(&["answer", "T-3", "green"]).code(0);
    p.dispatch(&[]).code(8);
    assert_eq!((p.status("T-3").as_str(), &p.row("T-3")["run"]), ("needs_review null true", &json!(1)));
    assert_eq!(p.prompts("T-3")[1..], ["green"]);
}

#[test]
fn what_stood_on_the_screen_before_a_person_said_that_a_prompt_arrived_counts_after_it() {
    let world = World::new();
    let limited = "usage-limit You have hit your limit, resets soon\nhang\n";
    let script = ["swallow-enter 3\n", BEGIN, limited].concat();
    let (p, dispatch) = watched(FakeProject::new(&world).limit("delivery = \"6s\""), &script);
    p.wait_status("T-1", "blocked delivery_unverified");
    let pane = p.pane("T-1").unwrap();
    world.tmux(&["send-keys", "-t", &pane, "Enter"]).ok();
    p.wait_prompts("T-1", 1);
    wait_for("the limit", || p.screen("T-1").contains("fake · limited").then_some(()), || world.story());
    several_looks();
    p.autodo(&["answer", "T-1", "accepted"]).code(0);
    p.wait_status("T-1", "parked usage_limit");
    p.open("gate");
    dispatch.wait(PATIENCE).code(8);
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn a_review_asks_what_the_pane_asks_now() {
    let world = World::new();
    let script = [BEGIN, "permission the first thing\npermission the second thing\n", COMMIT, DONE].concat();
    let (p, dispatch) = watched(FakeProject::new(&world), &script);
    p.wait_status("T-1", "blocked permission");
    let pane = p.pane("T-1").unwrap();
    world.tmux(&["send-keys", "-t", &pane, "1"]).ok();
    let asks = || (p.row("T-1")["question"] == "the second thing").then_some(());
    wait_for("the second question", asks, || world.story());
    let said = || p.review_md("T-1").contains("the second thing").then_some(());
    wait_for("the review to ask it", said, || p.review_md("T-1"));
    assert!(!p.review_md("T-1").contains("the first thing"), "{}", p.review_md("T-1"));
    p.autodo(&["answer", "T-1", "1"]).code(0);
    p.wait_status("T-1", "needs_review null true");
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn a_key_that_changes_nothing_is_told_beside_the_question() {
    let world = World::new();
    let script = [BEGIN, "permission run the tests\n", COMMIT, DONE].concat();
    let (p, dispatch) = watched(FakeProject::new(&world).limit("delivery = \"2s\""), &script);
    p.wait_status("T-1", "blocked permission");
    p.autodo(&["answer", "T-1", "7"]).code(0);
    let told = || {
        let review = p.review_md("T-1");
        (review.contains("run the tests") && review.contains("the screen has not changed since")).then_some(())
    };
    wait_for("the review to tell it", told, || p.review_md("T-1"));
    assert_eq!(p.dialogs("T-1"), []);
    p.autodo(&["answer", "T-1", "1"]).code(0);
    p.wait_status("T-1", "needs_review null true");
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}
