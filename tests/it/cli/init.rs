//! `autodo init`.

use std::{collections::BTreeMap, path::PathBuf};

use super::{install, lean, profile_text, user_profile};
use crate::support::{files::files_below, repo::Repo, world::World};

const TOOLS: &[&str] = &["git", "sh"];

/// Every file of the checkout and of `.git/info`, with its bytes.
fn everything(repo: &Repo) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_own = |path: &PathBuf| {
        let inside = path.strip_prefix(&repo.path).unwrap();
        !inside.starts_with(".git") || inside.starts_with(".git/info")
    };
    let files = files_below(&repo.path).into_iter().filter(is_own);
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn text(repo: &Repo, path: &str) -> String {
    std::fs::read_to_string(repo.path.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn init_makes_what_a_project_needs_and_says_so() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.commit(&[("Cargo.toml", "[package]\n")], "a crate");
    std::fs::create_dir(repo.path.join("src")).unwrap();
    let run = world.autodo_in(repo.path.join("src"), &["init"]).ok();
    for said in ["made    .autodo/config.toml", "made    .autodo/tickets/", "made    /.autodo/run/ in ", "cargo test"] {
        assert!(run.stdout.contains(said), "{said}\n{}", run.both());
    }
    assert!(run.stdout.contains("no agent with a profile was found"), "{}", run.both());
    let config = text(&repo, ".autodo/config.toml");
    assert!(config.contains("profile = \"script\"\n") && config.contains("checks = [\"cargo test\"]\n"), "{config}");
    let exclude = text(&repo, ".git/info/exclude");
    assert_eq!(exclude.lines().filter(|line| *line == "/.autodo/run/").count(), 1, "{exclude}");
    assert!(!world.home().exists(), "init made a home");
    let set = world.autodo_in(&repo, &["config", "--json"]).ok().json();
    assert_eq!(set["settings"][0]["value"], "script");
}

#[test]
fn the_page_among_the_tickets_is_none() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    world.autodo_in(&repo, &["init"]).ok();
    assert!(text(&repo, ".autodo/tickets/README.md").contains("title: "));
    world.autodo_in(&repo, &["import"]).ok();
    assert_eq!(world.autodo_in(&repo, &["list", "--json"]).ok().json()["tickets"], serde_json::json!([]));
}

#[test]
fn the_tickets_that_the_page_shows_are_good_ones() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    world.autodo_in(&repo, &["init"]).ok();
    let page = text(&repo, ".autodo/tickets/README.md");
    let mut examples = 0;
    for part in page.split("markdown\n---\n").skip(1) {
        // Up to the fence that closes the example: three or four marks at the beginning of a line.
        let end = part.find("\n````\n").unwrap_or_else(|| part.find("\n```\n").unwrap());
        let end = if part[..end].contains("```sh") { end } else { part.find("\n```\n").unwrap() };
        examples += 1;
        // What an example comes after is a ticket of the reader's own.
        let ticket = format!("---\n{}\n", part[..end].replace("after: [load-config]", "after: []"));
        repo.write(&format!("shown/{examples}.md"), &ticket);
    }
    assert_eq!(examples, 2);
    repo.settings("profile = \"mine\"\n");
    user_profile(&world, "mine", &profile_text("mine", "my-agent"));
    world.autodo_in(&repo, &["import", "shown"]).ok();
    let list = world.autodo(&["list", "--json"]).ok().json();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for ticket in list["tickets"].as_array().unwrap() {
        seen.push((ticket["title"].as_str().unwrap(), ticket["profile"].as_str().unwrap()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [("Cache the parsed config", "mine"), ("Format everything", "script")]);
}

#[test]
fn init_again_changes_nothing_and_overwrites_nothing() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.commit(&[("go.mod", "module x\n")], "go");
    world.autodo_in(&repo, &["init"]).ok();
    let config = repo.write(".autodo/config.toml", "version = 1\nprofile = \"script\"\nchecks = [\"mine\"]\n");
    std::fs::remove_file(repo.path.join(".autodo/tickets/README.md")).unwrap();
    let before = everything(&repo);
    let run = world.autodo_in(&repo, &["init"]).ok();
    assert_eq!(everything(&repo), before);
    assert!(before.contains_key(&config));
    assert!(run.stdout.lines().all(|line| line.starts_with("kept")), "{}", run.both());
    assert!(run.stderr.contains("nothing was changed"), "{}", run.both());
}

