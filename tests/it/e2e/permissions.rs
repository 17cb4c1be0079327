//! Permissions as a policy: rules of the project, and `always`.

use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// The hook's input for a request to run `line` in `folder`.
fn input(line: &str, folder: &str) -> String {
    let input = json!({ "command": line, "description": "d" });
    json!({ "hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": input, "cwd": folder })
        .to_string()
}

/// The files of live rules.
fn live(world: &World) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(world.home().join("permissions")) else { return vec![] };
    folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_rule_answers_a_dialog_and_nobody_is_asked() {
    let world = World::new();
    let script = [BEGIN, "permission $ cargo test\n", "permission $ git push --force\n", COMMIT, DONE].concat();
    let rules = "permissions = [\"allow Bash cargo test\", \"deny Bash git push *\"]";
    let p = FakeProject::new(&world).setting(rules).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let given: Vec<_> = p.dialogs("T-1").into_iter().map(|(_, answer)| answer).collect();
    assert_eq!(given, ["1", "2"], "{:?}", p.dialogs("T-1"));
    let keyed = p.events_of("T-1", "keyed");
    let said: Vec<_> = keyed.iter().map(|event| event["why"].as_str().unwrap()).collect();
    assert!(said[0].contains("allow Bash cargo test") && said[1].contains("deny Bash git push *"), "{said:?}");
}

#[test]
fn what_no_rule_allows_is_asked_with_the_request_and_always_asks_no_more() {
    let world = World::new();
    let asks = [BEGIN, "permission $ npm test\n", "busy 1\n", "permission $ npm test\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&asks).ticket("T-1", "").ticket("T-2", "after: [T-1]").dispatched(8);
    assert_eq!(p.status("T-1"), "blocked permission null");
    let row = p.row("T-1");
    assert!(row["question"].as_str().unwrap().starts_with("Bash: npm test"), "{row}");
    let wanted = json!({ "tool": "Bash", "input": { "command": "npm test" }, "rule": "allow Bash npm test" });
    assert_eq!(row["request"], wanted);
    assert!(p.review_md("T-1").contains("always"));
    p.autodo(&["answer", "T-1", "always"]).code(0);
    let rules = live(&world);
    assert!(rules.len() == 1 && rules[0].contains("\nallow Bash npm test\n"), "{rules:?}");
    // The second request of this ticket, and those of the other, are answered by the rule.
    p.dispatch(&[]).code(0);
    assert_eq!((p.status("T-1"), p.status("T-2")), ("needs_review null true".into(), "needs_review null true".into()));
    assert_eq!((p.dialogs("T-1").len(), p.dialogs("T-2").len()), (2, 2));
    assert!(
        p.events("T-1").iter().any(|e| e["kind"] == "key" && e["why"].as_str().unwrap().contains("added the rule"))
    );
    assert!(p.git("T-1", &["status", "--porcelain"]).is_empty());
}

#[test]
fn what_is_allowed_for_good_is_allowed_to_all_who_wait_for_it() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").ticket("T-3", "");
    let gate = p.gate("gate");
    let asks = [BEGIN, "permission $ npm test\n", COMMIT, DONE].concat();
    let waits = format!("{BEGIN}wait-file {gate}\n{COMMIT}{DONE}");
    let p = p.setting("parallel = 3").scenario(&asks).scenario_of("T-3", 1, &waits).set_up();
    let dispatch = p.start(&[]);
    for id in ["T-1", "T-2"] {
        p.wait_status(id, "blocked permission");
    }
    p.autodo(&["answer", "T-1", "always"]).code(0);
    for id in ["T-1", "T-2"] {
        p.wait_status(id, "needs_review null true");
    }
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn an_answer_to_a_dialog_that_is_gone_is_refused_and_adds_nothing() {
    let world = World::new();
    let gate = "permission $ npm test\nready\nhang\n";
    let p = FakeProject::new(&world).scenario(&[BEGIN, gate].concat()).dispatched(8);
    world.tmux(&["send-keys", "-t", "=ad-T-1:", "1"]).ok();
    wait_for("the dialog to go", || (!p.screen("T-1").contains("proceed?")).then_some(()), || p.screen("T-1"));
    for word in ["always", "allow"] {
        let said = p.autodo(&["answer", "T-1", word]);
        assert!(said.code != 0 && said.both().contains("the screen has changed"), "{}", said.both());
    }
    assert_eq!(live(&world), [] as [String; 0]);
    assert!(p.events_of("T-1", "keyed").iter().all(|event| event["keys"].as_array().unwrap().is_empty()));
}

#[test]
fn a_hook_answers_by_the_rules_of_the_launch_and_is_silent_where_none_says() {
    let world = World::new();
    let hook = |name: &str, line: &str| {
        let file = world.root().join(format!("{name}.json"));
        let folder = world.root().join("p.worktrees/T-1");
        std::fs::write(&file, input(line, folder.to_str().unwrap())).unwrap();
        let out = world.root().join(format!("{name}.out"));
        format!("run \"$AUTODO_BIN\" hook PermissionRequest < {} > {}\n", file.display(), out.display())
    };
    let script = [
        BEGIN,
        &hook("allowed", "cargo test"),
        &hook("denied", "cd x && git push"),
        &hook("asked", "cargo test && rm x"),
        &hook("other", "npm test"),
        COMMIT,
        DONE,
    ];
    let rules = "permissions = [\"allow Bash cargo test\", \"deny Bash git push *\"]";
    let p = FakeProject::new(&world).setting(rules).scenario(&script.concat()).dispatched(0);
    let said = |name: &str| std::fs::read_to_string(world.root().join(format!("{name}.out"))).unwrap();
    assert!(said("allowed").contains(r#""behavior":"allow""#), "{}", said("allowed"));
    assert!(said("denied").contains(r#""behavior":"deny""#) && said("denied").contains("deny Bash git push *"));
    assert_eq!((said("asked"), said("other")), (String::new(), String::new()));
    let hooks: Vec<_> = p.events("T-1").into_iter().filter(|event| event["kind"] == "hook").collect();
    let verdict = |index: usize| (&hooks[index]["report"]["verdict"], &hooks[index]["report"]["rule"]);
    assert_eq!(verdict(0), (&json!("allow"), &json!("allow Bash cargo test")));
    assert_eq!(verdict(1), (&json!("deny"), &json!("deny Bash git push *")));
    assert_eq!(verdict(2), (&json!(null), &json!(null)));
}
