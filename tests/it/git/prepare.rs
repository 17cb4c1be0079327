//! Making worktrees: fresh ones, found ones, half-made ones, and those that are somebody else's.

use autodo::{domain::event::WorktreeTrouble, ports::worktrees::Worktrees};

use crate::support::{
    git::{World, read, write},
    wait_for,
};

#[tokio::test]
async fn a_worktree_is_made_on_its_branch_from_its_base_and_unlocked() {
    let world = World::new();
    let base = world.git(&["rev-parse", "HEAD"]);
    let made = world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(made.base_commit, base);
    assert_eq!(made.stacked_on, []);
    assert_eq!(made.notes, Vec::<String>::new());
    let place = world.place("T-1");
    assert_eq!(read(&place, "README.md"), "hello\n");
    assert_eq!(world.git_in(&place, &["symbolic-ref", "HEAD"]), "refs/heads/autodo/T-1");
    assert!(!world.list().contains("locked"), "{}", world.list());
    assert!(place.join(".autodo/run").is_dir());
    write(&place, ".autodo/run/outbox/x", "");
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
    assert_eq!(world.tip("refs/autodo/base/T-1"), Some(base));
}

#[tokio::test]
async fn the_git_folders_of_a_worktree_are_found() {
    let world = World::new();
    let adapter = world.adapter();
    adapter.prepare(world.spec("T-1")).await.unwrap();
    let (own, common) = adapter.git_dirs(&world.place("T-1")).unwrap();
    let place = world.place("T-1");
    assert_eq!(own.to_str(), Some(world.git_in(&place, &["rev-parse", "--absolute-git-dir"]).as_str()));
    let told = world.git_in(&place, &["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    assert_eq!(common.to_str(), Some(told.as_str()));
    assert!(adapter.git_dirs(world.place("T-1").parent().unwrap()).is_err(), "no worktree");
}

#[tokio::test]
async fn preparing_again_changes_nothing_and_keeps_the_first_base() {
    let world = World::new();
    let git = world.adapter();
    let first = git.prepare(world.spec("T-1")).await.unwrap();
    world.write("more", "");
    world.commit("the user goes on");
    write(&world.place("T-1"), "dirty", "mine");
    let again = git.prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(again, first);
    let mut told = world.spec("T-1");
    told.base_commit = Some(first.base_commit.clone());
    assert_eq!(git.prepare(told).await.unwrap(), first);
    assert_eq!(read(&world.place("T-1"), "dirty"), "mine");
}

#[tokio::test]
async fn work_of_an_earlier_run_is_adopted_with_its_base() {
    let world = World::new();
    let git = world.adapter();
    let first = git.prepare(world.spec("T-1")).await.unwrap();
    let place = world.place("T-1");
    write(&place, "work", "1");
    let tip = world.commit_in(&place, "work");
    write(&place, "README.md", "changed");
    std::fs::remove_dir_all(place.join(".autodo")).unwrap();
    let again = git.prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(again.base_commit, first.base_commit);
    assert_eq!(world.tip("autodo/T-1"), Some(tip));
    assert_eq!(read(&place, "README.md"), "changed");
    assert!(place.join(".autodo/run").is_dir(), "made again after it was cleaned away");
}

#[tokio::test]
async fn many_tickets_of_one_repository_are_prepared_at_once() {
    let world = World::new();
    let git = world.adapter();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..6 {
        let (git, spec) = (git.clone(), world.spec(&format!("T-{n}")));
        all.spawn(async move { git.prepare(spec).await });
    }
    while let Some(made) = all.join_next().await {
        made.unwrap().unwrap();
    }
    let exclude = read(&world.repo(), ".git/info/exclude");
    assert_eq!(exclude.lines().filter(|l| *l == "/.autodo/run/").count(), 1, "{exclude}");
}

#[tokio::test]
async fn other_lines_of_the_exclude_file_stay() {
    let world = World::new();
    write(&world.repo(), ".git/info/exclude", "# mine\n/secret");
    world.adapter().prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(read(&world.repo(), ".git/info/exclude"), "# mine\n/secret\n/.autodo/run/\n");
}

#[tokio::test]
async fn a_foreign_folder_is_never_written_into() {
    let world = World::new();
    write(&world.place("T-1"), "precious", "mine");
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains(&world.place("T-1").display().to_string()), "{error}");
    assert_eq!(std::fs::read_dir(world.place("T-1")).unwrap().count(), 1);
    assert_eq!(world.tip("autodo/T-1"), None);
}

#[tokio::test]
async fn a_file_or_a_foreign_repository_at_the_place_is_taken() {
    let world = World::new();
    write(world.place("x").parent().unwrap(), "T-1", "a file");
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    std::fs::create_dir(world.place("T-2")).unwrap();
    world.git_in(&world.place("T-2"), &["init", "-q"]);
    let error = world.adapter().prepare(world.spec("T-2")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
}

#[tokio::test]
async fn a_branch_that_is_checked_out_elsewhere_is_taken() {
    let world = World::new();
    let other = world.root().join("other");
    world.git(&["worktree", "add", "-q", "-b", "autodo/T-1", other.to_str().unwrap()]);
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains(other.to_str().unwrap()), "{error}");
    assert!(!world.place("T-1").exists());
    assert!(other.join("README.md").exists());
}

#[tokio::test]
async fn a_worktree_of_another_branch_at_the_place_is_taken_unless_autodo_made_it() {
    let world = World::new();
    let place = world.place("T-1");
    world.git(&["worktree", "add", "-q", "-b", "mine", place.to_str().unwrap()]);
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains("mine"), "{error}");
    let mut known = world.spec("T-1");
    known.base_commit = world.tip("HEAD");
    let found = world.adapter().prepare(known).await.unwrap();
    assert!(found.notes.iter().any(|n| n.contains("on the branch mine")), "{found:?}");
    assert_eq!(world.git_in(&place, &["symbolic-ref", "HEAD"]), "refs/heads/mine");
}

