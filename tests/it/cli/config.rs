//! `autodo config`.

use crate::support::world::World;

fn setting(json: &serde_json::Value, name: &str) -> serde_json::Value {
    let all = json["settings"].as_array().unwrap();
    all.iter().find(|setting| setting["name"] == name).unwrap_or_else(|| panic!("{name}: {json}")).clone()
}

#[test]
fn each_value_is_shown_with_where_it_comes_from() {
    let mut world = World::new();
    let repo = world.repo("r");
    repo.settings("version = 1\n\nchecks = [\"cargo test\"]\nparallel = 2\n");
    std::fs::create_dir(world.home()).unwrap();
    std::fs::write(world.home().join("config.toml"), "stagger = \"5s\"\nparallel = 9\n").unwrap();
    world.set("AUTODO_MODEL", "small");
    let json = world.autodo_in(&repo, &["config", "--json"]).ok().json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["project"], repo.path.to_str().unwrap());
    let keys: Vec<String> = setting(&json, "profile").as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["name", "value", "origin", "doc", "unset_means"]);
    let project = repo.path.join(".autodo/config.toml");
    let user = world.home().join("config.toml");
    for (name, value, origin) in [
        ("checks", serde_json::json!(["cargo test"]), serde_json::json!({"kind": "file", "path": project, "line": 3})),
        ("parallel", serde_json::json!(2), serde_json::json!({"kind": "file", "path": project, "line": 4})),
        ("stagger", serde_json::json!("5s"), serde_json::json!({"kind": "file", "path": user, "line": 1})),
        ("model", serde_json::json!("small"), serde_json::json!({"kind": "variable", "name": "AUTODO_MODEL"})),
        ("base", serde_json::json!("HEAD"), serde_json::json!({"kind": "built_in"})),
        ("limits.run", serde_json::Value::Null, serde_json::json!({"kind": "built_in"})),
    ] {
        let seen = setting(&json, name);
        assert_eq!((&seen["value"], &seen["origin"]), (&value, &origin), "{name}");
        assert!(!seen["doc"].as_str().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn the_listing_for_people_is_toml_that_says_the_same() {
    let world = World::new();
    let repo = world.repo("r");
    repo.settings("checks = [\"a \\\"b\\\"\"]\n[worktree]\ncopy = [\".env\"]\n");
    let run = world.autodo_in(&repo, &["config"]).ok();
    assert!(run.stdout.contains(".autodo/config.toml:1\n") && run.stdout.contains("# built-in"), "{}", run.both());
    let read: toml::Table = toml::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}\n{}", run.both()));
    assert_eq!(read["checks"][0].as_str(), Some("a \"b\""));
    assert_eq!(read["worktree"]["copy"][0].as_str(), Some(".env"));
}

#[test]
fn outside_a_project_the_users_settings_are_shown_and_no_home_is_made() {
    let world = World::new();
    let run = world.autodo(&["config"]).ok();
    assert!(run.stderr.contains("this is no project"), "{}", run.both());
    assert!(world.autodo(&["config", "--json"]).ok().json()["project"].is_null());
    assert!(!world.home().exists());
}

#[test]
fn a_wrong_setting_is_shown_with_line_and_caret() {
    let mut world = World::new();
    let repo = world.repo("r");
    repo.settings("version = 1\nparalel = 3\nbase = 7\n");
    world.set("AUTODO_PARALLEL", "many");
    let run = world.autodo_in(&repo, &["config"]).code(2);
    for said in
        ["config.toml:2:1", "did you mean \"parallel\"?", "^^^^^^^", "config.toml:3:8", "AUTODO_PARALLEL", "hint:"]
    {
        assert!(run.stderr.contains(said), "{said}\n{}", run.both());
    }
    assert_eq!(run.stdout, "");
}
