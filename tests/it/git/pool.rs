//! The warm pool: handed out clean and on the right commit, or not at all; whoever dies on the way leaves nothing behind.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use autodo::ports::worktrees::{WarmSpec, WorktreeSpec, Worktrees};

use crate::support::{
    PATIENCE,
    git::{World, id, read, write},
};

fn pooled(world: &World, ticket: &str, size: u32) -> WorktreeSpec {
    let mut spec = world.spec(ticket);
    spec.setup.pool = size;
    spec
}

fn warm_place(world: &World, k: u32) -> PathBuf {
    world.root().join("repo.worktrees").join(format!(".pool-{k}"))
}

/// The commits of the warm checkouts that can be handed out, by place.
fn ready(world: &World) -> Vec<String> {
    let list = world.list();
    let entries = list.split("\n\n").filter(|e| e.lines().any(|l| l == "locked autodo-pool"));
    entries.map(|e| e.lines().find_map(|l| l.strip_prefix("HEAD ")).unwrap().to_owned()).collect()
}

/// Waits until so many warm checkouts stand at HEAD and nothing is being made. The filling runs in this very runtime,
/// which must not be blocked meanwhile.
async fn until_warm(world: &World, count: usize) {
    let head = world.tip("HEAD").unwrap();
    let begun = Instant::now();
    loop {
        let ready = ready(world);
        if ready.len() == count && ready.iter().all(|c| *c == head) && !world.list().contains("-filling") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "no warm pool: {}", world.list());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_from_pool(world: &World, ticket: &str) -> bool {
    read(&world.place(ticket), ".git").contains("pool-")
}

/// A world whose pool of this size is warm, after the ticket T-0.
async fn warmed(size: u32) -> (World, autodo::adapters::git::Git) {
    let world = World::new();
    let git = world.adapter();
    git.prepare(pooled(&world, "T-0", size)).await.unwrap();
    assert!(!is_from_pool(&world, "T-0"));
    until_warm(&world, size as usize).await;
    (world, git)
}

#[tokio::test]
async fn a_warm_checkout_becomes_a_worktree_like_any_other() {
    let (world, git) = warmed(2).await;
    write(&world.repo(), "x.ignored", "copied");
    let mut spec = pooled(&world, "T-1", 2);
    spec.setup.copy = vec!["x.ignored".into()];
    spec.setup.setup = vec!["pwd > here.ignored".into()];
    let made = git.prepare(spec).await.unwrap();
    let place = world.place("T-1");
    assert!(is_from_pool(&world, "T-1"), "{}", world.list());
    assert_eq!(Some(made.base_commit), world.tip("main"));
    assert_eq!(world.git_in(&place, &["symbolic-ref", "HEAD"]), "refs/heads/autodo/T-1");
    assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "");
    assert_eq!(
        (read(&place, "x.ignored"), read(&place, "here.ignored")),
        ("copied".into(), format!("{}\n", place.display()))
    );
    assert!(!world.list().split("\n\n").any(|e| e.contains("/T-1\n") && e.contains("locked")), "{}", world.list());
    until_warm(&world, 2).await;
    // It is a worktree as any other: work, look, clean.
    write(&place, "work", "1\n");
    world.commit_in(&place, "work");
    world.git(&["merge", "-q", "autodo/T-1"]);
    git.remove_worktree(&world.repo(), &place, &id("T-1"), "main", false).await.unwrap();
    assert!(!place.exists());
}

#[tokio::test]
async fn the_pool_follows_the_base() {
    let (world, git) = warmed(2).await;
    world.write("later", "1");
    world.write("README.md", "changed");
    let later = world.commit("the base moves");
    let made = git.prepare(pooled(&world, "T-1", 2)).await.unwrap();
    assert!(is_from_pool(&world, "T-1"));
    assert_eq!(made.base_commit, later);
    assert_eq!(
        (read(&world.place("T-1"), "later"), read(&world.place("T-1"), "README.md")),
        ("1".into(), "changed".into())
    );
    until_warm(&world, 2).await;
    assert_eq!(read(&warm_place(&world, 2), "later"), "1");
}

