//! Circumstances: what is missing or in the way, supervisors beside each other, small steps from cron.

use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject, is_there},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

#[test]
fn a_foreign_folder_where_the_worktree_belongs_is_left_alone() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").set_up();
    std::fs::create_dir_all(p.worktree("T-1")).unwrap();
    std::fs::write(p.worktree("T-1").join("precious.txt"), "mine").unwrap();
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "parked worktree null");
    assert_eq!(p.status("T-2"), "needs_review null true");
    let review = p.review_md("T-1");
    assert!(review.contains(p.worktree("T-1").to_str().unwrap()), "it says where: {review}");
    assert_eq!(std::fs::read_to_string(p.worktree("T-1").join("precious.txt")).unwrap(), "mine");
    std::fs::remove_dir_all(p.worktree("T-1")).unwrap();
    p.autodo(&["resume", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn a_branch_that_exists_already_is_not_taken_over() {
    let world = World::new();
    let p = FakeProject::new(&world).set_up();
    p.repo.git(&["checkout", "-q", "-b", "autodo/T-1"]);
    let theirs = p.repo.commit(&[("theirs.txt", "x")], "theirs");
    p.repo.git(&["checkout", "-q", "main"]);
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "parked worktree null");
    assert!(p.review_md("T-1").contains("autodo/T-1"), "{}", p.review_md("T-1"));
    assert_eq!(p.repo.git(&["rev-parse", "autodo/T-1"]), theirs);
}

#[test]
fn a_set_up_command_that_fails_asks_a_person() {
    let world = World::new();
    let p = FakeProject::new(&world).set_up();
    p.repo.settings(
        "version = 1\nprofile = \"fake\"\nchecks = []\n[worktree]\nsetup = [\"echo no network; test -f mended\"]\n",
    );
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "blocked setup null");
    assert!(p.row("T-1")["question"].as_str().unwrap().contains("no network"), "{}", p.row("T-1"));
    assert!(p.prompts("T-1").is_empty());
}

#[test]
fn an_agent_that_is_not_installed_sets_its_ticket_aside() {
    let world = World::new();
    let p = FakeProject::new(&world).set_up();
    let profile = std::fs::read_to_string(p.repo.path.join(".autodo/profiles/fake.toml")).unwrap();
    p.repo.write(".autodo/profiles/fake.toml", &profile.replace(crate::support::fakes::agent(), "no-such-agent"));
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "parked environment null");
    assert!(p.review_md("T-1").contains("no-such-agent"), "{}", p.review_md("T-1"));
    p.repo.write(".autodo/profiles/fake.toml", &profile);
    p.autodo(&["resume", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn a_variable_that_an_agent_needs_is_asked_for_and_kept_nowhere() {
    let world = World::new();
    let script = [
        BEGIN,
        "run test \"$FAKE_SECRET\" = sesame-42 && echo it has the secret > secret.txt\n",
        COMMIT,
        "run rm secret.txt\n",
        DONE,
    ]
    .concat();
    let p = FakeProject::new(&world).launch("require = [\"FAKE_SECRET\"]").scenario(&script).set_up();
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "parked environment null");
    assert!(p.review_md("T-1").contains("FAKE_SECRET"), "{}", p.review_md("T-1"));
    p.autodo(&["resume", "T-1"]).code(0);
    p.command(&["dispatch"]).env("FAKE_SECRET", "sesame-42").run().code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    for file in crate::support::files::files_below(&world.home()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(9).any(|part| part == b"sesame-42"), "{}", file.display());
    }
}

