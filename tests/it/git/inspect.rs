//! Looking at the work without touching it.

use std::path::PathBuf;

use autodo::{
    domain::risk::{Tier, effective},
    ports::worktrees::{Inspection, Worktrees},
};

use crate::support::git::{World, id, write};

/// A world with a prepared ticket T, its place and its base.
async fn prepared() -> (World, PathBuf, String) {
    let world = World::new();
    let made = world.adapter().prepare(world.spec("T")).await.unwrap();
    let place = world.place("T");
    (world, place, made.base_commit)
}

async fn inspect(world: &World, base: &str) -> Inspection {
    world.adapter().inspect(world.repo(), world.place("T"), id("T"), base.to_owned()).await.unwrap()
}

fn note<'a>(seen: &'a Inspection, path: &str) -> &'a str {
    let file = seen.files.iter().find(|f| f.path == path);
    &file.unwrap_or_else(|| panic!("{path} is not in {:?}", seen.files)).note
}

#[tokio::test]
async fn a_worktree_without_work_shows_none() {
    let (world, _, base) = prepared().await;
    let seen = inspect(&world, &base).await;
    assert_eq!(seen.work.head, base);
    assert_eq!((seen.work.commits, seen.work.off_branch), (0, None));
    assert_eq!((seen.work.dirty, seen.work.risks, seen.files), (vec![], vec![], vec![]));
}

#[tokio::test]
async fn commits_files_and_uncommitted_changes_are_seen() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::new();
    world.write("gone.txt", "old\nold\nold\n");
    world.write("moved.txt", &"line\n".repeat(20));
    world.write("tool", "#!/bin/sh\n");
    world.commit("more");
    let base = world.adapter().prepare(world.spec("T")).await.unwrap().base_commit;
    let place = world.place("T");
    write(&place, "README.md", "hello\nworld\n");
    write(&place, "new dir/new file", "1\n2\n");
    std::fs::remove_file(place.join("gone.txt")).unwrap();
    std::fs::rename(place.join("moved.txt"), place.join("there.txt")).unwrap();
    std::fs::set_permissions(place.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("README.md", place.join("link")).unwrap();
    std::fs::write(place.join("blob"), b"\0\x01\x02").unwrap();
    world.commit_in(&place, "one");
    write(&place, "Cargo.toml", "[package]\n");
    let head = world.commit_in(&place, "two");
    write(&place, "README.md", "again\n");
    write(&place, "un tracked/x", "");
    write(&place, "y.ignored", "");
    write(&place, ".autodo/run/outbox/1.json", "{}");

    let seen = inspect(&world, &base).await;
    assert_eq!((seen.work.head.as_str(), seen.work.commits), (head.as_str(), 2));
    assert_eq!(seen.work.dirty, ["README.md", "un tracked/x"]);
    let table = [
        ("new dir/new file", "added, +2"),
        ("gone.txt", "deleted, −3"),
        ("there.txt", "renamed from moved.txt"),
        ("tool", "executable bit set"),
        ("link", "added, +1, symlink to README.md"),
        ("blob", "added, binary"),
        ("README.md", "+1 −0"),
        ("un tracked/x", "not committed"),
    ];
    for (path, expected) in table {
        assert_eq!(note(&seen, path), expected, "{path}");
    }
    assert_eq!(seen.files.iter().filter(|f| f.path == "README.md").count(), 2, "committed, and changed again");
    assert_eq!(effective(&seen.work.risks), Tier::Medium, "{:?}", seen.work.risks);
    for why in ["dependencies", "deletes files", "made executable", "symbolic links", "binary"] {
        assert!(seen.work.risks.iter().any(|r| r.why.contains(why)), "{why} in {:?}", seen.work.risks);
    }
}