#[test]
fn init_completes_what_is_there_in_part() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    let run = world.autodo_in(&repo, &["init"]).ok();
    assert!(run.stdout.contains("kept    .autodo/config.toml") && run.stdout.contains("made    .autodo/tickets/"));
    assert_eq!(text(&repo, ".autodo/config.toml"), "version = 1\nchecks = []\n");
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.commit(&[("go.mod", "module x\n")], "go");
    let before = everything(&repo);
    let run = world.autodo_in(&repo, &["init", "--dry-run"]).ok();
    assert_eq!(everything(&repo), before);
    assert!(!repo.path.join(".autodo").exists());
    let made: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("make    ")).collect();
    let real = world.autodo_in(&repo, &["init"]).ok();
    let really: Vec<&str> = real.stdout.lines().filter_map(|line| line.strip_prefix("made    ")).collect();
    assert_eq!((made.len(), made), (3, really));
    assert!(run.stdout.ends_with(&text(&repo, ".autodo/config.toml")), "{}", run.both());
}

#[test]
fn init_takes_the_agent_that_is_installed_and_has_a_profile() {
    let world = lean(TOOLS);
    install(&world, "my-agent", "echo my-agent 1.2");
    user_profile(&world, "mine", &profile_text("mine", "my-agent"));
    user_profile(&world, "absent", &profile_text("absent", "an-agent-that-is-not-here"));
    let repo = world.repo("r");
    let run = world.autodo_in(&repo, &["init"]).ok();
    let config = text(&repo, ".autodo/config.toml");
    assert!(config.contains("profile = \"mine\"\n"), "{config}");
    assert!(run.stdout.contains(&format!("{}/bin/my-agent", world.root().display())), "{}", run.both());
}

#[test]
fn a_profile_of_the_project_goes_before_the_users() {
    let world = lean(TOOLS);
    install(&world, "my-agent", "echo my-agent 1.2");
    user_profile(&world, "a-mine", &profile_text("a-mine", "my-agent"));
    let repo = world.repo("r");
    repo.write(".autodo/profiles/z.toml", &profile_text("z-ours", "my-agent"));
    let run = world.autodo_in(&repo, &["init"]).ok();
    assert!(text(&repo, ".autodo/config.toml").contains("profile = \"z-ours\"\n"));
    assert!(run.stdout.contains("there are also: a-mine"), "{}", run.both());
}

#[test]
fn where_init_cannot_work_it_says_what_to_do() {
    let world = lean(TOOLS);
    let empty = world.root().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let refused = |dir: &std::path::Path, says: &str, hint: &str| {
        let run = world.autodo_in(dir, &["init"]).code(2);
        assert!(
            run.stderr.contains(says) && run.stderr.contains("hint:") && run.stderr.contains(hint),
            "{}",
            run.both()
        );
        assert_eq!(run.stdout, "");
    };
    refused(&empty, "is in no git repository", "git init");
    world.program("git", &["init", "--quiet", "fresh"]).run().ok();
    refused(&world.root().join("fresh"), "has no commit yet", "git commit --allow-empty");
    world.program("git", &["init", "--quiet", "--bare", "bare.git"]).run().ok();
    refused(&world.root().join("bare.git"), "bare repository", "clone");
    let gone = world.autodo(&["-C", "nowhere", "init"]).code(2);
    assert!(gone.stderr.contains("nowhere is not there") && gone.stderr.contains("hint:"), "{}", gone.both());
}

#[test]
fn a_file_in_the_way_is_named_and_left() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    let file = repo.write(".autodo/tickets", "mine");
    let run = world.autodo_in(&repo, &["init"]).code(1);
    assert!(run.stderr.contains("there is a file of that name") && run.stderr.contains("hint:"), "{}", run.both());
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn a_mistake_in_settings_that_are_kept_is_said() {
    let world: World = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("chekcs = []\n");
    let run = world.autodo_in(&repo, &["init"]).ok();
    assert!(run.stdout.contains("did you mean \"checks\"?") && run.stdout.contains("^^^^^^"), "{}", run.both());
    assert_eq!(text(&repo, ".autodo/config.toml"), "chekcs = []\n");
}