#[test]
fn a_second_dispatch_hands_its_tickets_over_and_follows_them() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "");
    let gate = p.gate("gate");
    let p = p.scenario_of("T-1", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let first = p.start(&[]);
    p.wait_prompts("T-1", 1);
    let p = p.ticket("T-2", "").set_up();
    let second = p.command(&["dispatch", ".autodo/tickets/T-2.md"]).run().code(0);
    assert!(second.both().contains("a supervisor runs already"), "{}", second.both());
    assert_eq!(p.status("T-2"), "needs_review null true");
    p.open("gate");
    first.wait(PATIENCE).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn of_two_dispatches_at_once_one_supervises_and_each_ticket_runs_once() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").ticket("T-3", "").set_up();
    let both = [p.start(&[]), p.start(&[])];
    for dispatch in both {
        dispatch.wait(PATIENCE).code(0);
    }
    for id in ["T-1", "T-2", "T-3"] {
        assert_eq!(p.status(id), "needs_review null true");
        assert_eq!((p.prompts(id).len(), p.row(id)["runs"].clone()), (1, json!(1)));
    }
}

#[test]
fn an_interrupted_dispatch_leaves_its_agents_at_work_and_the_next_goes_on_with_them() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let mut dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    dispatch.signal(nix::sys::signal::Signal::SIGINT);
    let said = dispatch.wait(PATIENCE).code(130);
    assert!(said.both().contains("go on by themselves"), "{}", said.both());
    p.open("gate");
    wait_for("the report", || (p.commands("T-1").len() == 2).then_some(()), || world.story());
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!((p.prompts("T-1").len(), p.row("T-1")["run"].clone()), (1, json!(1)));
}

#[test]
fn ticks_alone_from_an_empty_environment_bring_a_ticket_to_review() {
    let world = World::new();
    let p = FakeProject::new(&world).checks(&["test -f work.txt"]).set_up();
    p.autodo(&["import"]).code(0);
    let home = format!("HOME={}", world.root().join("home").display());
    let own = format!("AUTODO_HOME={}", world.home().display());
    let git = format!("GIT_CONFIG_GLOBAL={}", world.root().join("gitconfig").display());
    let tick = || {
        let args = ["-i", &home, &own, &git, "PATH=/usr/bin:/bin", env!("CARGO_BIN_EXE_autodo"), "tick"];
        world.program("env", &args).in_dir("/").run()
    };
    let look = || {
        let ticked = tick();
        assert!(ticked.code == 0, "{}", ticked.both());
        p.status("T-1").starts_with("needs_review").then_some(())
    };
    wait_for("the review", look, || world.story());
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!((p.prompts("T-1").len(), p.row("T-1")["run"].clone()), (1, json!(1)));
}

#[test]
fn a_tick_beside_a_supervisor_leaves_everything_to_it() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_prompts("T-1", 1);
    assert!(p.autodo(&["tick"]).code(0).both().contains("a supervisor runs"));
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn a_script_ticket_that_fails_in_a_block_asks_and_goes_on_there() {
    let world = World::new();
    let p = FakeProject::new(&world).setting("profile = \"script\"").set_up();
    let body = "Do it.\n\n## Run\n\n```sh\necho one >> log.txt\n```\n\n```sh\ntest -f \"$HOME/mended\"\necho two >> log.txt\n```\n\n\
                ```sh\necho three >> log.txt\n```\n";
    p.repo.write(".autodo/tickets/T-1.md", &format!("---\nid: T-1\ntitle: Blocks\n---\n{body}"));
    p.dispatch(&[]).code(8);
    assert_eq!(p.status("T-1"), "blocked question null");
    std::fs::write(world.root().join("home/mended"), "").unwrap();
    p.autodo(&["answer", "T-1", "rerun"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(std::fs::read_to_string(p.worktree("T-1").join("log.txt")).unwrap(), "one\ntwo\nthree\n");
    assert_eq!(p.row("T-1")["run"], 1);
    assert!(is_there(p.worktree("T-1").join(".git")));
}

#[test]
fn a_worktree_whose_folder_was_deleted_by_hand_is_not_made_up_for_in_silence() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario_of("T-1", 2, &[BEGIN, DONE].concat()).dispatched(0);
    std::fs::remove_dir_all(p.worktree("T-1")).unwrap();
    p.autodo(&["reject", "T-1", "-m", "again"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true", "{}", p.row("T-1"));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work", "its branch has the work still");
}
