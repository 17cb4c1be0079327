//! Repositories as people have them: submodules, LFS, sparse and partial clones, bare ones, odd places.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use autodo::{
    adapters::git::Git,
    domain::event::WorktreeTrouble,
    ports::worktrees::{WorktreeSpec, Worktrees},
};

use crate::support::git::{World, id, read, write};

const LOCAL: &[&str] = &["-c", "protocol.file.allow=always"];

/// Runs git with local submodules allowed.
fn local(world: &World, dir: &Path, args: &[&str]) -> String {
    world.git_in(dir, &[LOCAL, args].concat())
}

/// A world whose repository has the submodule `libs/ä b` (named `my lib`), and in it the submodule `nested`; the
/// repositories that they came from are gone.
fn with_submodules() -> World {
    let world = World::new();
    let at = |name: &str| world.root().join(name);
    for name in ["inner", "lib"] {
        std::fs::create_dir(at(name)).unwrap();
        world.git_in(&at(name), &["init", "-q", "-b", "main"]);
        write(&at(name), "f", name);
        world.commit_in(&at(name), "first");
    }
    local(&world, &at("lib"), &["submodule", "--quiet", "add", "../inner", "nested"]);
    world.commit_in(&at("lib"), "nested");
    local(&world, &world.repo(), &["submodule", "--quiet", "add", "--name", "my lib", "../lib", "libs/ä b"]);
    local(&world, &world.repo(), &["submodule", "--quiet", "update", "--init", "--recursive"]);
    world.commit("submodules");
    for name in ["inner", "lib"] {
        std::fs::rename(at(name), at(&format!("{name}.gone"))).unwrap();
    }
    world
}

#[tokio::test]
async fn submodules_come_from_the_clones_of_the_checkout_without_their_remotes() {
    let world = with_submodules();
    let config = read(&world.repo(), ".git/config");
    let made = world.adapter().prepare(world.spec("T")).await.unwrap();
    assert_eq!(made.notes, Vec::<String>::new());
    let module = world.place("T").join("libs/ä b");
    assert_eq!((read(&module, "f"), read(&module, "nested/f")), ("lib".into(), "inner".into()));
    assert_eq!(world.git_in(&world.place("T"), &["status", "--porcelain"]), "");
    let real = world.git_in(&world.repo().join("libs/ä b"), &["remote", "get-url", "origin"]);
    assert_eq!(world.git_in(&module, &["remote", "get-url", "origin"]), real, "an agent pushes where a person does");
    assert_eq!(read(&world.repo(), ".git/config"), config, "the user's settings are as before");
    world.adapter().remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", false).await.unwrap();
    assert!(!world.place("T").exists() && !world.list().contains("/T"), "{}", world.list());
}

#[tokio::test]
async fn a_submodule_that_the_checkout_lacks_is_left_and_said_and_a_setting_leaves_all() {
    let world = with_submodules();
    world.git(&["submodule", "--quiet", "deinit", "--all"]);
    std::fs::remove_dir_all(world.repo().join(".git/modules")).unwrap();
    let made = world.adapter().prepare(world.spec("T")).await.unwrap();
    assert!(made.notes[0].contains("libs/ä b is not checked out"), "{made:?}");
    assert!(!world.place("T").join("libs/ä b/.git").exists());

    let world = with_submodules();
    let mut spec = world.spec("T");
    spec.setup.submodules = Some(false);
    let made = world.adapter().prepare(spec).await.unwrap();
    assert!(made.notes[0].contains("worktree.submodules"), "{made:?}");
    assert!(!world.place("T").join("libs/ä b/.git").exists());
}

#[tokio::test]
async fn a_submodule_whose_commit_is_nowhere_blocks_with_what_to_do() {
    let world = with_submodules();
    let unknown = "0123456789012345678901234567890123456789";
    world.git(&["update-index", "--cacheinfo", &format!("160000,{unknown},libs/ä b")]);
    world.git(&["commit", "-q", "-m", "a commit that nobody has"]);
    let error = world.adapter().prepare(world.spec("T")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Setup);
    for said in ["libs/ä b", unknown, "its remote was asked", "worktree.submodules"] {
        assert!(error.why.contains(said), "{said}: {error}");
    }
    // Mended, it goes on where it stopped.
    let mut spec = world.spec("T");
    spec.setup.submodules = Some(false);
    world.adapter().prepare(spec).await.unwrap();
}

