//! Tests of the world itself: what it hides, what it ends, what it keeps.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::World;
use crate::support::wait_for;

fn sh(world: &World, script: &str) -> String {
    world.program("sh", &["-c", script]).run().ok().stdout
}

#[test]
fn nothing_of_the_caller_but_its_path_reaches_a_world() {
    let world = World::new();
    let names: Vec<String> = sh(&world, "env -0 | tr '\\0' '\\n' | sed 's/=.*//'").lines().map(str::to_owned).collect();
    for name in ["TMUX", "CARGO_MANIFEST_DIR", "XDG_RUNTIME_DIR", "NEXTEST"] {
        assert!(!names.contains(&name.to_owned()), "{name}");
    }
    assert!(sh(&world, "echo $HOME $AUTODO_HOME").split(' ').all(|p| p.starts_with(world.root().to_str().unwrap())));
    assert!(world.home().join("run/tmux.sock").as_os_str().len() < 50);
}

#[test]
fn a_program_that_hangs_is_killed_and_its_output_told() {
    let world = World::new();
    let hang = world.program("sh", &["-c", "echo before; sleep 600"]).limit(Duration::from_millis(300));
    let why = hang.try_run().unwrap_err();
    assert!(why.contains("before") && why.contains("killed"), "{why}");
    wait_for("the sleep to go", || world.processes().is_empty().then_some(()), || world.story());
}

#[test]
fn a_background_process_that_keeps_the_output_open_does_not_hold_a_test() {
    let world = World::new();
    assert_eq!(sh(&world, "setsid sleep 600 & echo done"), "done\n");
    assert_eq!(world.processes().len(), 1);
}

#[test]
fn everything_that_was_started_ends_with_its_world() {
    let world = World::new();
    std::fs::create_dir_all(world.home().join("run")).unwrap();
    let socket = world.home().join("run/tmux.sock");
    world.tmux(&["new-session", "-d", "-s", "x", "printf hello; sleep 600"]).ok();
    sh(&world, "setsid sleep 600 >/dev/null 2>&1 & setsid sh -c 'trap \"\" TERM HUP; sleep 600' >/dev/null 2>&1 &");
    let background = world.program("sleep", &["600"]).spawn();
    wait_for("the screen", || world.story().contains("hello").then_some(()), || world.story());
    let six = || Some(world.processes()).filter(|all| all.len() >= 6);
    let pids: Vec<i32> =
        wait_for("server, pane and sleeps", six, || world.story()).iter().map(|(pid, _)| *pid).collect();
    let root = world.root().to_owned();
    drop(background);
    drop(world);
    assert!(!root.exists() && !socket.exists());
    for pid in pids {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&environ).contains(root.to_str().unwrap()), "{pid} lives");
    }
}

#[test]
fn a_world_whose_test_fails_is_kept() {
    let mut root = None;
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let world = World::new();
        root = Some(world.root().to_owned());
        world.repo("r");
        panic!("on purpose");
    }));
    assert!(failed.is_err());
    let root = root.unwrap();
    assert!(root.join("r/README.md").exists());
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_repository_has_its_commits_and_nothing_else() {
    let world = World::new();
    let repo = world.repo("r");
    repo.write("loose.txt", "x");
    let head = repo.commit(&[("a/b.txt", "x\n"), ("c.txt", "y\n")], "second");
    assert_eq!(repo.git(&["rev-parse", "main"]), head);
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? loose.txt");
    assert_eq!(repo.git(&["log", "--format=%s %an"]), "second Test\nfirst Test");
}
