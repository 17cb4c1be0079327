//! Setting a worktree up: copies, links, commands.

use autodo::{
    domain::{event::WorktreeTrouble, ticket::WorktreeSetup},
    ports::worktrees::{WorktreeSpec, Worktrees},
};

use crate::support::git::{World, id, read, write};

fn with(world: &World, copy: &[&str], symlink: &[&str], setup: &[&str]) -> WorktreeSpec {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    let setup = WorktreeSetup { copy: own(copy), symlink: own(symlink), setup: own(setup), ..WorktreeSetup::default() };
    WorktreeSpec { setup, ..world.spec("T") }
}

#[tokio::test]
async fn untracked_files_are_copied_and_linked_and_never_count_as_work() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    write(&world.repo(), ".env.local", "KEY=1");
    write(&world.repo(), "config/dev/run.ignored", "#!/bin/sh");
    let mode = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(world.repo().join("config/dev/run.ignored"), mode).unwrap();
    write(&world.repo(), "node_modules/m/index.js", "x");
    let spec = with(&world, &[".env*", "config/**"], &["node_modules"], &[]);
    let made = world.adapter().prepare(spec).await.unwrap();
    assert_eq!(made.notes.len(), 2, "the link and the file that nobody ignores: {made:?}");
    let place = world.place("T");
    assert_eq!(read(&place, ".env.local"), "KEY=1");
    let copied = std::fs::metadata(place.join("config/dev/run.ignored")).unwrap();
    assert_eq!(copied.permissions().mode() & 0o777, 0o750);
    assert_eq!(std::fs::read_link(place.join("node_modules")).unwrap(), world.repo().join("node_modules"));
    let seen = world.adapter().inspect(world.repo(), place.clone(), id("T"), made.base_commit).await.unwrap();
    assert_eq!(seen.work.dirty, Vec::<String>::new());
    // The line `node_modules/` of a .gitignore does not cover a link; `git add -A` must not take it all the same.
    world.git_in(&place, &["add", "-A"]);
    assert_eq!(world.git_in(&place, &["ls-files"]), ".gitignore\nREADME.md");
}

#[tokio::test]
async fn tracked_files_and_what_is_there_are_never_written_over() {
    let world = World::new();
    world.write("config/tracked", "from git");
    world.commit("config");
    world.write("config/tracked", "changed by the user");
    world.write("config/own.ignored", "x");
    world.write("README.md", "changed by the user");
    let made = world.adapter().prepare(with(&world, &["config", "README.md"], &["config"], &[])).await.unwrap();
    let place = world.place("T");
    assert_eq!(read(&place, "config/tracked"), "from git");
    assert_eq!(read(&place, "README.md"), "hello\n");
    assert_eq!(read(&place, "config/own.ignored"), "x");
    assert!(place.join("config").symlink_metadata().unwrap().is_dir());
    assert_eq!(made.notes.iter().filter(|n| n.contains("git tracks it")).count(), 3, "{made:?}");
}

#[tokio::test]
async fn nothing_is_placed_through_a_link_or_outside_the_checkout() {
    let world = World::new();
    let outside = world.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.repo().join("lib")).unwrap();
    world.commit("a link");
    std::fs::remove_file(world.repo().join("lib")).unwrap();
    world.write("lib/x.ignored", "x");
    world.adapter().prepare(with(&world, &["lib/x.ignored"], &[], &[])).await.unwrap();
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);

    let mut spec = with(&world, &["../outside"], &[], &[]);
    (spec.ticket, spec.path) = (id("U"), world.place("U"));
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("../outside"), "{error}");
}