#[tokio::test]
async fn a_look_leaves_the_index_as_it_is_and_takes_no_lock() {
    use std::os::unix::fs::MetadataExt;
    let (world, place, base) = prepared().await;
    // The stat data of the index is old now: an ordinary `git status` would write it anew.
    std::fs::remove_file(place.join("README.md")).unwrap();
    std::fs::write(place.join("README.md"), "hello\n").unwrap();
    let index = world.repo().join(".git/worktrees/T/index");
    let state = || {
        let meta = std::fs::metadata(&index).unwrap();
        (std::fs::read(&index).unwrap(), meta.mtime(), meta.mtime_nsec(), meta.ino())
    };
    let before = state();
    assert_eq!(inspect(&world, &base).await.work.dirty, Vec::<String>::new());
    assert_eq!(state(), before);
    // And it works beside an agent that holds the lock.
    write(&world.repo(), ".git/worktrees/T/index.lock", "");
    inspect(&world, &base).await;
    std::fs::remove_file(index.with_extension("lock")).unwrap();
    world.git_in(&place, &["status"]);
    assert_ne!(state(), before, "the test shows nothing if an ordinary status leaves the index alone as well");
}

#[tokio::test]
async fn a_worktree_on_another_branch_or_none_is_said() {
    let (world, place, base) = prepared().await;
    world.git_in(&place, &["switch", "-q", "-c", "feature"]);
    write(&place, "x", "");
    world.commit_in(&place, "elsewhere");
    let seen = inspect(&world, &base).await;
    assert_eq!(seen.work.off_branch.as_deref(), Some("feature"));
    assert_eq!((seen.work.head.as_str(), seen.work.commits), (base.as_str(), 0), "the ticket's branch counts");
    world.git_in(&place, &["checkout", "-q", "--detach"]);
    assert_eq!(inspect(&world, &base).await.work.off_branch.as_deref(), Some("no branch"));
}

#[tokio::test]
async fn a_branch_that_was_renamed_is_high_risk_and_no_proof() {
    let (world, place, base) = prepared().await;
    world.git_in(&place, &["branch", "-m", "feature"]);
    let seen = inspect(&world, &base).await;
    assert_eq!((seen.work.commits, seen.work.off_branch.as_deref()), (0, Some("feature")));
    assert_eq!(effective(&seen.work.risks), Tier::High);
    assert!(seen.work.risks[0].why.contains("autodo/T is gone"));
}

#[tokio::test]
async fn rewritten_history_is_high_risk_and_still_counted() {
    let world = World::new();
    let root = world.tip("HEAD").unwrap();
    world.write("user", "x");
    world.commit("the user's");
    let base = world.adapter().prepare(world.spec("T")).await.unwrap().base_commit;
    let place = world.place("T");
    world.git_in(&place, &["reset", "-q", "--hard", &root]);
    write(&place, "work", "1\n");
    world.commit_in(&place, "work");
    let seen = inspect(&world, &base).await;
    assert_eq!(seen.work.commits, 1);
    assert_eq!(note(&seen, "work"), "added, +1");
    assert_eq!(seen.files.len(), 1, "compared with what both share: {:?}", seen.files);
    assert_eq!(effective(&seen.work.risks), Tier::High);
    assert!(seen.work.risks[0].why.contains("history rewritten"), "{:?}", seen.work.risks);
}

#[tokio::test]
async fn a_base_that_is_no_commit_any_more_is_replaced_by_what_was_kept_or_shared() {
    let (world, place, _) = prepared().await;
    write(&place, "work", "1\n");
    world.commit_in(&place, "work");
    let unknown = "0123456789012345678901234567890123456789";
    let seen = inspect(&world, unknown).await;
    assert_eq!((seen.work.commits, seen.work.risks.len()), (1, 0), "the kept base serves");
    world.git(&["update-ref", "-d", "refs/autodo/base/T"]);
    let seen = inspect(&world, unknown).await;
    assert_eq!(seen.work.commits, 1);
    assert!(seen.work.risks[0].why.contains("history rewritten"), "{:?}", seen.work.risks);
}

#[tokio::test]
async fn a_worktree_that_is_not_there_is_an_error() {
    let (world, place, base) = prepared().await;
    std::fs::remove_dir_all(&place).unwrap();
    let error = world.adapter().inspect(world.repo(), place.clone(), id("T"), base).await.unwrap_err();
    assert!(error.contains(place.to_str().unwrap()) && error.contains("not there"), "{error}");
}

#[tokio::test]
async fn a_flood_of_untracked_files_is_counted_instead_of_named() {
    let (world, place, base) = prepared().await;
    for n in 0..250 {
        write(&place, &format!("out/{n:03}"), "");
    }
    let seen = inspect(&world, &base).await;
    assert_eq!(seen.work.dirty.len(), 201);
    assert_eq!(seen.work.dirty[200], "and 50 more");
}
