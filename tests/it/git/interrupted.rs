//! Preparations that were killed: each half state is made by hand, and must be gone through.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Stdio};

use autodo::ports::worktrees::Worktrees;

use autodo::domain::event::WorktreeTrouble;

use crate::support::{
    git::{World, read, write},
    wait_for,
};

/// Registers a worktree as an interrupted attempt leaves it: locked, with its branch and base.
fn half_made(world: &World, ticket: &str) -> PathBuf {
    let (place, branch) = (world.place(ticket), format!("autodo/{ticket}"));
    world.git(&["update-ref", &format!("refs/autodo/base/{ticket}"), "HEAD"]);
    let lock = ["--lock", "--reason", "autodo-creating"];
    world.git(&[&["worktree", "add", "-q"], &lock[..], &["-b", &branch, place.to_str().unwrap()]].concat());
    place
}

#[tokio::test]
async fn a_worktree_that_was_never_set_up_is_made_again() {
    let world = World::new();
    let place = half_made(&world, "T-1");
    write(&place, "node_modules/half", "installed");
    let mut spec = world.spec("T-1");
    spec.setup.setup = vec!["test ! -e node_modules && mkdir node_modules && echo ok > node_modules/whole".into()];
    let made = world.adapter().prepare(spec).await.unwrap();
    assert!(made.notes.iter().any(|n| n.contains("made it again")), "{made:?}");
    assert_eq!(read(&place, "node_modules/whole"), "ok\n");
    assert!(!world.list().contains("locked"));
}

#[tokio::test]
async fn a_checkout_that_was_killed_half_way_is_made_again() {
    let world = World::new();
    let place = half_made(&world, "T-1");
    // As SIGKILL leaves it: some files, one cut off, no index, its lock.
    std::fs::remove_file(world.repo().join(".git/worktrees/T-1/index")).unwrap();
    write(&world.repo(), ".git/worktrees/T-1/index.lock", "");
    std::fs::remove_file(place.join(".gitignore")).unwrap();
    std::fs::write(place.join("README.md"), "hel").unwrap();
    world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(read(&place, "README.md"), "hello\n");
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn half_states_before_the_folder_are_gone_through() {
    let world = World::new();
    let base = world.git(&["rev-parse", "HEAD"]);
    // The base is kept, then killed.
    world.git(&["update-ref", "refs/autodo/base/T-1", &base]);
    world.write("more", "");
    let later = world.commit("the user goes on");
    assert_eq!(world.adapter().prepare(world.spec("T-1")).await.unwrap().base_commit, later);
    // The branch is there as well, then killed.
    world.git(&["update-ref", "refs/autodo/base/T-2", &base]);
    world.git(&["branch", "autodo/T-2", &base]);
    assert_eq!(world.adapter().prepare(world.spec("T-2")).await.unwrap().base_commit, base);
    // An empty folder, then killed.
    std::fs::create_dir_all(world.place("T-3")).unwrap();
    world.adapter().prepare(world.spec("T-3")).await.unwrap();
    // Registered and locked, the folder not there yet, or removed while it was made again.
    let place = half_made(&world, "T-4");
    std::fs::remove_dir_all(&place).unwrap();
    world.adapter().prepare(world.spec("T-4")).await.unwrap();
    assert_eq!(read(&place, "README.md"), "hello\n");
}

#[tokio::test]
async fn a_half_made_worktree_that_holds_something_is_kept() {
    let world = World::new();
    let place = half_made(&world, "T-1");
    write(&place, "notes.txt", "mine");
    let made = world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(read(&place, "notes.txt"), "mine");
    assert!(made.notes.iter().any(|n| n.contains("kept it")), "{made:?}");
    assert!(!world.list().contains("locked"));
    assert_eq!(made.base_commit, world.tip("main").unwrap());
}

#[tokio::test]
async fn a_half_made_worktree_with_commits_is_kept() {
    let world = World::new();
    let place = half_made(&world, "T-1");
    let base = world.tip("main").unwrap();
    write(&place, "work", "1");
    let tip = world.commit_in(&place, "work");
    let made = world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(world.tip("autodo/T-1"), Some(tip));
    assert_eq!(made.base_commit, base);
}

#[tokio::test]
async fn a_git_that_outlived_its_supervisor_is_ended_before_anything_is_made() {
    let world = World::new();
    let place = world.place("T-1");
    let begun = world.root().join("begun");
    world.hook("post-checkout", &format!("[ -e {0} ] || {{ touch {0}; sleep 600; }}", begun.display()));
    let lock = ["--lock", "--reason", "autodo-creating"];
    let args = [&["worktree", "add"], &lock[..], &["-b", "autodo/T-1", place.to_str().unwrap()]].concat();
    let mut left = std::process::Command::new("git")
        .args(args)
        .current_dir(world.repo())
        .envs(world.env())
        .env("AUTODO_PREPARING", &place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    wait_for("the hook", || begun.exists().then_some(()), || world.list());
    // A child that nobody waits for would look alive for ever.
    let waiter = std::thread::spawn(move || left.wait());
    let made = world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert!(!waiter.join().unwrap().unwrap().success());
    assert!(made.notes.iter().any(|n| n.starts_with("ended ")), "{made:?}");
    assert_eq!(read(&place, "README.md"), "hello\n");
    assert!(!world.list().contains("locked"));
}

#[tokio::test]
async fn a_lock_that_a_dead_git_left_on_the_tickets_references_is_removed_and_a_fresh_one_is_waited_for() {
    let world = World::new();
    for (ticket, name) in [("T-1", "refs/autodo/base/T-1.lock"), ("T-2", "refs/heads/autodo/T-2.lock")] {
        let lock = world.repo().join(".git").join(name);
        write(&world.repo().join(".git"), name, "");
        let refused = world.adapter().prepare(world.spec(ticket)).await.unwrap_err();
        assert_eq!(refused.kind, WorktreeTrouble::Passing, "{refused}");
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
        std::fs::File::options().write(true).open(&lock).unwrap().set_modified(long_ago).unwrap();
        let made = world.adapter().prepare(world.spec(ticket)).await.unwrap();
        assert!(made.notes.iter().any(|note| note.contains("left by a git that is gone")), "{made:?}");
        assert!(!lock.exists());
    }
}
