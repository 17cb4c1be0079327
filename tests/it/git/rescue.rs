//! Rescue references: what nothing else holds is kept before it is removed, and comes back as it was.

use autodo::{
    adapters::git::{Rescue, Restored},
    ports::worktrees::Worktrees,
};

use crate::support::git::{World, id, read, write};

/// A world with a prepared ticket T that has one commit.
async fn worked() -> World {
    let world = World::new();
    write(&world.repo(), "secret.txt", "placed");
    world.write("old", "old");
    world.git(&["add", "old"]);
    world.git(&["commit", "-q", "-m", "old"]);
    let mut spec = world.spec("T");
    spec.setup.copy = vec!["secret.txt".into()];
    world.adapter().prepare(spec).await.unwrap();
    write(&world.place("T"), "done", "1");
    world.commit_in(&world.place("T"), "done");
    world
}

async fn remove(world: &World) -> Option<String> {
    let removed =
        world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", true).await.unwrap();
    assert!(removed.worktree && removed.branch_tip.is_some(), "{removed:?}");
    assert!(!world.place("T").exists());
    assert_eq!((world.tip("autodo/T"), world.tip("refs/autodo/base/T")), (None, None));
    removed.rescue
}

async fn restore(world: &World, index: usize) -> (Rescue, Restored) {
    let git = world.adapter();
    let rescue = git.rescues(&world.repo()).await.unwrap()[index].clone();
    let place = world.root().join("back").join(&rescue.number);
    let restored = git.restore(&world.repo(), &rescue, &place).await.unwrap();
    (rescue, restored)
}

#[tokio::test]
async fn changes_of_every_kind_are_kept_and_come_back_uncommitted() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = worked().await;
    let place = world.place("T");
    write(&place, "README.md", "changed");
    write(&place, "un tracked/ü", "new");
    std::fs::remove_file(place.join("old")).unwrap();
    symlink("README.md", place.join("link")).unwrap();
    write(&place, "tool", "#!/bin/sh\n");
    std::fs::set_permissions(place.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write(&place, ".autodo/run/prompt.md", "not the ticket's work");
    let shown = world.git_in(&place, &["status", "--porcelain"]);
    let tip = world.tip("autodo/T").unwrap();

    assert_eq!(remove(&world).await.as_deref(), Some("refs/autodo/rescue/T/1"));
    let tree = world.git(&["-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "refs/autodo/rescue/T/1"]);
    assert_eq!(tree, ".gitignore\nREADME.md\ndone\nlink\ntool\nun tracked/ü");

    let (rescue, restored) = restore(&world, 0).await;
    assert!(rescue.uncommitted && rescue.ticket == "T" && rescue.number == "1", "{rescue:?}");
    assert_eq!(restored.branch, "rescue/T-1");
    let back = restored.worktree;
    assert_eq!(world.git_in(&back, &["rev-parse", "HEAD"]), tip);
    assert_eq!(world.git_in(&back, &["symbolic-ref", "HEAD"]), "refs/heads/rescue/T-1");
    assert_eq!(world.git_in(&back, &["status", "--porcelain"]), shown);
    assert_eq!((read(&back, "README.md"), read(&back, "un tracked/ü")), ("changed".into(), "new".into()));
    assert!(world.tip("refs/autodo/rescue/T/1").is_some(), "the reference stays");
}

#[tokio::test]
async fn commits_alone_are_kept_as_they_are() {
    let world = worked().await;
    let tip = world.tip("autodo/T");
    let name = remove(&world).await.unwrap();
    assert_eq!(world.tip(&name), tip);
    let (rescue, restored) = restore(&world, 0).await;
    assert!(!rescue.uncommitted);
    assert_eq!(rescue.subject, "done");
    assert_eq!(world.git_in(&restored.worktree, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_was_staged_and_then_changed_again_is_kept_twice() {
    let world = worked().await;
    let place = world.place("T");
    write(&place, "README.md", "staged");
    world.git_in(&place, &["add", "README.md"]);
    write(&place, "README.md", "and changed");
    let name = remove(&world).await.unwrap();
    assert_eq!(world.git(&["show", &format!("{name}:README.md")]), "and changed");
    assert_eq!(world.git(&["show", &format!("{name}^2:README.md")]), "staged");
}

#[tokio::test]
async fn a_half_resolved_merge_is_kept_with_its_conflicts() {
    let world = worked().await;
    let place = world.place("T");
    write(&place, "README.md", "theirs");
    world.commit_in(&place, "theirs");
    world.write("README.md", "ours");
    world.git(&["commit", "-q", "-m", "ours", "README.md"]);
    assert!(!world.try_git(&place, &["merge", "main"]).status.success());
    let conflict = read(&place, "README.md");
    assert!(conflict.contains("<<<<<<<"), "{conflict}");
    let name = remove(&world).await.unwrap();
    assert_eq!(world.git(&["show", &format!("{name}:README.md")]).trim_end(), conflict.trim_end());
}

#[tokio::test]
async fn each_rescue_has_a_number_of_its_own_and_nothing_is_written_over() {
    let world = worked().await;
    let first = remove(&world).await.unwrap();
    let kept = world.tip(&first);
    world.adapter().prepare(world.spec("T")).await.unwrap();
    write(&world.place("T"), "second", "2");
    assert_eq!(remove(&world).await.as_deref(), Some("refs/autodo/rescue/T/2"));
    assert_eq!(world.tip(&first), kept);
    let names: Vec<String> =
        world.adapter().rescues(&world.repo()).await.unwrap().into_iter().map(|r| r.name).collect();
    assert_eq!(names, ["refs/autodo/rescue/T/1", "refs/autodo/rescue/T/2"]);
    // A place that is taken is not written into.
    let rescue = world.adapter().rescues(&world.repo()).await.unwrap()[0].clone();
    let error = world.adapter().restore(&world.repo(), &rescue, &world.repo()).await.unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
}

#[tokio::test]
async fn what_a_reference_cannot_hold_is_not_removed() {
    let world = worked().await;
    let inner = world.place("T").join("inner");
    std::fs::create_dir(&inner).unwrap();
    world.git_in(&inner, &["init", "-q"]);
    write(&inner, "x", "1");
    world.commit_in(&inner, "a repository of its own");
    let git = world.adapter();
    let removed = git.remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", true).await;
    let why = removed.unwrap_err().to_string();
    assert!(why.contains("inner") && why.contains("repository of its own"), "{why}");
    assert!(inner.join("x").exists() && world.tip("autodo/T").is_some());
    assert_eq!(git.rescues(&world.repo()).await.unwrap(), []);
}

#[tokio::test]
async fn a_failed_or_asking_hook_does_not_stand_in_the_way() {
    let world = worked().await;
    write(&world.place("T"), "draft", "1");
    for hook in ["pre-commit", "commit-msg", "post-index-change", "post-checkout"] {
        world.hook(hook, "exit 1");
    }
    remove(&world).await.unwrap();
    let (_, restored) = restore(&world, 0).await;
    assert_eq!(read(&restored.worktree, "draft"), "1");
}

#[tokio::test]
async fn repositories_that_libgit2_cannot_open_are_rescued_from_as_well() {
    for init in ["--object-format=sha256", "--ref-format=reftable"] {
        let world = World::with("[user]\nname = Ann\nemail = ann@example.com\n", &[init]);
        world.adapter().prepare(world.spec("T")).await.unwrap();
        write(&world.place("T"), "draft", init);
        remove(&world).await.unwrap();
        let (_, restored) = restore(&world, 0).await;
        assert_eq!(read(&restored.worktree, "draft"), init);
    }
}