#[tokio::test]
async fn a_branch_named_autodo_is_explained() {
    let world = World::new();
    world.git(&["branch", "autodo"]);
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains("git branch -m autodo"), "{error}");
}

#[tokio::test]
async fn a_branch_that_was_made_for_something_else_is_taken() {
    let world = World::new();
    world.git(&["branch", "autodo/T-1"]);
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains("git branch -m autodo/T-1"), "{error}");
    assert!(!world.place("T-1").exists());
}

#[tokio::test]
async fn a_branch_without_a_worktree_gets_one_and_keeps_its_commits() {
    let world = World::new();
    let git = world.adapter();
    let first = git.prepare(world.spec("T-1")).await.unwrap();
    let place = world.place("T-1");
    write(&place, "work", "1");
    let tip = world.commit_in(&place, "work");
    world.git(&["worktree", "remove", place.to_str().unwrap()]);
    let again = git.prepare(world.spec("T-1")).await.unwrap();
    assert_eq!(again.base_commit, first.base_commit);
    assert_eq!(world.git_in(&place, &["rev-parse", "HEAD"]), tip);
    assert_eq!(read(&place, "work"), "1");
    assert!(again.notes.iter().any(|n| n.contains("was there")), "{again:?}");
}

#[tokio::test]
async fn a_worktree_whose_folder_was_deleted_is_made_again_and_others_stay_registered() {
    let world = World::new();
    let git = world.adapter();
    git.prepare(world.spec("T-1")).await.unwrap();
    git.prepare(world.spec("T-2")).await.unwrap();
    write(&world.place("T-1"), "work", "1");
    let tip = world.commit_in(&world.place("T-1"), "work");
    world.git_in(&world.place("T-1"), &["checkout", "-q", "--detach"]);
    write(&world.place("T-1"), "apart", "1");
    let apart = world.commit_in(&world.place("T-1"), "on no branch");
    std::fs::remove_dir_all(world.place("T-1")).unwrap();
    std::fs::remove_dir_all(world.place("T-2")).unwrap();
    let mut spec = world.spec("T-1");
    spec.base_commit = world.tip("main");
    let again = git.prepare(spec).await.unwrap();
    assert_eq!(world.git_in(&world.place("T-1"), &["rev-parse", "HEAD"]), tip);
    assert!(again.notes.iter().any(|n| n.contains("was gone")), "{again:?}");
    let rescued = world.tip("refs/autodo/rescue/T-1/1");
    assert_eq!(rescued, Some(apart), "a commit that only the lost worktree held is kept");
    assert!(world.list().contains("/T-2\n"), "{}", world.list());
}

#[tokio::test]
async fn empty_folders_for_reports_are_no_obstacle_where_the_worktree_was_deleted_and_files_are() {
    let world = World::new();
    let git = world.adapter();
    git.prepare(world.spec("T-1")).await.unwrap();
    let place = world.place("T-1");
    std::fs::remove_dir_all(&place).unwrap();
    write(&place, ".autodo/run/outbox/mine", "1");
    let taken = git.prepare(world.spec("T-1")).await.unwrap_err();
    assert!(taken.why.contains("does not lead back"), "{taken:?}");
    assert!(place.join(".autodo/run/outbox/mine").exists(), "what somebody put there stays");
    std::fs::remove_file(place.join(".autodo/run/outbox/mine")).unwrap();
    let again = git.prepare(world.spec("T-1")).await.unwrap();
    assert!(again.notes.iter().any(|n| n.contains("was gone")), "{again:?}");
    assert!(place.join(".git").exists());
}

