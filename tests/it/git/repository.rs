//! Questions about a repository.

use autodo::{
    adapters::git::{Git, GitError},
    domain::observed::Observed,
    ports::worktrees::Worktrees,
};

use crate::support::git::{World, id, write};

#[tokio::test]
async fn a_repository_is_found_from_any_folder_in_it() {
    let world = World::new();
    world.write("sub/dir/x", "");
    let repo = world.adapter().discover(&world.repo().join("sub/dir")).await.unwrap();
    assert_eq!((repo.root.clone(), repo.main_root, repo.is_bare), (world.repo(), world.repo(), false));
    assert_eq!(repo.common_dir, world.repo().join(".git"));
    assert_eq!((repo.head_branch.as_deref(), repo.head_commit), (Some("main"), world.tip("HEAD")));
    assert_eq!(repo.dirty, ["sub/dir/x"]);
    assert_eq!(repo.remote_default, None);
    world.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    let repo = world.adapter().discover(&world.repo()).await.unwrap();
    assert_eq!(repo.remote_default.as_deref(), Some("origin/main"));
}

#[tokio::test]
async fn a_linked_worktree_knows_its_main_checkout() {
    let world = World::new();
    world.adapter().prepare(world.spec("T")).await.unwrap();
    let repo = world.adapter().discover(&world.place("T")).await.unwrap();
    assert_eq!((repo.root, repo.main_root), (world.place("T"), world.repo()));
    assert_eq!(repo.common_dir, world.repo().join(".git"));
    assert_eq!(repo.head_branch.as_deref(), Some("autodo/T"));
}

#[tokio::test]
async fn bare_empty_and_missing_repositories_are_told_apart() {
    let world = World::new();
    let git = world.adapter();
    let at = |name: &str| world.root().join(name);
    world.git(&["clone", "-q", "--bare", ".", at("bare").to_str().unwrap()]);
    let bare = git.discover(&at("bare")).await.unwrap();
    assert!(bare.is_bare && bare.head_commit.is_some(), "{bare:?}");
    world.git(&["init", "-q", "-b", "trunk", at("empty").to_str().unwrap()]);
    let empty = git.discover(&at("empty")).await.unwrap();
    assert_eq!((empty.head_commit, empty.head_branch.as_deref()), (None, Some("trunk")));
    assert!(matches!(git.discover(&at("home")).await, Err(GitError::NotARepository(_))));
    assert!(matches!(git.discover(&at("nowhere")).await, Err(GitError::NoFolder(_))));
    world.git(&["checkout", "-q", "--detach"]);
    assert_eq!(git.discover(&world.repo()).await.unwrap().head_branch, None);
}

#[tokio::test]
async fn an_identity_that_git_makes_up_does_not_count() {
    let world = World::with("", &[]);
    assert_eq!(world.adapter().identity(&world.repo()).await, Observed::Absent);
    world.git(&["config", "user.name", "Ann of <x"]);
    assert_eq!(world.adapter().identity(&world.repo()).await, Observed::Absent);
    world.git(&["config", "user.name", "Ann"]);
    world.git(&["config", "user.email", "ann@x"]);
    let who = world.adapter().identity(&world.repo()).await;
    assert_eq!(who, Observed::Present(("Ann".to_owned(), "ann@x".to_owned())));
    world.git(&["config", "--file", ".git/config", "user.name", "Bo"]);
    write(&world.repo(), ".git/config", "[broken");
    assert!(matches!(world.adapter().identity(&world.repo()).await, Observed::Unknown(_)));
}

#[tokio::test]
async fn signing_and_hooks_are_seen_wherever_they_are_configured() {
    let world = World::new();
    let git = world.adapter();
    assert_eq!(git.signing(&world.repo()).await, Observed::Absent);
    world.git(&["config", "commit.gpgSign", "on"]);
    assert_eq!(git.signing(&world.repo()).await, Observed::Present("openpgp".into()));
    world.git(&["config", "gpg.format", "ssh"]);
    assert_eq!(git.signing(&world.repo()).await, Observed::Present("ssh".into()));
    assert_eq!(git.hooks(&world.repo()).await.unwrap(), Vec::<String>::new());
    world.hook("pre-commit", "");
    world.hook("helper", "");
    write(&world.repo(), ".git/hooks/pre-push", "not executable");
    assert_eq!(git.hooks(&world.repo()).await.unwrap(), ["pre-commit"]);
    world.git(&["config", "core.hooksPath", ".husky"]);
    assert_eq!(git.hooks(&world.repo()).await.unwrap(), Vec::<String>::new());
    std::fs::rename(world.repo().join(".git/hooks"), world.repo().join(".husky")).unwrap();
    assert_eq!(git.hooks(&world.repo()).await.unwrap(), ["pre-commit"]);
}

#[tokio::test]
async fn tips_and_containment_tell_absent_from_unknown() {
    let world = World::new();
    let git = world.adapter();
    let (repo, base) = (world.repo(), world.tip("HEAD").unwrap());
    assert_eq!(git.tip(repo.clone(), id("T")).await, Observed::Absent);
    git.prepare(world.spec("T")).await.unwrap();
    assert_eq!(git.tip(repo.clone(), id("T")).await, Observed::Present(base.clone()));
    write(&world.place("T"), "x", "");
    let tip = world.commit_in(&world.place("T"), "x");
    let contains = |target: &str, commit: &str| git.contains(repo.clone(), target.to_owned(), commit.to_owned());
    assert_eq!(contains("main", &base).await, Observed::Present(true));
    assert_eq!(contains("main", &tip).await, Observed::Present(false));
    assert_eq!(contains("autodo/T", &base).await, Observed::Present(true));
    assert_eq!(contains("nope", &base).await, Observed::Absent);
    let unknown = "0123456789012345678901234567890123456789";
    assert!(matches!(contains("main", unknown).await, Observed::Unknown(_)));
    let nowhere = world.root().join("home");
    assert!(matches!(git.tip(nowhere, id("T")).await, Observed::Unknown(_)));
}

#[tokio::test]
async fn diffs_are_made_for_people() {
    let world = World::new();
    let base = world.tip("HEAD").unwrap();
    world.write("README.md", "hello\nworld\n");
    let head = world.commit("more");
    let git = world.adapter();
    let plain = git.diff(&world.repo(), &base, &head, false, false).await.unwrap();
    assert!(plain.contains("\n+world\n") && !plain.contains('\x1b'), "{plain}");
    assert!(git.diff(&world.repo(), &base, &head, true, false).await.unwrap().contains("\x1b[32m"));
    let stat = git.diff(&world.repo(), &base, &head, false, true).await.unwrap();
    assert!(stat.contains("README.md | 1 +"), "{stat}");
    assert!(git.diff(&world.repo(), "--output=x", &head, false, false).await.is_err());
}

#[tokio::test]
async fn the_version_is_read_and_a_missing_git_is_absent() {
    let Observed::Present(version) = Git::new().version().await else { panic!("no git") };
    assert!(version.starts_with("2."), "{version}");
    let world = World::new();
    let nowhere = vec![("PATH".into(), world.root().join("home").into_os_string())];
    assert_eq!(Git::new().with_env(nowhere).version().await, Observed::Absent);
}
