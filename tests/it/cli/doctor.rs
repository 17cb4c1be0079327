//! `autodo doctor`: the machine, the home, what runs.

use std::fs::File;

use serde_json::Value;

use super::{install, lean};
use crate::support::{program::Run, wait_for, world::World};

/// The check `name` of `doctor --json`.
#[track_caller]
pub fn check(run: &Run, name: &str) -> Value {
    let json = run.json();
    let all = json["checks"].as_array().unwrap();
    all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}\n{}", run.both())).clone()
}

/// Status, detail and fix of the check `name`.
#[track_caller]
pub fn told(run: &Run, name: &str) -> (String, String, String) {
    let check = check(run, name);
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("detail"), text("fix"))
}

fn look(world: &World) -> Run {
    world.autodo(&["doctor", "--json"])
}

#[test]
fn doctor_works_outside_a_project_and_before_there_is_a_home_and_makes_nothing() {
    let world = World::new();
    let run = look(&world).ok();
    let json = run.json();
    assert_eq!(json["version"], 1);
    let home = world.home();
    assert_eq!(json["tmux_socket"], home.join("run/tmux.sock").to_str().unwrap());
    assert_eq!(json["tmux_sockets"], serde_json::json!([json["tmux_socket"]]));
    assert_eq!(json["supervisor_socket"], home.join("run/supervisor.sock").to_str().unwrap());
    let checks = json["checks"].as_array().unwrap();
    let mut names = Vec::new();
    for check in checks {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["name", "status", "detail", "fix"]);
        let status = check["status"].as_str().unwrap();
        assert!(["ok", "warn", "fail"].contains(&status), "{check}");
        assert_eq!(check["fix"].is_null(), status == "ok", "{check}");
        names.push(check["name"].as_str().unwrap());
    }
    for name in ["tmux", "git", "identity", "home", "locks", "sockets", "locale", "disk", "memory", "supervisor"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for name in ["project", "signing", "hooks", "worktrees"] {
        assert!(!names.contains(&name), "{name}: {names:?}");
    }
    assert!(!home.exists(), "doctor made a home");
    assert!(world.autodo(&["doctor"]).ok().stderr.contains("this is no project"));
}

#[test]
fn a_missing_program_is_a_failure_with_its_remedy() {
    let world = lean(&["git", "sh"]);
    let run = look(&world).code(1);
    let (status, detail, fix) = told(&run, "tmux");
    assert_eq!((status.as_str(), detail.as_str()), ("fail", "there is no tmux on the PATH"));
    assert!(fix.contains("install tmux 3.2"), "{fix}");
    let plain = world.autodo(&["doctor"]).code(1);
    assert!(plain.stdout.contains("fail  tmux") && plain.stdout.contains("fix: install tmux"), "{}", plain.both());
    assert!(plain.stderr.contains("1 to mend"), "{}", plain.both());
    let world = lean(&["sh", "tmux"]);
    assert_eq!(told(&look(&world).code(1), "git").1, "there is no git on the PATH");
}

#[test]
fn a_tmux_that_is_too_old_is_refused_and_one_that_was_never_tested_is_said_to_be() {
    let world = lean(&["git", "sh"]);
    for (version, status, says) in [
        ("tmux 3.1c", "fail", "tmux 3.1c is too old: autodo needs 3.2 or newer"),
        ("tmux 3.3a", "ok", "tmux 3.3a"),
        ("tmux 3.8", "ok", "tmux 3.8"),
        ("tmux 3.2a", "warn", "3.2a is untested with autodo; tested: 3.3a, "),
        ("tmux next-3.7", "warn", "next-3.7 is untested"),
        ("tmux master", "warn", "master is untested"),
        ("tmux openbsd-7.5", "warn", "openbsd-7.5 is untested"),
        ("screen 4", "fail", "version"),
    ] {
        install(&world, "tmux", &format!("echo {version}"));
        let run = look(&world);
        let told = told(&run, "tmux");
        assert!(told.0 == status && told.1.contains(says), "{version}: {told:?}");
        assert_eq!(run.code, i32::from(status == "fail"), "{version}");
    }
}

#[test]
fn a_git_that_is_too_old_is_refused() {
    let world = lean(&["sh", "tmux"]);
    for (version, status, says) in [
        ("2.30.2", "fail", "git 2.30.2 is too old: autodo needs 2.33 or newer"),
        ("1.9.1", "fail", "too old"),
        ("two", "warn", "cannot be read"),
    ] {
        install(&world, "git", &format!("[ \"$1\" = version ] || exec false; echo git version {version}"));
        let run = look(&world);
        let told = told(&run, "git");
        assert!(told.0 == status && told.1.contains(says), "{version}: {told:?}");
        assert!(told.2.contains("2.33 or newer"), "{version}: {told:?}");
    }
}

