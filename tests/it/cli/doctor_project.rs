//! `autodo doctor` in a project: its settings, hooks, signing, agents, worktrees.

use std::os::unix::fs::PermissionsExt;

use super::{
    doctor::{check, told},
    install, lean, profile_text, user_profile,
};
use crate::support::{files::files_below, program::Run, repo::Repo, world::World};

const TOOLS: &[&str] = &["git", "sh", "tmux", "cat"];

fn look(world: &World, repo: &Repo) -> Run {
    world.autodo_in(repo, &["doctor", "--json"])
}

fn hook(repo: &Repo, name: &str, text: &str, mode: u32) {
    let file = repo.write(&format!(".git/hooks/{name}"), text);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_project_that_is_set_up_has_nothing_to_mend() {
    let world = World::new();
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = [\"true\"]\n");
    let run = look(&world, &repo).ok();
    for name in ["project", "signing", "hooks", "worktrees", "agent:script"] {
        assert_eq!(check(&run, name)["status"], "ok", "{}", run.both());
    }
    assert!(told(&run, "worktrees").1.ends_with("/r.worktrees"), "{}", run.both());
    assert!(!world.root().join("r.worktrees").exists(), "doctor made the folder of the worktrees");
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? .autodo/");
}

#[test]
fn what_a_project_has_not_said_is_asked_for() {
    let world = World::new();
    let repo = world.repo("r");
    assert!(told(&look(&world, &repo).ok(), "project").2.contains("autodo init"));
    repo.settings("version = 1\n");
    let (status, _, fix) = told(&look(&world, &repo).ok(), "project");
    assert!(status == "warn" && fix.contains("checks = []"), "{fix}");
    repo.settings("version = 1\nchecks = []\n");
    assert!(told(&look(&world, &repo).ok(), "project").1.ends_with("checks: none"));
    repo.settings("parallel = 0\n");
    let (status, detail, _) = told(&look(&world, &repo).code(1), "project");
    assert!(status == "fail" && detail.contains("config.toml:1:12"), "{detail}");
    world.program("git", &["init", "--quiet", "fresh"]).run().ok();
    let fresh = world.autodo_in(world.root().join("fresh"), &["doctor", "--json"]).code(1);
    assert!(told(&fresh, "project").2.contains("--allow-empty"));
}

#[test]
fn signing_that_needs_a_person_is_a_failure_and_leaves_no_object() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    repo.git(&["config", "commit.gpgsign", "true"]);
    repo.git(&["config", "gpg.program", world.root().join("bin/signer").to_str().unwrap()]);
    let objects = || files_below(&repo.path.join(".git/objects"));
    let before = objects();
    install(&world, "signer", "echo 'gpg: signing failed: Inappropriate ioctl for device' >&2; exit 2");
    let (status, detail, fix) = told(&look(&world, &repo).code(1), "signing");
    assert!(status == "fail" && detail.contains("Inappropriate ioctl"), "{detail}");
    assert!(fix.contains("gpgsign false"), "{fix}");
    let signature = "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----";
    install(
        &world,
        "signer",
        &format!("cat >/dev/null; echo '[GNUPG:] SIG_CREATED D 1 2 3' >&2; printf '%s\\n' '{signature}'"),
    );
    let run = look(&world, &repo).ok();
    assert_eq!(told(&run, "signing").0, "ok", "{}", run.both());
    assert_eq!(objects(), before);
}

#[test]
fn hooks_that_ask_are_told_from_those_that_do_not() {
    let world = World::new();
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    hook(&repo, "pre-push", "#!/bin/sh\nexec </dev/tty\n", 0o755);
    hook(&repo, "commit-msg", "#!/bin/sh\nread -p 'sure?' x\n", 0o644);
    assert!(told(&look(&world, &repo), "hooks").1.contains("no hook runs"), "a push and a file that is no program");
    hook(&repo, "pre-commit", "#!/bin/sh\n# not </dev/tty\nexit 0\n", 0o755);
    let (status, detail, _) = told(&look(&world, &repo), "hooks");
    assert!(status == "ok" && detail.contains("pre-commit"), "{detail}");
    hook(&repo, "post-checkout", "#!/bin/sh\nexec </dev/tty\n", 0o755);
    let (status, detail, fix) = told(&look(&world, &repo).ok(), "hooks");
    assert!(status == "warn" && detail.starts_with("post-checkout asks") && fix.contains("AUTODO_RUN"), "{detail}");
}