#[tokio::test]
async fn a_lost_worktree_that_a_person_locked_is_left_alone() {
    let world = World::new();
    let git = world.adapter();
    git.prepare(world.spec("T-1")).await.unwrap();
    world.git(&["worktree", "lock", "--reason", "on the blue disk", world.place("T-1").to_str().unwrap()]);
    std::fs::remove_dir_all(world.place("T-1")).unwrap();
    let error = git.prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Taken);
    assert!(error.why.contains("on the blue disk"), "{error}");
    assert!(!world.place("T-1").exists());
}

#[tokio::test]
async fn a_branch_that_vanished_starts_again_at_the_commit_that_was_told() {
    let world = World::new();
    let git = world.adapter();
    let first = git.prepare(world.spec("T-1")).await.unwrap();
    world.git(&["worktree", "remove", world.place("T-1").to_str().unwrap()]);
    world.git(&["branch", "-D", "autodo/T-1"]);
    world.write("more", "");
    world.commit("the user goes on");
    let mut spec = world.spec("T-1");
    spec.base_commit = Some(first.base_commit.clone());
    let again = git.prepare(spec).await.unwrap();
    assert_eq!(again.base_commit, first.base_commit);
    assert_eq!(world.tip("autodo/T-1"), Some(first.base_commit));
}

#[tokio::test]
async fn a_failing_hook_is_named_and_leaves_no_broken_tree() {
    let world = World::new();
    world.hook("post-checkout", "echo the hook is cross >&2; exit 7");
    let error = world.adapter().prepare(world.spec("T-1")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("post-checkout"), "{error}");
    assert!(error.why.contains("the hook is cross") && error.why.contains("exit 7"), "{error}");
    assert!(!world.place("T-1").exists());
    assert!(!world.list().contains("T-1"), "{}", world.list());
    world.hook("post-checkout", "exit 0");
    world.adapter().prepare(world.spec("T-1")).await.unwrap();
}

#[tokio::test]
async fn a_hook_that_waits_for_ever_is_ended_with_all_it_started() {
    let world = World::new();
    let child = world.root().join("child");
    world.hook("post-checkout", &format!("sleep 600 & echo $! > {}; cat; wait", child.display()));
    let error = world.hasty(4000).prepare(world.spec("T-1")).await.unwrap_err();
    assert!(error.why.contains("post-checkout") && error.why.contains("took longer"), "{error}");
    let pid = read(&world.root(), "child").trim().to_owned();
    let is_alive = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z ")
    };
    wait_for("the hook's child to end", || (!is_alive()).then_some(()), || pid.clone());
    assert!(!world.place("T-1").exists());
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let world = World::new();
    let mut spec = world.spec("T-1");
    spec.base = "no-such-branch".into();
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("no-such-branch"), "{error}");
    let mut spec = world.spec("T-1");
    spec.base = "--help".into();
    assert_eq!(world.adapter().prepare(spec).await.unwrap_err().kind, WorktreeTrouble::Setup);

    let empty = world.root().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut spec = world.spec("T-1");
    spec.repo = empty.clone();
    let error = world.adapter().prepare(spec.clone()).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    assert!(error.why.contains("not in a git repository"), "{error}");
    world.git_in(&empty, &["init", "-q"]);
    let error = world.adapter().prepare(spec).await.unwrap_err();
    assert!(error.why.contains("no commit yet"), "{error}");
}

#[tokio::test]
async fn the_variables_of_an_outer_git_lead_nowhere() {
    let world = World::new();
    let mut env = world.env();
    env.push(("GIT_CONFIG_COUNT".into(), "1".into()));
    env.push(("GIT_CONFIG_KEY_0".into(), "user.name".into()));
    env.push(("GIT_CONFIG_VALUE_0".into(), "From Outside".into()));
    let git = autodo::adapters::git::Git::new().with_env(env);
    let who = git.identity(&world.repo()).await.present().unwrap();
    assert_eq!(who, ("From Outside".to_owned(), "ann@example.com".to_owned()));
}

#[tokio::test]
async fn repositories_that_libgit2_cannot_open_work_as_well() {
    let config = "[user]\nname = Ann\nemail = ann@example.com\n";
    for init in [["--object-format=sha256"], ["--ref-format=reftable"]] {
        let world = World::with(config, &init);
        let git = world.adapter();
        let made = git.prepare(world.spec("T-1")).await.unwrap();
        let place = world.place("T-1");
        write(&place, "build.rs", "fn main() {}\n");
        let tip = world.commit_in(&place, "work");
        let seen =
            git.inspect(world.repo(), place.clone(), crate::support::git::id("T-1"), made.base_commit).await.unwrap();
        assert_eq!((seen.work.commits, seen.work.head), (1, tip), "{init:?}");
        assert_eq!(seen.files[0].note, "added, +1");
        assert_eq!(git.discover(&place).await.unwrap().head_branch.as_deref(), Some("autodo/T-1"));
    }
}
