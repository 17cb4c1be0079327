//! Repositories with very many worktrees: autodo registers one itself, and it is like any other.

use std::path::Path;

use autodo::{
    adapters::git::{Git, Limits},
    ports::worktrees::Worktrees,
};

use crate::support::git::{World, id, read, write};

/// The adapter, for which one worktree is many.
fn among_many(world: &World) -> Git {
    world.adapter().with_limits(Limits { worktrees: 0, ..Limits::default() })
}

/// True if autodo registered it: the checkout came from a branch that is not there.
fn is_own(world: &World, name: &str) -> bool {
    read(&world.repo(), &format!(".git/worktrees/{name}/logs/HEAD")).contains("autodo-unborn")
}

fn seen(world: &World, place: &Path) -> [String; 4] {
    let git = |args: &[&str]| world.git_in(place, args);
    [
        git(&["status", "--porcelain=v2", "--branch"]),
        git(&["ls-files", "--stage"]),
        git(&["rev-parse", "--is-inside-work-tree", "--git-common-dir"]),
        git(&["config", "--list", "--show-origin"]),
    ]
}

#[tokio::test]
async fn a_worktree_among_many_is_like_any_other() {
    let world = World::new();
    world.write("folder/ümläut.txt", "x\n");
    let base = world.commit("second");
    world.hook("post-checkout", "echo \"$* $(git symbolic-ref HEAD) $(git status --porcelain | wc -l)\" >>../hooks");
    let git = among_many(&world);
    // The first finds no other: git adds it.
    for ticket in ["T-1", "T-2"] {
        assert_eq!(git.prepare(world.spec(ticket)).await.unwrap().base_commit, base);
    }
    let is_made = |name: &str| read(&world.repo(), &format!(".git/worktrees/{name}/HEAD"));
    assert_eq!((is_made("T-1"), is_own(&world, "T-2")), ("ref: refs/heads/autodo/T-1\n".into(), true));
    let [one, two] = ["T-1", "T-2"].map(|ticket| seen(&world, &world.place(ticket)));
    assert_eq!(one.map(|text| text.replace("T-1", "T-2")), two);
    let told = read(&world.place(""), "hooks");
    let zeros = "0".repeat(40);
    assert_eq!(told.lines().next_back().unwrap(), format!("{zeros} {base} 1 refs/heads/autodo/T-2 0"), "{told}");
    assert_eq!(told.lines().count(), 2);
    assert!(!world.list().contains("locked"), "{}", world.list());
    world.git(&["fsck", "--strict"]);
    world.git(&["worktree", "prune"]);
    write(&world.place("T-2"), "more", "");
    let tip = world.commit_in(&world.place("T-2"), "work");
    assert_eq!(world.tip("autodo/T-2"), Some(tip));
    world.git(&["worktree", "remove", world.place("T-2").to_str().unwrap()]);
    assert!(!world.repo().join(".git/worktrees/T-2").exists());
}

#[tokio::test]
async fn a_folder_of_that_name_elsewhere_is_no_obstacle() {
    let world = World::new();
    let other = world.root().join("elsewhere/T-1");
    world.git(&["worktree", "add", "-q", "-b", "mine", other.to_str().unwrap()]);
    among_many(&world).prepare(world.spec("T-1")).await.unwrap();
    assert!(is_own(&world, "T-11"));
    assert_eq!(world.git_in(&world.place("T-1"), &["branch", "--show-current"]), "autodo/T-1");
    assert_eq!(world.git_in(&other, &["branch", "--show-current"]), "mine");
}

#[tokio::test]
async fn what_is_not_plain_is_left_to_git() {
    for (setting, value) in [
        ("extensions.worktreeConfig", "true"),
        ("core.sparseCheckout", "true"),
        ("core.sharedRepository", "group"),
        ("worktree.useRelativePaths", "true"),
    ] {
        let world = World::new();
        let git = among_many(&world);
        git.prepare(world.spec("T-1")).await.unwrap();
        world.git(&["config", setting, value]);
        git.prepare(world.spec("T-2")).await.unwrap();
        let log = world.repo().join(".git/worktrees/T-2/logs/HEAD");
        assert!(!std::fs::read_to_string(log).unwrap_or_default().contains("autodo-unborn"), "{setting}");
        assert_eq!(read(&world.place("T-2"), "README.md"), "hello\n");
    }
}

#[tokio::test]
async fn a_registration_that_was_killed_is_gone_through() {
    let world = World::new();
    let git = among_many(&world);
    git.prepare(world.spec("T-1")).await.unwrap();
    let base = world.git(&["rev-parse", "HEAD"]);
    for (ticket, has_folder, has_link) in [("T-2", false, false), ("T-3", true, false), ("T-4", true, true)] {
        world.git(&["update-ref", &format!("refs/autodo/base/{ticket}"), &base]);
        world.git(&["branch", &format!("autodo/{ticket}"), &base]);
        let (own, place) = (format!(".git/worktrees/{ticket}"), world.place(ticket));
        let shown = place.join(".git").to_str().unwrap().to_owned();
        for (file, text) in [
            ("locked", "autodo-creating"),
            ("HEAD", "ref: refs/heads/autodo-unborn\n"),
            ("commondir", "../..\n"),
            ("gitdir", &format!("{shown}\n")),
        ] {
            world.write(&format!("{own}/{file}"), text);
        }
        if has_folder {
            std::fs::create_dir_all(&place).unwrap();
        }
        if has_link {
            write(&place, ".git", &format!("gitdir: {}\n", world.repo().join(&own).display()));
            write(&place, "README.md", "hel");
        }
        git.prepare(world.spec(ticket)).await.unwrap_or_else(|e| panic!("{ticket}: {e:?}"));
        assert_eq!(read(&place, "README.md"), "hello\n", "{ticket}");
        assert_eq!(world.git_in(&place, &["status", "--porcelain", "--branch"]), format!("## autodo/{ticket}"));
        assert_eq!(git.inspect(world.repo(), place, id(ticket), base.clone()).await.unwrap().work.dirty, [""; 0]);
    }
}

#[tokio::test]
async fn a_hook_that_fails_among_many_is_said_and_leaves_nothing_half_made() {
    let world = World::new();
    let git = among_many(&world);
    git.prepare(world.spec("T-1")).await.unwrap();
    world.hook("post-checkout", "echo no server >&2; exit 3");
    let why = git.prepare(world.spec("T-2")).await.unwrap_err().why;
    assert!(why.contains("post-checkout hook failed") && why.contains("no server"), "{why}");
    world.hook("post-checkout", "exit 0");
    git.prepare(world.spec("T-2")).await.unwrap();
    assert_eq!(read(&world.place("T-2"), "README.md"), "hello\n");
}