#[test]
fn worktrees_inside_the_checkout_are_a_failure() {
    let world = World::new();
    let repo = world.repo("r");
    for inside in ["trees", "../r/trees"] {
        repo.settings(&format!("version = 1\nchecks = []\n[worktree]\nroot = \"{inside}\"\n"));
        let (status, detail, fix) = told(&look(&world, &repo).code(1), "worktrees");
        assert!(status == "fail" && detail.contains("inside the checkout"), "{inside}: {detail}");
        assert!(fix.contains("worktree.root"), "{fix}");
    }
    repo.settings("version = 1\nchecks = []\n[worktree]\nroot = \"../trees\"\n");
    assert!(told(&look(&world, &repo).ok(), "worktrees").1.ends_with("/trees"));
}

#[test]
fn agents_are_looked_for_by_what_their_profiles_say() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("version = 1\nprofile = \"mine\"\nchecks = []\n");
    assert!(told(&look(&world, &repo).code(1), "agent:mine").1.contains("there is none of that name"));
    user_profile(&world, "mine", &profile_text("mine", "my-agent"));
    user_profile(&world, "other", &profile_text("other", "other-agent"));
    let run = look(&world, &repo).code(1);
    let (status, detail, fix) = told(&run, "agent:mine");
    assert!(status == "fail" && detail.contains("no my-agent") && fix.contains("install my-agent"), "{detail}");
    assert_eq!(told(&run, "agent:other").0, "warn", "{}", run.both());
    install(&world, "my-agent", "[ \"$1\" = --version ] && echo 'my-agent 1.2.3 (build 4)'");
    install(&world, "other-agent", "echo broken >&2; exit 3");
    let run = look(&world, &repo).ok();
    let (status, detail, _) = told(&run, "agent:mine");
    assert!(status == "ok" && detail.contains("my-agent 1.2.3"), "{detail}");
    let (status, detail, _) = told(&run, "agent:other");
    assert!(status == "warn" && detail.contains("--version failed: broken"), "{detail}");
    let untried = "unverified = [\"login\", \"macOS\"]\n[launch]\n";
    user_profile(&world, "mine", &profile_text("mine", "my-agent").replace("[launch]\n", untried));
    let (status, detail, _) = told(&look(&world, &repo).ok(), "agent:mine");
    assert!(status == "warn" && detail.contains("not verified with the real agent: login, macOS"), "{detail}");
}

#[test]
fn a_variable_that_a_profile_requires_is_missed() {
    let mut world = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    install(&world, "my-agent", "echo 1");
    let text = profile_text("mine", "my-agent").replace("[launch]\n", "[launch]\nrequire = [\"MY_AGENT_TOKEN\"]\n");
    user_profile(&world, "mine", &text);
    let (status, detail, _) = told(&look(&world, &repo).ok(), "agent:mine");
    assert!(status == "warn" && detail.contains("MY_AGENT_TOKEN"), "{detail}");
    world.set("MY_AGENT_TOKEN", "x");
    let run = look(&world, &repo).ok();
    assert_eq!(told(&run, "agent:mine").0, "ok", "{}", run.both());
    assert!(!run.stdout.contains("\"x\""), "doctor printed a secret");
}

#[test]
fn a_profile_with_a_mistake_is_a_failure_with_its_place() {
    let world = World::new();
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    repo.write(".autodo/profiles/bad.toml", "version = 1\nname = \"bad\"\nlunch = 3\n");
    let (status, detail, fix) = told(&look(&world, &repo).code(1), "agent:bad");
    assert!(status == "fail" && detail.contains("bad.toml:3:1") && fix.contains("profile check"), "{detail}");
}

#[test]
fn a_missing_git_lfs_is_named_where_the_project_needs_it() {
    let world = lean(TOOLS);
    let repo = world.repo("r");
    repo.settings("version = 1\nchecks = []\n");
    assert!(!look(&world, &repo).ok().stdout.contains("\"lfs\""));
    repo.write(".gitattributes", "*.bin filter=lfs\n");
    let (status, detail, fix) = told(&look(&world, &repo).ok(), "lfs");
    assert!(status == "warn" && detail.contains("pointers only") && fix.contains("install git-lfs"), "{detail} {fix}");
}

#[test]
fn a_bare_repository_is_a_project_like_any_other() {
    let world = World::new();
    let repo = world.repo("r");
    let bare = world.root().join("bare.git");
    repo.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let (status, detail, _) = told(&world.autodo_in(&bare, &["doctor", "--json"]).ok(), "project");
    assert!(status == "warn" && detail.contains("which checks"), "{detail}");
    crate::support::git::write(&bare, ".autodo/config.toml", "version = 1\nchecks = []\n");
    let run = world.autodo_in(&bare, &["doctor", "--json"]).ok();
    assert_eq!(told(&run, "project").0, "ok");
    assert!(told(&run, "worktrees").1.ends_with("/bare.git.worktrees"), "{}", run.both());
}
