//! Dependencies: where work starts that stands on other work, and moving it later.

use autodo::{
    domain::{event::WorktreeTrouble, row::Stacked},
    ports::worktrees::{WorktreeSpec, Worktrees},
};

use crate::support::git::{World, id, read, write};

/// Prepares a ticket and commits a file in it; returns the tip.
async fn work(world: &World, ticket: &str, file: &str, text: &str) -> String {
    world.adapter().prepare(world.spec(ticket)).await.unwrap();
    write(&world.place(ticket), file, text);
    world.commit_in(&world.place(ticket), &format!("{ticket} does {file}"))
}

fn on(world: &World, ticket: &str, on: &[&str]) -> WorktreeSpec {
    WorktreeSpec { on: on.iter().map(|t| id(t)).collect(), ..world.spec(ticket) }
}

#[tokio::test]
async fn work_on_one_dependency_starts_at_its_tip() {
    let world = World::new();
    let tip = work(&world, "A", "a", "1").await;
    let made = world.adapter().prepare(on(&world, "T", &["A"])).await.unwrap();
    assert_eq!(made.base_commit, tip);
    assert_eq!(made.stacked_on, [Stacked { id: id("A"), commit: tip }]);
    assert_eq!(read(&world.place("T"), "a"), "1");
}

#[tokio::test]
async fn work_on_several_starts_at_their_merge_which_is_the_same_each_time() {
    let world = World::new();
    let a = work(&world, "A", "a", "1").await;
    let b = work(&world, "B", "b", "2").await;
    let c = work(&world, "C", "c", "3").await;
    let spec = || on(&world, "T", &["A", "B", "C"]);
    let made = world.adapter().prepare(spec()).await.unwrap();
    let place = world.place("T");
    assert_eq!([read(&place, "a"), read(&place, "b"), read(&place, "c")], ["1", "2", "3"]);
    assert_eq!(made.stacked_on.iter().map(|s| s.commit.clone()).collect::<Vec<_>>(), [a, b, c]);
    assert_eq!(world.git_in(&place, &["rev-parse", "HEAD"]), made.base_commit);
    assert_eq!(world.git_in(&place, &["log", "-1", "--format=%cn"]), "Ann");
    // Killed after the merge, before the branch: the same commit again.
    world.git(&["worktree", "remove", place.to_str().unwrap()]);
    world.git(&["branch", "-D", "autodo/T"]);
    assert_eq!(world.adapter().prepare(spec()).await.unwrap().base_commit, made.base_commit);
}

#[tokio::test]
async fn a_merge_needs_no_identity_no_signature_and_no_hook() {
    let world = World::with("", &[]);
    for (key, value) in [("commit.gpgsign", "true"), ("gpg.program", "/bin/false"), ("core.editor", "false")] {
        world.git(&["config", key, value]);
    }
    for name in ["pre-commit", "commit-msg", "pre-merge-commit", "prepare-commit-msg"] {
        world.hook(name, "exit 1");
    }
    work_unsigned(&world, "A", "a").await;
    work_unsigned(&world, "B", "b").await;
    world.adapter().prepare(on(&world, "T", &["A", "B"])).await.unwrap();
    assert_eq!(world.git_in(&world.place("T"), &["log", "-1", "--format=%an <%ae>"]), "autodo <autodo@localhost>");
}

async fn work_unsigned(world: &World, ticket: &str, file: &str) {
    world.adapter().prepare(world.spec(ticket)).await.unwrap();
    let place = world.place(ticket);
    write(&place, file, "");
    world.git_in(&place, &["add", "-A"]);
    let who = ["-c", "user.name=Bo", "-c", "user.email=bo@x", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/"];
    world.git_in(&place, &[&who[..], &["commit", "-q", "-m", "work"]].concat());
}

#[tokio::test]
async fn dependencies_that_conflict_are_named_with_their_files_and_nothing_is_left() {
    let world = World::new();
    work(&world, "A", "README.md", "one").await;
    work(&world, "B", "README.md", "two").await;
    let error = world.adapter().prepare(on(&world, "T", &["A", "B"])).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Conflict);
    for word in ["README.md", "autodo/A", "autodo/B"] {
        assert!(error.why.contains(word), "{error}");
    }
    assert!(!world.place("T").exists());
    assert_eq!(world.tip("autodo/T"), None);
}

#[tokio::test]
async fn a_dependency_that_the_base_holds_adds_nothing() {
    let world = World::new();
    let tip = work(&world, "A", "a", "1").await;
    world.git(&["merge", "-q", "--no-ff", "-m", "land", "autodo/A"]);
    let base = world.git(&["rev-parse", "HEAD"]);
    let made = world.adapter().prepare(on(&world, "T", &["A"])).await.unwrap();
    assert_eq!(made.base_commit, base);
    assert_eq!(made.stacked_on, [Stacked { id: id("A"), commit: tip }]);
    let made = world.adapter().prepare(on(&world, "U", &["gone"])).await.unwrap();
    assert_eq!(made.base_commit, base);
    assert!(made.notes[0].contains("autodo/gone"), "{made:?}");
}