#[tokio::test]
async fn a_checkout_that_somebody_touched_is_never_handed_out_nor_removed() {
    type Touch = fn(&World, PathBuf);
    let touches: [Touch; 4] = [
        |_, p| write(&p, "README.md", "changed"),
        |_, p| write(&p, "new file", "1"),
        |_, p| write(&p, "node_modules/m", "ignored"),
        |world, p| {
            write(&p, "work", "1");
            world.commit_in(&p, "work on no branch");
        },
    ];
    for touch in touches {
        let (world, git) = warmed(1).await;
        touch(&world, warm_place(&world, 1));
        git.prepare(pooled(&world, "T-1", 1)).await.unwrap();
        assert!(!is_from_pool(&world, "T-1"));
        let folder = world.root().join("repo.worktrees");
        let begun = Instant::now();
        let removed = loop {
            match git.empty_pool(&world.repo(), &folder).await {
                Ok(removed) => break removed,
                // The filling after T-1 has not ended.
                Err(why) => assert!(begun.elapsed() < PATIENCE, "{why}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(removed, Vec::<PathBuf>::new());
        let (ready, touched) = git.warm(&world.repo(), &folder).await.unwrap();
        assert_eq!((ready.len(), touched), (0, vec![warm_place(&world, 1)]));
    }
}

#[tokio::test]
async fn two_tickets_never_get_the_same_checkout() {
    let (world, git) = warmed(2).await;
    let other = world.adapter();
    let (a, b, c) = tokio::join!(
        git.prepare(pooled(&world, "A", 2)),
        other.prepare(pooled(&world, "B", 2)),
        git.prepare(pooled(&world, "C", 2)),
    );
    for made in [a, b, c] {
        made.unwrap();
    }
    for ticket in ["A", "B", "C"] {
        let on = world.git_in(&world.place(ticket), &["symbolic-ref", "HEAD"]);
        assert_eq!(on, format!("refs/heads/autodo/{ticket}"));
        assert_eq!(world.git_in(&world.place(ticket), &["status", "--porcelain"]), "");
    }
}

#[tokio::test]
async fn a_pool_is_as_sparse_as_the_checkout() {
    let (world, git) = warmed(1).await;
    world.write("app/x", "1");
    world.commit("app");
    world.git(&["sparse-checkout", "set", "--cone", "other"]);
    git.prepare(pooled(&world, "T-1", 1)).await.unwrap();
    assert!(!is_from_pool(&world, "T-1"), "the warm one is not sparse");
    assert!(!world.place("T-1").join("app").exists());
    until_warm(&world, 1).await;
    git.prepare(pooled(&world, "T-2", 1)).await.unwrap();
    assert!(is_from_pool(&world, "T-2") && !world.place("T-2").join("app").exists());
}

/// The states that a process which dies while it draws leaves behind, made by hand, in order.
#[tokio::test]
async fn whoever_dies_while_drawing_leaves_a_state_that_is_gone_through() {
    for state in ["locked", "registered", "moved", "switched"] {
        let (world, git) = warmed(1).await;
        let (warm, place) = (warm_place(&world, 1), world.place("T-1"));
        let base = world.tip("main").unwrap();
        world.git(&["update-ref", "refs/autodo/base/T-1", &base]);
        world.git(&["branch", "autodo/T-1", &base]);
        let own = PathBuf::from(world.git_in(&warm, &["rev-parse", "--absolute-git-dir"]));
        std::fs::write(own.join("locked"), "autodo-creating").unwrap();
        if state != "locked" {
            std::fs::write(own.join("gitdir"), format!("{}\n", place.join(".git").display())).unwrap();
        }
        if ["moved", "switched"].contains(&state) {
            std::fs::rename(&warm, &place).unwrap();
        }
        if state == "switched" {
            world.git_in(&place, &["checkout", "-q", "autodo/T-1"]);
        }
        git.prepare(pooled(&world, "T-1", 1)).await.unwrap_or_else(|e| panic!("{state}: {e}"));
        assert_eq!(world.git_in(&place, &["symbolic-ref", "HEAD"]), "refs/heads/autodo/T-1", "{state}");
        assert_eq!(world.git_in(&place, &["status", "--porcelain"]), "", "{state}");
        until_warm(&world, 1).await;
        assert!(!world.list().contains("autodo-creating"), "{state}: {}", world.list());
        let git_folders = std::fs::read_dir(world.repo().join(".git/worktrees")).unwrap().count();
        assert_eq!(git_folders, 3, "{state}: T-0, T-1 and the warm one");
    }
}

#[tokio::test]
async fn a_half_made_checkout_of_a_dead_process_is_made_again() {
    let world = World::new();
    let warm = warm_place(&world, 1);
    let add = ["worktree", "add", "-q", "--detach", "--lock", "--reason", "autodo-pool-filling"];
    world.git(&[&add[..], &[warm.to_str().unwrap(), "HEAD"]].concat());
    std::fs::remove_file(world.repo().join(".git/worktrees/-pool-1/index"))
        .or_else(|_| {
            let own = world.git_in(&warm, &["rev-parse", "--absolute-git-dir"]);
            std::fs::remove_file(PathBuf::from(own).join("index"))
        })
        .unwrap();
    std::fs::remove_file(warm.join("README.md")).unwrap();
    let git = world.adapter();
    git.prepare(pooled(&world, "T-1", 1)).await.unwrap();
    assert!(!is_from_pool(&world, "T-1"));
    until_warm(&world, 1).await;
    assert_eq!(read(&warm, "README.md"), "hello\n");
}

#[tokio::test]
async fn the_pool_is_emptied_on_a_word_and_never_filled_without_one() {
    let (world, git) = warmed(2).await;
    let folder = world.root().join("repo.worktrees");
    let removed = git.empty_pool(&world.repo(), &folder).await.unwrap();
    assert_eq!(removed, [warm_place(&world, 1), warm_place(&world, 2)]);
    assert!(!warm_place(&world, 1).exists() && !world.list().contains("pool"));
    git.prepare(pooled(&world, "T-1", 0)).await.unwrap();
    assert!(world.place("T-0").exists() && ready(&world).is_empty());
}

/// What a supervisor asks for while nothing is to be done.
fn idle(world: &World, size: u32, base: String, target: Option<&str>) -> WarmSpec {
    let folder = world.root().join("repo.worktrees");
    WarmSpec { repo: world.repo(), folder, size, base, target: target.map(str::to_owned) }
}

#[tokio::test]
async fn a_pool_is_filled_before_any_ticket_and_outlives_the_process() {
    let world = World::new();
    let base = world.tip("main").unwrap();
    let first = world.adapter();
    first.keep_warm(idle(&world, 2, base, Some("main")));
    assert!(first.is_warming());
    until_warm(&world, 2).await;
    drop(first);
    let git = world.adapter();
    git.prepare(pooled(&world, "T-1", 2)).await.unwrap();
    assert!(is_from_pool(&world, "T-1"), "{}", world.list());
}

#[tokio::test]
async fn an_idle_pool_follows_its_branch_and_never_goes_back() {
    let (world, git) = warmed(2).await;
    let base = world.tip("main").unwrap();
    world.write("later", "1");
    let later = world.commit("the branch moves");
    let begun = Instant::now();
    while git.is_warming() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    git.keep_warm(idle(&world, 2, base.clone(), Some("main")));
    until_warm(&world, 2).await;
    assert_eq!(read(&warm_place(&world, 1), "later"), "1");
    // A ticket that was accepted before the branch moved takes one: what comes after it starts from the branch.
    let begun = Instant::now();
    while git.is_warming() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut old = pooled(&world, "T-1", 2);
    old.base = base.clone();
    let made = git.prepare(old).await.unwrap();
    assert!(is_from_pool(&world, "T-1"));
    assert_eq!(made.base_commit, base);
    assert!(!world.place("T-1").join("later").exists());
    until_warm(&world, 2).await;
    assert_eq!(ready(&world), [later.clone(), later]);
}