#[tokio::test]
async fn a_clone_of_a_submodule_that_was_killed_half_way_is_made_again() {
    let world = with_submodules();
    let place = world.place("T");
    world.git(&["update-ref", "refs/autodo/base/T", "HEAD"]);
    let lock = ["--lock", "--reason", "autodo-creating"];
    world.git(&[&["worktree", "add", "-q"], &lock[..], &["-b", "autodo/T", place.to_str().unwrap()]].concat());
    write(&world.repo(), ".git/worktrees/T/modules/my lib/HEAD", "ref: ");
    write(&place, "libs/ä b/.git", "gitdir: ../../../repo/.git/worktrees/T/modules/my lib");
    world.adapter().prepare(world.spec("T")).await.unwrap();
    assert_eq!(read(&place, "libs/ä b/nested/f"), "inner");
}

#[tokio::test]
async fn commits_in_a_submodule_that_nobody_else_holds_are_not_removed() {
    let world = with_submodules();
    let git = world.adapter();
    git.prepare(world.spec("T")).await.unwrap();
    let module = world.place("T").join("libs/ä b");
    world.git_in(&module, &["switch", "-q", "-c", "work"]);
    write(&module, "new", "x");
    let tip = world.commit_in(&module, "work in the submodule");
    world.commit_in(&world.place("T"), "moved the submodule");
    world.git(&["merge", "-q", "autodo/T"]);
    for rescue in [false, true] {
        let removed = git.remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", rescue).await;
        let why = removed.unwrap_err().to_string();
        assert!(why.contains("libs/ä b") && why.contains(&tip), "{why}");
    }
    assert!(module.join("new").exists());
    local(&world, &world.repo().join("libs/ä b"), &["fetch", "-q", module.to_str().unwrap(), "work:work"]);
    git.remove_worktree(&world.repo(), &world.place("T"), &id("T"), "main", false).await.unwrap();
}

#[tokio::test]
async fn without_its_program_the_pointers_of_lfs_stay_and_that_is_said() {
    let world = World::new();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    world.write("big.bin", pointer);
    world.write("other.bin", pointer);
    world.commit("pointers");
    world.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    world.commit("attributes");
    // As `git lfs install` leaves it, on a machine from which the program has gone.
    for (key, value) in
        [("process", "git-lfs filter-process"), ("smudge", "git-lfs smudge -- %f"), ("required", "true")]
    {
        world.git(&["config", &format!("filter.lfs.{key}"), value]);
    }
    // A PATH on which there is no git-lfs, whatever this machine has.
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for tool in ["git", "sh"] {
        let dirs = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&dirs).map(|dir| dir.join(tool)).find(|file| file.exists()).unwrap();
        std::os::unix::fs::symlink(real, bin.join(tool)).unwrap();
    }
    let git = Git::new().with_env(world.env().into_iter().chain([("PATH".into(), bin.into_os_string())]));
    let made = git.prepare(world.spec("T")).await.unwrap();
    assert!(made.notes[0].contains("2 files are Git LFS pointers"), "{made:?}");
    assert!(made.notes[0].contains("not installed"), "{made:?}");
    assert_eq!(read(&world.place("T"), "big.bin"), pointer);
    // Touched, so that git has to look into it.
    write(&world.place("T"), "big.bin", pointer);
    let seen = git.inspect(world.repo(), world.place("T"), id("T"), made.base_commit).await.unwrap();
    assert_eq!(seen.work.dirty, Vec::<String>::new());
}

#[tokio::test]
async fn with_its_program_lfs_fills_the_worktree() {
    let world = World::new();
    let bin = world.root().join("bin");
    // Stands for git-lfs: it knows one object.
    let script = "#!/bin/sh\nif [ \"$1\" = smudge ]; then cat > /dev/null; printf content; else exit 0; fi\n";
    write(&bin, "git-lfs", script);
    std::fs::set_permissions(bin.join("git-lfs"), std::fs::Permissions::from_mode(0o755)).unwrap();
    world.write("big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n");
    world.commit("pointer");
    world.write(".gitattributes", "*.bin filter=lfs\n");
    world.commit("attributes");
    world.git(&["config", "filter.lfs.smudge", "git-lfs smudge -- %f"]);
    let mut path = bin.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let git = Git::new().with_env(world.env().into_iter().chain([("PATH".into(), path)]));
    let made = git.prepare(world.spec("T")).await.unwrap();
    assert_eq!(read(&world.place("T"), "big.bin"), "content");
    assert_eq!(made.notes, Vec::<String>::new());
}

