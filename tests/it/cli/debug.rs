//! `autodo debug screen` and `autodo completions`.

use serde_json::json;

use crate::support::world::World;

const QUESTION: &str = "\
  │ error
? Block 1 failed: exit 1.
? What now?
────────────────────
>
────────────────────
 script · waiting for an answer


";

#[test]
fn a_screen_is_told_with_the_rule_that_decided() {
    let world = World::new();
    std::fs::write(world.root().join("s.txt"), QUESTION).unwrap();
    let run = world.autodo(&["debug", "screen", "s.txt", "--profile", "script", "--json"]).ok();
    let text = "Block 1 failed: exit 1.\nWhat now?";
    assert_eq!(run.json(), json!({"version": 1, "state": "question", "rule": "question", "row": 6, "text": text}));
    let plain = world.autodo(&["debug", "screen", "s.txt", "--profile", "script"]).ok();
    assert_eq!(
        plain.stdout,
        "state  question\nrule   question\nrow    6\ntext   Block 1 failed: exit 1.\n       What now?\n"
    );
    assert!(!world.home().exists());
}

#[test]
fn what_no_rule_knows_is_unknown_and_the_rest_null() {
    let world = World::new();
    let stdin = world.command(&["debug", "screen", "-", "--profile", "script", "--json"]).stdin("$ vim\n").run().ok();
    assert_eq!(stdin.json(), json!({"version": 1, "state": "unknown", "rule": null, "row": null, "text": null}));
}

#[test]
fn the_cursor_counts_where_a_profile_asks_for_it() {
    let world = World::new();
    let state = |more: &[&str]| {
        let mut args = vec!["debug", "screen", "-", "--profile", "generic", "--json"];
        args.extend(more);
        world.command(&args).stdin("Welcome\n\n> \n\n").run().ok().json()["state"].clone()
    };
    assert_eq!(state(&[]), "ready", "it is taken to be behind the last text");
    assert_eq!(state(&["--cursor", "2,2"]), "ready");
    assert_eq!(state(&["--cursor", "0,0"]), "unknown");
    let wrong = world.autodo(&["debug", "screen", "-", "--profile", "generic", "--cursor", "2"]).code(2);
    assert!(wrong.stderr.contains("two numbers"), "{}", wrong.both());
}

#[test]
fn a_screen_or_profile_that_is_not_there_is_refused() {
    let world = World::new();
    let gone = world.autodo(&["debug", "screen", "gone.txt", "--profile", "script"]).code(2);
    assert!(gone.stderr.contains("gone.txt") && gone.stderr.contains("capture-pane"), "{}", gone.both());
    let none = world.command(&["debug", "screen", "-", "--profile", "nope"]).stdin("x").run().code(2);
    assert!(none.stderr.contains("\"nope\"") && none.stderr.contains("hint: autodo profile list"), "{}", none.both());
}
