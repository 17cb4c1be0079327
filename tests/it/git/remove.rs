//! Removing: only what nobody can miss.

use autodo::{adapters::git::GitError, ports::worktrees::Worktrees};

use crate::support::git::{World, id, write};

async fn prepared() -> World {
    let world = World::new();
    write(&world.repo(), ".env.ignored", "1");
    write(&world.repo(), "plain.txt", "untracked by the user");
    write(&world.repo(), "node_modules/m", "x");
    let mut spec = world.spec("T");
    spec.setup.copy = vec![".env.ignored".into(), "plain.txt".into()];
    spec.setup.symlink = vec!["node_modules".into()];
    world.adapter().prepare(spec).await.unwrap();
    world
}

async fn refused(world: &World, target: &str) -> String {
    let before = (world.list(), world.tip("autodo/T"));
    let error =
        world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), target, false).await.unwrap_err();
    assert_eq!((world.list(), world.tip("autodo/T")), before, "nothing has changed");
    assert!(matches!(error, GitError::Refused(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn merged_and_clean_work_is_removed_with_its_branch_and_what_was_placed() {
    let world = prepared().await;
    write(&world.place("T"), "work", "1");
    let tip = world.commit_in(&world.place("T"), "work");
    world.git(&["merge", "-q", "autodo/T"]);
    write(&world.place("T"), ".autodo/run/prompt.md", "x");
    let removed =
        world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", false).await.unwrap();
    assert!(removed.worktree && removed.left.is_empty(), "{removed:?}");
    assert_eq!(removed.branch_tip, Some(tip));
    assert!(!world.place("T").exists());
    assert_eq!((world.tip("autodo/T"), world.tip("refs/autodo/base/T")), (None, None));
    for kept in [".env.ignored", "plain.txt", "node_modules/m"] {
        assert!(world.repo().join(kept).exists(), "{kept} is the user's");
    }
    let again =
        world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", false).await.unwrap();
    assert!(!again.worktree && again.branch_tip.is_none(), "{again:?}");
}

#[tokio::test]
async fn unmerged_commits_are_not_removed() {
    let world = prepared().await;
    write(&world.place("T"), "work", "1");
    world.commit_in(&world.place("T"), "work");
    let why = refused(&world, "main").await;
    assert!(why.contains("autodo/T has commits that main does not hold"), "{why}");
    let why = refused(&world, "no-such-branch").await;
    assert!(why.contains("no-such-branch"), "{why}");
}

#[tokio::test]
async fn uncommitted_changes_are_not_removed() {
    let world = prepared().await;
    write(&world.place("T"), "draft", "1");
    let why = refused(&world, "main").await;
    assert!(why.contains("draft"), "{why}");
}

#[tokio::test]
async fn what_is_not_the_tickets_is_not_removed() {
    let world = prepared().await;
    world.git_in(&world.place("T"), &["switch", "-q", "-c", "mine"]);
    let why = refused(&world, "main").await;
    assert!(why.contains("mine"), "{why}");
    world.git_in(&world.place("T"), &["switch", "-q", "autodo/T"]);
    world.git(&["worktree", "lock", "--reason", "in use", world.place("T").to_str().unwrap()]);
    assert!(refused(&world, "main").await.contains("in use"));
    let git = world.adapter();
    for path in [world.repo(), world.root().join("home")] {
        let error = git.remove_worktree(&world.repo(), &path, &id("T"), "main", false).await.unwrap_err();
        assert!(error.to_string().contains("no worktree"), "{error}");
        assert!(path.exists());
    }
}

#[tokio::test]
async fn a_branch_that_the_checkout_does_not_hold_is_left_and_said() {
    let world = prepared().await;
    world.git(&["branch", "release"]);
    write(&world.place("T"), "work", "1");
    world.commit_in(&world.place("T"), "work");
    world.git(&["branch", "-f", "release", "autodo/T"]);
    let removed =
        world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), "release", false).await.unwrap();
    assert!(removed.worktree && removed.branch_tip.is_none());
    assert!(removed.left[0].contains("autodo/T was left"), "{removed:?}");
    assert!(world.tip("autodo/T").is_some());
}

#[tokio::test]
async fn locks_of_a_dead_git_are_removed_in_this_worktree_only() {
    let world = prepared().await;
    let own = world.repo().join(".git/worktrees/T");
    let locks = [own.join("index.lock"), world.repo().join(".git/refs/heads/autodo/T.lock")];
    let foreign = [world.repo().join(".git/index.lock"), world.repo().join(".git/refs/heads/main.lock")];
    for lock in locks.iter().chain(&foreign) {
        std::fs::write(lock, "").unwrap();
    }
    let git = world.adapter();
    let said = git.clear_stale_lock(world.place("T")).await.unwrap();
    assert!(locks.iter().all(|l| !l.exists() && said.contains(l.to_str().unwrap())), "{said}");
    assert!(foreign.iter().all(|l| l.exists()));
    assert_eq!(git.clear_stale_lock(world.place("T")).await, None);
    assert_eq!(git.clear_stale_lock(world.repo()).await, None, "never in the user's checkout");
    assert_eq!(git.clear_stale_lock(world.root().join("home")).await, None);
}