#[tokio::test]
async fn a_sparse_checkout_gets_sparse_worktrees() {
    for patterns in [&["set", "--cone", "app"][..], &["set", "--no-cone", "/app/", "/README.md"]] {
        let world = World::new();
        world.write("app/main", "1");
        world.write("huge/file", "1");
        world.commit("more");
        world.git(&[&["sparse-checkout"], patterns].concat());
        let git = world.adapter();
        let base = git.prepare(world.spec("T")).await.unwrap().base_commit;
        let place = world.place("T");
        assert!(place.join("app/main").exists() && !place.join("huge").exists(), "{patterns:?}");
        write(&place, "app/main", "2");
        write(&place, "huge/new", "out of the patterns");
        let removal = git.remove_worktree(&world.repo(), &place, &id("T"), "main", true).await.unwrap();
        let name = removal.rescue.unwrap();
        assert_eq!(world.git(&["show", &format!("{name}:app/main")]), "2");
        assert_eq!(world.git(&["show", &format!("{name}:huge/new")]), "out of the patterns");
        assert_eq!(world.git(&["diff", "--name-only", &base, &name]), "app/main\nhuge/new", "nothing is deleted");
    }
}

/// A clone of the world's repository that lacks the content of all but the newest files; returns its place.
fn partial_clone(world: &World) -> std::path::PathBuf {
    let place = world.root().join("partial");
    world.write("big", "first");
    world.commit("one");
    world.write("big", "second");
    world.commit("two");
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", world.repo().display());
    world.git_in(&world.root(), &["clone", "-q", "--filter=blob:none", &from, place.to_str().unwrap()]);
    place
}

#[tokio::test]
async fn a_partial_clone_works_offline_as_far_as_its_objects_go() {
    let world = World::new();
    let clone = partial_clone(&world);
    std::fs::rename(world.repo(), world.root().join("offline")).unwrap();
    let git = world.adapter();
    let spec =
        |ticket: &str, base: &str| WorktreeSpec { repo: clone.clone(), base: base.to_owned(), ..world.spec(ticket) };
    let made = git.prepare(spec("T", "HEAD")).await.unwrap();
    assert_eq!(read(&world.place("T"), "big"), "second");
    write(&world.place("T"), "work", "1\n");
    world.commit_in(&world.place("T"), "work");
    let seen = git.inspect(clone.clone(), world.place("T"), id("T"), made.base_commit).await.unwrap();
    assert_eq!((seen.work.commits, seen.files.len()), (1, 1));

    let error = git.prepare(spec("U", "HEAD^")).await.unwrap_err();
    assert_eq!(error.kind, WorktreeTrouble::Passing, "the remote may come back");
    assert!(error.why.contains("partial clone") && error.why.contains("could not be asked"), "{error}");
    assert!(!world.place("U").exists());
    std::fs::rename(world.root().join("offline"), world.repo()).unwrap();
    git.prepare(spec("U", "HEAD^")).await.unwrap();
    assert_eq!(read(&world.place("U"), "big"), "first");
}

#[tokio::test]
async fn a_linked_worktree_and_a_bare_repository_have_worktrees_like_any_other() {
    let world = World::new();
    let linked = world.root().join("linked");
    world.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    write(&linked, "only here", "1");
    let tip = world.commit_in(&linked, "side");
    write(&linked, "x.ignored", "mine");
    write(&linked, ".worktreeinclude", "*.ignored\n");
    let bare = world.root().join("bare.git");
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let git = world.adapter();
    let of_linked = WorktreeSpec { repo: linked.clone(), ..world.spec("L") };
    assert_eq!(git.prepare(of_linked).await.unwrap().base_commit, tip);
    assert_eq!(read(&world.place("L"), "x.ignored"), "mine");
    let mut of_bare = WorktreeSpec { repo: bare.clone(), ..world.spec("B") };
    of_bare.setup.copy = vec![".env".into()];
    let made = git.prepare(of_bare).await.unwrap();
    assert!(made.notes[0].contains("bare"), "{made:?}");
    for (repo, ticket, target) in [(&linked, "L", "side"), (&bare, "B", "main")] {
        let place = world.place(ticket);
        write(&place, "work", "1\n");
        world.commit_in(&place, "work");
        let seen = git.inspect(repo.clone(), place.clone(), id(ticket), "HEAD".into()).await.unwrap();
        assert_eq!(seen.work.commits, 1);
        assert!(git.remove_worktree(repo, &place, &id(ticket), target, false).await.is_err());
        let removed = git.remove_worktree(repo, &place, &id(ticket), target, true).await.unwrap();
        assert!(removed.worktree && removed.branch_tip.is_some(), "{removed:?}");
    }
    assert!(linked.join("only here").exists());
}