#[tokio::test]
async fn a_chain_of_dependencies_needs_no_merge() {
    let world = World::new();
    work(&world, "A", "a", "1").await;
    world.adapter().prepare(on(&world, "B", &["A"])).await.unwrap();
    write(&world.place("B"), "b", "2");
    let tip = world.commit_in(&world.place("B"), "b");
    let made = world.adapter().prepare(on(&world, "T", &["A", "B"])).await.unwrap();
    assert_eq!(made.base_commit, tip);
}

#[tokio::test]
async fn a_dependency_that_moved_is_named_as_it_was() {
    let world = World::new();
    let tip = work(&world, "A", "a", "1").await;
    let made = world.adapter().prepare(on(&world, "T", &["A"])).await.unwrap();
    write(&world.place("A"), "a", "later");
    world.commit_in(&world.place("A"), "later");
    let mut spec = on(&world, "T", &["A"]);
    spec.base_commit = Some(made.base_commit.clone());
    let again = world.adapter().prepare(spec).await.unwrap();
    assert_eq!(again.base_commit, made.base_commit);
    assert_eq!(again.stacked_on, [Stacked { id: id("A"), commit: tip }]);
}

/// T stands on A, both have work, then A moves. Returns the spec of a retry that asks to move T, and A's new tip.
async fn moved(world: &World, theirs: (&str, &str), ours: (&str, &str)) -> (WorktreeSpec, String) {
    work(world, "A", "a", "1").await;
    let made = world.adapter().prepare(on(world, "T", &["A"])).await.unwrap();
    write(&world.place("T"), ours.0, ours.1);
    world.commit_in(&world.place("T"), "ours");
    write(&world.place("A"), theirs.0, theirs.1);
    let tip = world.commit_in(&world.place("A"), "theirs");
    let spec = WorktreeSpec { base_commit: Some(made.base_commit), rebase: true, ..on(world, "T", &["A"]) };
    (spec, tip)
}

#[tokio::test]
async fn work_is_moved_onto_the_present_tip_when_asked() {
    let world = World::new();
    let (spec, tip) = moved(&world, ("a", "2"), ("t", "1")).await;
    let made = world.adapter().prepare(spec.clone()).await.unwrap();
    assert_eq!(made.base_commit, tip);
    assert_eq!(made.stacked_on, [Stacked { id: id("A"), commit: tip.clone() }]);
    let place = world.place("T");
    assert_eq!((read(&place, "a"), read(&place, "t")), ("2".into(), "1".into()));
    let head = world.tip("autodo/T").unwrap();
    assert_eq!(world.git(&["rev-list", "--count", &format!("{tip}..{head}")]), "1");
    // Killed before anybody was told: the same question again moves nothing.
    let again = world.adapter().prepare(spec).await.unwrap();
    assert_eq!(again.base_commit, tip);
    assert_eq!(world.tip("autodo/T"), Some(head));
}

#[tokio::test]
async fn a_move_that_conflicts_is_taken_back() {
    let world = World::new();
    let (spec, _) = moved(&world, ("a", "theirs"), ("a", "ours")).await;
    let before = world.tip("autodo/T");
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Conflict);
    assert!(error.why.contains("conflicts in a"), "{error}");
    assert_eq!(world.tip("autodo/T"), before);
    let place = world.place("T");
    assert_eq!(world.git_in(&place, &["symbolic-ref", "HEAD"]), "refs/heads/autodo/T");
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
    assert_eq!(read(&place, "a"), "ours");
}

#[tokio::test]
async fn a_dirty_tree_is_not_moved() {
    let world = World::new();
    let (spec, _) = moved(&world, ("a", "2"), ("t", "1")).await;
    write(&world.place("T"), "t", "unsaved");
    let before = world.tip("autodo/T");
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Conflict);
    assert!(error.why.contains("not committed"), "{error}");
    assert_eq!((world.tip("autodo/T"), read(&world.place("T"), "t")), (before, "unsaved".into()));
}

#[tokio::test]
async fn a_move_that_was_killed_half_way_is_done_again() {
    let world = World::new();
    let (spec, tip) = moved(&world, ("a", "theirs"), ("a", "ours")).await;
    let place = world.place("T");
    let before = world.tip("autodo/T").unwrap();
    // As a killed supervisor leaves it: the marker, and a rebase that stopped.
    write(&world.repo(), ".git/worktrees/T/autodo-moving", &format!("{before}\n{tip}\n"));
    let base = spec.base_commit.clone().unwrap();
    let stopped = world.try_git(&place, &["rebase", "--onto", &tip, &base]);
    assert!(!stopped.status.success());
    // The person settles it by making A what T wants.
    write(&world.place("A"), "a", "1");
    let settled = world.commit_in(&world.place("A"), "back");
    let made = world.adapter().prepare(spec).await.unwrap();
    assert_eq!(made.base_commit, settled);
    assert_eq!(read(&place, "a"), "ours");
    assert!(!world.repo().join(".git/worktrees/T/autodo-moving").exists());
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
}
