//! `autodo profile`.

use super::{profile_text, user_profile};
use crate::support::world::World;

#[test]
fn profiles_are_listed_with_the_file_that_counts() {
    let world = World::new();
    let repo = world.repo("r");
    user_profile(&world, "mine", &profile_text("mine", "my-agent"));
    user_profile(&world, "both", &profile_text("both", "users-agent"));
    repo.write(".autodo/profiles/both.toml", &profile_text("both", "projects-agent"));
    let run = world.autodo_in(&repo, &["profile", "list"]).ok();
    for said in ["generic", "a base", "script", "built-in script.toml", "mine", "an agent of mine"] {
        assert!(run.stdout.contains(said), "{said}\n{}", run.both());
    }
    let json = world.autodo_in(&repo, &["profile", "list", "--json"]).ok().json();
    assert_eq!((&json["version"], &json["problems"]), (&serde_json::json!(1), &serde_json::json!([])));
    let names: Vec<&str> = json["profiles"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    let both = json["profiles"].as_array().unwrap().iter().find(|p| p["name"] == "both").unwrap().clone();
    assert_eq!(both["programs"], serde_json::json!(["projects-agent"]));
    let outside = world.autodo(&["profile", "list", "--json"]).ok().json();
    let both = outside["profiles"].as_array().unwrap().iter().find(|p| p["name"] == "both").unwrap().clone();
    assert_eq!(both["programs"], serde_json::json!(["users-agent"]));
}

#[test]
fn a_wrong_file_does_not_hide_the_good_ones() {
    let world = World::new();
    user_profile(&world, "bad", "version = 1\nname = \"bad\"\nlunch = 3\n");
    user_profile(&world, "newer", "version = 99\nname = \"newer\"\n");
    let run = world.autodo(&["profile", "list"]).code(2);
    assert!(run.stdout.contains("script") && !run.stdout.contains("bad"), "{}", run.both());
    assert!(run.stderr.contains("bad.toml:3:1") && run.stderr.contains("version 99 is newer"), "{}", run.both());
}

#[test]
fn a_profile_is_shown_merged_with_the_files_it_comes_from() {
    let world = World::new();
    user_profile(&world, "mine", &profile_text("mine", "my-agent"));
    let run = world.autodo(&["profile", "show", "mine"]).ok();
    let head: Vec<&str> = run.stdout.lines().take(2).collect();
    assert!(head[0].ends_with("profiles/mine.toml") && head[1] == "#   over built-in generic.toml", "{head:?}");
    let table: toml::Table = toml::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}\n{}", run.both()));
    assert_eq!(table["launch"]["argv"][0].as_str(), Some("my-agent"));
    assert_eq!(table["screens"][0]["name"].as_str(), Some("prompt"), "of the profile below");
    // What is shown is a profile by itself.
    let file = world.root().join("shown.toml");
    std::fs::write(&file, &run.stdout).unwrap();
    world.autodo(&["profile", "check", "shown.toml"]).ok();
    let own = world.autodo(&["profile", "show", "script"]).ok();
    let built_in = include_str!("../../../profiles/script.toml");
    assert_eq!(own.stdout, format!("# built-in script.toml\n{built_in}"));
}

#[test]
fn a_profile_that_is_not_there_is_refused_with_what_there_is() {
    let world = World::new();
    let run = world.autodo(&["profile", "show", "nope"]).code(2);
    for said in ["\"nope\"", "generic, opencode, script", "hint: autodo profile list"] {
        assert!(run.stderr.contains(said), "{said}\n{}", run.both());
    }
    assert!(!world.home().exists());
}

#[test]
fn a_profile_is_checked_in_its_place_among_the_others() {
    let world = World::new();
    let repo = world.repo("r");
    let file = repo.write(".autodo/profiles/mine.toml", &profile_text("mine", "my-agent"));
    let run = world.autodo_in(&repo, &["profile", "check", ".autodo/profiles/mine.toml"]).ok();
    assert!(run.stdout.contains("the profile mine is right"), "{}", run.both());
    // It may extend another one of the project.
    repo.write("next.toml", "version = 1\nname = \"next\"\nextends = \"mine\"\n");
    world.autodo_in(&repo, &["profile", "check", "next.toml"]).ok();
    world.autodo(&["profile", "check", repo.path.join("next.toml").to_str().unwrap()]).code(2);
    std::fs::write(&file, "version = 1\nname = \"base\"\n").unwrap();
    let base = world.autodo_in(&repo, &["profile", "check", file.to_str().unwrap()]).ok();
    assert!(base.stderr.contains("it is a base"), "{}", base.both());
}

#[test]
fn each_mistake_is_shown_with_line_and_caret() {
    let world = World::new();
    for (text, place, says) in [
        ("version = 1\nname = \"a\"\nlunch = 3\n", "p.toml:3:1", "unknown field"),
        ("version = 1\nname = \"a\"\nextends = \"nope\"\n", "p.toml:3:11", "nope"),
        ("version = 1\nname = \"a\"\n[[screens]]\nname = \"x\"\nstate = \"busy\"\npattern = '('\n", "p.toml:6:11", "("),
        ("version = 2\nname = \"a\"\n", "p.toml:1:11", "newer"),
        ("version = 1\nname = \"a\n", "p.toml:2:", ""),
    ] {
        std::fs::write(world.root().join("p.toml"), text).unwrap();
        let run = world.autodo(&["profile", "check", "p.toml"]).code(2);
        assert!(run.stderr.contains(place) && run.stderr.contains(says), "{text}\n{}", run.both());
        assert!(run.stderr.contains('^') && run.stderr.contains("hint:"), "{text}\n{}", run.both());
        assert_eq!(run.stdout, "");
    }
    let gone = world.autodo(&["profile", "check", "gone.toml"]).code(2);
    assert!(gone.stderr.contains("gone.toml") && gone.stderr.contains("hint:"), "{}", gone.both());
}

#[test]
fn what_a_profile_of_others_holds_never_steers_the_terminal() {
    let world = World::new();
    std::fs::write(world.root().join("p.toml"), "version = 1\nname = \"a\"\nlunch = \"\u{9b}31m\" # \u{85}\n").unwrap();
    let run = world.autodo(&["profile", "check", "p.toml"]).code(2);
    assert!(!run.stderr.contains(['\u{9b}', '\u{85}']), "{:?}", run.stderr);
}