#[tokio::test]
async fn spaces_and_other_letters_in_paths_go_all_the_way() {
    let world = World::new();
    let repo = world.root().join("mein Projekt ä");
    world.git(&["clone", "-q", ".", repo.to_str().unwrap()]);
    write(&repo, ".worktreeinclude", "geheim/*\n!geheim/nicht\n");
    write(&repo, ".gitignore", "geheim/\n");
    write(&repo, "geheim/schlüssel 1", "k");
    write(&repo, "geheim/nicht", "n");
    let mut spec =
        WorktreeSpec { repo: repo.clone(), path: world.root().join("mein Projekt ä.worktrees/T"), ..world.spec("T") };
    spec.setup.symlink = vec!["große Dat*".into()];
    spec.setup.setup = vec!["pwd > hier.ignored".into()];
    write(&repo, "große Daten/x", "1");
    let git = world.adapter();
    let made = git.prepare(spec.clone()).await.unwrap();
    assert_eq!(read(&spec.path, "geheim/schlüssel 1"), "k");
    assert!(!spec.path.join("geheim/nicht").exists());
    assert_eq!(read(&spec.path, "große Daten/x"), "1");
    assert_eq!(read(&spec.path, "hier.ignored").trim(), spec.path.to_str().unwrap());
    let seen = git.inspect(repo.clone(), spec.path.clone(), id("T"), made.base_commit.clone()).await.unwrap();
    assert_eq!(seen.work.dirty, Vec::<String>::new(), "{made:?}");
    write(&spec.path, "Übung 1.txt", "neu");
    let removed = git.remove_worktree(&repo, &spec.path, &id("T"), "main", true).await.unwrap();
    let shown = world.git_in(&repo, &["show", &format!("{}:Übung 1.txt", removed.rescue.unwrap())]);
    assert_eq!(shown, "neu");
    assert!(repo.join("große Daten/x").exists() && repo.join("geheim/schlüssel 1").exists());
}

#[tokio::test]
async fn a_worktree_may_lie_on_another_file_system() {
    let world = World::new();
    // A tmpfs wherever there is one; elsewhere this is one more folder, and the test holds as well.
    let shm = Path::new("/dev/shm");
    let other = if shm.is_dir() { tempfile::tempdir_in(shm).unwrap() } else { tempfile::tempdir().unwrap() };
    if cfg!(target_os = "linux") {
        let device = |path: &Path| std::fs::metadata(path).unwrap().dev();
        assert_ne!(device(other.path()), device(&world.root()), "the test shows nothing on one file system");
    }
    let mut spec = WorktreeSpec { path: other.path().canonicalize().unwrap().join("T"), ..world.spec("T") };
    write(&world.repo(), "x.ignored", "1");
    write(&world.repo(), "node_modules/m", "1");
    (spec.setup.copy, spec.setup.symlink) = (vec!["x.ignored".into()], vec!["node_modules".into()]);
    let git = world.adapter();
    let made = git.prepare(spec.clone()).await.unwrap();
    assert_eq!((read(&spec.path, "x.ignored"), read(&spec.path, "node_modules/m")), ("1".into(), "1".into()));
    write(&spec.path, "work", "1\n");
    world.commit_in(&spec.path, "work");
    let seen = git.inspect(world.repo(), spec.path.clone(), id("T"), made.base_commit).await.unwrap();
    assert_eq!((seen.work.commits, seen.work.dirty), (1, vec![]));
    let removed = git.remove_worktree(&world.repo(), &spec.path, &id("T"), "main", true).await.unwrap();
    assert!(removed.rescue.is_some() && !spec.path.exists());
}

#[tokio::test]
async fn hooks_and_set_up_commands_have_no_terminal_to_ask_on() {
    let world = World::new();
    let said = world.root().join("said");
    // Session and process are one: whoever leads a session that nobody gave a terminal has none.
    world.hook("post-checkout", &format!("cut -d' ' -f6,7 /proc/$PPID/stat > {}; exec < /dev/tty", said.display()));
    let error = world.adapter().prepare(world.spec("T")).await.unwrap_err();
    assert!(error.why.contains("post-checkout") && error.why.contains("/dev/tty"), "{error}");
    let (session, terminal) =
        read(&world.root(), "said").trim().split_once(' ').map(|(s, t)| (s.to_owned(), t.to_owned())).unwrap();
    let ours = nix::unistd::getsid(None).unwrap().to_string();
    assert_ne!(session, ours);
    assert_eq!(terminal, "0");
}