#[tokio::test]
async fn files_of_worktreeinclude_are_copied_if_git_ignores_them() {
    let world = World::new();
    world.write(".worktreeinclude", "# as in .gitignore\n*.ignored\n!not.ignored\n/local/\nplain.txt\nREADME.md\n");
    world.write(".gitignore", "*.ignored\nlocal/\nnode_modules/\n");
    world.commit("patterns");
    for file in
        ["a b.ignored", "deep/ü.ignored", "not.ignored", "local/x", "deep/local/x", "plain.txt", "node_modules/m"]
    {
        world.write(file, file);
    }
    // A repository of somebody's, in an ignored folder: its files are not ours to copy.
    world.write("local/own/README", "1");
    world.git_in(&world.repo().join("local/own"), &["init", "-q"]);
    let made = world.adapter().prepare(world.spec("T")).await.unwrap();
    assert_eq!(made.notes, Vec::<String>::new());
    let place = world.place("T");
    for file in ["a b.ignored", "deep/ü.ignored", "local/x"] {
        assert_eq!(read(&place, file), file);
    }
    for left in ["not.ignored", "deep/local", "plain.txt", "node_modules", "local/own"] {
        assert!(!place.join(left).exists(), "{left}");
    }
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn worktreeinclude_never_covers_what_the_base_tracks() {
    let world = World::new();
    world.git(&["branch", "earlier"]);
    world.write("kept.ignored", "tracked");
    world.git(&["add", "-f", "kept.ignored"]);
    world.git(&["commit", "-q", "-m", "tracks an ignored file"]);
    world.git(&["checkout", "-q", "earlier"]);
    world.write("kept.ignored", "of the user");
    world.write(".worktreeinclude", "*.ignored\n");
    let mut spec = world.spec("T");
    spec.base = "main".into();
    let made = world.adapter().prepare(spec).await.unwrap();
    assert_eq!(read(&world.place("T"), "kept.ignored"), "tracked");
    assert!(made.notes[0].contains("git tracks it"), "{made:?}");
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_said() {
    let world = World::new();
    let made = world.adapter().prepare(with(&world, &[".env.locl"], &[], &[])).await.unwrap();
    assert!(made.notes[0].contains(".env.locl"), "{made:?}");
}

#[tokio::test]
async fn set_up_commands_run_in_the_worktree_without_input_and_are_logged() {
    let world = World::new();
    let commands = ["pwd; cat; echo to-err >&2", "echo second > made.ignored", "test -z \"${GIT_DIR-}\""];
    world.adapter().prepare(with(&world, &[], &[], &commands)).await.unwrap();
    let log = read(&world.root(), "T.log");
    let place = world.place("T");
    assert!(log.starts_with(&format!("$ {}\n{}\nto-err\n$ echo second", commands[0], place.display())), "{log}");
    assert_eq!(read(&place, "made.ignored"), "second\n");
}

#[tokio::test]
async fn a_set_up_command_that_fails_shows_the_end_of_its_log_and_is_tried_again() {
    let world = World::new();
    let flag = world.root().join("mended");
    let command = format!("seq 100; unset nothing; false; echo never; test -e {}", flag.display());
    let error = world.adapter().prepare(with(&world, &[], &[], &[&command])).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("exit 1") && error.why.ends_with("99\n100"), "{error}");
    assert!(!read(&world.root(), "T.log").lines().any(|l| l == "never"));
    assert!(world.list().contains("locked autodo-creating"), "{}", world.list());
    world.adapter().prepare(with(&world, &[], &[], &["true"])).await.unwrap();
    assert!(!world.list().contains("locked"));
}

#[tokio::test]
async fn a_set_up_command_has_a_time_limit_for_all_it_starts() {
    let world = World::new();
    let git = world.hasty(3000);
    let error = git.prepare(with(&world, &[], &[], &["sleep 600 & sleep 600; wait"])).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("longer than 3 s"), "{error}");
}

#[tokio::test]
async fn the_time_limit_of_the_ticket_goes_before() {
    let world = World::new();
    let mut spec = with(&world, &[], &[], &["echo begun; sleep 600"]);
    spec.setup.setup_limit_s = Some(1);
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert!(error.why.contains("longer than 1 s") && error.why.contains("worktree.setup_limit"), "{error}");
    assert!(error.why.contains("T.log") && error.why.ends_with("begun"), "{error}");
}

#[tokio::test]
async fn a_run_folder_that_is_a_link_of_the_project_is_refused() {
    let world = World::new();
    let outside = world.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.repo().join(".autodo")).unwrap();
    world.commit("a trap");
    let error = world.adapter().prepare(world.spec("T")).await.unwrap_err();
    assert!(error.why.contains("must be a folder"), "{error}");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}