#[test]
fn a_home_that_cannot_be_one_is_a_failure() {
    let mut world = World::new();
    let file = world.root().join("file");
    std::fs::write(&file, "").unwrap();
    for home in [file.clone(), file.join("below")] {
        world.set("AUTODO_HOME", home);
        let (status, detail, fix) = told(&look(&world).code(1), "home");
        assert!(status == "fail" && detail.contains("is no folder") && fix.contains("AUTODO_HOME"), "{detail}, {fix}");
    }
}

#[test]
fn a_long_home_has_its_sockets_elsewhere_and_doctor_says_where() {
    let mut world = World::new();
    world.set("AUTODO_HOME", world.root().join("h".repeat(90)));
    let run = look(&world).ok();
    assert!(told(&run, "sockets").1.contains("too long"), "{}", run.both());
    let socket = run.json()["tmux_socket"].as_str().unwrap().to_owned();
    assert!(socket.starts_with("/tmp/autodo-") && socket.len() <= 100, "{socket}");
}

#[test]
fn a_home_is_known_by_its_real_path() {
    let mut world = World::new();
    let real = world.root().join("real");
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, world.root().join("link")).unwrap();
    world.set("AUTODO_HOME", world.root().join("link/new"));
    let json = look(&world).ok().json();
    assert_eq!(json["tmux_socket"], real.join("new/run/tmux.sock").to_str().unwrap());
}

#[test]
fn a_locale_without_utf_8_is_said() {
    let mut world = World::new();
    assert_eq!(told(&look(&world), "locale").0, "ok");
    world.set("LC_ALL", "C");
    let (status, detail, fix) = told(&look(&world).ok(), "locale");
    assert!(status == "warn" && detail.contains("LC_ALL=C") && fix.contains("UTF-8"), "{detail}");
}

#[test]
fn a_git_that_knows_nobody_is_said() {
    let mut world = World::new();
    world.set("GIT_CONFIG_GLOBAL", "/dev/null");
    let (status, _, fix) = told(&look(&world).ok(), "identity");
    assert!(status == "warn" && fix.contains("user.name"), "{fix}");
}

#[test]
fn books_that_cannot_be_read_are_a_failure_and_stay_as_they_are() {
    let world = World::new();
    std::fs::create_dir(world.home()).unwrap();
    std::fs::write(world.home().join("queue.toml"), "version = 99\nseq = 1\n").unwrap();
    let (status, detail, _) = told(&look(&world).code(1), "queue");
    assert!(status == "fail" && detail.contains("99"), "{detail}");
    assert_eq!(world.file("queue.toml"), "version = 99\nseq = 1\n");
}

#[test]
fn sessions_without_a_ticket_are_named() {
    let world = World::new();
    world.autodo(&["list"]).ok();
    assert_eq!(told(&look(&world), "sessions").1, "no tmux server of autodo runs");
    world.tmux(&["new-session", "-d", "-s", "stray", "sleep 600"]).ok();
    let (status, detail, fix) = told(&look(&world).ok(), "sessions");
    assert!(
        status == "warn" && detail.contains("stray") && fix.contains("kill-session -t '=stray'"),
        "{detail}, {fix}"
    );
    assert!(world.tmux(&["has-session", "-t", "=stray"]).code == 0, "doctor ended a session");
}

#[test]
fn a_held_lock_is_told_with_its_holder() {
    let world = World::new();
    world.autodo(&["list"]).ok();
    let path = world.home().join("supervisor.lock");
    std::fs::write(&path, "process 4711, since then\n").unwrap();
    assert_eq!(told(&look(&world), "supervisor").1, "does not run, and nothing waits for it");
    let lock = File::options().write(true).open(&path).unwrap();
    lock.lock().unwrap();
    let (status, detail, _) = told(&look(&world).ok(), "supervisor");
    assert!(status == "warn" && detail.contains("process 4711"), "{detail}");
}

#[test]
fn a_supervisor_is_seen_and_missed_when_it_is_gone() {
    let world = World::new();
    let repo = world.repo("r");
    repo.ticket("slow", "title: slow\nprofile: script", "## Run\n\n```sh\nsleep 600\n```\n");
    let supervisor = world.spawn(&repo, &["dispatch"]);
    let supervisor_says = |what: &str| Some(told(&look(&world), "supervisor").1).filter(|said| said.contains(what));
    let runs = wait_for("a supervisor", || supervisor_says("runs: process"), || world.story());
    assert!(runs.contains(&supervisor.pid().to_string()), "{runs}");
    let is_running = || {
        let json = world.autodo(&["list", "--json"]).json();
        (json["tickets"][0]["status"] == "running" && !json["tickets"][0]["session"].is_null()).then_some(())
    };
    wait_for("the ticket to run", is_running, || world.story());
    assert_eq!(told(&look(&world), "sessions").1, "1 sessions of tickets");
    drop(supervisor);
    wait_for("doctor to miss it", || supervisor_says("nobody watches 1 running"), || world.story());
}
